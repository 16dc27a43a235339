"""Core: the screens of `errors`: by category with reason and remedy, and one case whole."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from case_sync_console.counts_words import counted
from case_sync_console.error_rows import EXAMPLES, WAITING, ErrorRow, Group, counts, groups

NOTHING = "Nothing is on record: no case was rejected, and no association waits."
INDENT = "  "


def overview(rows: Sequence[ErrorRow]) -> RenderableType:
    """All that is on record, by category."""
    if not rows:
        return Text(NOTHING)
    by_category = counts(rows)
    lines: list[RenderableType] = []
    for category, number in by_category.items():
        lines.append(Text(f"{category}: {counted(number, 'case')}", style="bold"))
        for group in groups(row for row in rows if row.category == category):
            lines += _group(group)
    lines.append(
        Text(
            "\nOne case whole: case-sync errors show CASE. Try again after a repair: case-sync errors retry CASE, or --category NAME, or --all"
        )
    )
    return Lines(*lines)


def _group(group: Group) -> list[RenderableType]:
    shown = ", ".join(group.keys[:EXAMPLES]) + (", ..." if len(group.keys) > EXAMPLES else "")
    verb = "waiting" if group.kind == WAITING else "rejected"
    return [
        _line(f"{counted(len(group.keys), 'case')} {verb}: {group.reason}", 1),
        _line(f"To do: {group.remedy}", 2),
        _line(f"Cases: {shown}", 2),
    ]


def _line(text: str, depth: int) -> Text:
    return Text(f"{INDENT * depth}{text}")


def one_case(title: str, rows: Sequence[ErrorRow]) -> RenderableType:
    """All that is on record of one case."""
    lines: list[RenderableType] = [Text(f"Case {title}", style="bold")]
    for row in rows:
        what = f"Association with a {row.to} waits" if row.kind == WAITING else "Rejected"
        lines += [_line(f"{what} ({row.category}): {row.reason}", 1), _line(f"To do: {row.remedy}", 2)]
        told = [f"code {row.code}"] if row.code else []
        told += [f"HubSpot's correlation id {row.correlation_id}"] if row.correlation_id else []
        told.append(f"tried {counted(row.tries, 'time')}, from {row.first_at[:19]} to {row.last_at[:19]} UTC")
        lines.append(_line("; ".join(told), 2))
    return Lines(*lines)
