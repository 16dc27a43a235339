"""Shell: what lookups found in this run, and what they did not find; the oldest go first when it gets too much."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from target_hubspot_tickets.searches import Key, Match, Sought


@dataclass(slots=True)
class Promise:
    """A value that is being asked for, and what came of it; there are thousands, so they are no futures."""

    is_kept: bool = False
    match: Match | None = None
    error: Exception | None = None
    awaited: threading.Event | None = None  # made by the first who waits

    def settle(self, match: Match | None, error: Exception | None = None) -> None:
        self.match, self.error, self.is_kept = match, error, True
        if self.awaited:
            self.awaited.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What values come to: known already, or promised; `new` are those that nobody asked for before: ask for them."""

    known: dict[Key, Match | None]
    promised: dict[Key, Promise]
    new: list[Sought]


class Remembered:
    """Value -> match, or None where nothing has it. Any thread may use it."""

    def __init__(self, most: int) -> None:
        """Of `most` entries at least three quarters are the newest ones."""
        self._most = most
        self._matches: dict[Key, Match | None] = {}
        self._promises: dict[Key, Promise] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._matches)

    def want(self, asked: Mapping[Key, Sought]) -> Answers:
        """What is known of these values, and a promise for each of the others; `keep` or `fail` each of the new ones."""
        with self._lock:
            matches = self._matches
            answers = Answers(
                known={key: matches[key] for key in asked if key in matches}, promised={}, new=[]
            )
            for key in [key for key in asked if key not in answers.known]:
                if key not in self._promises:
                    self._promises[key] = Promise()
                    answers.new.append(asked[key])
                answers.promised[key] = self._promises[key]
        return answers

    def keep(self, matches: Mapping[Key, Match | None]) -> None:
        """They were found, or not; that there is no such ticket is not remembered: one may be written later in this run."""
        with self._lock:
            self._matches |= {key: m for key, m in matches.items() if m or key[0].to != "tickets"}
            surplus = len(self._matches) - self._most
            if surplus > 0:
                # A quarter at once: one by one would walk over what is gone already each time.
                for key in list(islice(self._matches, max(surplus, self._most // 4))):
                    del self._matches[key]
            for key, match in matches.items():
                if promise := self._promises.pop(key, None):
                    promise.settle(match)

    def fail(self, keys: Iterable[Key], error: Exception) -> None:
        """They could not be asked for: who waits for them is told; the next one who wants them asks anew."""
        with self._lock:
            for key in keys:
                if promise := self._promises.pop(key, None):
                    promise.settle(None, error)

    def results(self, promised: Mapping[Key, Promise]) -> dict[Key, Match | None]:
        """What was promised, once all of it is there.

        Raises:
            Exception: what one of them failed with.
        """
        for promise in promised.values():
            if not promise.is_kept:
                self._wait_for(promise)
            if promise.error:
                raise promise.error
        return {key: promise.match for key, promise in promised.items()}

    def _wait_for(self, promise: Promise) -> None:
        """For this one alone: to look at all of theirs whenever one is kept would wake dozens of threads for nothing."""
        with self._lock:
            if promise.is_kept:
                return
            awaited = promise.awaited = promise.awaited or threading.Event()
        awaited.wait()

    def forget(self, keys: Iterable[Key]) -> None:
        with self._lock:
            for key in keys:
                self._matches.pop(key, None)
