"""Core: how much of the org's daily API calls is used, as each answer tells."""

from __future__ import annotations

import re
from dataclasses import dataclass

# `api-usage=25/5000; per-app-api-usage=17/250(appName=x)`: only the org's own part, wherever it stands (REST: Sforce-Limit-Info).
USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Calls used and allowed in 24 hours, for the whole org."""

    used: int
    allowed: int


def overdrawn(usage: Usage, total_percent: int) -> str | None:
    """Why the tap has to stop, naming the setting to raise; None while it may go on."""
    if usage.used <= usage.allowed * total_percent / 100:
        return None
    return f"{usage.used} of the org's {usage.allowed} daily API calls are used, more than quota_percent={total_percent} allows; run again later, or raise it"


def read_usage(header: str | None) -> Usage | None:
    """The org's usage, or None where the header does not tell."""
    found = USAGE.search(header or "")
    return Usage(used=int(found[1]), allowed=int(found[2])) if found else None
