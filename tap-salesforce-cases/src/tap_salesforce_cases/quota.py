"""Core: how much of the org's daily API calls is used, as each answer tells, and how much of it the tap may use."""

from __future__ import annotations

import re
from dataclasses import dataclass

# `api-usage=25/5000; per-app-api-usage=17/250(appName=x)`: only the org's own part, wherever it stands (REST: Sforce-Limit-Info).
USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
PER_APP = re.compile(r"per-app-api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Calls used and allowed in 24 hours for the whole org; for this app too where an administrator limits it."""

    used: int
    allowed: int
    app_used: int | None = None
    app_allowed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the tap keeps to: shares of the org's day, in percent, by everybody together and by this run alone."""

    total_percent: float
    run_percent: float


def read_usage(header: str | None) -> Usage | None:
    """The usage, or None where the header does not tell."""
    found, app = USAGE.search(header or ""), PER_APP.search(header or "")
    if not found:
        return None
    return Usage(
        used=int(found[1]),
        allowed=int(found[2]),
        app_used=int(app[1]) if app else None,
        app_allowed=int(app[2]) if app else None,
    )


def overdrawn(usage: Usage, run_calls: int, allowance: Allowance) -> str | None:
    """Why the tap has to stop, naming the setting to raise; None while it may go on."""
    if usage.used > usage.allowed * allowance.total_percent / 100:
        return f"{usage.used} of the org's {usage.allowed} daily API calls are used, more than quota_percent={allowance.total_percent:g} allows"
    if run_calls > usage.allowed * allowance.run_percent / 100:
        return f"this run made {run_calls} of the org's {usage.allowed} daily API calls, more than quota_percent_per_run={allowance.run_percent:g} allows"
    if usage.app_allowed and usage.app_used is not None and usage.app_used >= usage.app_allowed:
        return f"this app's {usage.app_allowed} daily API calls are used up: ask the Salesforce administrator to raise them"
    return None
