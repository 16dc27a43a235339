"""Core: what `--describe` says of an org: Salesforce's own answers, cut to what the rules of a sync speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tap_salesforce_cases.moments import wire_datetime
from tap_salesforce_cases.soql import string_literal

Records = Sequence[Mapping[str, Any]]
# Small tables by name; they are asked for in one call.
TABLES = {
    "support_processes": "SELECT Id, Name, IsActive FROM BusinessProcess WHERE TableEnumOrId = 'Case' ORDER BY Name",
    "case_statuses": "SELECT ApiName, MasterLabel, IsClosed, SortOrder, IsDefault FROM CaseStatus ORDER BY SortOrder",
    "record_types": "SELECT Id, Name, DeveloperName, IsActive, BusinessProcessId FROM RecordType WHERE SobjectType = 'Case' ORDER BY Name",
}
LISTED = ("Id", "CaseNumber", "SystemModstamp", "CreatedDate")


def user_name_query(user_id: str) -> str:
    return f"SELECT Username FROM User WHERE Id = {string_literal(user_id)}"  # noqa: S608


def org_as_json(
    tables: Mapping[str, Records], case: Mapping[str, Any], columns: Sequence[str] | None
) -> dict[str, Any]:
    """The members of the answer that come from tables and from describe.

    Args:
        tables: the records of TABLES by name, and those of the user's own query as `user`.
        case: describe of Case, which is passed on as it is.
        columns: of the stream `cases`, those of related records among them; None where they can't be read.
    """
    processes = {str(p["Id"]): p["Name"] for p in tables["support_processes"]}
    return {
        "username": next((u["Username"] for u in tables["user"]), None),
        "case": case,
        "columns": columns,
        "support_processes": {"records": [_plain(p) for p in tables["support_processes"]]},
        "case_statuses": {"records": [_plain(s) for s in tables["case_statuses"]]},
        "record_types": [
            {
                "name": r["Name"],
                "developer_name": r["DeveloperName"],
                "is_active": r["IsActive"],
                "support_process": processes.get(str(r["BusinessProcessId"])),
            }
            for r in tables["record_types"]
        ],
    }


def listed_case(row: Mapping[str, str]) -> dict[str, str]:
    """A line of `--list-cases`, the same from both APIs."""
    moments = {name: wire_datetime(row[name]) for name in ("SystemModstamp", "CreatedDate")}
    return {name: row[name] for name in LISTED} | moments


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}
