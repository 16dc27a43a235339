"""Core: lines of the target's dry run as rows that an admin reads: names for ids, and only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.both_sides import BothSides

NUMBER = "salesforce_case_number"
WOULD = {
    "create": "created", "update": "updated", "unchanged": "unchanged", "delete": "deleted", "leave": "left as it is",
    "reject": "rejected", "nothing": "nothing",
}  # fmt: skip
NOT_THERE = "not found in what the sync reads, or left out by the rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """What a sync would do with one case.

    Attributes:
        key: its Id, or what was asked for.
        number: its CaseNumber; "" where it is not known.
        would: create, update, unchanged, delete, leave, reject or nothing.
        reason: why it is rejected, deleted, left, or not there.
        changes: ticket property -> its value now and then.
    """

    key: str
    number: str
    would: str
    reason: str
    changes: Mapping[str, tuple[str, str]]


def case_rows(
    lines: Sequence[Mapping[str, Any]], sides: BothSides, asked: Sequence[str]
) -> tuple[CaseRow, ...]:
    """A row for each line, and one for what was asked for and is not there."""
    missing = len(asked) - len(lines)
    if missing <= 0:
        return tuple(_row(line, sides) for line in lines)
    name = asked[0] if len(asked) == 1 else f"{missing} of the cases asked for"
    absent = CaseRow(key=name, number="", would="nothing", reason=NOT_THERE, changes={})
    return (*(_row(line, sides) for line in lines), absent)


def _row(line: Mapping[str, Any], sides: BothSides) -> CaseRow:
    written: Mapping[str, Any] = line.get("properties") or {}
    changes = line.get("changes") or {
        name: {"before": None, "after": value} for name, value in written.items()
    }
    shown = {
        name: (_in_words(name, change["before"], sides), _in_words(name, change["after"], sides))
        for name, change in sorted(changes.items())
    }
    return CaseRow(
        key=str(line["key"]),
        number=str(written.get(NUMBER) or ""),
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
