"""Core: what the hook on_failure is told, and when: failure, suspension, recovery.

"Suspension" is HubSpot's word for what stops a whole integration: the login refused, the day's API calls used up
(HubSpot, "Resolve Salesforce integration suspension errors").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from case_sync_console.errors import ANOTHER_RUN, AUTHENTICATION, OK, PARTIAL, QUOTA, WORDS

FAILURE, SUSPENSION, RECOVERY = "failure", "suspension", "recovery"
SUSPENDING = {AUTHENTICATION, QUOTA}
# Neither good nor bad: somebody stopped it, or another run does the work.
SAYS_NOTHING = {ANOTHER_RUN, 130, 143}
MESSAGE_LIMIT = 2_000
LOGIN_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended; times are aware. `message` is what the programs said, which holds no value of a record."""

    exit_code: int
    message: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of earlier runs of `case-sync run`.

    Attributes:
        exit_code: of the last one that says something.
        failing_since: when the first of an unbroken row of failures ended, ISO 8601; "" while all is well.
        times: how many failures there are in that row.
    """

    exit_code: int = OK
    failing_since: str = ""
    times: int = 0


def read_memory(kept: Any) -> Memory:
    """What was kept; anything else is no memory."""
    if not isinstance(kept, Mapping):
        return Memory()
    code, since, times = kept.get("exit_code"), kept.get("failing_since"), kept.get("times")
    if not isinstance(code, int) or not isinstance(since, str) or not isinstance(times, int):
        return Memory()
    return Memory(exit_code=code, failing_since=since, times=times)


def remembered(before: Memory, end: Ending) -> Memory:
    """The memory after a run. A run that went through ends the row of failures, even if records were rejected."""
    if end.exit_code in SAYS_NOTHING:
        return before
    if end.exit_code in (OK, PARTIAL):
        return Memory(exit_code=end.exit_code)
    since = before.failing_since or end.ended_at.isoformat(timespec="seconds")
    return Memory(exit_code=end.exit_code, failing_since=since, times=before.times + 1)


def events_of(before: Memory, end: Ending) -> tuple[str, ...]:
    """Which events a run's end is, in the order in which they are told."""
    if end.exit_code in SAYS_NOTHING:
        return ()
    went_through = end.exit_code in (OK, PARTIAL)
    recovered = (RECOVERY,) if went_through and before.failing_since else ()
    if end.exit_code == OK:
        return recovered
    return (*recovered, SUSPENSION if end.exit_code in SUSPENDING else FAILURE)


def body(event: str, environment: str, end: Ending, after: Memory, before: Memory) -> dict[str, Any]:
    """The JSON that a hook is given; a time is ISO 8601 in UTC."""
    since = after.failing_since or before.failing_since
    return {
        "event": event,
        "environment": environment,
        "exit_code": OK if event == RECOVERY else end.exit_code,
        "words": "the sync works again" if event == RECOVERY else WORDS.get(end.exit_code, "it failed"),
        "message": "" if event == RECOVERY else without_logins(end.message)[:MESSAGE_LIMIT],
        "started_at": end.started_at.isoformat(timespec="seconds"),
        "ended_at": end.ended_at.isoformat(timespec="seconds"),
        "failing_since": since or None,
        "times": before.times if event == RECOVERY else after.times,
    }


def without_logins(text: str) -> str:
    """The text without user names and passwords in URLs."""
    return LOGIN_IN_URL.sub("", text)


def kept(memory: Memory) -> dict[str, Any]:
    """As JSON."""
    return asdict(memory)
