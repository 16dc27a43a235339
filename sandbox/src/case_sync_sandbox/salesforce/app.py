"""Shell: the HTTP face of the sandbox's Salesforce. Nothing of it writes Salesforce data: the sync is one way."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce import replication
from case_sync_sandbox.salesforce.admin import admin_routes
from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.describing import describe_field, describe_object, summary
from case_sync_sandbox.salesforce.errors import SalesforceError, invalid_type, no_writes, not_found
from case_sync_sandbox.salesforce.oauth import OAuthError
from case_sync_sandbox.salesforce.rendering import records
from case_sync_sandbox.salesforce.schema import OBJECTS, Field, SObject
from case_sync_sandbox.salesforce.soql_sql import find_object

VERSIONS = {
    f"v{n}.0": name
    for n, name in ((64, "Summer '25"), (65, "Winter '26"), (66, "Spring '26"), (67, "Summer '26"))
}
RETIRED_UP_TO = 30  # v21 to v30 answer 410 GONE (Salesforce: API end of life)
Endpoint = Callable[[Request], Awaitable[Response]]
Work = Callable[["SalesforceApi", Request, str], Any]


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json;charset=UTF-8")


def data_endpoint(work: Work) -> Endpoint:
    """A REST resource: checks version and session, works in a thread, answers errors in Salesforce's form."""

    async def endpoint(request: Request) -> Response:
        api: SalesforceApi = request.app.state.api
        request.state.body = await request.body()
        try:
            version = check_version(request.path_params["version"])
            api.admit(request)
            result = await run_in_threadpool(work, api, request, version)
        except SalesforceError as error:
            result = answer(error.body(), error.status)
        response = result if isinstance(result, Response) else answer(result)
        response.headers["Sforce-Limit-Info"] = api.limit_info()
        return response

    return endpoint


def check_version(text: str) -> str:
    number = re.fullmatch(r"v(\d+)\.0", text)
    if number and int(number[1]) <= RETIRED_UP_TO:
        raise SalesforceError(410, "UNSUPPORTED_API_VERSION", "The requested API version is retired")
    if text not in VERSIONS:
        raise not_found()
    return text


async def token(request: Request) -> Response:
    api: SalesforceApi = request.app.state.api
    form = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    api.sessions.rotate = api.store.switches.rotate_refresh_tokens
    try:
        return answer(api.sessions.login(form, str(request.base_url).rstrip("/")))
    except OAuthError as error:
        return answer(error.body(), 400)


async def versions(_: Request) -> Response:
    """The one call that needs no session (REST: versions)."""
    return answer(
        [{"label": label, "url": f"/services/data/{v}", "version": v[1:]} for v, label in VERSIONS.items()]
    )


def resources(_: SalesforceApi, __: Request, version: str) -> Any:
    base = f"/services/data/{version}"
    return {name: f"{base}/{name}" for name in ("query", "queryAll", "sobjects", "limits", "jobs")}


def run_query(*, include_deleted: bool) -> Work:
    def work(api: SalesforceApi, request: Request, version: str) -> Any:
        options = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""))
        return api.queries.first_page(
            request.query_params.get("q", ""), include_deleted=include_deleted, version=version,
            batch_size=int(options[1]) if options else None,
        )  # fmt: skip

    return work


def next_page(api: SalesforceApi, request: Request, version: str) -> Any:
    name, _, start = request.path_params["locator"].partition("-")
    return api.queries.page(name, int(start) if start.isdigit() else 0, version)


def global_describe(api: SalesforceApi, _: Request, version: str) -> Any:
    listed = (o for name, o in OBJECTS.items() if name not in api.store.switches.hidden_objects)
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [summary(o, version) for o in listed]}


def picklist_values(api: SalesforceApi, sobject: SObject, f: Field) -> list[str]:
    """The values that are declared and those that records hold; Status has its own table."""
    if (sobject.name, f.name) == ("Case", "Status"):
        return [row[0] for row in api.store.rows('SELECT "ApiName" FROM "CaseStatus" ORDER BY "SortOrder"')]
    if f.type != "picklist":
        return list(f.picklist)
    held = api.store.rows(
        f'SELECT DISTINCT "{f.name}" FROM "{sobject.name}" WHERE "{f.name}" IS NOT NULL ORDER BY 1'
    )
    return list(dict.fromkeys([*f.picklist, *(row[0] for row in held)]))


def record_type_infos(api: SalesforceApi, sobject: SObject) -> list[dict[str, Any]]:
    rows = api.store.rows(
        'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" WHERE "SobjectType" = ? ORDER BY "Id"',
        (sobject.name,),
    )
    return [
        {
            "recordTypeId": i,
            "name": n,
            "developerName": d,
            "active": bool(a),
            "available": bool(a),
            "master": False,
            "defaultRecordTypeMapping": False,
        }
        for i, n, d, a in rows
    ]


def describe(api: SalesforceApi, request: Request, version: str) -> Any:
    """304 when the caller's copy is of now: the sandbox's schema changes only by its switches (REST: If-Modified-Since)."""
    sobject = readable(api, request)
    modified = api.store.switches_changed.replace(microsecond=0)
    since = request.headers.get("if-modified-since")
    if since and (known := http_date(since)) and known >= modified:
        return Response(status_code=304)
    fields = [describe_field(f, picklist_values(api, sobject, f)) for f in api.store.visible_fields(sobject)]
    body = describe_object(sobject, fields, record_type_infos(api, sobject), version)
    return answer(body, headers={"Last-Modified": email.utils.format_datetime(modified, usegmt=True)})


