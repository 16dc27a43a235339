"""Shell: reads the delete log (getDeleted) and tells which cases are gone from the recycle bin too."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tap_salesforce_cases.deletions import (
    Deletion,
    LogPosition,
    LogWindow,
    deletions_of,
    log_window,
    next_position,
    to_look_at,
)
from tap_salesforce_cases.errors import SalesforceAnswerError
from tap_salesforce_cases.reading import NOT_THERE, pages
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import IDS_IN_ONE_QUERY, select_case_ids

logger = logging.getLogger("tap-salesforce-cases")
LOG_WAS_PURGED, TOO_MANY_IDS = "INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What the log gave: purged cases, and where the next run goes on."""

    purged: tuple[Deletion, ...]
    position: LogPosition


def read_delete_log(
    session: SalesforceSession, position: LogPosition, *, server_time: datetime, tombstones: Collection[str]
) -> LogReading:
    """Read from the position on; `tombstones` are ids that this run emitted as deleted.

    Where the log does not reach back to the position, or can't be read, it says so and goes on from now: cases that were purged
    in between keep their tickets.
    """
    window = log_window(position, server_time)
    if window is None:
        return _without(server_time, "it reaches back 15 days, and the last run is longer ago")
    try:
        deletions, covered = _entries(session, window)
    except SalesforceAnswerError as error:
        if error.code not in {LOG_WAS_PURGED, TOO_MANY_IDS, "NOT_FOUND", *NOT_THERE}:
            raise
        return _without(server_time, f"Salesforce answered {error.code}")
    suspects = to_look_at(deletions, position, tombstones)
    there = _still_there(session, [d.record_id for d in suspects])
    return LogReading(
        purged=tuple(d for d in suspects if d.record_id not in there),
        position=next_position(window, covered, deletions, server_time),
    )


def _without(server_time: datetime, why: str) -> LogReading:
    logger.warning(
        "The delete log can't tell which cases were deleted for good since the last run: %s. Their tickets stay as they are",
        why,
    )
    return LogReading(purged=(), position=LogPosition(covered=server_time))


def _entries(session: SalesforceSession, window: LogWindow) -> tuple[list[Deletion], str | None]:
    """The entries of a window and its latestDateCovered; a window with too many ids is read in halves."""
    try:
        answer = session.get(f"{session.base_path}/sobjects/Case/deleted/", window.parameters()).json
    except SalesforceAnswerError as error:
        halves = window.halves()
        if error.code != TOO_MANY_IDS or halves is None:
            raise
        early, _ = _entries(session, halves[0])
        late, covered = _entries(session, halves[1])
        return [*early, *late], covered
    return deletions_of(answer), answer.get("latestDateCovered")


def _still_there(session: SalesforceSession, ids: list[str]) -> set[str]:
    """Which of the ids queryAll knows, in the recycle bin or live again."""
    there: set[str] = set()
    for start in range(0, len(ids), IDS_IN_ONE_QUERY):
        soql = select_case_ids(ids[start : start + IDS_IN_ONE_QUERY])
        for page in pages(session, soql, all_rows=True, page_size=2000):
            there.update(record["Id"] for record in page)
    return there
