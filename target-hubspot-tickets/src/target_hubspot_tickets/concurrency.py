"""Core: how many calls may be in flight: more while answers stay as fast as they were, half when HubSpot is pressed.

HubSpot locks objects that are written too fast (423) and publishes no number of calls at once; so it is found by trying.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SLOWER = 2.0  # times the usual seconds of such a call: more calls would only wait in HubSpot's queue
FORGET = 1.01  # the fastest seconds of a kind of call are let rise by this with each answer
CALM_SECONDS = 1.0  # several refusals at once are one sign, not many


@dataclass(slots=True, kw_only=True)
class Concurrency:
    """Calls in flight: additive increase, multiplicative decrease. `most` is never passed, and one is always allowed."""

    most: int
    allowed: float = 16.0
    _is_starting: bool = True
    _usual_seconds: dict[str, float] = field(default_factory=dict)
    _halved_at: float = float("-inf")

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return max(1, min(int(self.allowed), self.most))

    def answered(self, kind: str, seconds: float) -> None:
        """A call of this kind (its path) was answered."""
        usual = min(seconds, self._usual_seconds.get(kind, seconds) * FORGET)
        self._usual_seconds[kind] = usual
        if seconds <= usual * SLOWER:
            self.allowed = min(
                float(self.most), self.allowed + (1.0 if self._is_starting else 1.0 / self.allowed)
            )
        else:
            self._is_starting = False

    def pressed(self, now: float) -> None:
        """HubSpot refused a call for its rate or a lock."""
        self._is_starting = False
        if now - self._halved_at >= CALM_SECONDS:
            self.allowed = max(1.0, self.allowed / 2)
            self._halved_at = now
