"""Core: what a describe of Case says the user may read, as Singer schema and as columns to ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tap_salesforce_cases.errors import TapError

STRING: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
INTEGER: dict[str, Any] = {"type": ["integer", "null"]}
BOOLEAN: dict[str, Any] = {"type": ["boolean", "null"]}
DATETIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
DATE: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
# Salesforce's field types that are not texts (describe: DisplayType). Nullable all: describe's nillable can't be trusted.
TYPES = {
    "boolean": BOOLEAN, "int": INTEGER, "long": INTEGER, "double": NUMBER, "currency": NUMBER, "percent": NUMBER,
    "date": DATE, "datetime": DATETIME,
}  # fmt: skip
# Binary contents and compound values can't be read by Bulk 2.0, and no ticket takes them.
UNREADABLE = {"base64", "byte", "address", "location", "json", "anyType"}
ESSENTIAL = ("Id", "SystemModstamp", "IsDeleted")
# Columns from parents: SOQL path -> the field of Case that it goes through. A dot becomes two underscores on the wire.
RELATED = {
    "RecordType.DeveloperName": "RecordTypeId",
    "RecordType.Name": "RecordTypeId",
    "RecordType.BusinessProcessId": "RecordTypeId",
    "Owner.Name": "OwnerId",
    "Owner.Type": "OwnerId",
    "Owner.Email": "OwnerId",
    "Account.Name": "AccountId",
    "Account.Website": "AccountId",
    "Contact.Email": "ContactId",
    "Parent.CaseNumber": "ParentId",
}
# Columns that the tap adds to what Salesforce's row holds.
JOINED: dict[str, dict[str, Any]] = {
    "BusinessProcess__Name": STRING,
    "BusinessProcess__IsActive": BOOLEAN,
    "CaseStatus__IsClosed": BOOLEAN,
    "CaseStatus__SortOrder": INTEGER,
    "_sf_organization_id": STRING,
    "_sf_case_url": STRING,
    "_sf_delete_kind": STRING,
    "_sdc_deleted_at": DATETIME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseColumns:
    """What to select, and the schema of the rows that come of it.

    Attributes:
        fields: Case fields by API name, in describe's order.
        related: SOQL paths through relationships that this org has.
        datetimes: names (fields) whose values are moments.
        schema: JSON Schema of a row on the wire.
    """

    fields: tuple[str, ...]
    related: tuple[str, ...]
    datetimes: frozenset[str]
    schema: dict[str, Any]


def wire_name(path: str) -> str:
    """`Account.Name` on the wire."""
    return path.replace(".", "__")


def read_describe(described: Mapping[str, Any], *, excluded: Collection[str]) -> CaseColumns:
    """The columns of a describe answer.

    Args:
        described: the JSON of `sobjects/Case/describe`.
        excluded: fields that are never read, in any case of letters.

    Raises:
        TapError: the user may not read what the sync can't do without, or a field's name is taken by a joined column.
    """
    unwanted = {name.lower() for name in excluded} - {name.lower() for name in ESSENTIAL}
    listed = described.get("fields") or ()
    fields = [
        f
        for f in listed
        if f["type"] not in UNREADABLE
        and f["name"].lower() not in unwanted
        and not f.get("deprecatedAndHidden")
    ]
    names = {f["name"] for f in fields}
    missing = [name for name in ESSENTIAL if name not in names]
    if missing:
        raise TapError(
            f"the Salesforce user can't read {', '.join(missing)} of Case: give it read access to Case and its fields"
        )
    related = tuple(path for path, through in RELATED.items() if through in names)
    taken = sorted(names & {*map(wire_name, related), *JOINED})
    if taken:
        raise TapError(
            f"the Case fields {', '.join(taken)} have the names of joined columns: name them in exclude_fields"
        )
    properties = {f["name"]: dict(TYPES.get(f["type"], STRING)) for f in fields}
    properties |= {wire_name(path): dict(STRING) for path in related} | {
        name: dict(schema) for name, schema in JOINED.items()
    }
    return CaseColumns(
        fields=tuple(f["name"] for f in fields),
        related=related,
        datetimes=frozenset(f["name"] for f in fields if f["type"] == "datetime"),
        schema={"type": "object", "properties": properties, "required": ["Id"]},
    )


def selected(columns: CaseColumns, chosen: Collection[str]) -> CaseColumns:
    """The same, without what the catalog leaves out; what the sync itself needs stays."""
    keep = {*chosen, *ESSENTIAL, *_needs(chosen)}
    return CaseColumns(
        fields=tuple(f for f in columns.fields if f in keep),
        related=tuple(p for p in columns.related if wire_name(p) in keep),
        datetimes=columns.datetimes,
        schema=columns.schema,
    )


def _needs(chosen: Collection[str]) -> Sequence[str]:
    """What a joined column is joined by."""
    needs: list[str] = []
    if any(name.startswith("BusinessProcess__") for name in chosen):
        needs.append("RecordType__BusinessProcessId")
    if any(name.startswith("CaseStatus__") for name in chosen):
        needs.append("Status")
    if "_sf_delete_kind" in chosen:
        needs.append("MasterRecordId")
    return needs
