"""Shell: the HubSpot half's admin calls: settings, tokens, budgets, what was written, what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from case_sync_sandbox.hubspot.associations import Sides
from case_sync_sandbox.hubspot.hub import Hub
from case_sync_sandbox.hubspot.loading import load_portal, portal_load_from_json
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPES
from case_sync_sandbox.hubspot.rate_limits import PROFESSIONAL, WIDE, RateLimits
from case_sync_sandbox.hubspot.record import as_json
from case_sync_sandbox.hubspot.settings import SettingError

_MAX_ROWS = 100_000
_WRITE_COLUMNS = ("seq", "time", "object_type", "id", "key", "op", "version", "run_id", "detail")
Handler = Callable[[Hub, Request, Any], Any]


def settings(hub: Hub, request: Request, body: Any) -> Any:
    """GET the switches; POST changes to them."""
    changed = hub.portal.change_settings(body) if request.method == "POST" else hub.portal.settings
    return asdict(changed)


def limits(hub: Hub, request: Request, body: Any) -> Any:
    """GET the budgets and what was used; POST {"real": true}, {"real": false} or numbers per bucket."""
    if request.method == "POST":
        base = {True: PROFESSIONAL, False: WIDE}.get(body.get("real"), hub.rates.limits)
        numbers = {name: value for name, value in body.items() if name != "real"}
        if wrong := [n for n, v in numbers.items() if n not in asdict(base) or type(v) is not int]:
            raise SettingError(f"limits are whole numbers for {sorted(asdict(base))}; wrong: {wrong}")
        hub.rates = RateLimits(replace(base, **numbers))
    return {"limits": asdict(hub.rates.limits), **hub.rates.report()}


def expire_tokens(hub: Hub, _request: Request, body: Any) -> Any:
    """POST: every OAuth token is expired; {"static": true} makes the static token unknown as well."""
    return {"expired": hub.access.expire_tokens(static=bool((body or {}).get("static")))}


def refresh_tokens(hub: Hub, _request: Request, body: Any) -> Any:
    """POST {"rotate": bool} or {"revoked": true}."""
    hub.access.rotates_refresh_tokens = bool((body or {}).get("rotate"))
    if (body or {}).get("revoked"):
        hub.access.revoke_refresh_token()
    return {"rotate": hub.access.rotates_refresh_tokens}


def writes(hub: Hub, request: Request, _body: Any) -> Any:
    """GET the write log: ?since=seq&object_type=&key=&limit=, oldest first."""
    query = request.query_params
    conditions, parameters = ["seq > ?"], [int(query.get("since", 0))]
    for name in ("object_type", "key", "op"):
        if name in query:
            conditions.append(f"{name} = ?")
            parameters.append(query[name])  # type: ignore[arg-type]
    with hub.database.reading() as connection:
        rows = connection.execute(
            f"SELECT * FROM writes WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT ?",
            (*parameters, int(query.get("limit", _MAX_ROWS))),
        ).fetchall()
    return {"writes": [dict(zip(_WRITE_COLUMNS, row, strict=True)) for row in rows]}


def flights(hub: Hub, _request: Request, _body: Any) -> Any:
    """GET the keys that overlapping requests wrote, and the most requests in flight at once."""
    return {"overlaps": dict(hub.flights.overlaps), "most_at_once": hub.flights.most_at_once}


def records(hub: Hub, request: Request, _body: Any) -> Any:
    """GET records as stored, with their associations: ?after=id&limit=&archived=true. Our own reading, not HubSpot's API."""
    object_type = OBJECT_TYPES[request.path_params["object_type"]]
    query = request.query_params
    found = hub.records.page(
        object_type,
        after=int(query.get("after", 0)),
        limit=min(int(query.get("limit", _MAX_ROWS)), _MAX_ROWS),
        archived=query.get("archived") == "true",
    )
    bodies = {r.id: as_json(object_type, r, sorted(r.properties)) | {"associations": {}} for r in found}
    for to_type in ("companies", "contacts", "tickets"):
        for number, links in hub.associations.links(
            Sides(from_type=object_type, to_type=to_type), bodies
        ).items():
            bodies[number]["associations"][to_type] = [
                {"id": str(link.to_id), "types": [kind.type_id for kind in link.types]} for link in links
            ]
    return {"total": hub.records.count(object_type), "results": list(bodies.values())}


