"""Shell: getDeleted and getUpdated, with their rules about dates.

Source: Salesforce REST API, Get Deleted / Get Updated; SOAP getDeleted(); Data Replication, polling for changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.rendering import rest_datetime
from case_sync_sandbox.salesforce.schema import OBJECTS
from case_sync_sandbox.salesforce.soql_scope import STAMP
from case_sync_sandbox.salesforce.store import SalesforceStore

DELETED_REACHES_BACK = timedelta(days=15)  # REST: Get Deleted
UPDATED_REACHES_BACK = timedelta(days=30)  # REST: Get Updated
SHORTEST = timedelta(
    minutes=1
)  # start precedes end by more than this, else INVALID_REPLICATION_DATE (both pages)


def replication_error(message: str) -> SalesforceError:
    return SalesforceError(400, "INVALID_REPLICATION_DATE", message)


def minute_of(text: str | None) -> datetime:
    """The minute of a date with an offset (+00:00 or Z; a + that was not encoded arrives as a space).

    Raises:
        SalesforceError: no date, or none with an offset. How Salesforce words it is in no source we know.
    """
    try:
        moment = datetime.fromisoformat((text or "").replace(" ", "+"))
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - naive like what is refused below
    if moment.tzinfo is None:
        raise SalesforceError(
            400, "INVALID_QUERY_VALUE", "start and end must be ISO 8601 dates with an offset"
        )
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def window(start: str | None, end: str | None, now: datetime, reach: timedelta) -> tuple[str, str]:
    """Start and end as stamps, seconds cut off: 12:30:15 to 12:35:15 means 12:30:00 to 12:35:00, both inclusive.

    Raises:
        SalesforceError: a date that is no date, a start too early, or not more than one minute before the end.
    """
    first, last = minute_of(start), minute_of(end)
    if last - first <= SHORTEST:
        raise replication_error("startDate must precede endDate by more than one minute")
    if first < (now - reach).replace(second=0, microsecond=0):
        raise replication_error(
            f"startDate before org replication enabled date or more than {reach.days} days ago"
        )
    return first.strftime(STAMP), last.strftime(STAMP)


def latest_date_covered(store: SalesforceStore, end: str) -> str:
    """The end of the window, now, or an open transaction's stamp, whichever is first: what comes later may still change.

    How far Salesforce holds it back is published nowhere, and no referee can confirm it (KB 000199029 says hours in rare cases).
    """
    held = min((t.stamp for t in list(store.open_transactions)), default=end)
    return str(rest_datetime(min(end, held, store.stamp_now())))


def refuse_too_many(store: SalesforceStore, found: int) -> None:
    """At most 600,000 ids an answer (REST: Get Deleted, Get Updated)."""
    if found > store.switches.max_replication_ids:
        raise SalesforceError(400, "EXCEEDED_ID_LIMIT", "too many ids in the window: use a shorter one")


def deleted(
    store: SalesforceStore, object_name: str, start: str | None, end: str | None
) -> dict[str, object]:
    """Ids from the delete log, purged records too; a merge's loser does not name its master here."""
    low, high = window(start, end, store.clock.now(), DELETED_REACHES_BACK)
    starts = store.switches.log_starts
    if store.switches.purged_log or (starts and low < starts):
        raise replication_error("the delete log was purged after startDate")
    rows = store.rows(
        "SELECT id, deleted_date FROM delete_log WHERE object = ? AND deleted_date >= ? AND deleted_date <= ? "
        "ORDER BY deleted_date, id LIMIT ?",
        (object_name, low, high, store.switches.max_replication_ids + 1),
    )
    refuse_too_many(store, len(rows))
    earliest = (store.clock.now() - DELETED_REACHES_BACK).strftime(STAMP)
    return {
        "deletedRecords": [{"id": record_id, "deletedDate": rest_datetime(when)} for record_id, when in rows],
        "earliestDateAvailable": rest_datetime(starts or earliest),
        "latestDateCovered": latest_date_covered(store, high),
    }


def updated(
    store: SalesforceStore, object_name: str, start: str | None, end: str | None
) -> dict[str, object]:
    """Ids of live records that were changed; deleted ones are getDeleted's (no referee confirms that they are left out here)."""
    low, high = window(start, end, store.clock.now(), UPDATED_REACHES_BACK)
    live = ' AND "IsDeleted" = 0' if OBJECTS[object_name].deletable else ""
    rows = store.rows(
        f'SELECT "Id" FROM "{object_name}" WHERE "SystemModstamp" >= ? AND "SystemModstamp" <= ?{live} LIMIT ?',
        (low, high, store.switches.max_replication_ids + 1),
    )
    refuse_too_many(store, len(rows))
    return {"ids": [row[0] for row in rows], "latestDateCovered": latest_date_covered(store, high)}
