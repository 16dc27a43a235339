"""Core: what is looked for in HubSpot: values, as many as fit one call, and the records that have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from target_hubspot_tickets.errors import reading
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.protocol import (
    MAX_IN_VALUES,
    MAX_INPUTS,
    MAX_SEARCH_BODY,
    MAX_SEARCH_VALUES,
    Call,
)
from target_hubspot_tickets.records import Way, Wish, identity

EMPTY_BYTES = len('"",')
RECORD_ID = "hs_object_id"  # every record has it; batch/read takes it without naming a property
# Lowest id first, so that a page that is cut holds the lowest id of each value that it holds at all.
BY_ID = [{"propertyName": RECORD_ID, "direction": "ASCENDING"}]


class Place(NamedTuple):
    """Where a value is looked for: a property of an object."""

    to: str
    by: str


Key = tuple[Place, str]


class Sought(NamedTuple):
    """A value that is looked for: a place, and what its spellings share; tuples, because thousands of them are compared."""

    key: Key
    spelling: str

    @property
    def place(self) -> Place:
        return self.key[0]

    @property
    def value(self) -> str:
        return self.key[1]


class Match(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The record that has a value; the one with the lowest id where several have it."""

    record_id: str
    is_ambiguous: bool = False


_place = lru_cache(Place)  # there are few, and thousands of values are looked for in each


def sought(to: str, way: Way) -> Sought | None:
    """The value of a way; one that is empty or blank, or can't be sent, is no way."""
    spelling = way.value.strip()
    if not spelling or not (spelling.isascii() or _is_unicode(spelling)):
        return None
    return Sought((_place(to, way.by), identity(spelling)), spelling)


def in_turn(wish: Wish, number: int) -> Sought | None:
    """What is looked for by the way of a wish whose turn it is, from 0; made then, for many wishes wait at a time."""
    if number == 0 and wish.ways and (first := sought(wish.to, wish.ways[0])):
        return first
    possible = (one for way in wish.ways if (one := sought(wish.to, way)))
    return next(islice(possible, number, None), None)


def _is_unicode(text: str) -> bool:
    """Whether it holds no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_possible(one: Sought, definition: Property) -> bool:
    """Whether the property can have the value: HubSpot refuses a whole call for a text among numbers."""
    if definition.type != "number":
        return True
    try:
        return float(one.value) == float(one.value)
    except ValueError:
        return False


def in_order(call: Call) -> Call:
    """The search with its results in the order of their ids."""
    assert isinstance(call.body, Mapping)  # noqa: S101 - a search has one
    return replace(call, body={**call.body, "sorts": BY_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What fits one call: so many values, and so many bytes of them with the commas between; None: no such limit."""

    values: int
    bytes: int | None = None

    def holds(self, one: Sought) -> bool:
        """Whether a call has room for this value alone."""
        return self.bytes is None or _weight(one) <= self.bytes


READ_ROOM = Room(values=MAX_INPUTS)


def search_room(call_of: Callable[[Sequence[str]], Call]) -> Room:
    """The room of a search, whose body has to stay below 3,000 characters.

    Bytes are counted, of which there are never fewer than characters.
    """
    two_groups = [""] * (MAX_IN_VALUES + 1)
    bare = len(msgspec.json.encode(call_of(two_groups).body)) - (len(two_groups) * EMPTY_BYTES - 2)
    return Room(values=MAX_SEARCH_VALUES, bytes=MAX_SEARCH_BODY - 1 - bare)


def take(queue: deque[Sought], room: Room) -> list[Sought]:
    """The first values of a queue that fit one call together; at least one, if there is any."""
    group: list[Sought] = []
    size = 0
    while queue and len(group) < room.values:
        size += _weight(queue[0])
        if group and room.bytes is not None and size > room.bytes:
            break
        group.append(queue.popleft())
    return group


def _weight(one: Sought) -> int:
    return len(msgspec.json.encode(one.value)) + 1


Found = dict[Key, list[int]]


@reading("records that were looked up")
def note(found: Found, asked: Sequence[Sought], body: Mapping[str, Any]) -> list[Sought]:
    """Take in the records of an answer; what of `asked` is to be asked again, because the answer was cut before it."""
    place = asked[0].place
    for result in body.get("results") or ():
        value = result["id"] if place.by == RECORD_ID else (result.get("properties") or {}).get(place.by)
        if value:
            found.setdefault((place, identity(str(value))), []).append(int(result["id"]))
    if not (body.get("paging") or {}).get("next"):
        return []
    rest = [one for one in asked if (place, one.value) not in found]
    # An answer that has none of them would be cut alike the next time.
    return rest if len(rest) < len(asked) else []


def match_of(ids: Iterable[int]) -> Match | None:
    """The lowest id, and whether there are others; None of no ids."""
    distinct = set(ids)
    return Match(record_id=str(min(distinct)), is_ambiguous=len(distinct) > 1) if distinct else None
