"""Core: what an answer of HubSpot's asks for, by status, category and rate policy.

Source: HubSpot, error handling, usage guidelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Verdict(Enum):
    """What the caller does next."""

    USE = "use the answer; errors inside it are those of single records"
    TRY_AGAIN = "repeat after a pause"
    SPLIT = "one of the records is at fault: send them in halves"
    RENEW_TOKEN = "the token is refused"  # noqa: S105 - no secret, a verdict
    FORBIDDEN = "the token lacks a scope, or its user a permission"
    STOP_FOR_TODAY = "the day's calls are used up"
    STOP_MIGRATION = "the portal is being moved to another data centre"
    NOT_FOUND = "there is no such thing"
    GIVE_UP = "nothing that a repeat would change"


BY_STATUS = {
    400: Verdict.SPLIT,
    401: Verdict.RENEW_TOKEN,
    403: Verdict.FORBIDDEN,
    404: Verdict.NOT_FOUND,
    409: Verdict.SPLIT,
    413: Verdict.SPLIT,
    423: Verdict.TRY_AGAIN,
    429: Verdict.TRY_AGAIN,
    477: Verdict.TRY_AGAIN,
} | dict.fromkeys((408, 500, 502, 503, 504, 521, 522, 523, 524), Verdict.TRY_AGAIN)
LOCK_SECONDS = 2.0  # a lock (423) lasts two seconds
POLICY_SECONDS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
LONGEST_RETRY_AFTER_SECONDS = 60.0  # a longer one (477: up to a day) ends the run instead of holding it
# Categories of a single record's error in a batch that a repeat may mend; all others are the record's own.
PASSING_CATEGORIES = frozenset({"INTERNAL_ERROR", "RATE_LIMITS", "LOCKED", "TIMEOUT", "SERVICE_UNAVAILABLE"})


def verdict(status: int, body: Any, retry_after: str | None = None) -> Verdict:
    """What to do; `body` is the parsed JSON, or None where it is none.

    A success without JSON is a proxy's page or a cut answer, but for 204, which has no body.
    """
    if status == 204:
        return Verdict.USE
    if 200 <= status < 300:
        return Verdict.USE if isinstance(body, Mapping) else Verdict.TRY_AGAIN
    if status == 429 and isinstance(body, Mapping) and body.get("policyName") == "DAILY":
        return Verdict.STOP_FOR_TODAY
    if status == 477 and (_seconds(retry_after) or 0) > LONGEST_RETRY_AFTER_SECONDS:
        return Verdict.STOP_MIGRATION
    return BY_STATUS.get(status, Verdict.GIVE_UP)


def wait_seconds(status: int, body: Any, retry_after: str | None) -> float | None:
    """How long HubSpot wants a repeat to wait; None leaves it to the backoff."""
    told = _seconds(retry_after)
    if told is not None:
        return min(told, LONGEST_RETRY_AFTER_SECONDS)
    if status == 423:
        return LOCK_SECONDS
    return (
        POLICY_SECONDS.get(str(body.get("policyName")))
        if status == 429 and isinstance(body, Mapping)
        else None
    )


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After header; HubSpot sends no dates there."""
    return float(retry_after) if retry_after and retry_after.replace(".", "", 1).isdigit() else None
