"""Shell: a stream of one object: its run from bookmark to Salesforce's clock, its messages, its state."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import MaxRecordsLimitException
from singer_sdk.singerlib import SchemaMessage

from tap_salesforce_cases.bookmarks import Bookmark, Origin, is_empty, open_bookmark
from tap_salesforce_cases.describe import Columns, selected, vanished, without
from tap_salesforce_cases.errors import FieldGoneError, TapError
from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.objects import StreamKind
from tap_salesforce_cases.progress import Progress
from tap_salesforce_cases.reading import Reading, ceiling
from tap_salesforce_cases.rows import Joins, Row, RowMaker
from tap_salesforce_cases.soql import Source
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import up_to

if TYPE_CHECKING:
    from tap_salesforce_cases.tap import TapSalesforceCases

STATE_EVERY_ROWS = 1_000
STATE_EVERY_SECONDS = 20
PROGRESS_EVERY_SECONDS = 30
MAX_DESCRIBES = 3  # in one run, for fields that vanish one after another


class SObjectStream(Stream):
    """The rows of one object; deleted ones as tombstones."""

    def __init__(
        self, tap: TapSalesforceCases, kind: StreamKind, columns: Columns, server_time: datetime
    ) -> None:
        """A stream of what `columns` says, read up to `server_time`, which is Salesforce's clock."""
        self.primary_keys = ("Id",)
        super().__init__(tap, schema=columns.schema(), name=kind.name)
        self.primary_keys = ("Id",)
        self.replication_key = "SystemModstamp" if kind.incremental else None
        self.selected_by_default = kind.by_default
        self.source_tap, self.kind, self.server_time = tap, kind, server_time
        self._sample_size: int = tap.settings["sample_size"]
        self._has_bookmark = kind.incremental and not self._sample_size
        self._all_columns = columns
        self._rows_out = self._rows_at_state = 0
        self._started = self._state_at = self._told_at = time.monotonic()
        self._bookmark: Bookmark | None = None

    # -- what the SDK asks

    @property
    def is_sorted(self) -> bool:
        """Not always (Bulk): the bookmark knows what is covered."""
        return False

    def apply_catalog(self, catalog: Any) -> None:
        """The catalog selects; the schema stays describe's, so that a field that vanished is not promised."""
        super().apply_catalog(catalog)
        self._input_schema = None

    def get_records(self, context: Any) -> Iterable[Row]:  # noqa: ARG002 - the SDK's signature
        """All rows, without a bookmark."""
        for step in self._steps():
            yield from step.rows

    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        yield SchemaMessage(
            self.name,
            self.columns.schema(),
            list(self.primary_keys),
            bookmark_properties=[self.replication_key] if self.replication_key else None,
        )

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Called by the SDK's `sync`: writes rows and states itself; yields nothing."""
        del context
        if write_messages:
            self.run()
        return iter(())

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Nothing is left to do: a state holds no markers."""

    def _write_state_message(self) -> None:
        self._save_state()

    # -- what a subclass changes

    @property
    def source(self) -> Source:
        return Source(
            object_name=self.kind.object_name,
            condition=self.kind.condition,
            has_deleted=self.kind.has_deleted,
        )

    @property
    def filter_fingerprint(self) -> str:
        return "all"

    def joins(self) -> Joins:
        session = self.source_tap.session.session
        return Joins(organization_id=session.organization_id, instance_url=session.instance_url)

    def after_rows(self) -> None:
        """Called when all rows are out."""

    def found_nothing(self) -> None:
        """Called when neither this run nor one before it has read a row."""

    def begin_now(self) -> None:
        """Called when a run has put the bookmark at the present and read nothing."""
        self.logger.info(
            "%s: nothing was read; the sync begins with what changes from %s on",
            self.name,
            to_wire(self.server_time),
        )

    def more_state(self) -> dict[str, Any]:
        """What the state holds besides the bookmark."""
        return {}

    def saw_tombstone(self, record_id: str) -> None:
        """Called for each deleted row."""

    # -- the run

    @property
    def columns(self) -> Columns:
        """What is read and emitted: what describe shows and the catalog selects."""
        chosen = {path[-1] for path, is_chosen in self.mask.items() if len(path) == 2 and is_chosen}
        return selected(self._all_columns, chosen)

    @property
    def bookmark(self) -> Bookmark:
        """The bookmark as it moves.

        Raises:
            StateRefusedError: the state is another org's, object's or filter's.
        """
        if self._bookmark is None:
            tap, name = self.source_tap, self.kind.object_name
            origin = Origin(
                organization_id=tap.session.session.organization_id,
                object_name=name,
                filter_fingerprint=self.filter_fingerprint,
            )
            top = ceiling(tap.session, tap.settings, name, self.server_time)
            self._bookmark = open_bookmark(self.stream_state, origin, start=tap.start, ceiling=top)
        return self._bookmark

    def run(self) -> None:
        """Rows, then what comes behind them, with a state wherever all rows that it covers are out.

        What ends the run early leaves its state too: what is out need not be read again.
        """
        try:
            self._run()
        except TapError:  # which a StoppedError is not: nothing may be written any more
            self._save_state()
            raise
        self._save_state()
        self.source_tap.message_writer.flush()

    def _run(self) -> None:
        is_new = is_empty(self.stream_state)
        begins_now = self.source_tap.settings["start_now"] and is_new
        if self._has_bookmark:
            self._tell_vanished()
        for attempt in range(MAX_DESCRIBES + 1):
            try:
                for step in self._steps(begins_now=begins_now):
                    self._take(step)
                break
            except FieldGoneError:
                if attempt == MAX_DESCRIBES or not self._describe_again():
                    raise
        if begins_now and self._has_bookmark:
            self.begin_now()
        elif not self._sample_size:
            if is_new and not self._rows_out:
                self.found_nothing()
            self.after_rows()

    def _steps(self, *, begins_now: bool = False) -> Iterator[Step]:
        tap = self.source_tap
        columns = self.columns
        is_known = self._is_known if self._has_bookmark else lambda _row: False
        maker = RowMaker(columns, self.joins, is_case=self.kind.object_name == "Case", is_known=is_known)
        self._reading = reading = Reading(
            session=tap.session, settings=tap.settings, source=self.source, columns=columns, maker=maker, bulk=self.kind.bulk
        )  # fmt: skip
        if not self.kind.incremental:
            yield from reading.whole()
        elif self._sample_size:
            yield from reading.newest(tap.start, self._sample_size)
        else:
            self.bookmark.fields = columns.names
            if begins_now:
                reading.begin(self.bookmark, self.server_time)
                return
            window = up_to(self.bookmark.since, self.bookmark.after, self.server_time)
            yield from reading.steps(self.bookmark, window)

    def _is_known(self, row: Row) -> bool:
        known = self.bookmark.is_known(row)
        self.source_tap.report.unchanged += known
        return known

    def _take(self, step: Step) -> None:
        self.emit(step.rows)
        if not self._has_bookmark:
            return
        if step.position:
            self.bookmark.passed(step.position)
        if step.finished:
            self.bookmark.finished(step.finished)
        jobs_changed = step.jobs is not None and step.jobs != self.bookmark.jobs
        if step.jobs is not None:
            self.bookmark.jobs = step.jobs
        now = time.monotonic()
        rows_since = self._rows_out - self._rows_at_state
        if (
            jobs_changed
            or rows_since >= STATE_EVERY_ROWS
            or (rows_since and now - self._state_at >= STATE_EVERY_SECONDS)
        ):
            self._save_state()
        self._tell_progress(now)

    def emit(self, rows: Iterable[Row]) -> None:
        """Write rows, in their order."""
        limit = self.ABORT_AT_RECORD_COUNT
        if limit is not None:
            rows = islice(rows, max(limit - self._rows_out, 0))
        written = self.source_tap.message_writer.write_rows(
            self.name, self._watched(rows), to_wire(self.server_time)
        )
        self.source_tap.message_writer.flush()  # what came is not held back while the next page is on its way
        self._rows_out += written
        self.source_tap.report.rows[self.name] += written
        if limit is not None and self._rows_out >= limit:
            self._abort_sync(MaxRecordsLimitException(f"the limit of {limit} records is reached"))

    def _watched(self, rows: Iterable[Row]) -> Iterator[Row]:
        remember = self.bookmark.remember if self._has_bookmark else None
        has_deleted, report = self.kind.has_deleted, self.source_tap.report
        for row in rows:
            if remember:
                remember(row)
            if has_deleted and row.get("IsDeleted"):
                report.tombstones += 1
                self.saw_tombstone(row["Id"])
            yield row

    def _save_state(self) -> None:
        if not self._has_bookmark or self._bookmark is None:
            return
        state = self.stream_state
        state.clear()
        state.update(self._bookmark.state() | self.more_state())
        self.source_tap.state_writer.write_state(self.tap_state)
        self._rows_at_state, self._state_at = self._rows_out, time.monotonic()

    def _tell_progress(self, now: float) -> None:
        if now - self._told_at < PROGRESS_EVERY_SECONDS:
            return
        self._told_at = now
        total = self._reading.total
        self.logger.info(
            Progress(stream=self.name, rows=self._rows_out, total=total, seconds=now - self._started).line()
        )

    # -- fields that vanish

    def _tell_vanished(self) -> None:
        """A field that the last run read and that describe does not show any more is dropped: absent, not null."""
        excluded = {name.lower() for name in self.source_tap.settings["exclude_fields"]}
        gone = [n for n in vanished(self.bookmark.fields, self._all_columns) if n.lower() not in excluded]
        self._warn_dropped(gone)

    def _warn_dropped(self, names: list[str]) -> None:
        for name in names:
            self.source_tap.report.dropped_fields.append(f"{self.kind.object_name}.{name}")
            self.logger.warning(
                "%s.%s can't be read any more and is left out: was the field deleted, or taken from the user's permissions "
                "(field-level security)? Rows come without it; nothing is set to null",
                self.kind.object_name,
                name,
            )

    def _describe_again(self) -> bool:
        """Whether columns vanished since the last describe; what is left is announced in a new SCHEMA."""
        describer = self.source_tap.describer
        before = self.columns
        described = describer.describe(self.kind.object_name, fresh=True)
        columns = describer.columns(self.kind, described)
        self._all_columns = without(columns, describer.unreadable_parents(columns))
        gone = vanished(before.names, self._all_columns)
        if gone:
            self._warn_dropped(gone)
            self._write_schema_message()
        return bool(gone)
