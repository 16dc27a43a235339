"""Core: one record of Salesforce to one row on the wire: flattened, joined; a deleted one to a tombstone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tap_salesforce_cases.describe import CaseColumns, wire_name
from tap_salesforce_cases.moments import wire_datetime

Row = dict[str, Any]


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


def row_of(record: Mapping[str, Any], columns: CaseColumns, joins: Joins) -> Row:
    """The row of a record as REST gives it: a live row, or a tombstone where IsDeleted."""
    if record["IsDeleted"]:
        return tombstone(record, joins)
    row: Row = {name: record.get(name) for name in columns.fields}
    for name in columns.datetimes:
        if row.get(name):
            row[name] = wire_datetime(row[name])
    for path in columns.related:
        row[wire_name(path)] = at(record, path)
    return row | joined(row, joins)


def at(record: Mapping[str, Any], path: str) -> Any:
    """The value at `Account.Name`; None where there is no parent."""
    value: Any = record
    for hop in path.split("."):
        if value is None:
            return None
        value = value.get(hop)
    return value


def joined(row: Mapping[str, Any], joins: Joins) -> Row:
    process = joins.processes.get(row.get("RecordType__BusinessProcessId") or "")
    status = joins.statuses.get(row.get("Status") or "")
    return {
        "BusinessProcess__Name": process and process.name,
        "BusinessProcess__IsActive": process and process.is_active,
        "CaseStatus__IsClosed": status and status.is_closed,
        "CaseStatus__SortOrder": status and status.sort_order,
        "_sf_organization_id": joins.organization_id,
        "_sf_case_url": f"{joins.instance_url}/{row['Id']}",
        "_sdc_deleted_at": None,
    }


def tombstone(record: Mapping[str, Any], joins: Joins) -> Row:
    """What says that a case is deleted, and nothing that could blank a ticket.

    A deleted row may come with emptied fields, so none of them is passed on. SystemModstamp moves at deletion
    (Salesforce: getDeleted result, deletedDate).
    """
    moment = wire_datetime(record["SystemModstamp"])
    master = record.get("MasterRecordId")
    row: Row = {
        "Id": record["Id"],
        "IsDeleted": True,
        "SystemModstamp": moment,
        "_sdc_deleted_at": moment,
        "_sf_delete_kind": "merged" if master else "soft",
        "_sf_organization_id": joins.organization_id,
    }
    return row | ({"MasterRecordId": master} if master else {})


def purged_tombstone(record_id: str, deleted_at: str, organization_id: str) -> Row:
    """The tombstone of a case that is gone from the recycle bin; `deleted_at` as on the wire."""
    return {
        "Id": record_id,
        "IsDeleted": True,
        "SystemModstamp": deleted_at,
        "_sdc_deleted_at": deleted_at,
        "_sf_delete_kind": "purged",
        "_sf_organization_id": organization_id,
    }
