"""Core: one record of Salesforce to one row on the wire, the same from REST's JSON and from Bulk 2.0's CSV.

Flattened, typed and joined; a deleted record becomes a tombstone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tap_salesforce_cases.describe import Column, Columns
from tap_salesforce_cases.errors import TapError
from tap_salesforce_cases.ids import to_18
from tap_salesforce_cases.moments import wire_datetime

Row = dict[str, Any]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportProcess:
    """A BusinessProcess of Case, as it is joined to a row."""

    name: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStatus:
    """What a status means: whether it closes a case, and its place in the order."""

    is_closed: bool
    sort_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """What rows are joined with: support processes by 18-character id, statuses by API name."""

    organization_id: str
    instance_url: str
    processes: Mapping[str, SupportProcess] = field(default_factory=dict)
    statuses: Mapping[str, CaseStatus] = field(default_factory=dict)


def whole_number(value: Any) -> int:
    """Bulk may say 0.0 where describe says int."""
    return int(float(value))


def csv_boolean(value: str) -> bool:
    return value == "true"


# By kind of column; what is not named stays as it is.
FROM_JSON: dict[str, Convert] = {"datetime": wire_datetime, "integer": whole_number}
# A number keeps its digits: a currency may have more of them than a float.
FROM_CSV: dict[str, Convert] = {**FROM_JSON, "number": Decimal, "boolean": csv_boolean}


class RowMaker:
    """Makes the rows of one stream; what is the same for all rows is worked out once."""

    def __init__(
        self,
        columns: Columns,
        joins: Callable[[], Joins],
        *,
        is_case: bool,
        is_known: Callable[[Row], bool],
    ) -> None:
        """Make rows of `columns`.

        Args:
            columns: what is selected.
            joins: asked once, when the first row is made.
            is_case: rows get what is joined to cases.
            is_known: whether this very version was emitted already; such rows are left out.
        """
        self._columns, self._is_case, self._is_known = columns, is_case, is_known
        self._read_joins = joins
        self._read: Joins | None = None
        self._has_deleted = "_sdc_deleted_at" in columns.added

    @property
    def _joins(self) -> Joins:
        if self._read is None:
            self._read = self._read_joins()
        return self._read

    def from_json(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
        """Rows of REST records."""
        plain = [c.name for c in self._columns.columns if "." not in c.path]
        parents = [(c.name, tuple(c.path.split("."))) for c in self._columns.columns if "." in c.path]
        converts = _converts(self._columns.columns, FROM_JSON)
        for record in records:
            row: Row = {name: record.get(name) for name in plain}
            for name, hops in parents:
                row[name] = at(record, hops)
            for name, convert in converts:
                if (value := row[name]) is not None:
                    row[name] = convert(value)
            finished = self._finished(row)
            if not self._is_known(finished):
                yield finished

    def from_csv(self, header: Sequence[str], lines: Iterable[list[str]]) -> Iterator[Row]:
        """Rows of a Bulk result; in its CSV an empty text is null.

        Raises:
            TapError: the header has other columns than were asked for.
        """
        by_path = {c.path.lower(): c for c in self._columns.columns}
        try:
            columns = [by_path[path.lower()] for path in header]
        except KeyError:
            raise TapError("the Bulk result has other columns than were asked for") from None
        names = [c.name for c in columns]
        converts = _converts(columns, FROM_CSV)
        for line in lines:
            row: Row = dict(zip(names, [value or None for value in line], strict=True))
            for name, convert in converts:
                if (value := row[name]) is not None:
                    row[name] = convert(value)
            finished = self._finished(row)
            if not self._is_known(finished):
                yield finished

    def _finished(self, row: Row) -> Row:
        if self._has_deleted and row["IsDeleted"]:
            master = row.get("MasterRecordId")
            return tombstone(
                row["Id"], row["SystemModstamp"], self._joins.organization_id,
                kind="merged" if master else "soft", master_id=master,
            )  # fmt: skip
        row["_sf_organization_id"] = self._joins.organization_id
        if self._is_case:
            self._join(row)
        if self._has_deleted:
            row["_sdc_deleted_at"] = None
        for name in self._columns.hidden:
            del row[name]
        return row

    def _join(self, row: Row) -> None:
        added = self._columns.added
        if "BusinessProcess__Name" in added or "BusinessProcess__IsActive" in added:
            process = self._joins.processes.get(row.get("RecordType__BusinessProcessId") or "")
            row["BusinessProcess__Name"] = process and process.name
            row["BusinessProcess__IsActive"] = process and process.is_active
        if "CaseStatus__IsClosed" in added or "CaseStatus__SortOrder" in added:
            status = self._joins.statuses.get(row.get("Status") or "")
            row["CaseStatus__IsClosed"] = status and status.is_closed
            row["CaseStatus__SortOrder"] = status and status.sort_order
        if "_sf_case_url" in added:
            row["_sf_case_url"] = f"{self._joins.instance_url}/{row['Id']}"


def _converts(columns: Iterable[Column], by_kind: Mapping[str, Convert]) -> list[tuple[str, Convert]]:
    return [(c.name, by_kind[c.kind]) for c in columns if c.kind in by_kind]


def at(record: Mapping[str, Any], hops: Sequence[str]) -> Any:
    """The value at the end of the hops; None where a parent is missing."""
    value: Any = record
    for hop in hops:
        if value is None:
            return None
        value = value.get(hop)
    return value


def tombstone(
    record_id: str, deleted_at: str, organization_id: str, *, kind: str, master_id: str | None = None
) -> Row:
    """What says that a record is deleted, and nothing that could blank a ticket.

    A deleted row may come with emptied fields, so none of them is passed on. SystemModstamp moves at deletion
    (Salesforce: getDeleted result, deletedDate). `kind` is soft, merged or purged; `deleted_at` is as on the wire.
    """
    row: Row = {
        "Id": to_18(record_id),
        "IsDeleted": True,
        "SystemModstamp": deleted_at,
        "_sdc_deleted_at": deleted_at,
        "_sf_delete_kind": kind,
        "_sf_organization_id": organization_id,
    }
    return row | ({"MasterRecordId": master_id} if master_id else {})
