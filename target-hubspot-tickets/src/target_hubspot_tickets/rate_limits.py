"""Core: calls in a sliding window, so that HubSpot need not refuse any; time comes in from outside.

Source: HubSpot, usage guidelines: general per 10 seconds, learnt from X-HubSpot-RateLimit-Max; associations apart; search 5 a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Window:
    """At most `limit` calls in any `seconds`."""

    limit: int
    seconds: float
    _starts: deque[float] = field(default_factory=deque)

    def take(self, now_seconds: float) -> float:
        """Plan a call: how many seconds it has to wait from `now_seconds`."""
        while self._starts and self._starts[0] <= now_seconds - self.seconds:
            self._starts.popleft()
        full = len(self._starts) >= self.limit
        start = (
            max(now_seconds, self._starts[len(self._starts) - self.limit] + self.seconds)
            if full
            else now_seconds
        )
        self._starts.append(start)
        return start - now_seconds


def first_windows() -> dict[str, Window]:
    """The lowest limits that HubSpot gives; higher ones are learnt from its answers."""
    return {
        "general": Window(limit=100, seconds=10.0),
        "associations": Window(limit=100, seconds=10.0),
        "search": Window(limit=4, seconds=1.0),
    }
