"""Shell: the stream `case_snapshots`: the ids of all cases in scope, when a reconciliation is due."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

from tap_salesforce_cases.bookmarks import CLEAR
from tap_salesforce_cases.errors import StateRefusedError
from tap_salesforce_cases.filters import Filter
from tap_salesforce_cases.listing import Listing
from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.objects import SNAPSHOTS
from tap_salesforce_cases.reconcile import IDS_IN_ONE_RECORD, SCHEMA, Snapshot, is_due
from tap_salesforce_cases.soql import Source

if TYPE_CHECKING:
    from tap_salesforce_cases.tap import TapSalesforceCases


class SnapshotStream(Stream):
    """Ids in records of at most 1,000, closed by a record of kind `complete`; nothing at all when none is due."""

    def __init__(self, tap: TapSalesforceCases, server_time: datetime, scope: Filter) -> None:
        """The ids of what `scope` lets through; `server_time` is Salesforce's clock."""
        super().__init__(tap, schema=SCHEMA, name=SNAPSHOTS)
        self.primary_keys = ("snapshot_id", "sequence")
        self._tap_of_cases, self._server_time = tap, server_time
        self._source, self._scope = Source(object_name="Case", condition=scope.condition), scope

    def apply_catalog(self, catalog: Any) -> None:
        """The catalog selects the stream; its schema is ours."""
        super().apply_catalog(catalog)
        self._input_schema = None
        self.primary_keys = ("snapshot_id", "sequence")

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """One snapshot."""
        session = self._tap_of_cases.session.session
        snapshot = Snapshot(
            snapshot_id=uuid.uuid4().hex,
            organization_id=session.organization_id,
            user_id=session.user_id,
            filter_fingerprint=self._scope.fingerprint,
            taken_at=self._server_time,
        )
        emitted = sequence = 0
        batch: list[str] = []
        listing = Listing(
            session=self._tap_of_cases.session,
            settings=self._tap_of_cases.settings,
            source=self._source,
            taken_at=self._server_time,
        )
        for row in listing.rows():
            batch.append(row["Id"])
            if len(batch) == IDS_IN_ONE_RECORD:
                yield snapshot.ids_record(sequence, batch)
                emitted, sequence, batch = emitted + len(batch), sequence + 1, []
        if batch:
            yield snapshot.ids_record(sequence, batch)
            emitted, sequence = emitted + len(batch), sequence + 1
        yield snapshot.completion(sequence, count=emitted, source_count=listing.count())

    def _write_schema_message(self) -> None:
        """Only when there is something to say."""
        if self._is_due():
            super()._write_schema_message()

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Called by the SDK's `sync`: writes the snapshot, then the state that says when; yields nothing."""
        tap = self._tap_of_cases
        write_messages = write_messages and not tap.settings["sample_size"]
        if write_messages and self._is_due():
            written = tap.message_writer.write_rows(
                self.name, self.get_records(context), to_wire(self._server_time)
            )
            tap.report.rows[self.name] += written
            self._note_done()
        elif write_messages and "reconciled_at" not in self.stream_state:
            self._note_done()  # a first import has nothing to be reconciled with
        return iter(())

    def _note_done(self) -> None:
        state = self.stream_state
        state.clear()
        state["reconciled_at"] = to_wire(self._server_time)
        self._tap_of_cases.state_writer.write_state(self.tap_state)

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Nothing is left to do."""

    def _write_state_message(self) -> None:
        """The state is written when a snapshot is complete."""

    def _is_due(self) -> bool:
        settings = self._tap_of_cases.settings
        always, every_days = settings["reconcile"], settings["reconcile_days"]
        try:
            return not settings["sample_size"] and is_due(
                self.stream_state, always=always, every_days=every_days, server_time=self._server_time
            )
        except (ValueError, TypeError):
            raise StateRefusedError(f"the state's reconciled_at can't be read: {CLEAR}") from None
