"""Shell: the resources of Bulk API 2.0 query jobs."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.asking import Ask
from case_sync_sandbox.salesforce.errors import SalesforceError


def create_job(api: SalesforceApi, ask: Ask, version: str) -> Any:
    return api.jobs.create(ask.json(), version)


def job_status(api: SalesforceApi, ask: Ask, version: str) -> Any:
    return api.jobs.poll(ask.path["id"], version)


def job_results(api: SalesforceApi, ask: Ask, version: str) -> Any:
    asked = ask.query.get("maxRecords", "")
    page = api.jobs.results(
        ask.path["id"],
        version,
        ask.query.get("locator"),
        int(asked) if asked.isdigit() else None,
    )
    headers = {"Sforce-NumberOfRecords": str(page.records), "Sforce-Locator": page.locator}
    return Response(page.body, headers=headers, media_type="text/csv")


def job_pages(api: SalesforceApi, ask: Ask, version: str) -> Any:
    return api.jobs.result_pages(ask.path["id"], version, ask.query.get("locator"))


def abort_job(api: SalesforceApi, ask: Ask, version: str) -> Any:
    if ask.json().get("state") != "Aborted":
        raise SalesforceError(400, "INVALIDJOBSTATE", "the only state that a job can be set to is Aborted")
    return api.jobs.abort(ask.path["id"], version)


def delete_job(api: SalesforceApi, ask: Ask, version: str) -> Any:
    api.jobs.delete(ask.path["id"], version)
    return Response(status_code=204)


def all_jobs(api: SalesforceApi, _: Ask, __: str) -> Any:
    return {"done": True, "records": api.jobs.all(), "nextRecordsUrl": None}
