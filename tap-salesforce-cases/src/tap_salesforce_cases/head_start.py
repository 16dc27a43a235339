"""Shell: the first rows of a window by REST while Salesforce works on its Bulk job, so that who writes them need not wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from tap_salesforce_cases.bookmarks import Bookmark
from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.rest_query import RestReader
from tap_salesforce_cases.rows import Row
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import Position, Window

# A call each: with full pages as many rows as HubSpot takes in ten seconds.
MOST_PAGES = 10
SECOND = len("2026-11-27T10:00:00")  # of a stamp on the wire: Salesforce orders by the second


@dataclass(slots=True, kw_only=True)
class HeadStart:
    """Rows that are out before the Bulk job of their window gives them: REST's come in order, so all that lie below the last one are.

    Attributes:
        rest: reads them; None for no head start.
        pages_left: calls that may still be spent on it.
        position: up to where rows are out, by this run or by the one whose job is gone on with.
    """

    rest: RestReader | None = None
    pages_left: int = MOST_PAGES
    position: Position | None = None
    _second: str = ""
    _ids: set[str] = field(default_factory=set)  # of the rows that are out of that very second

    @classmethod
    def behind(cls, bookmark: Bookmark) -> HeadStart:
        """None, but what an earlier run's gave is out. Rows of the last second come again: its order of ids is Salesforce's affair."""
        after = bookmark.after
        return cls(position=after, _second=to_wire(after.stamp)[:SECOND] if after else "")

    def steps(self, window: Window, is_complete: Callable[[], bool]) -> Iterator[Step]:
        """Page by page from the start of the window on, until the job is complete."""
        if self.rest is None or self.pages_left <= 0:
            return
        for step in self.rest.first(self.left_of(window)):
            self.pages_left -= 1
            yield replace(step, rows=self.watched(step.rows))
            self.position = step.position or self.position
            if self.pages_left <= 0 or is_complete():
                return

    def watched(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            second = row["SystemModstamp"][:SECOND]
            if second != self._second:
                self._second, self._ids = second, set()
            self._ids.add(row["Id"])
            yield row

    def without(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of the job that are not out yet."""
        if not self._second:
            return rows
        return (row for row in rows if not self._is_out(row))

    def _is_out(self, row: Row) -> bool:
        second = row["SystemModstamp"][:SECOND]
        return second < self._second or (second == self._second and row["Id"] in self._ids)

    def left_of(self, window: Window) -> Window:
        """What of a window is not out."""
        at, low = self.position, window.since_inclusive
        if at is None or at.stamp >= window.until_exclusive or (low and at.stamp < low):
            return window
        return window.from_position(at)
