"""Shell: the HTTP face of the sandbox's HubSpot: token, scopes, budgets, body, answer."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from case_sync_sandbox.front import ON_FINISH, STARTED
from case_sync_sandbox.hubspot.access import require_scopes
from case_sync_sandbox.hubspot.admin import admin_routes
from case_sync_sandbox.hubspot.errors import HubSpotError, invalid_json
from case_sync_sandbox.hubspot.hub import Answer, Call, Hub, SaysTheTime
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPES
from case_sync_sandbox.hubspot.rate_limits import WIDE, Limits
from case_sync_sandbox.hubspot.routes import OPERATIONS, PREFIXES, Operation, carry_out, scopes_for

# The header by which a client may name its run; the write log keeps it.
RUN_ID_HEADER = "x-case-sync-run-id"
FLIGHT = "case_sync_sandbox.hubspot.flight"
_JSON = "application/json;charset=utf-8"
Endpoint = Callable[[Request], Awaitable[Response]]


def build_hubspot_app(database: str, clock: SaysTheTime, limits: Limits = WIDE) -> Starlette:
    """The application over the database at `database` (a file, or ":memory:"); its Hub is `app.state.hub`.

    The front tells `app.state.arrive` of every request as it arrives.
    """
    hub = Hub(database, clock, limits)
    serving = Serving(hub)
    routes: list[BaseRoute] = [
        Route(f"{prefix}{operation.path}", serving.endpoint(operation, version), methods=[operation.method])
        for operation in OPERATIONS
        for version, prefix in PREFIXES[operation.family].items()
    ]
    app = Starlette(
        routes=[*routes, *admin_routes(hub)], exception_handlers={404: _not_found, 405: _not_found}
    )
    app.state.hub = hub
    app.state.arrive = serving.arrive
    return app


async def _not_found(_request: Request, _error: Exception) -> Response:
    """A path that HubSpot doesn't have."""
    page = "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404 Not Found</h2></body></html>"
    return Response(page, status_code=404, media_type="text/html")


class Serving:
    """Turns requests into calls and answers into responses."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers = itertools.count(1)

    def arrive(self, scope: Scope) -> None:
        """Note a request that has arrived, before any fault holds it up; it is in flight until its answer is sent."""
        flights, number = self._hub.flights, next(self._numbers)
        flights.arrive(number, scope[STARTED])
        scope[FLIGHT] = partial(flights.write, number)
        scope[ON_FINISH].append(lambda: flights.end(number, time.perf_counter()))

    def endpoint(self, operation: Operation, version: str) -> Endpoint:
        """The Starlette endpoint of one call over one version's path."""

        async def serve(request: Request) -> Response:
            correlation_id = str(uuid.uuid4())
            headers = {"x-hubspot-correlation-id": correlation_id}
            try:
                body = await request.body()
                answer = self._answer(operation, version, request, body, headers)
            except HubSpotError as error:
                return _respond(Answer(body=error.as_json(correlation_id), status=error.status), headers)
            if answer.written_keys:
                request.scope[FLIGHT](answer.written_keys)
            return _respond(answer, headers)

        return serve

    def _answer(
        self, operation: Operation, version: str, request: Request, body: bytes, headers: dict[str, str]
    ) -> Answer:
        hub = self._hub
        if operation.access is not None:
            is_oauth = hub.access.check(request.headers.get("authorization"), hub.clock.now().timestamp())
            self._count(operation, headers, has_daily=not is_oauth)
            self._require(operation, request.path_params)
        call = Call(
            hub=hub,
            version=version,
            path=request.path_params,
            query=request.query_params,
            body=_form(body) if operation.family == "oauth" else _json(body),
            body_size=len(body),
            run_id=request.headers.get(RUN_ID_HEADER),
        )
        return carry_out(operation, call)

    def _count(self, operation: Operation, headers: dict[str, str], *, has_daily: bool) -> None:
        """Take the call from its budget; the headers show what is left, on a refusal too."""
        rates, seconds = self._hub.rates, time.monotonic()
        try:
            rates.take(operation.bucket, seconds)
        finally:
            headers.update(rates.headers(operation.bucket, seconds, has_daily=has_daily))

    def _require(self, operation: Operation, path: Mapping[str, Any]) -> None:
        spellings = [path[name] for name in ("object_type", "from_type", "to_type") if name in path]
        object_types = tuple(OBJECT_TYPES.get(spelling, "tickets") for spelling in spellings)
        missing = self._hub.portal.settings.missing_scopes
        for any_of in scopes_for(operation, object_types) if missing else ():
            require_scopes(any_of, missing)


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid_json(str(error)) from None


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _respond(answer: Answer, headers: Mapping[str, str]) -> Response:
    content = b"" if answer.body is None else orjson.dumps(answer.body)
    return Response(
        content, status_code=answer.status, headers=dict(headers), media_type=_JSON if content else None
    )
