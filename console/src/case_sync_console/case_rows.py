"""Core: lines of the target's dry run as rows that an admin reads: names for ids, and only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.both_sides import BothSides
from case_sync_console.case_filter import to_18

NUMBER = "salesforce_case_number"  # the ticket property
LEAVE_OUT, NOTHING = "leave_out", "nothing"  # of cases without a line
WOULD = {
    "create": "created", "update": "updated", "unchanged": "unchanged", "delete": "deleted", "leave": "left as it is",
    "reject": "rejected", LEAVE_OUT: "left out", NOTHING: "not there",
}  # fmt: skip
LEFT_OUT = "the rules leave it out"
NOT_THERE = "Salesforce has no such case in what the sync reads, or the Salesforce user may not see it"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """What a sync would do with one case.

    Attributes:
        key: its Id, or what was asked for.
        number: its CaseNumber; "" where it is not known.
        would: create, update, unchanged, delete, leave, reject, leave_out or nothing.
        reason: why it is rejected, deleted, left, or not there.
        changes: ticket property -> its value now and then.
    """

    key: str
    number: str
    would: str
    reason: str
    changes: Mapping[str, tuple[str, str]]


def case_rows(
    lines: Sequence[Mapping[str, Any]], sides: BothSides, asked: Sequence[str], numbers: Mapping[str, str]
) -> tuple[CaseRow, ...]:
    """A row for each line, and one for each case that was asked for and has no line.

    Args:
        lines: of the dry run.
        sides: both systems.
        asked: Ids and numbers.
        numbers: Id -> CaseNumber of cases that the sync reads, those that were asked for among them.
    """
    rows = [_row(line, sides, numbers) for line in lines]
    told = {name for row in rows for name in (row.key, row.number)}
    absent = [name for name in asked if name not in told and to_18(name) not in told]
    most = max(len(asked) - len(lines), 0)  # a case that was deleted has a line, and no number
    return (*rows, *(_absent(name, numbers) for name in absent[:most]))


def number_in(line: Mapping[str, Any]) -> str:
    """The CaseNumber that a line tells; "" where it tells none."""
    return str((line.get("properties") or {}).get(NUMBER) or "")


def _absent(name: str, numbers: Mapping[str, str]) -> CaseRow:
    is_there = to_18(name) in numbers or name in numbers.values()
    return CaseRow(
        key=name,
        number="",
        would=LEAVE_OUT if is_there else NOTHING,
        reason=LEFT_OUT if is_there else NOT_THERE,
        changes={},
    )


def _row(line: Mapping[str, Any], sides: BothSides, numbers: Mapping[str, str]) -> CaseRow:
    written: Mapping[str, Any] = line.get("properties") or {}
    changes = line.get("changes") or {
        name: {"before": None, "after": value} for name, value in written.items()
    }
    shown = {
        name: (_in_words(name, change["before"], sides), _in_words(name, change["after"], sides))
        for name, change in sorted(changes.items())
    }
    key = str(line["key"])
    return CaseRow(
        key=key,
        number=number_in(line) or numbers.get(key, ""),
        would=str(line["would"]),
        reason=str(line.get("reason") or ""),
        changes={name: pair for name, pair in shown.items() if pair[0] != pair[1]},
    )


def _in_words(name: str, value: Any, sides: BothSides) -> str:
    """Pipelines, stages and options as HubSpot shows them."""
    text = "" if value is None else str(value)
    if name == "hs_pipeline":
        return next((p.label for p in sides.pipelines if p.id == text), text)
    if name == "hs_pipeline_stage":
        return next((p.stage_ids[text] for p in sides.pipelines if text in p.stage_ids), text)
    return text
