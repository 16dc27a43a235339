"""Shell: the stream `cases`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_salesforce_cases.bookmarks import Bookmark, open_bookmark, refuse_other_org
from tap_salesforce_cases.delete_log import read_delete_log
from tap_salesforce_cases.deletions import LogPosition, read_position
from tap_salesforce_cases.describe import CaseColumns, selected
from tap_salesforce_cases.errors import StateError, TapError
from tap_salesforce_cases.reading import read_joins, read_window
from tap_salesforce_cases.rows import Row, purged_tombstone, row_of
from tap_salesforce_cases.soql import Window

if TYPE_CHECKING:
    from tap_salesforce_cases.tap import TapSalesforceCases


class CasesStream(Stream):
    """Cases in the order of their SystemModstamp, deleted ones as tombstones."""

    name = "cases"
    primary_keys = ("Id",)
    replication_key = "SystemModstamp"
    is_sorted = True
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # rows are made to fit already
    STATE_MSG_FREQUENCY = 5_000

    def __init__(self, tap: TapSalesforceCases, columns: CaseColumns, server_time: datetime) -> None:
        """A stream of what `columns` says, read up to `server_time`, which is Salesforce's clock."""
        super().__init__(tap, schema=columns.schema, name=self.name)
        self._source = tap
        self._columns = columns
        self._server_time = server_time
        self._row: Row | None = None
        self._log_position: LogPosition | None = None

    def _read_log_position(self) -> LogPosition | None:
        try:
            return read_position(self.stream_state.get("delete_log") or {})
        except (ValueError, TypeError, AttributeError):
            raise StateError(
                "the state's delete_log can't be read: clear the state (meltano state clear) and import again"
            ) from None

    @cached_property
    def bookmark(self) -> Bookmark:
        settings = self._source.settings
        lookback = timedelta(seconds=settings["lookback_seconds"])
        return open_bookmark(self.stream_state, settings["start_date"], self._server_time, lookback)

    def get_records(self, context: Any) -> Iterable[Row]:  # noqa: ARG002 - the SDK's signature
        """Rows that the run before did not emit already, then the tombstones of cases that were deleted for good."""
        refuse_other_org(self.stream_state, self._source.session.session.organization_id)
        self._log_position = self._read_log_position()
        deleted: set[str] = set()
        try:
            yield from self._rows(deleted)
            if self._source.settings["hard_deletes"]:
                yield from self._purged(deleted)
        except TapError:
            self._write_state_message()  # what is out need not be read again
            raise

    def _rows(self, deleted: set[str]) -> Iterator[Row]:
        """Adds the ids of its tombstones to `deleted`."""
        columns = selected(
            self._columns, {path[-1] for path, chosen in self.mask.items() if len(path) == 2 and chosen}
        )
        session, report = self._source.session, self._source.report
        joins = read_joins(session)
        window = Window(since=self.bookmark.since, until=self._server_time)
        for record in read_window(session, columns, window, self._source.settings["page_size"]):
            row = row_of(record, columns, joins)
            if row["IsDeleted"]:
                deleted.add(row["Id"])
            if self.bookmark.is_known(row):
                self.bookmark.passed(row)
                report.unchanged += 1
                continue
            report.rows += 1
            report.tombstones += row["IsDeleted"]
            self._row = row
            yield dict(row)  # a copy: the SDK takes away what the catalog leaves out

    def _purged(self, deleted: set[str]) -> Iterator[Row]:
        """On a first run there is nothing to look for: what was purged before was never emitted."""
        session, report = self._source.session, self._source.report
        if self._log_position is None:
            self._log_position = LogPosition(covered=self._server_time)
            return
        reading = read_delete_log(
            session, self._log_position, server_time=self._server_time, tombstones=deleted
        )
        self._row = None
        for deletion in reading.purged:
            report.rows += 1
            report.tombstones += 1
            report.purged += 1
            yield purged_tombstone(deletion.record_id, deletion.deleted_at, session.session.organization_id)
        self._log_position = reading.position

    def _increment_stream_state(self, latest_record: Row, *, context: Any = None) -> None:  # noqa: ARG002
        """Called by the SDK after a row is out; a purged case has no place in the order of the others."""
        if self._row is not None:
            self.bookmark.passed(self._row)

    def _write_state_message(self) -> None:
        """The bookmark as it is now, and nothing of a bookmark before it."""
        now = self.bookmark.state()  # opens it from the state that is about to be cleared
        state = self.stream_state
        state.clear()
        state.update(now)
        if self._log_position is not None:
            state["delete_log"] = self._log_position.state()
        state["organization_id"] = self._source.session.session.organization_id
        super()._write_state_message()
