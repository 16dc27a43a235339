"""Shell: finds the companies, contacts and tickets that records ask for, by their properties; remembers for the run."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import PreflightError, reading
from target_hubspot_tickets.halving import Part, ask
from target_hubspot_tickets.lookup_queue import LookupQueue
from target_hubspot_tickets.portal import Property, read_properties
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, Call, chunks
from target_hubspot_tickets.records import Wish, identity
from target_hubspot_tickets.remembered import Remembered
from target_hubspot_tickets.searches import (
    READ_ROOM,
    RECORD_ID,
    Found,
    Key,
    Match,
    Place,
    Room,
    Sought,
    in_order,
    in_turn,
    is_possible,
    match_of,
    note,
    search_room,
    sought,
)

logger = logging.getLogger("target-hubspot-tickets")
MOST_REMEMBERED = 200_000
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finds:
    """What wishes came to, in their order: the id of a record, or None; and how many of them took one of several."""

    ids: list[str | None]
    ambiguous_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A wish, and records that may be what it asks for."""

    wish: Wish
    record_ids: Sequence[str]


class Lookups:
    """Finds records for one run; any thread may. What one asks for right now, another waits for."""

    def __init__(
        self, client: HubSpotClient, api: Api, key_property: str, *, most_remembered: int = MOST_REMEMBERED
    ) -> None:
        self._client, self._api = client, api
        self._own = Place("tickets", key_property)
        self._remembered = Remembered(most_remembered)
        self._properties: dict[str, Mapping[str, Property]] = {}
        self._lock = threading.Lock()
        self._rooms: dict[Place, Room] = {}
        self._told: set[Place] = set()
        # Values looked for ahead -> whose they are, and its next turn; and what would be looked for ahead next.
        self._then: dict[Key, tuple[Wish, int]] = {}
        self._later: dict[Key, tuple[Wish, int]] = {}
        self._hurries = False
        self._to_read, self._to_search = LookupQueue(self._room), LookupQueue(self._room)

    def know(self, properties: Mapping[str, Mapping[str, Property]]) -> None:
        """Properties by object, as somebody has read them already."""
        with self._lock:
            self._properties |= properties

    def find(self, wishes: Sequence[Wish], known: Mapping[str, str] = NOTHING) -> Finds:
        """The record of each wish: by its first way, by the next one where that finds nothing, and so on.

        `known` holds tickets that were just written: identity of their key -> id. Of several records with one value the
        lowest id is taken.

        Raises:
            PreflightError: HubSpot has no such property.
            TargetError: the run can't go on.
        """
        matches: list[Match | None] = [None] * len(wishes)
        turn = 0
        waiting: Sequence[int] = range(len(wishes))
        while asked := {n: one for n in waiting if matches[n] is None and (one := in_turn(wishes[n], turn))}:
            answers = self._matches(asked.values(), known)
            for n, one in asked.items():
                matches[n] = answers[one.key]
            turn, waiting = turn + 1, list(asked)
        return Finds(
            ids=[match.record_id if match else None for match in matches],
            ambiguous_count=sum(1 for match in matches if match and match.is_ambiguous),
        )

    def hurry(self) -> None:
        """No more records come whose values might fill the calls: let those that are not full go now."""
        self._hurries = True
        self._put_off(())
        self._client.submit("lookups", self._work_off, self._to_read)

    def look_ahead(self, wishes: Iterable[Wish]) -> None:
        """Ask now for what `find` will want, without waiting: searches are few a second.

        Tickets are left out, for they may be about to be written. Raises as `find` does.
        """
        self._ask_ahead([(wish, 0) for wish in wishes if wish.to != self._own.to])

    def _ask_ahead(self, turns: Iterable[tuple[Wish, int]]) -> None:
        """By the way of each wish whose turn it is; one that finds nothing is followed by the next way of a wish."""
        asked: dict[Key, Sought] = {}
        then: dict[Key, tuple[Wish, int]] = {}
        for wish, turn in turns:
            if one := in_turn(wish, turn):
                asked[one.key] = one
                then[one.key] = (wish, turn + 1)
        answers = self._remembered.want(asked)
        self._then |= {one.key: then[one.key] for one in answers.new}
        self._ask_for(answers.new)
        self._put_off(then[key] for key, match in answers.known.items() if match is None)

    def forget(self, wishes: Iterable[Wish]) -> None:
        """HubSpot says that a record found for these is not there any more: look anew the next time."""
        self._remembered.forget(
            one.key for wish in wishes for way in wish.ways if (one := sought(wish.to, way))
        )

    def check(self, claims: Sequence[Claim]) -> list[str | None]:
        """Of each claim the first record that has a value of the wish, read by id: a search lags behind, that does not."""
        asked: dict[str, dict[str, None]] = {}
        shown: dict[str, dict[str, None]] = {}
        for claim in claims:
            asked.setdefault(claim.wish.to, {}).update(dict.fromkeys(claim.record_ids))
            shown.setdefault(claim.wish.to, {}).update(dict.fromkeys(way.by for way in claim.wish.ways))
        groups = [[Sought((Place(to, RECORD_ID), i), i) for i in part] for to in asked for part in chunks(asked[to], MAX_INPUTS)]  # fmt: skip
        parts = ask(
            self._client.send_all,
            groups,
            lambda items: self._api.read_by(
                items[0].place.to, None, [i.value for i in items], list(shown[items[0].place.to])
            ),
        )
        values: dict[tuple[str, str], Mapping[str, str | None]] = {}
        for part in parts:
            if not isinstance(part.answer, Exception):
                values |= _values(part.items[0].place.to, part.answer)
        return [_holder(claim, values) for claim in claims]

    def _matches(self, asked: Iterable[Sought], known: Mapping[str, str]) -> dict[Key, Match | None]:
        """What each value comes to: known, remembered, or asked for now."""
        distinct = {one.key: one for one in asked}
        own = [key for key in distinct if key[0] == self._own and key[1] in known]
        for key in own:
            del distinct[key]
        answers = self._remembered.want(distinct)
        self._ask_for(answers.new)
        found = self._remembered.results(answers.promised)
        found.update(answers.known)
        found.update((key, Match(record_id=known[key[1]])) for key in own)
        return found

    def _ask_for(self, new: Sequence[Sought]) -> None:
        """See to it that these are asked for, beside what waits already."""
        try:
            impossible = {one.key for one in new if not self._is_possible(one)}
            possible = [one for one in new if one.key not in impossible]
            to_read = [one for one in possible if self._is_read(one.place)]
            if impossible:
                self._remembered.keep(dict.fromkeys(impossible))
                self._follow(dict.fromkeys(impossible))
            self._search([one for one in possible if not self._is_read(one.place)])
            self._read(to_read)
        except Exception as error:
            self._remembered.fail([one.key for one in new], error)
            raise

    def _search(self, values: Sequence[Sought]) -> None:
        self._to_search.put(values)
        for _ in chunks(values, MAX_INPUTS):
            self._client.submit("search", self._work_off, self._to_search)

    def _read(self, values: Sequence[Sought]) -> None:
        """Full calls go first, for rounds wait for them behind the tickets of later ones; the rest does once no later ones may add to it."""
        if not values:
            return
        self._to_read.put(values)
        for _ in range(self._to_read.waiting() // MAX_INPUTS):
            self._client.submit("lookups", partial(self._work_off, least=MAX_INPUTS), self._to_read)
        self._client.submit("lookups" if self._hurries else "general", self._work_off, self._to_read)

    def _work_off(self, queue: LookupQueue, least: int = 1) -> None:
        """Ask for what waits, a call at a time, until fewer than `least` do."""
        while group := queue.take(least):
            try:
                matches = self._look_up(group)
                self._remembered.keep(matches)
                self._follow(matches)
            except Exception as error:  # noqa: BLE001 - it is raised where the value is waited for
                self._remembered.fail([one.key for one in group], error)

    def _follow(self, matches: Mapping[Key, Match | None]) -> None:
        """What comes next where a value was looked for ahead and nothing has it."""
        turns = [(key, turn) for key in matches if (turn := self._then.pop(key, None))]
        self._put_off(turn for key, turn in turns if matches[key] is None)

    def _put_off(self, turns: Iterable[tuple[Wish, int]]) -> None:
        """Ask for them once they fill a call, or no more come; until then they are promised to nobody, and `find` may ask for them."""
        with self._lock:
            self._later |= {one.key: (wish, turn) for wish, turn in turns if (one := in_turn(wish, turn))}
            counts = Counter(place for place, _ in self._later)
            ripe = [key for key in self._later if self._hurries or counts[key[0]] >= MAX_INPUTS]
            due = [self._later.pop(key) for key in ripe]
        if due:
            self._ask_ahead(due)

    def _look_up(self, group: list[Sought]) -> dict[Key, Match | None]:
        found: Found = {}
        groups = [group]
        while groups:
            parts = ask(self._client.answers, groups, self._call)
            groups = [rest for part in parts if (rest := _taken_in(found, part))]
        matches = {one.key: match_of(found.get(one.key, ())) for one in group}
        self._tell_of_ambiguous(matches)
        return matches

    def _is_possible(self, one: Sought) -> bool:
        """Whether a record can have the value, and a call can hold it."""
        return is_possible(one, self._property(one.place)) and self._room(one.place).holds(one)

    def _room(self, place: Place) -> Room:
        if place not in self._rooms:
            self._rooms[place] = (
                READ_ROOM
                if self._is_read(place)
                else search_room(lambda values: in_order(self._api.search(place.to, place.by, values)))
            )
        return self._rooms[place]

    def _call(self, group: Sequence[Sought]) -> Call:
        place = group[0].place
        if self._is_read(place):
            by = None if place.by == RECORD_ID else place.by
            call = self._api.read_by(place.to, by, [one.spelling for one in group])
            return replace(call, goes_first=True)
        return in_order(self._api.search(place.to, place.by, [one.value for one in group]))

    def _is_read(self, place: Place) -> bool:
        """Unique properties by batch read, which is exact; others by search, which lags behind writes."""
        return place.by == RECORD_ID or self._property(place).is_unique

    def _property(self, place: Place) -> Property:
        with self._lock:
            if place.to not in self._properties:
                self._properties[place.to] = read_properties(
                    self._client.send(self._api.properties(place.to))
                )
            found = self._properties[place.to].get(place.by)
        if found is None:
            text = f"HubSpot has no property '{place.by}' of {place.to}: create it, name another one to match by, or switch the association off"
            raise PreflightError([text])
        return found

    def _tell_of_ambiguous(self, matches: Mapping[Key, Match | None]) -> None:
        """Once for each property; the report counts all."""
        counts = Counter(place for (place, _), match in matches.items() if match and match.is_ambiguous)
        with self._lock:
            untold = {place: count for place, count in counts.items() if place not in self._told}
            self._told |= untold.keys()
        for place, count in untold.items():
            text = "%s values of %s belong to several %s each; the oldest (lowest id) is taken"
            logger.warning(text, count, place.by, place.to)


def _taken_in(found: Found, part: Part[Sought]) -> list[Sought]:
    """A value that HubSpot refuses is one that nothing has."""
    if isinstance(part.answer, Exception):
        logger.warning("%s; %s values count as not found", part.answer, len(part.items))
        return []
    return note(found, part.items, part.answer)


@reading("records that were looked up")
def _values(to: str, answer: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, str | None]]:
    """The properties of records, by object and id."""
    return {(to, str(r["id"])): dict(r.get("properties") or {}) for r in answer.get("results") or ()}


def _holder(claim: Claim, values: Mapping[tuple[str, str], Mapping[str, str | None]]) -> str | None:
    wish = claim.wish
    asked = {(way.by, identity(way.value)) for way in wish.ways}
    for record_id in sorted(claim.record_ids, key=int):
        properties = values.get((wish.to, record_id), {})
        if any(value and (name, identity(str(value))) in asked for name, value in properties.items()):
            return record_id
    return None
