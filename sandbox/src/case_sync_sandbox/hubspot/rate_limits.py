"""Core: HubSpot's request budgets: sliding windows per bucket and the daily count."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from case_sync_sandbox.hubspot.errors import HubSpotError
from case_sync_sandbox.vendor_faults import DAILY, SECONDLY, TEN_SECONDLY

Bucket = Literal["general", "associations", "search"]

# "Usage guidelines": bursts are counted in 10 s, searches in 1 s.
WINDOW_SECONDS: dict[Bucket, float] = {"general": 10.0, "associations": 10.0, "search": 1.0}
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls allowed per window of each bucket, and per day."""

    general: int
    associations: int
    search: int
    daily: int


# So wide that nothing is held back; the headers say these numbers, so that a client which learns from them runs free.
WIDE = Limits(general=1_000_000, associations=1_000_000, search=1_000_000, daily=1_000_000_000)
# "Usage guidelines": private apps of a Professional account.
PROFESSIONAL = Limits(general=190, associations=150, search=5, daily=625_000)


class RateLimits:
    """Counts calls. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self, limits: Limits = WIDE) -> None:
        self.limits = limits
        self._calls: dict[Bucket, deque[float]] = {bucket: deque() for bucket in WINDOW_SECONDS}
        self._maxima: dict[Bucket, int] = dict.fromkeys(WINDOW_SECONDS, 0)
        self._refused: dict[str, int] = {"general": 0, "associations": 0, "search": 0, "daily": 0}
        self._today = 0
        self._day: int | None = None

    def take(self, bucket: Bucket, seconds: float) -> None:
        """Count one call of `bucket` at `seconds`.

        Raises:
            HubSpotError: 429 with the body of the limit that the call is over. A refused call is not counted in the window.
        """
        self._start_day(seconds)
        if self._today >= self.limits.daily:
            raise self._refusal("daily")
        calls = self._window(bucket, seconds)
        if len(calls) >= self._limit(bucket):
            raise self._refusal(bucket)
        calls.append(seconds)
        self._today += 1
        self._maxima[bucket] = max(self._maxima[bucket], len(calls))

    def headers(self, bucket: Bucket, seconds: float, *, has_daily: bool) -> dict[str, str]:
        """The X-HubSpot-RateLimit-* headers of an answer: none on search, no daily ones for OAuth tokens.

        The association calls are exempt from the ten-secondly limit, so their answers show the daily numbers only
        (inferred; no referee can confirm it).
        """
        if bucket == "search":
            return {}
        headers: dict[str, str] = {}
        if bucket == "general":
            limit = self.limits.general
            headers = {
                "x-hubspot-ratelimit-max": str(limit),
                "x-hubspot-ratelimit-remaining": str(max(0, limit - len(self._window(bucket, seconds)))),
                "x-hubspot-ratelimit-interval-milliseconds": "10000",
            }
        if has_daily:
            headers["x-hubspot-ratelimit-daily"] = str(self.limits.daily)
            headers["x-hubspot-ratelimit-daily-remaining"] = str(max(0, self.limits.daily - self._today))
        return headers

    def report(self) -> dict[str, dict[str, int]]:
        """The fullest window seen per bucket, refusals, and today's calls."""
        return {
            "maxima": {str(bucket): most for bucket, most in self._maxima.items()},
            "refused": dict(self._refused),
            "daily": {"used": self._today},
        }

    def _limit(self, bucket: Bucket) -> int:
        return {
            "general": self.limits.general,
            "associations": self.limits.associations,
            "search": self.limits.search,
        }[bucket]

    def _window(self, bucket: Bucket, seconds: float) -> deque[float]:
        calls = self._calls[bucket]
        oldest = seconds - WINDOW_SECONDS[bucket]
        while calls and calls[0] <= oldest:
            calls.popleft()
        return calls

    def _start_day(self, seconds: float) -> None:
        day = int(seconds // DAY_SECONDS)
        if day != self._day:
            self._day, self._today = day, 0

    def _refusal(self, what: str) -> HubSpotError:
        self._refused[what] += 1
        body = {"daily": DAILY, "search": SECONDLY}.get(what, TEN_SECONDLY)
        return HubSpotError(status=429, category="RATE_LIMITS", message=body["message"], body=body)
