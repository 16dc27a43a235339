"""Shell: the resources that read records: query, queryAll, one record, getDeleted, getUpdated, limits."""

from __future__ import annotations

import re
from typing import Any

from case_sync_sandbox.salesforce import replication
from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.asking import Ask, Work, readable
from case_sync_sandbox.salesforce.describing import is_replicateable
from case_sync_sandbox.salesforce.errors import SalesforceError, no_writes, not_found
from case_sync_sandbox.salesforce.querying import invalid_locator
from case_sync_sandbox.salesforce.rendering import records


def resources(_: SalesforceApi, __: Ask, version: str) -> Any:
    base = f"/services/data/{version}"
    return {name: f"{base}/{name}" for name in ("query", "queryAll", "sobjects", "limits", "jobs")}


def run_query(*, include_deleted: bool) -> Work:
    """query, or queryAll, which finds rows in the recycle bin too (REST: Query, QueryAll; header Sforce-Query-Options)."""

    def work(api: SalesforceApi, ask: Ask, version: str) -> Any:
        options = re.search(r"batchSize\s*=\s*(\d+)", ask.headers.get("sforce-query-options", ""))
        return api.queries.first_page(
            ask.query.get("q", ""), include_deleted=include_deleted, version=version,
            batch_size=int(options[1]) if options else None,
        )  # fmt: skip

    return work


def next_page(api: SalesforceApi, ask: Ask, version: str) -> Any:
    """`<locator>-<rows read>`: the further pages of a cursor; a query is not named again (REST: query more results)."""
    name, _, start = ask.path["locator"].rpartition("-")
    if not start.isdecimal():
        raise invalid_locator()
    return api.queries.page(name, int(start), version)


def one_record(api: SalesforceApi, ask: Ask, version: str) -> Any:
    """All fields that the user may read of a live record (REST: sObject Rows); 404 where there is none."""
    sobject = readable(api, ask)
    fields = [f.name for f in api.store.visible_fields(sobject)]
    soql = f"SELECT {', '.join(fields)} FROM {sobject.name} WHERE Id = '{ask.path['id']}'"
    _, statement = api.queries.prepare(soql, include_deleted=False)
    found = records(statement, api.store.select(statement), version)
    if not found:
        raise not_found()
    return found[0]


def replicable(api: SalesforceApi, ask: Ask) -> str:
    """The object of a getDeleted or getUpdated call.

    Raises:
        SalesforceError: describe's `replicateable` is false. The text is Salesforce's (MinnPost/object-sync-for-salesforce #109
            quotes it); its code is in no source we know.
    """
    sobject = readable(api, ask)
    if not is_replicateable(sobject):
        raise SalesforceError(400, "INVALID_TYPE", f"sObject type {sobject.name} is not replicable")
    return sobject.name


def get_deleted(api: SalesforceApi, ask: Ask, _: str) -> Any:
    return replication.deleted(
        api.store,
        replicable(api, ask),
        ask.query.get("start"),
        ask.query.get("end"),
    )


def get_updated(api: SalesforceApi, ask: Ask, _: str) -> Any:
    return replication.updated(
        api.store,
        replicable(api, ask),
        ask.query.get("start"),
        ask.query.get("end"),
    )


def limits(api: SalesforceApi, _: Ask, __: str) -> Any:
    """Max and Remaining by name; Bulk 2.0 allows 10,000 query jobs and 1 TB of results a day (REST: Limits; Bulk 2.0 limits)."""
    allowed = api.store.switches.daily_limit
    return {
        "DailyApiRequests": {"Max": allowed, "Remaining": max(allowed - api.calls, 0)},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - len(api.jobs.all())},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }


def refuse_write(_: SalesforceApi, ask: Ask, __: str) -> Any:
    raise no_writes(ask.method)


def nothing_there(_: SalesforceApi, ask: Ask, __: str) -> Any:
    """What no resource answers: a read finds nothing, a write is refused by name."""
    raise not_found() if ask.method == "GET" else no_writes(ask.method)
