"""Core: calls in a sliding window, so that HubSpot need not refuse any; time comes in from outside.

Source: HubSpot, usage guidelines: general per 10 seconds and app, told by X-HubSpot-RateLimit-Max and -Remaining; associations
apart; search 5 a second for the whole account. It counts a call somewhere between its start and its end, so a place in the
window is free again only when the call can't be in HubSpot's window any more, wherever in that span it was counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MARGIN_SECONDS = 0.02  # clocks and networks jitter
CALLS_TO_LEARN = 20  # until the fastest of them is taken for the fastest that there is
REGAIN_WINDOWS = 6  # until one call of a lowered limit is tried again


@dataclass(slots=True, kw_only=True)
class Window:
    """At most `limit` calls in any `seconds`; what other programs use of it, as HubSpot tells, is left to them."""

    limit: int
    seconds: float
    _in_flight: int = 0
    _ended: deque[tuple[float, float]] = field(default_factory=deque)  # end and start of calls, by end
    _fastest: float = float("inf")
    _learnt: int = 0
    _paused_until: float = float("-inf")
    _foreign: int = 0
    _foreign_until: float = float("-inf")
    _lowered: int = 0
    _lowered_at: float = float("-inf")

    def wait_seconds(self, now: float) -> float:
        """How long a call has to wait before it may start; infinite where only the end of another one frees a place."""
        if now < self._paused_until:
            return self._paused_until - now
        while self._ended and self._ended[0][0] + self.seconds + MARGIN_SECONDS <= now:
            self._ended.popleft()
        over = self._in_flight + len(self._ended) + self._used_by_others(now) - self._allowed(now) + 1
        if over <= 0:
            return 0.0
        free_at = sorted(self._free_at(ended, started) for ended, started in self._ended)
        if over <= len(free_at):
            return max(0.0, free_at[over - 1] - now)
        return self._foreign_until - now if self._used_by_others(now) else float("inf")

    def _free_at(self, ended: float, started: float) -> float:
        """When a call has left HubSpot's window for sure: it counted it at the start, or as late as a new one can't be sooner."""
        fastest = self._fastest if self._learnt >= CALLS_TO_LEARN else 0.0
        return max(started, ended - fastest) + self.seconds + MARGIN_SECONDS

    def start(self) -> None:
        """A call takes a place."""
        self._in_flight += 1

    def end(self, started: float, ended: float) -> None:
        """A call is over; `ended` never falls from one to the next."""
        self._in_flight -= 1
        self._fastest = min(self._fastest, ended - started)
        self._learnt += 1
        self._ended.append((ended, started))

    def learn(self, limit: int, remaining: int | None, now: float) -> None:
        """What an answer told of the window: its size, and by what is left, how much others use."""
        self.limit = max(limit, 1)
        if remaining is not None:
            self._foreign = max(0, limit - remaining - self._in_flight - len(self._ended))
            self._foreign_until = now + self.seconds

    def refused(self, now: float, wait_seconds: float) -> None:
        """A call was refused for its rate: everybody waits, and the window is taken to be a little smaller for a while."""
        self._paused_until = max(self._paused_until, now + wait_seconds)
        self._lowered = min(self._lowered + 1, self.limit - 1)
        self._lowered_at = now

    def _allowed(self, now: float) -> int:
        if self._lowered and now - self._lowered_at > REGAIN_WINDOWS * self.seconds:
            self._lowered, self._lowered_at = self._lowered - 1, now
        return self.limit - self._lowered

    def _used_by_others(self, now: float) -> int:
        return self._foreign if now < self._foreign_until else 0


def first_windows() -> dict[str, Window]:
    """The lowest limits that HubSpot gives to any account; higher ones are learnt from its answers."""
    return {
        "general": Window(limit=100, seconds=10.0),
        "associations": Window(limit=100, seconds=10.0),
        "search": Window(limit=5, seconds=1.0),
    }
