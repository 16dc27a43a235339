"""Shell: reads the delete log (getDeleted) and tells which records are gone from the recycle bin too."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tap_salesforce_cases.deletes import (
    Deletion,
    LogPosition,
    LogWindow,
    deletions_of,
    log_window,
    next_position,
    to_look_at,
)
from tap_salesforce_cases.errors import (
    ReplicationGapError,
    SalesforceAnswerError,
    TooManyIdsError,
    UnreachableError,
)
from tap_salesforce_cases.rest_query import NOT_THERE, pages
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import IDS_IN_ONE_QUERY, Source, select_ids_of

logger = logging.getLogger("tap-salesforce-cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What the log gave: purged records, and where the next run goes on.

    `gap` says that the log does not reach back to the position: only a reconciliation of the ids can tell what was purged.
    """

    purged: tuple[Deletion, ...]
    position: LogPosition
    gap: bool = False


def read_delete_log(  # noqa: PLR0913 - each is one plain value
    session: SalesforceSession,
    source: Source,
    position: LogPosition,
    *,
    start: datetime | None,
    server_time: datetime,
    tombstones: Collection[str],
) -> LogReading:
    """Read from the position on; `tombstones` are ids that this run emitted as deleted."""
    if position.covered and position.covered > server_time:
        return LogReading(purged=(), position=position)  # all of the log was read, says the state
    window = log_window(position, start, server_time)
    if window is None:
        return _gap(server_time)
    try:
        deletions, covered = _entries(session, source.object_name, window)
    except ReplicationGapError:
        return _gap(server_time)
    except SalesforceAnswerError as error:
        if error.code not in {"NOT_FOUND", *NOT_THERE}:
            raise
        logger.warning("Without the delete log, purged cases are not found: %s", error)
        return LogReading(purged=(), position=position)
    suspects = to_look_at(deletions, position, tombstones)
    there = _still_there(session, source, [d.record_id for d in suspects])
    # Deleted behind this run's query and in the recycle bin still: it may be purged before the next run's query.
    open_ones = {d.key for d in suspects if d.record_id in there}
    settled = [d for d in deletions if d.key not in open_ones]
    return LogReading(
        purged=tuple(d for d in suspects if d.record_id not in there),
        position=next_position(window, covered, settled, server_time),
    )


def _gap(server_time: datetime) -> LogReading:
    return LogReading(purged=(), position=LogPosition(covered=server_time), gap=True)


def _entries(
    session: SalesforceSession, object_name: str, window: LogWindow
) -> tuple[list[Deletion], str | None]:
    """The entries of a window and its latestDateCovered; a window with too many ids is read in halves."""
    try:
        answer = session.get(f"{session.base_path}/sobjects/{object_name}/deleted/", window.parameters()).json
    except TooManyIdsError:
        halves = window.halves()
        if halves is None:
            raise UnreachableError(
                f"Salesforce has too many deleted {object_name} records in one minute (EXCEEDED_ID_LIMIT)"
            ) from None
        early, _ = _entries(session, object_name, halves[0])
        late, covered = _entries(session, object_name, halves[1])
        return [*early, *late], covered
    return deletions_of(answer), answer.get("latestDateCovered")


def _still_there(session: SalesforceSession, source: Source, ids: list[str]) -> set[str]:
    """Which of the ids queryAll knows, in the recycle bin or live again."""
    there: set[str] = set()
    for start in range(0, len(ids), IDS_IN_ONE_QUERY):
        soql = select_ids_of(source, ids[start : start + IDS_IN_ONE_QUERY])
        for page in pages(session, soql, all_rows=True, page_size=2000):
            there.update(record["Id"] for record in page)
    return there
