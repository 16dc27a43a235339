"""Core: notes which requests wrote the same key while both were in flight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


class Flights:
    """A request is in flight from its arrival until its answer has been sent. Times are seconds of a monotonic clock.

    Requests that the sandbox served one after the other never overlap, even if the client sent them together: use a
    latency fault to hold the door open.
    """

    def __init__(self) -> None:
        self._open: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        self._keys: dict[int, frozenset[str]] = {}
        self.overlaps: Counter[str] = Counter()
        self.most_at_once = 0

    def arrive(self, number: int, seconds: float) -> None:
        """A request arrived."""
        self._open[number] = seconds
        self.most_at_once = max(self.most_at_once, len(self._open))

    def write(self, number: int, keys: Iterable[str]) -> None:
        """The request writes these keys: count those that an overlapping request has written."""
        mine = frozenset(keys)
        arrived = self._open[number]
        for other, theirs in self._keys.items():
            if other != number and self._ended.get(other, arrived + 1) > arrived:
                self.overlaps.update(mine & theirs)
        self._keys[number] = mine

    def end(self, number: int, seconds: float) -> None:
        """The answer has been sent, or the connection dropped. Forgets what can't overlap with anything any more."""
        del self._open[number]
        self._ended[number] = seconds
        oldest = min(self._open.values(), default=seconds)
        for other in [other for other, ended in self._ended.items() if ended <= oldest]:
            del self._ended[other]
            self._keys.pop(other, None)
