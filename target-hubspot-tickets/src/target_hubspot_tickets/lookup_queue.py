"""Shell: values that wait to be asked for, of all rounds together, so that every call is full: searches are few a second."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from target_hubspot_tickets.searches import Place, Room, Sought, take


class LookupQueue:
    """First come, first served, but with all that wait for the same property; any thread may use it."""

    def __init__(self, room_of: Callable[[Place], Room]) -> None:
        self._room_of = room_of
        self._places: dict[Place, deque[Sought]] = {}  # the one that waits longest first
        self._lock = threading.Lock()

    def put(self, values: Iterable[Sought]) -> None:
        with self._lock:
            for one in values:
                self._places.setdefault(one.place, deque()).append(one)

    def waiting(self) -> int:
        """How many values wait."""
        with self._lock:
            return sum(map(len, self._places.values()))

    def take(self, least: int = 1) -> list[Sought]:
        """Values of one property that fit one call, the oldest first; empty where of no property so many wait."""
        with self._lock:
            place = next((place for place, queue in self._places.items() if len(queue) >= least), None)
            if place is None:
                return []
            queue = self._places.pop(place)
            group = take(queue, self._room_of(place))
            if queue:
                self._places[place] = queue  # behind the others, so that none waits for the end of another
            return group