def latest_tickets(hub: Hub, request: Request, _body: Any) -> Any:
    """GET ?limit=: the tickets written last, with the names of their companies and contacts."""
    found = hub.records.latest("tickets", limit=int(request.query_params.get("limit", 10)))
    bodies = {r.id: as_json("tickets", r, sorted(r.properties)) | {"associations": {}} for r in found}
    for to_type in ("companies", "contacts"):
        links = hub.associations.links(Sides(from_type="tickets", to_type=to_type), bodies)
        others = hub.records.get(to_type, {link.to_id for linked in links.values() for link in linked})
        for number, linked in links.items():
            bodies[number]["associations"][to_type] = [
                {"id": str(link.to_id), "name": _name(others[link.to_id].properties)} for link in linked
            ]
    return {"results": list(bodies.values())}


def _name(values: Mapping[str, str]) -> str:
    person = f"{values.get('firstname', '')} {values.get('lastname', '')}".strip()
    return values.get("name") or person or values.get("email") or values["hs_object_id"]


def summary(hub: Hub, _request: Request, _body: Any) -> Any:
    """GET counts: records, archived ones, tickets per pipeline and stage, associations per pair of types, write operations."""
    with hub.database.reading() as connection:
        stages = connection.execute(
            "SELECT json_extract(properties, '$.hs_pipeline'), json_extract(properties, '$.hs_pipeline_stage'), count(*)"
            " FROM tickets WHERE archived = 0 GROUP BY 1, 2"
        ).fetchall()
        pairs = connection.execute(
            "SELECT from_type, to_type, count(*) FROM (SELECT DISTINCT from_type, from_id, to_type, to_id FROM associations)"
            " WHERE from_type = 'tickets' GROUP BY 1, 2"
        ).fetchall()
        operations = connection.execute(
            "SELECT op, count(*) FROM writes WHERE object_type = 'tickets' GROUP BY 1"
        ).fetchall()
    counted = {(pipeline, stage): number for pipeline, stage, number in stages}
    return {
        "records": {name: hub.records.count(name) for name in ("tickets", "companies", "contacts")},
        "archived": {
            name: hub.records.count(name, archived=True) for name in ("tickets", "companies", "contacts")
        },
        "owners": len(hub.portal.owners),
        "pipelines": [
            {
                "id": p.id,
                "label": p.label,
                "stages": [
                    {
                        "id": s.id,
                        "label": s.label,
                        "closed": s.is_closed,
                        "tickets": counted.get((p.id, s.id), 0),
                    }
                    for s in p.stages
                ],
            }
            for p in hub.portal.live_pipelines().values()
        ],
        "associations": {f"{one}_to_{other}": number for one, other, number in pairs},
        "writes": dict(operations),
    }


def load(hub: Hub, _request: Request, body: Any) -> Any:
    """POST a portal's contents: {"companies", "contacts", "tickets": [{property: value}], "owners", "pipelines", "properties"}."""
    return load_portal(hub, portal_load_from_json(body))


_TABLE: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
    ("settings", ("GET", "POST"), settings),
    ("limits", ("GET", "POST"), limits),
    ("expire-tokens", ("POST",), expire_tokens),
    ("refresh-tokens", ("POST",), refresh_tokens),
    ("writes", ("GET",), writes),
    ("flights", ("GET",), flights),
    ("summary", ("GET",), summary),
    ("latest-tickets", ("GET",), latest_tickets),
    ("records/{object_type}", ("GET",), records),
    ("load", ("POST",), load),
)


def admin_routes(hub: Hub) -> list[Route]:
    """The routes under /_sandbox/hubspot/."""
    return [
        Route(f"/_sandbox/hubspot/{path}", _endpoint(hub, handler), methods=list(methods))
        for path, methods, handler in _TABLE
    ]


def _endpoint(hub: Hub, handler: Handler) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        raw = await request.body()
        try:
            result, status = handler(hub, request, orjson.loads(raw) if raw else None), 200
        except (SettingError, ValueError, KeyError) as error:
            result, status = {"error": f"{error}"}, 400
        return Response(orjson.dumps(result), status_code=status, media_type="application/json")

    return serve
