"""Core: a record of the stream to what it asks for: an upsert of a ticket, or its deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_hubspot_tickets.errors import StreamError

DELETED_AT = "_sdc_deleted_at"
ASSOCIATIONS = "associations"
OWNER_EMAIL = "hubspot_owner_email"
TO_OBJECTS = {"company": "companies", "contact": "contacts", "ticket": "tickets"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to find another record: a property of it, and the value that it has there."""

    by: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An association that a record asks for; `ways` in the order to try them."""

    to: str
    ways: tuple[Way, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """A ticket as it is to be: property values as the stream has them, and the associations that it asks for."""

    key: str
    values: Mapping[str, Any]
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """A ticket that is to go."""

    key: str


Item = Upsert | Delete


def read_record(record: Mapping[str, Any], key_property: str) -> Item:
    """What a record asks for.

    Raises:
        StreamError: it has no key, or its associations are none.
    """
    key = record.get(key_property)
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key).strip():
        raise StreamError(f"a record has no value in its key column '{key_property}'")
    if record.get(DELETED_AT):
        return Delete(key=str(key))
    values = {
        name: value
        for name, value in record.items()
        if name not in {DELETED_AT, ASSOCIATIONS} and not name.startswith("_sdc_")
    }
    return Upsert(key=str(key), values=values, wishes=_wishes(record.get(ASSOCIATIONS), str(key)))


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
    ways = tuple(Way(by=str(w["by"]), value=str(w["value"])) for w in (item, *others))
    return Wish(to=TO_OBJECTS[item["to"]], ways=ways, label=item.get("label"))
