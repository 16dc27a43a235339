"""Core: what to do about a problem of the rules: the command that mends the place that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Place in the rules -> the command that changes it; {0}, {1} are the groups. The first that fits counts.
COMMANDS = (
    (
        r"rules\.pipelines\.default: is missing",
        "case-sync setup, which asks for all of it, or case-sync pipelines set default PIPELINE",
    ),
    (
        r"rules\.pipelines\.(.+?): the org has no support process",
        'case-sync pipelines delete "{0}", or mend the name',
    ),
    (
        r"rules\.pipelines\.(.+?)\.stages\.(.+?): Case has no active status",
        'case-sync pipelines set "{0}" --stage "{1}="',
    ),
    (r"rules\.pipelines\.(.+?)\.stages\.(.+?):", 'case-sync pipelines set "{0}" --stage "{1}=STAGE"'),
    (r"rules\.pipelines\.(.+?)\.(closed|default)_stage:", 'case-sync pipelines set "{0}" --{1}-stage STAGE'),
    (r"rules\.pipelines\.(.+?)(?:\.pipeline)?:", 'case-sync pipelines set "{0}" PIPELINE'),
    (r"rules\.pipelines:", "case-sync setup, or case-sync pipelines set PROCESS PIPELINE"),
    (r"rules\.fields\.([^.:]+): is missing", "case-sync mappings add {0} FIELD"),
    (r"rules\.fields\.([^.:]+)", "case-sync mappings edit {0}, or case-sync mappings delete {0}"),
    (r"rules\.associations\.(account|contact|parent_case)", "case-sync rules set {0} off, or mend it there"),
    (
        r"rules\.(on_case_deleted|on_case_merged|unmapped_status|unmapped_process)",
        "case-sync rules set {0} VALUE",
    ),
)
ELSEWHERE = "mend this place in {file}"
# The target's own words say what to do behind a colon, or in a sentence of its own.
QUOTED = re.compile(r"'([^']+)'")
UNKNOWN_COLUMNS = re.compile(r"HubSpot has no ticket property for (\d+) of the stream's columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What keeps the sync from running, and what to do about it; no `remedy`: the text says it."""

    text: str
    remedy: str = ""


def of_rules(texts: Iterable[str], file: str) -> list[Problem]:
    """Problems that the mapper tells, each with the command that changes its place."""
    return [Problem(text=text, remedy=_remedy(text, file)) for text in texts]


def _remedy(text: str, file: str) -> str:
    for pattern, command in COMMANDS:
        if found := re.match(pattern, text):
            return command.format(*found.groups())
    return ELSEWHERE.format(file=file) if text.startswith("rules") else ""


def of_portal(texts: Iterable[str], told: Sequence[Problem]) -> list[Problem]:
    """Problems that the target tells; those about a name that a problem of the rules is about already are left out."""
    known = {name for problem in told for name in QUOTED.findall(problem.text.split(";")[0])}
    known |= {
        found.group(1) for problem in told if (found := re.match(r"rules\.fields\.([^.:]+)", problem.text))
    }
    unknown = sum("HubSpot has no ticket property of this name" in problem.text for problem in told)
    return [Problem(text=text) for text in texts if not _is_told(text, known, unknown)]


def _is_told(text: str, known: set[str], unknown: int) -> bool:
    if counted := UNKNOWN_COLUMNS.match(text):
        return int(counted.group(1)) <= unknown
    return bool(_named(text)) and _named(text) <= known


def _named(text: str) -> set[str]:
    """The names that a problem is about: those quoted before its remedy."""
    return set(QUOTED.findall(re.split(r"[:;]", text, maxsplit=1)[0]))
