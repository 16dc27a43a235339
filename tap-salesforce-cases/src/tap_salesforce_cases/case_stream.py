"""Shell: the stream `cases`: joined rows, tombstones of deleted and of purged cases, in one stream."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_salesforce_cases.delete_log import LogReading, read_delete_log
from tap_salesforce_cases.deletes import LogPosition, read_position
from tap_salesforce_cases.describe import Columns
from tap_salesforce_cases.errors import StateRefusedError
from tap_salesforce_cases.filters import Filter
from tap_salesforce_cases.objects import CASES
from tap_salesforce_cases.rest_query import small_tables
from tap_salesforce_cases.rows import CaseStatus, Joins, SupportProcess, tombstone
from tap_salesforce_cases.soql import CASE_STATUSES, SUPPORT_PROCESSES, Source
from tap_salesforce_cases.streams import SObjectStream

if TYPE_CHECKING:
    from tap_salesforce_cases.tap import TapSalesforceCases


class CasesStream(SObjectStream):
    """Cases in scope. Purged ones come behind the rows: an id's last message says what became of it."""

    def __init__(
        self, tap: TapSalesforceCases, columns: Columns, server_time: datetime, scope: Filter
    ) -> None:
        """Cases that `scope` lets through."""
        super().__init__(tap, CASES, columns, server_time)
        self._scope = scope
        self._tombstones: set[str] = set()
        self._log: LogPosition | None = None

    @property
    def source(self) -> Source:
        """Case, with the user's filter."""
        return Source(
            object_name="Case",
            condition=self._scope.condition,
            has_deleted=self.source_tap.settings["soft_deletes"],
        )

    @property
    def filter_fingerprint(self) -> str:
        """A short mark of the filter."""
        return self._scope.fingerprint

    def joins(self) -> Joins:
        """Support processes and statuses: one small call a run, made when there is a row to join."""
        session = self.source_tap.session
        processes, statuses = small_tables(session, (SUPPORT_PROCESSES, CASE_STATUSES))
        return Joins(
            organization_id=session.session.organization_id,
            instance_url=session.session.instance_url,
            processes={r["Id"]: SupportProcess(name=r["Name"], is_active=r["IsActive"]) for r in processes},
            statuses={
                r["ApiName"]: CaseStatus(is_closed=r["IsClosed"], sort_order=r["SortOrder"]) for r in statuses
            },
        )

    def saw_tombstone(self, record_id: str) -> None:
        """It needs no second tombstone from the delete log."""
        self._tombstones.add(record_id)

    def after_rows(self) -> None:
        """Purged cases: their tombstones are the last messages of the stream."""
        if not self.source_tap.settings["hard_deletes"]:
            return
        reading = self._read_log(self._position())
        self.source_tap.report.purged += len(reading.purged)
        organization_id = self.bookmark.origin.organization_id
        self.emit(
            tombstone(d.record_id, d.deleted_at, organization_id, kind="purged") for d in reading.purged
        )
        self._log = reading.position
        if reading.gap:
            self.logger.warning(
                "Salesforce's delete log does not reach back to the last run: the ids of all cases follow (case_snapshots)"
            )
            self.source_tap.note_gap()

    def found_nothing(self) -> None:
        """An org without a case is rare; a filter that lets none through, or a user who may see none, is not."""
        self.logger.warning(
            "No case is in scope: if there should be some, check where, the record types and start_date, "
            "the org, and that the Salesforce user may see all cases (View All on Case)"
        )

    def begin_now(self) -> None:
        """The delete log is read from now on, too: its last entries are known, which the next run sees again."""
        super().begin_now()
        self._log = LogPosition(covered=self.server_time)
        if self.source_tap.settings["hard_deletes"]:
            self._log = self._read_log(self._log).position

    def _read_log(self, position: LogPosition) -> LogReading:
        return read_delete_log(
            self.source_tap.session,
            self.source,
            position,
            start=self.source_tap.start,
            server_time=self.server_time,
            tombstones=self._tombstones,
        )

    def more_state(self) -> dict[str, Any]:
        """How far the delete log was read."""
        log = (self._log or self._position()).state()
        return {"delete_log": log} if log else {}

    def _position(self) -> LogPosition:
        """The position of the state, kept from the first look on: the state's dictionary is written over.

        Raises:
            StateRefusedError: it can't be read.
        """
        if self._log is None:
            try:
                self._log = read_position(self.stream_state.get("delete_log") or {})
            except (ValueError, TypeError, AttributeError):
                raise StateRefusedError(
                    "the state's delete_log can't be read: clear the state to import again"
                ) from None
        return self._log
