"""Shell: the stream `cases`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_salesforce_cases.bookmarks import Bookmark, open_bookmark
from tap_salesforce_cases.describe import CaseColumns, selected
from tap_salesforce_cases.reading import read_joins, read_window
from tap_salesforce_cases.rows import Row, row_of
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
        self._row: Row = {}

    @cached_property
    def bookmark(self) -> Bookmark:
        settings = self._source.settings
        lookback = timedelta(seconds=settings["lookback_seconds"])
        return open_bookmark(self.stream_state, settings["start_date"], self._server_time, lookback)

    def get_records(self, context: Any) -> Iterable[Row]:  # noqa: ARG002 - the SDK's signature
        """Rows that the run before did not emit already."""
        columns = selected(
            self._columns, {path[-1] for path, chosen in self.mask.items() if len(path) == 2 and chosen}
        )
        session, settings, report = self._source.session, self._source.settings, self._source.report
        joins = read_joins(session)
        window = Window(since=self.bookmark.since, until=self._server_time)
        for record in read_window(session, columns, window, settings["page_size"]):
            row = row_of(record, columns, joins)
            if self.bookmark.is_known(row):
                self.bookmark.passed(row)
                report.unchanged += 1
                continue
            report.rows += 1
            report.tombstones += row["IsDeleted"]
            self._row = row
            yield dict(row)  # a copy: the SDK takes away what the catalog leaves out

    def _increment_stream_state(self, latest_record: Row, *, context: Any = None) -> None:  # noqa: ARG002
        """Called by the SDK after a row is out."""
        self.bookmark.passed(self._row)

    def _write_state_message(self) -> None:
        """The bookmark as it is now, and nothing of a bookmark before it."""
        state = self.stream_state
        state.clear()
        state.update(self.bookmark.state())
        super()._write_state_message()
