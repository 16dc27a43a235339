"""Shell: what lookups found in this run, and what they did not find; the oldest go first when it gets too much."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from itertools import islice

from target_hubspot_tickets.searches import Match, Place

Key = tuple[Place, str]


class Remembered:
    """Value -> match, or None where nothing has it. Any thread may use it."""

    def __init__(self, most: int) -> None:
        """Of `most` entries at least three quarters are the newest ones."""
        self._most = most
        self._matches: dict[Key, Match | None] = {}
        self._lock = threading.Lock()
        self._asked: set[Key] = set()  # that somebody asks HubSpot for right now
        self._answered = threading.Condition(self._lock)

    def __len__(self) -> int:
        return len(self._matches)

    def get(self, keys: Iterable[Key]) -> dict[Key, Match | None]:
        """Those of the keys that are known."""
        with self._lock:
            return {key: self._matches[key] for key in keys if key in self._matches}

    def add(self, matches: Mapping[Key, Match | None]) -> None:
        with self._lock:
            self._matches |= matches
            surplus = len(self._matches) - self._most
            if surplus > 0:
                # A quarter at once: one by one would walk over what is gone already each time.
                for key in list(islice(self._matches, max(surplus, self._most // 4))):
                    del self._matches[key]

    def forget(self, keys: Iterable[Key]) -> None:
        with self._lock:
            for key in keys:
                self._matches.pop(key, None)

    def claim(self, keys: Iterable[Key]) -> set[Key]:
        """Those of the keys that nobody else asks HubSpot for; `release` them when they are answered."""
        with self._lock:
            mine = set(keys) - self._asked
            self._asked |= mine
            return mine

    def release(self, keys: set[Key]) -> None:
        """They were asked for, with an answer or without."""
        with self._lock:
            self._asked -= keys
            self._answered.notify_all()

    def wait(self, keys: set[Key]) -> None:
        """Until nobody asks for any of the keys any more."""
        with self._lock:
            self._answered.wait_for(lambda: self._asked.isdisjoint(keys))
