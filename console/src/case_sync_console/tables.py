"""Core: tables that a pipe and a narrow terminal can show."""

from __future__ import annotations

from rich import box
from rich.table import Table

NARROW_COLUMNS = 115  # of the terminal; below, five columns or more are too many


def table(*columns: str) -> Table:
    """Plain columns."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
