"""Shell: the admin endpoints of the Salesforce half, under /_sandbox/salesforce: what a test or a rehearsal turns.

Not Salesforce's API: an administrator of the sandbox changes records, permissions and moods here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.oauth import CLIENT_ID, USERNAME
from case_sync_sandbox.salesforce.schema import OBJECTS
from case_sync_sandbox.salesforce.switches import Switches

Action = Callable[[SalesforceApi, dict[str, Any]], Any]
PREFIX = "/_sandbox/salesforce"


class AdminError(ValueError):
    """The request to the sandbox can't be understood; the message says what is allowed."""


def show_switches(api: SalesforceApi, _: dict[str, Any]) -> Any:
    shown = dataclasses.asdict(api.store.switches)
    return shown | {
        "hidden_fields": sorted(map(list, shown["hidden_fields"])),
        "hidden_objects": sorted(shown["hidden_objects"]),
    }


def turn_switches(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """`{"query_timeout_above_rows": 100}`; hidden_fields as [["Case", "Priority"]]."""
    known = {f.name for f in dataclasses.fields(Switches)}
    if unknown := set(body) - known:
        raise AdminError(
            f"no such switch: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    for name, value in body.items():
        if name == "hidden_fields":
            setattr(api.store.switches, name, {(o, f) for o, f in value})
        elif name == "hidden_objects":
            setattr(api.store.switches, name, set(value))
        else:
            setattr(api.store.switches, name, value)
    api.store.schema_changed()
    return show_switches(api, {})


def expire_tokens(api: SalesforceApi, _: dict[str, Any]) -> Any:
    api.sessions.expire()
    return {"expired": True}


def refuse_logins(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """`{"error": "invalid_grant"}`, or null to allow logins again."""
    api.sessions.refuse = body.get("error")
    return {"refuse": api.sessions.refuse}


def register_key(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """`{"public_key": PEM}`: the certificate of the client for JWT logins."""
    api.sessions.public_keys[CLIENT_ID] = body["public_key"]
    return {"registered": True}


def make_key(api: SalesforceApi, _: dict[str, Any]) -> Any:
    """A new key pair for JWT logins: registers the public half and answers `{"client_id", "username", "private_key"}`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    api.sessions.public_keys[CLIENT_ID] = public.decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"client_id": CLIENT_ID, "username": USERNAME, "private_key": private.decode()}


def expire_cursors(api: SalesforceApi, _: dict[str, Any]) -> Any:
    api.queries.forget()
    return {"forgotten": True}


def change_records(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """`{"action": "insert"|"update"|"write"|"delete"|"undelete"|"purge"|"merge", "object": "Case", "records"|"id"|"values"|...}`."""
    store, name = api.store, object_of(body)
    action = body.get("action")
    if action == "insert":
        stamp = store.stamp_now()
        store.insert(
            name,
            [
                {"SystemModstamp": stamp, "CreatedDate": stamp, "LastModifiedDate": stamp, **r}
                for r in body["records"]
            ],
        )
    elif action == "update":
        store.update(name, body["id"], body["values"], stamp=body.get("stamp"))
    elif action == "write":
        store.write(name, body["id"], body["values"])
    elif action == "delete":
        store.delete(name, body["id"])
    elif action == "undelete":
        store.undelete(name, body["id"])
    elif action == "purge":
        store.purge(name, body["id"], logged=body.get("logged", True))
    elif action == "merge":
        store.merge(name, body["winner"], body["losers"])
    else:
        raise AdminError("action is one of insert, update, write, delete, undelete, purge, merge")
    return {"done": action}


def object_of(body: dict[str, Any]) -> str:
    name = str(body.get("object", "Case"))
    if name not in OBJECTS:
        raise AdminError(f"no such object: {name}; there are {', '.join(OBJECTS)}")
    return name


def late_commit(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """Stamp changes now, show them later: `{"changes": [["Case", id, {...}]], "seconds": 30}`; without seconds at /commit."""
    seconds = body.get("seconds")
    at = api.clock.now() + timedelta(seconds=seconds) if seconds is not None else None
    api.store.open_transaction([(o, i, v) for o, i, v in body["changes"]], at)
    return {"open": len(api.store.open_transactions)}


def commit(api: SalesforceApi, _: dict[str, Any]) -> Any:
    return {"committed": api.store.commit_due(everything=True)}


def all_records(api: SalesforceApi, body: dict[str, Any]) -> Any:
    """Every record of an object as it is stored, deleted ones too: what a test compares with."""
    name = object_of(body)
    names = [f.name for f in OBJECTS[name].fields]
    return [
        dict(zip(names, row, strict=True)) for row in api.store.rows(f'SELECT * FROM "{name}" ORDER BY "Id"')
    ]


def counts(api: SalesforceApi, _: dict[str, Any]) -> Any:
    return {name: api.store.count(name) for name in OBJECTS} | {
        "api_calls": api.calls,
        "logins": api.sessions.logins,
    }


ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "/switches", show_switches),
    ("POST", "/switches", turn_switches),
    ("POST", "/expire-tokens", expire_tokens),
    ("POST", "/refuse-logins", refuse_logins),
    ("POST", "/register-key", register_key),
    ("POST", "/jwt-key", make_key),
    ("POST", "/expire-cursors", expire_cursors),
    ("POST", "/records", change_records),
    ("GET", "/records", all_records),
    ("POST", "/late-commit", late_commit),
    ("POST", "/commit", commit),
    ("GET", "/counts", counts),
)


def admin_routes() -> list[Route]:
    """The routes; what is wrong with a request is answered 400 with one line."""
    return [Route(PREFIX + path, _endpoint(action), methods=[method]) for method, path, action in ACTIONS]


def _endpoint(action: Action) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            body = orjson.loads(raw) if raw else dict(request.query_params)
            result = await run_in_threadpool(action, request.app.state.api, body)
        except (AdminError, KeyError, TypeError, ValueError) as error:
            return Response(
                orjson.dumps({"error": f"{type(error).__name__}: {error}"}),
                400,
                media_type="application/json",
            )
        return Response(orjson.dumps(result), media_type="application/json")

    return endpoint
