"""Core: how much of the day's API calls is used, by what HubSpot's answers tell; the account's programs share them.

Source: HubSpot, usage guidelines: X-HubSpot-RateLimit-Daily and -Daily-Remaining, on no answer to an OAuth token and on no search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class DayCalls:
    """Both are None until an answer told them."""

    allowed: int | None = None
    left: int | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        """Take in the headers of an answer."""
        allowed = headers.get("X-HubSpot-RateLimit-Daily", "")
        left = headers.get("X-HubSpot-RateLimit-Daily-Remaining", "")
        if allowed.isdigit() and left.isdigit():
            self.allowed, self.left = int(allowed), int(left)

    @property
    def used(self) -> int | None:
        """Calls of today, of all programs."""
        if self.allowed is None or self.left is None:
            return None
        return max(0, self.allowed - self.left)

    def is_above(self, percent: float) -> bool:
        """Whether more than this share is used; False where nobody told."""
        used, allowed = self.used, self.allowed
        return used is not None and bool(allowed) and used * 100 > percent * (allowed or 0)
