"""Core: a record of the CRM as a value, what it claims, and how answers show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from case_sync_sandbox.hubspot.defaults import ALWAYS_SHOWN, PORTAL_ID, SHOWN
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPE_IDS


@dataclass(slots=True, kw_only=True)
class Record:
    """One record. `properties` holds the texts that are set; a cleared property has no entry."""

    id: int
    properties: dict[str, str]
    created_at: str
    updated_at: str
    archived: bool = False
    archived_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteEntry:
    """One line of the write log."""

    time: str
    object_type: str
    id: int
    key: str | None
    op: str
    version: str | None
    run_id: str | None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueClaim:
    """A unique value that a record takes or gives back. `value` is normalised."""

    property_name: str
    value: str
    id: int


def unique_key(value: str, *, case_sensitive: bool) -> str:
    """The form in which unique values are compared."""
    return value.strip() if case_sensitive else value.strip().lower()


def shown_properties(object_type: str, asked: Iterable[str] | None) -> list[str]:
    """Names that an answer shows: those asked for (or the type's usual ones) and the three that always come."""
    return sorted({*(asked or SHOWN[object_type]), *ALWAYS_SHOWN})


def as_json(object_type: str, record: Record, names: Iterable[str]) -> dict[str, Any]:
    """HubSpot's SimplePublicObject with the properties `names`; one that is not set is null."""
    get = record.properties.get
    body: dict[str, Any] = {
        "id": str(record.id),
        "properties": {name: get(name) for name in names},
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
        "archived": record.archived,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{OBJECT_TYPE_IDS[object_type]}/{record.id}",
    }
    if record.archived:
        body["archivedAt"] = record.archived_at
    return body
