"""Shell: the HTTP face of the sandbox's Salesforce. Nothing of it writes Salesforce data: the sync is one way."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce import bulk_calls, metadata, reading
from case_sync_sandbox.salesforce.admin import admin_routes
from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.asking import Ask, Work, answer
from case_sync_sandbox.salesforce.composite import batch, composite, readable_resources
from case_sync_sandbox.salesforce.errors import SalesforceError, not_found
from case_sync_sandbox.salesforce.oauth import OAuthError
from case_sync_sandbox.salesforce.store import INTEGRATION_USER_ID, ORGANIZATION_ID

OLDEST, NEWEST = 31, 67  # Salesforce: API end of life
SEASONS = ("Winter", "Spring", "Summer")  # a version each; 67 is Summer '26
Endpoint = Callable[[Request], Awaitable[Response]]
GET, WRITES = ["GET"], ["POST", "PATCH", "PUT", "DELETE"]
DATA = "/services/data/{version}"
READS: tuple[tuple[str, Work, list[str]], ...] = (
    ("", reading.resources, GET),
    ("/query", reading.run_query(include_deleted=False), GET),
    ("/queryAll", reading.run_query(include_deleted=True), GET),
    ("/query/{locator}", reading.next_page, GET),
    ("/queryAll/{locator}", reading.next_page, GET),
    ("/sobjects", metadata.global_describe, GET),
    ("/sobjects/{name}", reading.refuse_write, WRITES),
    ("/sobjects/{name}/describe", metadata.describe, GET),
    ("/sobjects/{name}/deleted", reading.get_deleted, GET),
    ("/sobjects/{name}/updated", reading.get_updated, GET),
    ("/sobjects/{name}/{id}", reading.one_record, GET),
    ("/sobjects/{name}/{id}", reading.refuse_write, WRITES),
    (
        "/ui-api/object-info/{name}/picklist-values/{record_type}/{field}",
        metadata.picklist_of_record_type,
        GET,
    ),
    ("/limits", reading.limits, GET),
    ("/jobs/query", bulk_calls.create_job, ["POST"]),
    ("/jobs/query", bulk_calls.all_jobs, GET),
    ("/jobs/query/{id}", bulk_calls.job_status, GET),
    ("/jobs/query/{id}", bulk_calls.abort_job, ["PATCH"]),
    ("/jobs/query/{id}", bulk_calls.delete_job, ["DELETE"]),
    ("/jobs/query/{id}/results", bulk_calls.job_results, GET),
    ("/jobs/query/{id}/resultPages", bulk_calls.job_pages, GET),
)
RESOURCES = (
    *READS,
    ("/composite", composite(readable_resources(READS)), ["POST"]),
    ("/composite/batch", batch(readable_resources(READS)), ["POST"]),
    ("/{rest:path}", reading.nothing_there, [*GET, *WRITES]),
)


def data_endpoint(work: Work) -> Endpoint:
    """A REST resource: checks version and session, works in a thread, answers errors in Salesforce's form."""

    async def endpoint(request: Request) -> Response:
        api: SalesforceApi = request.app.state.api
        body = await request.body()
        try:
            version = check_version(request.path_params["version"])
            api.admit(request)
            response = await run_in_threadpool(respond, work, api, asked(request, body), version)
        except SalesforceError as error:
            response = answer(error.body(), error.status)
        response.headers["Sforce-Limit-Info"] = api.limit_info()
        return response

    return endpoint


def asked(request: Request, body: bytes) -> Ask:
    return Ask(
        method=request.method,
        path=request.path_params,
        query=request.query_params,
        headers=request.headers,
        body=body,
    )


def respond(work: Work, api: SalesforceApi, ask: Ask, version: str) -> Response:
    result = work(api, ask, version)
    return result if isinstance(result, Response) else answer(result)


def check_version(text: str) -> str:
    """The version of the path; up to v30 it is retired: 410 GONE (Salesforce: API end of life), and a later one is not there.

    Raises:
        SalesforceError: 410 or 404.
    """
    number = re.fullmatch(r"v(\d+)\.0", text)
    if number and int(number[1]) < OLDEST:
        raise SalesforceError(410, "UNSUPPORTED_API_VERSION", "The requested API version is retired")
    if number is None or int(number[1]) > NEWEST:
        raise not_found()
    return text


async def token(request: Request) -> Response:
    """The token endpoint; its errors are OAuth's object, not REST's array (Help: OAuth 2.0 Authorization Errors)."""
    api: SalesforceApi = request.app.state.api
    form = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    switches = api.store.switches
    api.sessions.rotate = switches.rotate_refresh_tokens
    api.sessions.organization_id = switches.organization_id or ORGANIZATION_ID
    api.sessions.user_id = switches.user_id or INTEGRATION_USER_ID
    try:
        base_url = str(request.base_url).rstrip("/")
        return answer(api.sessions.login(form, base_url, request.headers.get("authorization", "")))
    except OAuthError as error:
        return answer(error.body(), 400)


async def versions(_: Request) -> Response:
    """The one call that needs no session (REST: versions)."""
    return answer(
        [
            {"label": label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST, NEWEST + 1)
        ]
    )


def label(version: int) -> str:
    return f"{SEASONS[(version + 1) % 3]} '{(version + 13) // 3:02d}"


def build_salesforce_app(database: str, clock: Clock) -> Starlette:
    """The ASGI application of one org, kept in a SQLite file or ":memory:"; a trailing slash is taken as Salesforce takes it."""
    api = SalesforceApi(database, clock)
    routes = [Route("/services/oauth2/token", token, methods=["POST"])]
    routes += [Route(path, versions, methods=GET) for path in ("/services/data", "/services/data/")]
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
