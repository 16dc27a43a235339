"""Core: the screens of an import: how far it is, and how both systems add up at its end."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from case_sync_console.counts_words import counted
from case_sync_console.import_balance import SHOWN, Balance

WAYS_ON = {
    "rejected": "why, and what to do: case-sync errors",
    "left_out": "a filter, or a status or support process that your rules skip",
    "changed_since": "created or changed while the import ran: the next run brings them",
    "missing": "without a reason that we know",
}


def pace_line(done: int, total: int | None, seconds: float) -> str:
    """`1,200 of 3,000 cases, 400 a second, about 5 s left`."""
    if not done:
        return "Starting" if total is None else f"Reading {counted(total, 'case')} from Salesforce"
    of_all = f"{done:,} of {total:,} cases" if total is not None else counted(done, "case")
    if seconds <= 0:
        return of_all
    rate = done / seconds
    left = f", about {span((total - done) / rate)} left" if total is not None and total > done else ""
    return f"{of_all}, {rate:,.0f} a second{left}"


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def balance_screen(found: Balance, file_name: str | None, rejected: int = 0) -> RenderableType:
    """The counts of both systems, and what is missing.

    Args:
        found: both systems.
        file_name: holds all missing ids where they are too many to show.
        rejected: cases that this run rejected; some of them may have a ticket of before.
    """
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row("cases in Salesforce", f"{found.cases:,}", "")
    table.add_row("tickets in HubSpot with their ids", f"{found.tickets:,}", "")
    if (stale := rejected - len(found.rejected)) > 0:
        table.add_row("  of these left as they were", f"{stale:,}", f"rejected now: {WAYS_ON['rejected']}")
    rows = (
        ("rejected", "rejected, without a ticket", found.rejected),
        ("left_out", "left out by a rule", found.left_out),
        ("changed_since", "not yet", found.changed_since),
        ("missing", "missing", found.missing),
    )
    for kind, words, ids in rows:
        if ids or kind in {"rejected", "missing"}:
            table.add_row(words, f"{len(ids):,}", WAYS_ON[kind] if ids else "")
    return Group(table, *_missing(found, file_name))


def _missing(found: Balance, file_name: str | None) -> list[RenderableType]:
    if not found.missing:
        return []
    shown = ", ".join(found.missing[:SHOWN])
    more = f" ...; all {len(found.missing):,} stand in {file_name}" if file_name else ""
    return [
        Text(f"Missing: {shown}{more}"),
        Text("Bring one in with: case-sync resync --case ID. Run the import again to look once more."),
    ]