def http_date(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def readable(api: SalesforceApi, request: Request) -> SObject:
    sobject = find_object(request.path_params["name"])
    if sobject.name in api.store.switches.hidden_objects:
        raise invalid_type(sobject.name)
    return sobject


def one_record(api: SalesforceApi, request: Request, version: str) -> Any:
    sobject = readable(api, request)
    fields = [f.name for f in api.store.visible_fields(sobject)]
    soql = f"SELECT {', '.join(fields)} FROM {sobject.name} WHERE Id = '{request.path_params['id']}'"
    _, statement = api.queries.prepare(soql, include_deleted=False)
    found = records(statement.columns, api.store.select(statement), sobject.name, version)
    if not found:
        raise not_found()
    return found[0]


def get_deleted(api: SalesforceApi, request: Request, _: str) -> Any:
    return replication.deleted(
        api.store,
        readable(api, request).name,
        request.query_params.get("start"),
        request.query_params.get("end"),
    )


def get_updated(api: SalesforceApi, request: Request, _: str) -> Any:
    return replication.updated(
        api.store,
        readable(api, request).name,
        request.query_params.get("start"),
        request.query_params.get("end"),
    )


def limits(api: SalesforceApi, _: Request, __: str) -> Any:
    allowed = api.store.switches.daily_limit
    return {
        "DailyApiRequests": {"Max": allowed, "Remaining": max(allowed - api.calls, 0)},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - len(api.jobs.all())},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }


def create_job(api: SalesforceApi, request: Request, version: str) -> Any:
    try:
        body = orjson.loads(request.state.body)
    except orjson.JSONDecodeError as error:
        raise SalesforceError(400, "JSON_PARSER_ERROR", "Unexpected character in the JSON body") from error
    return api.jobs.create(body, version)


def job_status(api: SalesforceApi, request: Request, version: str) -> Any:
    return api.jobs.poll(request.path_params["id"], version)


def job_results(api: SalesforceApi, request: Request, version: str) -> Any:
    asked = request.query_params.get("maxRecords", "")
    page = api.jobs.results(
        request.path_params["id"],
        version,
        request.query_params.get("locator"),
        int(asked) if asked.isdigit() else None,
    )
    headers = {"Sforce-NumberOfRecords": str(page.records), "Sforce-Locator": page.locator}
    return Response(page.body, headers=headers, media_type="text/csv")


def job_pages(api: SalesforceApi, request: Request, version: str) -> Any:
    return api.jobs.result_pages(request.path_params["id"], version, request.query_params.get("locator"))


def abort_job(api: SalesforceApi, request: Request, version: str) -> Any:
    return api.jobs.abort(request.path_params["id"], version)


def delete_job(api: SalesforceApi, request: Request, version: str) -> Any:
    api.jobs.delete(request.path_params["id"], version)
    return Response(status_code=204)


def all_jobs(api: SalesforceApi, _: Request, __: str) -> Any:
    return {"done": True, "records": api.jobs.all(), "nextRecordsUrl": None}


def refuse_write(_: SalesforceApi, request: Request, __: str) -> Any:
    raise no_writes(request.method)


WRITES = ["POST", "PATCH", "PUT", "DELETE"]
DATA = "/services/data/{version}"
RESOURCES: tuple[tuple[str, Work, list[str]], ...] = (
    ("", resources, ["GET"]),
    ("/query", run_query(include_deleted=False), ["GET"]),
    ("/queryAll", run_query(include_deleted=True), ["GET"]),
    ("/query/{locator}", next_page, ["GET"]),
    ("/queryAll/{locator}", next_page, ["GET"]),
    ("/sobjects", global_describe, ["GET"]),
    ("/sobjects/{name}", refuse_write, WRITES),
    ("/sobjects/{name}/describe", describe, ["GET"]),
    ("/sobjects/{name}/deleted", get_deleted, ["GET"]),
    ("/sobjects/{name}/updated", get_updated, ["GET"]),
    ("/sobjects/{name}/{id}", one_record, ["GET"]),
    ("/sobjects/{name}/{id}", refuse_write, WRITES),
    ("/limits", limits, ["GET"]),
    ("/jobs/query", create_job, ["POST"]),
    ("/jobs/query", all_jobs, ["GET"]),
    ("/jobs/query/{id}", job_status, ["GET"]),
    ("/jobs/query/{id}", abort_job, ["PATCH"]),
    ("/jobs/query/{id}", delete_job, ["DELETE"]),
    ("/jobs/query/{id}/results", job_results, ["GET"]),
    ("/jobs/query/{id}/resultPages", job_pages, ["GET"]),
)


def build_salesforce_app(database: str, clock: Clock) -> Starlette:
    """The ASGI application of one org, kept in a SQLite file or ":memory:"; a trailing slash is taken as Salesforce takes it."""
    api = SalesforceApi(database, clock)
    routes = [Route("/services/oauth2/token", token, methods=["POST"])]
    routes += [Route(path, versions, methods=["GET"]) for path in ("/services/data", "/services/data/")]
    for path, work, methods in RESOURCES:
        endpoint = data_endpoint(work)
        routes += [Route(DATA + path + slash, endpoint, methods=methods) for slash in ("", "/")]
    routes += admin_routes()
    app = Starlette(
        routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)]
    )
    app.router.redirect_slashes = False
    app.state.api = api
    app.state.store = api.store
    return app
