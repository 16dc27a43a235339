"""Core: what getDeleted adds to queryAll: records that are gone from the recycle bin too.

Source: Salesforce REST API, Get Deleted; SOAP getDeleted(): reaches back 15 days, whole minutes, more than one minute between
start and end, 600,000 ids at most; latestDateCovered is where the next call has to start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_cases.ids import to_18
from tap_salesforce_cases.moments import from_wire, to_wire, wire_datetime

REACHES_BACK = timedelta(days=15)
MARGIN = timedelta(minutes=30)  # the log may be a little younger than its age
SHORTEST = timedelta(minutes=2)
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
        """Two windows that share their middle minute; None where both would be too short."""
        middle = whole_minute(self.start + (self.end - self.start) / 2)
        if middle - self.start < SHORTEST or self.end - middle < SHORTEST:
            return None
        return LogWindow(start=self.start, end=middle), LogWindow(start=middle, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far the delete log was read; `emitted` are the keys of its last entries, which need no second look."""

    covered: datetime | None = None
    emitted: tuple[str, ...] = ()

    def state(self) -> dict[str, Any]:
        if self.covered is None:
            return {}
        return {"covered": to_wire(self.covered), "emitted": list(self.emitted[:MAX_REMEMBERED])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """An entry of the delete log; the moment is as on the wire."""

    record_id: str
    deleted_at: str

    @property
    def key(self) -> str:
        """Id and moment: a case that is deleted again has another key."""
        return f"{self.record_id}@{self.deleted_at}"


def read_position(state: Mapping[str, Any]) -> LogPosition:
    """The position of a state; an empty one for a first run.

    Raises:
        ValueError, TypeError: it is none.
    """
    covered = state.get("covered")
    return LogPosition(
        covered=from_wire(covered) if covered else None, emitted=tuple(map(str, state.get("emitted") or ()))
    )


def whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def log_window(position: LogPosition, start: datetime | None, server_time: datetime) -> LogWindow | None:
    """What to ask for: from the position, else from where the run starts, else as far as the log goes.

    None when the position lies further back than the log reaches: only a reconciliation can tell.
    """
    reach = server_time - REACHES_BACK
    if position.covered and position.covered < reach:
        return None
    asked = position.covered or max(filter(None, (start, reach + MARGIN)))
    low = min(whole_minute(asked), whole_minute(server_time) - SHORTEST)
    # The minute that runs on is asked for by its end: seconds are cut off.
    return LogWindow(start=low, end=whole_minute(server_time) + timedelta(minutes=1))


def deletions_of(answer: Mapping[str, Any]) -> list[Deletion]:
    return [
        Deletion(record_id=to_18(entry["id"]), deleted_at=wire_datetime(entry["deletedDate"]))
        for entry in answer.get("deletedRecords") or ()
    ]


def to_look_at(
    deletions: Collection[Deletion], position: LogPosition, tombstones: Collection[str]
) -> list[Deletion]:
    """Entries that may be of purged records: neither seen by the run before nor with a tombstone of this run."""
    known = set(position.emitted)
    return [d for d in deletions if d.key not in known and d.record_id not in tombstones]


def next_position(
    window: LogWindow, covered: str | None, deletions: Collection[Deletion], server_time: datetime
) -> LogPosition:
    """Where the next run starts: at latestDateCovered (for safety, says getDeleted), and which of these entries it will see again."""
    until = min(from_wire(covered), server_time) if covered else window.start
    until = max(until, window.start)
    again = to_wire(whole_minute(until) - SHORTEST)
    return LogPosition(covered=until, emitted=tuple(d.key for d in deletions if d.deleted_at >= again))
