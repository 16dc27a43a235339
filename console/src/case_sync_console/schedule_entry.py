"""Core: the entry in meltano.yml that says how often the sync runs: Meltano's own schedule, which Airflow reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cronsim import CronSim, CronSimError

from case_sync_console.definition import Document
from case_sync_console.intervals import Interval, plain_cron

JOB = "case-sync"  # of meltano.yml


def entry(document: Mapping[str, Any]) -> Document | None:
    """The schedule of the sync's job."""
    found: Document | None = next(
        (one for one in document.get("schedules") or () if one.get("job") == JOB), None
    )
    return found


def interval_text(document: Mapping[str, Any]) -> str | None:
    """The interval as it stands there; None where there is no entry."""
    found = entry(document)
    return str(found["interval"]) if found and found.get("interval") else None


def name_of(interval: Interval) -> str:
    """case-sync-every-15-minutes."""
    return f"{JOB}-{interval.words.replace(' ', '-')}"


def next_run(interval: str | None, now: datetime) -> datetime | None:
    """When the schedule calls next, in the zone of `now`; None where it never does, or the interval can't be read."""
    cron = plain_cron(interval) if interval else None
    if cron is None:
        return None
    try:
        return next(CronSim(cron, now))
    except (CronSimError, StopIteration):
        return None
