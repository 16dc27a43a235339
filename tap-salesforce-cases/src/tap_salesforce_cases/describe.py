"""Core: what a describe says the user may read of an object, as Singer schema and as columns to ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tap_salesforce_cases.errors import UnreadableObjectError
from tap_salesforce_cases.objects import CASE_PARENTS, StreamKind

STRING: dict[str, Any] = {"type": ["string", "null"]}
DATETIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
# How a type of Salesforce's (describe: DisplayType) stands on the wire; all others are texts. Nullable all: describe's
# nillable can't be trusted.
SCHEMAS: dict[str, dict[str, Any]] = {
    "text": STRING,
    "boolean": {"type": ["boolean", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "datetime": DATETIME,
}
KINDS = {
    "boolean": "boolean", "int": "integer", "long": "integer", "double": "number", "currency": "number",
    "percent": "number", "date": "date", "datetime": "datetime",
}  # fmt: skip
# Binary contents and compound values can't be read by Bulk 2.0, and no ticket takes them.
UNREADABLE = {"base64", "byte", "address", "location", "json", "anyType"}
# Columns that the tap adds to what Salesforce's row holds.
JOINED: dict[str, dict[str, Any]] = {
    "BusinessProcess__Name": STRING,
    "BusinessProcess__IsActive": SCHEMAS["boolean"],
    "CaseStatus__IsClosed": SCHEMAS["boolean"],
    "CaseStatus__SortOrder": SCHEMAS["integer"],
    "_sf_case_url": STRING,
}
MARKS: dict[str, dict[str, Any]] = {"_sf_organization_id": STRING}
DELETION_MARKS: dict[str, dict[str, Any]] = {"_sf_delete_kind": STRING, "_sdc_deleted_at": DATETIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column to ask for: its SOQL path and its kind (a key of SCHEMAS)."""

    path: str
    kind: str

    @property
    def name(self) -> str:
        """The name on the wire: a dot becomes two underscores."""
        return self.path.replace(".", "__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What to select of an object, and the columns that the tap adds.

    Attributes:
        columns: fields in describe's order, then parents'.
        added: name -> schema of what the tap adds.
        essential: names that are always read.
        hidden: names that are read because something is joined by them, and not emitted.
    """

    columns: tuple[Column, ...]
    added: Mapping[str, dict[str, Any]]
    essential: tuple[str, ...]
    hidden: frozenset[str] = frozenset()

    @property
    def paths(self) -> list[str]:
        return [column.path for column in self.columns]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a row on the wire."""
        properties = {c.name: dict(SCHEMAS[c.kind]) for c in self.columns if c.name not in self.hidden}
        properties |= {name: dict(schema) for name, schema in self.added.items()}
        return {"type": "object", "properties": properties, "required": ["Id"]}

    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self.paths).encode()).hexdigest()[:12]


def essential(kind: StreamKind) -> tuple[str, ...]:
    """What the sync can't do without."""
    needed = ("Id", "SystemModstamp") if kind.incremental else ("Id",)
    return (*needed, "IsDeleted") if kind.has_deleted else needed


def read_describe(
    described: Mapping[str, Any], kind: StreamKind, *, excluded: Collection[str], extra: Iterable[Column] = ()
) -> Columns:
    """The columns of a describe answer.

    Args:
        described: the JSON of `sobjects/<object>/describe`.
        kind: the stream.
        excluded: fields of Case that are never read, in any case of letters.
        extra: more columns of parents, found by `parent_steps`.

    Raises:
        UnreadableObjectError: the user may not read what the sync can't do without, or a field's name is taken by a joined column.
    """
    is_case = kind.object_name == "Case"
    needed = essential(kind)
    unwanted = {name.lower() for name in excluded if is_case} - {name.lower() for name in needed}
    fields = [f for f in described.get("fields") or () if _is_wanted(f, unwanted)]
    names = {f["name"] for f in fields}
    if missing := [name for name in needed if name not in names]:
        raise UnreadableObjectError(
            f"the Salesforce user can't read {', '.join(missing)} of {kind.object_name}: give it read access to the object and its fields"
        )
    parents = [
        Column(path=path, kind="text")
        for path, through in CASE_PARENTS.items()
        if is_case and through in names
    ]
    parents += [column for column in extra if column.path not in CASE_PARENTS]
    added = (JOINED if is_case else {}) | MARKS | (DELETION_MARKS if kind.has_deleted else {})
    if taken := sorted(names & {*(column.name for column in parents), *added}):
        raise UnreadableObjectError(
            f"the fields {', '.join(taken)} of {kind.object_name} have the names of joined columns: name them in exclude_fields"
        )
    own = tuple(Column(path=f["name"], kind=KINDS.get(f["type"], "text")) for f in fields)
    return Columns(columns=(*own, *parents), added=added, essential=needed)


def _is_wanted(described: Mapping[str, Any], unwanted: Collection[str]) -> bool:
    return (
        described["type"] not in UNREADABLE
        and described["name"].lower() not in unwanted
        and not described.get("deprecatedAndHidden")
    )


def selected(columns: Columns, chosen: Collection[str]) -> Columns:
    """The same, without what the catalog leaves out; what the sync itself needs stays."""
    keep = {*chosen, *columns.essential, *_needs(chosen)}
    emitted = {*chosen, "Id", "SystemModstamp"}
    return replace(
        columns,
        columns=tuple(c for c in columns.columns if c.name in keep),
        hidden=frozenset(c.name for c in columns.columns if c.name in keep and c.name not in emitted),
        added={
            name: schema
            for name, schema in columns.added.items()
            if name in keep or name in {*MARKS, *DELETION_MARKS}
        },
    )


def without(columns: Columns, names: Collection[str]) -> Columns:
    """The same, without some columns."""
    return replace(columns, columns=tuple(c for c in columns.columns if c.name not in names))


def _needs(chosen: Collection[str]) -> Sequence[str]:
    """What a joined column is joined by."""
    needs = ["MasterRecordId"]
    if any(name.startswith("BusinessProcess__") for name in chosen):
        needs.append("RecordType__BusinessProcessId")
    if any(name.startswith("CaseStatus__") for name in chosen):
        needs.append("Status")
    return needs


def vanished(before: Collection[str], now: Columns) -> list[str]:
    """Columns that were read before and are not there any more."""
    return sorted(set(before) - set(now.names))


def parent_step(described: Mapping[str, Any], relationship: str) -> str | None:
    """The object that a relationship of an object leads to; "Name" for one that may lead to several; None if there is none."""
    for f in described.get("fields") or ():
        if str(f.get("relationshipName") or "").lower() == relationship.lower():
            targets = f.get("referenceTo") or []
            return targets[0] if len(targets) == 1 else "Name"
    return None


def parent_column(path: str, described: Mapping[str, Any]) -> Column | None:
    """The column at the end of a path, whose last object was described; None where it has no such readable field."""
    last = path.rsplit(".", 1)[-1].lower()
    for f in described.get("fields") or ():
        if f["name"].lower() == last and f["type"] not in UNREADABLE:
            return Column(path=path, kind=KINDS.get(f["type"], "text"))
    return None


def record_types_of(described: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case developer name or label -> developer name, of the record types of an object."""
    infos = [
        i for i in described.get("recordTypeInfos") or () if i.get("developerName") and not i.get("master")
    ]
    by_label = {str(i["name"]).lower(): str(i["developerName"]) for i in infos}
    return by_label | {str(i["developerName"]).lower(): str(i["developerName"]) for i in infos}
