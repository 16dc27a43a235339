"""Core: what to do about an error on record, as commands of the console; the target's words are for those who have none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

# The target's and the mapper's words for who has no console.
READ_AGAIN = "then let the case be read again: with its next change, or by a full refresh"
OF_PIPELINE = re.compile(r"^no stage of pipeline '(.+?)' for Status ")
PLACE = "PROCESS"  # in a command, where only the rules can tell
TO_THE_RULES = ": add it to rules.pipelines"


class Mend(NamedTuple):
    """What a reason names, the command about it, and the one where it names nothing."""

    named: str
    command: str
    otherwise: str


# By code of the mapper's.
MENDS = {
    "UNMAPPED_STATUS": Mend(
        r"Status '(.+)'",
        f'case-sync pipelines set {PLACE} --stage "{{0}}=STAGE", or case-sync rules set unmapped_status VALUE',
        "case-sync rules set unmapped_status VALUE",
    ),
    "UNMAPPED_PROCESS": Mend(
        r"BusinessProcess__Name '(.+)'",
        'case-sync pipelines set "{0}" PIPELINE, or case-sync rules set unmapped_process VALUE',
        "case-sync pipelines set default PIPELINE, or case-sync rules set unmapped_process VALUE",
    ),
    "UNKNOWN_VALUE": Mend(
        r"rules\.fields\.([^.:]+):",
        'case-sync mappings edit {0} --option "VALUE=OPTION"',
        "case-sync mappings edit PROPERTY --option VALUE=OPTION",
    ),
}


def reason_here(reason: str) -> str:
    """Why, without what to do."""
    return reason.removesuffix(TO_THE_RULES)


def remedy_here(code: str, reason: str, remedy: str, category: str) -> str:
    """What to do, from the target's remedy."""
    again = f'then: case-sync errors retry --category "{category}"'
    mend = MENDS.get(code)
    if mend is None:
        return remedy.replace(READ_AGAIN, again)
    found = re.search(mend.named, reason)
    return f"{mend.command.format(*found.groups()) if found else mend.otherwise}; {again}"


def with_process(remedy: str, reason: str, pipelines: Mapping[str, Mapping[str, Any]]) -> str:
    """The remedy with the support process that goes to the pipeline of the reason, where the rules have just one."""
    found = OF_PIPELINE.search(reason)
    names = [name for name, rule in pipelines.items() if found and rule["pipeline"] == found[1]]
    return remedy.replace(PLACE, f'"{names[0]}"', 1) if len(names) == 1 else remedy
