"""Core: the answers to setup's questions that were given as options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from case_sync_console.errors import CommandLineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """None, or empty: not answered.

    Attributes:
        maps: ticket property -> Case field.
        unmaps: ticket properties that are to have no mapping.
        takes_suggested: whether suggested mappings are added.
        pipelines: support process -> ticket pipeline.
        stages: support process -> case status -> stage.
        drops_unknown: whether support processes that the org does not have leave the rules.
        activates: start continuous sync, or save for later.
    """

    on_case_deleted: str | None = None
    account: bool | None = None
    contact: bool | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    unmaps: Sequence[str] = ()
    takes_suggested: bool | None = None
    pipelines: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drops_unknown: bool | None = None
    activates: bool | None = None


def stages_by_process(given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`Billing Process/Working` -> stage, by process and status.

    Raises:
        CommandLineError: one names no process.
    """
    found: dict[str, dict[str, str]] = {}
    for place, stage in given.items():
        process, slash, status = place.partition("/")
        if not slash or not process.strip() or not status.strip():
            raise CommandLineError(f'--stage "{place}={stage}" is not "PROCESS/STATUS=STAGE"')
        found.setdefault(process.strip(), {})[status.strip()] = stage
    return found


def answer_for(process: str, given: Mapping[str, object]) -> object | None:
    """What was given for a support process, whatever the case of letters."""
    return next((value for name, value in given.items() if name.lower() == process.lower()), None)
