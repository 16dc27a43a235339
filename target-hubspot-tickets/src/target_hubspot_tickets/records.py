"""Core: a record of the stream to what it asks for: an upsert of a ticket, or its deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from target_hubspot_tickets.errors import StreamError

DELETED_AT = "_sdc_deleted_at"
ASSOCIATIONS = "associations"
OWNER_EMAIL = "hubspot_owner_email"
TO_OBJECTS = {"company": "companies", "contact": "contacts", "ticket": "tickets"}
NOT_PROPERTIES = frozenset({DELETED_AT, ASSOCIATIONS})


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way to find another record: a property of it, and the value that it has there.

    A Struct, as all that is made for each record: it is made six times as fast as a frozen dataclass.
    """

    by: str
    value: str


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An association that a record asks for; `to` is HubSpot's plural (companies), `ways` in the order to try them."""

    to: str
    ways: tuple[Way, ...]
    label: str | None = None


class Upsert(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it is to be.

    Attributes:
        key: value of the key property, trimmed, as the stream has it.
        values: columns as the stream has them; one that is absent leaves its property alone.
        wishes: the associations asked for; None where the record says nothing of associations, () where it asks for none.
    """

    key: str
    values: Mapping[str, Any]
    wishes: tuple[Wish, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """A ticket that is to go.

    Attributes:
        key: as of an upsert.
        source: the mark of the org that its record came from, or None.
        version: when the record was changed last, as the stream has it, or None.
    """

    key: str
    source: str | None = None
    version: Any = None


Item = Upsert | Delete


def identity(key: str) -> str:
    """What two spellings of one key share: HubSpot may not tell their case apart (undocumented; hubspot-api 11.10)."""
    return key.strip().lower()


def read_record(
    record: Mapping[str, Any],
    key_property: str,
    source_property: str | None = None,
    version_property: str | None = None,
) -> Item:
    """What a record asks for; the last two are the columns that mark a deletion's org and version.

    Raises:
        StreamError: it has no key, or its associations are none.
    """
    key = record.get(key_property)
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key).strip():
        raise StreamError(f"a record has no value in its key column '{key_property}'")
    key = str(key).strip()
    if not key.isprintable() and key.encode("utf-8", "ignore").decode() != key:
        raise StreamError(f"a record's key column '{key_property}' holds half a character")
    if record.get(DELETED_AT):
        source = record.get(source_property) if source_property else None
        version = record.get(version_property) if version_property else None
        return Delete(key=key, source=None if source is None else str(source), version=version)
    others = [name for name in record if name[:1] == "_" or name == ASSOCIATIONS]
    values = _without(record, others) if others else record
    return Upsert(
        key=key,
        values=values,
        wishes=_wishes(record.get(ASSOCIATIONS), key) if ASSOCIATIONS in record else None,
    )


def _without(record: Mapping[str, Any], others: Sequence[str]) -> dict[str, Any]:
    """Without the columns that are Singer's, or ours, and no properties."""
    values = dict(record)
    for name in others:
        if name in NOT_PROPERTIES or name.startswith("_sdc_"):
            del values[name]
    return values


def record_of(upsert: Upsert) -> dict[str, Any]:
    """The record that `read_record` reads as this upsert."""
    if upsert.wishes is None:
        return dict(upsert.values)
    singular = {plural: name for name, plural in TO_OBJECTS.items()}
    return {**upsert.values, ASSOCIATIONS: [_association(wish, singular[wish.to]) for wish in upsert.wishes]}


def _association(wish: Wish, to: str) -> dict[str, Any]:
    first, *others = ({"by": way.by, "value": way.value} for way in wish.ways)
    label = {"label": wish.label} if wish.label else {}
    return {"to": to, **first, **label, **({"otherwise": others} if others else {})}


def _wishes(value: Any, key: str) -> tuple[Wish, ...]:
    if value is None:
        return ()
    try:
        return tuple(_wish(item) for item in value)
    except (KeyError, TypeError, AttributeError):
        allowed = ", ".join(TO_OBJECTS)
        raise StreamError(
            f"the associations of record {key} can't be read: each needs 'to' ({allowed}), 'by' and 'value'"
        ) from None


def _wish(item: Mapping[str, Any]) -> Wish:
    others: Sequence[Mapping[str, Any]] = item.get("otherwise") or ()
    ways = tuple([Way(by=str(w["by"]), value=str(w["value"])) for w in (item, *others)])
    label = item.get("label")
    if not isinstance(label, str | None):
        raise TypeError("a label is a text")
    return Wish(to=TO_OBJECTS[item["to"]], ways=ways, label=label)
