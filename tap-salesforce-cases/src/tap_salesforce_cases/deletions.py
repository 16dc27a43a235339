"""Core: what getDeleted adds to queryAll: cases that are gone from the recycle bin too, and never came by as deleted rows.

Source: Salesforce REST API, Get Deleted; SOAP getDeleted(): reaches back 15 days, whole minutes, more than one minute between
start and end, 600,000 ids at most; latestDateCovered is where the next call has to start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_cases.moments import from_wire, to_wire, wire_datetime

REACHES_BACK = timedelta(days=15)
SHORTEST = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
MAX_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWindow:
    """A stretch of the delete log, both ends whole minutes and inclusive."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, str]:
        return {
            "start": self.start.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "end": self.end.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        }

    def halves(self) -> tuple[LogWindow, LogWindow] | None:
        """Two windows that share their middle minute; None where they would be too short."""
        middle = whole_minute(self.start + (self.end - self.start) / 2)
        if middle - self.start < SHORTEST or self.end - middle < SHORTEST:
            return None
        return LogWindow(start=self.start, end=middle), LogWindow(start=middle, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """An entry of the delete log; the moment is as on the wire."""

    record_id: str
    deleted_at: str

    @property
    def key(self) -> str:
        """Id and moment: a case that is deleted again has another key."""
        return f"{self.record_id}@{self.deleted_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far the delete log was read; `seen` are the keys of its last entries, which need no second look."""

    covered: datetime
    seen: frozenset[str] = frozenset()

    def state(self) -> dict[str, Any]:
        return {"covered": to_wire(self.covered), "seen": sorted(self.seen)[:MAX_REMEMBERED]}


def read_position(state: Mapping[str, Any]) -> LogPosition | None:
    """The position in a state; None before the log was first read.

    Raises:
        ValueError, TypeError, AttributeError: it is none.
    """
    covered = state.get("covered")
    if not covered:
        return None
    return LogPosition(covered=from_wire(covered), seen=frozenset(map(str, state.get("seen") or ())))


def whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def log_window(position: LogPosition, server_time: datetime) -> LogWindow | None:
    """What to ask for; None when the position lies further back than the log reaches: then nobody knows what was purged."""
    if position.covered < server_time - REACHES_BACK:
        return None
    low = min(whole_minute(position.covered), whole_minute(server_time) - SHORTEST)
    # The minute that runs on is asked for by its end: seconds are cut off.
    return LogWindow(start=low, end=whole_minute(server_time) + MINUTE)


def deletions_of(answer: Mapping[str, Any]) -> list[Deletion]:
    return [
        Deletion(record_id=entry["id"], deleted_at=wire_datetime(entry["deletedDate"]))
        for entry in answer.get("deletedRecords") or ()
    ]


def to_look_at(
    deletions: Collection[Deletion], position: LogPosition, tombstones: Collection[str]
) -> list[Deletion]:
    """Entries that may be of purged cases: neither seen by the run before nor with a tombstone of this run."""
    return [d for d in deletions if d.key not in position.seen and d.record_id not in tombstones]


def next_position(
    window: LogWindow, covered: str | None, deletions: Collection[Deletion], server_time: datetime
) -> LogPosition:
    """Where the next run starts: at latestDateCovered, and which entries it will then see again."""
    until = min(from_wire(covered), server_time) if covered else window.start
    until = max(until, window.start)
    again = to_wire(whole_minute(until) - SHORTEST)
    return LogPosition(covered=until, seen=frozenset(d.key for d in deletions if d.deleted_at >= again))
