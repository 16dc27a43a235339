"""Core: windows of SystemModstamp: closed below, open above, disjoint, without a gap; halved where one is too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tap_salesforce_cases.moments import ONE_SECOND, whole_second

# No row of Salesforce's is older than Salesforce: what halving starts at where there is no lower end.
FIRST_MOMENT = datetime(1999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last row that was read, in the order of (SystemModstamp, Id): the moment to the second, and an 18-character id."""

    stamp: datetime
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows with since_inclusive <= SystemModstamp < until_exclusive that lie after a position, if there is one.

    None for `since_inclusive` means from the first row. Both ends are whole seconds.
    """

    since_inclusive: datetime | None
    until_exclusive: datetime
    after: Position | None = None

    def from_position(self, position: Position) -> Window:
        """What is left of the window behind a row of it."""
        return replace(self, since_inclusive=position.stamp, after=position)


def up_to(since: datetime | None, after: Position | None, server_time: datetime) -> Window:
    """The window of a run: from the bookmark to the present second of Salesforce's clock, that second included."""
    until = whole_second(server_time) + ONE_SECOND
    low = whole_second(since) if since else None
    return Window(since_inclusive=low and min(low, until), until_exclusive=until, after=after)


def halve(window: Window) -> tuple[Window, Window] | None:
    """Two windows that hold the same rows, the earlier one first; None for a window of one second."""
    low = window.since_inclusive or FIRST_MOMENT
    seconds = int((window.until_exclusive - low) / ONE_SECOND)
    if seconds <= 1:
        return None
    middle = low + timedelta(seconds=seconds // 2)
    return replace(window, until_exclusive=middle), Window(
        since_inclusive=middle, until_exclusive=window.until_exclusive
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A window and how many rows it has."""

    window: Window
    rows: int


def split_by_rows(whole: Counted, most: int, count: Callable[[Window], int]) -> list[Counted]:
    """Windows of at most `most` rows each, in order, that make up the whole; a single second is never split.

    `count` is asked for the earlier half only; empty windows are joined to a neighbour, so that every second is in one.
    """
    if whole.rows <= most:
        return [whole]
    halves = halve(whole.window)
    if halves is None:
        return [whole]
    early, late = halves
    rows = count(early)
    if rows == 0:
        kept = split_by_rows(Counted(window=late, rows=whole.rows), most, count)
        first = replace(
            kept[0].window, since_inclusive=whole.window.since_inclusive, after=whole.window.after
        )
        return [Counted(window=first, rows=kept[0].rows), *kept[1:]]
    if rows >= whole.rows:
        kept = split_by_rows(Counted(window=early, rows=rows), most, count)
        last = kept[-1]
        return [
            *kept[:-1],
            Counted(window=replace(last.window, until_exclusive=late.until_exclusive), rows=last.rows),
        ]
    return [
        *split_by_rows(Counted(window=early, rows=rows), most, count),
        *split_by_rows(Counted(window=late, rows=whole.rows - rows), most, count),
    ]
