"""Shell: a HubSpot that only answers: no checks, no store, so that what is measured against it is the client.

`python bench/bare_hubspot.py [PORT]` prints one JSON line with its URL, and serves until SIGTERM. Forms of the answers: those of the sandbox,
which name their sources; an upsert's result shows all properties of its input, as HubSpot's does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import httptools
import msgspec
import uvloop
from ticket_feed import OWNER_EMAIL, OWNER_ID, lookup_property, own_properties

from case_sync_sandbox.hubspot.association_types import DEFAULT_TYPES, built_in
from case_sync_sandbox.hubspot.defaults import DEFAULT_PIPELINE, GROUPS, PORTAL_ID, PROPERTIES
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPES, Owner

NOW = "2026-01-08T12:00:00.000Z"
# The limits that the sandbox tells when it holds nothing back.
RATES = (
    b"x-hubspot-ratelimit-max: 1000000\r\nx-hubspot-ratelimit-remaining: 999999\r\nx-hubspot-ratelimit-interval-milliseconds: 10000\r\n"
    b"x-hubspot-ratelimit-daily: 1000000000\r\nx-hubspot-ratelimit-daily-remaining: 999999999\r\n"
)
REASONS = {200: b"OK", 404: b"Not Found"}
NUMBERS = itertools.count(1_145_814_001)
Body = bytes
Handler = Callable[[re.Match[str], Body], Body]


class Input(msgspec.Struct):
    """One input of a batch; an upsert's properties are not looked at but sent back."""

    id: str
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class Inputs(msgspec.Struct, rename="camel"):
    """Body of a batch on objects."""

    inputs: list[Input]
    id_property: str | None = None


class Pairs(msgspec.Struct):
    """Body of a batch on associations; the pairs are sent back as they are."""

    inputs: list[dict[str, Any]]


decode_inputs = msgspec.json.Decoder(Inputs).decode
decode_pairs = msgspec.json.Decoder(Pairs).decode
encode = msgspec.json.Encoder().encode


def batch(results: bytes) -> Body:
    """A BatchResponse around the JSON of its results."""
    return b'{"status":"COMPLETE","results":[%b],"startedAt":"%b","completedAt":"%b"}' % (
        results,
        NOW.encode(),
        NOW.encode(),
    )


RESULT = (
    b'{"id":"%%d","new":true,"properties":%%b,"hs_object_id":"%%d","hs_lastmodifieddate":"%b"},"createdAt":"%b","updatedAt":"%b","archived":false}'
    % ((NOW.encode(),) * 3)
)


def upsert(_: re.Match[str], body: Body) -> Body:
    """Each input is a new ticket."""
    results = []
    for one in decode_inputs(body).inputs:
        number = next(NUMBERS)
        results.append(RESULT % (number, bytes(one.properties)[:-1], number))
    return batch(b",".join(results))


def read(_: re.Match[str], body: Body) -> Body:
    """Each record is there; of its properties it knows the one that it was asked by."""
    asked = decode_inputs(body)
    name = asked.id_property or "hs_object_id"
    results = [
        {"id": str(next(NUMBERS)), "properties": {name: one.id}, "createdAt": NOW, "updatedAt": NOW, "archived": False}
        for one in asked.inputs
    ]  # fmt: skip
    return batch(encode(results)[1:-1])


def associate(found: re.Match[str], body: Body) -> Body:
    """Each pair is associated."""
    kind = DEFAULT_TYPES[OBJECT_TYPES[found["from"]], OBJECT_TYPES[found["to"]]]
    spec = {"associationCategory": kind.category, "associationTypeId": kind.type_id}
    results = [{"from": p["from"], "to": p["to"], "associationSpec": spec} for p in decode_pairs(body).inputs]
    return batch(encode(results)[1:-1])


def search(_: re.Match[str], _body: Body) -> Body:
    return encode({"total": 0, "results": []})


def labels(found: re.Match[str], _: Body) -> Body:
    kinds = built_in(OBJECT_TYPES[found["from"]], OBJECT_TYPES[found["to"]])
    return listing([{"category": k.category, "typeId": k.type_id, "label": k.label} for k in kinds])


def properties(found: re.Match[str], _: Body) -> Body:
    name = OBJECT_TYPES[found["name"]]
    own = own_properties() if name == "tickets" else [lookup_property(name)]
    return listing([p.as_json() for p in (*PROPERTIES[name], *own)])


def groups(found: re.Match[str], _: Body) -> Body:
    return listing([GROUPS[OBJECT_TYPES[found["name"]]].as_json()])


def pipelines(_: re.Match[str], _body: Body) -> Body:
    return listing([DEFAULT_PIPELINE.as_json()])


def owners(_: re.Match[str], _body: Body) -> Body:
    return listing([Owner(id=OWNER_ID, email=OWNER_EMAIL, user_id=5_910_901).as_json()])


def account(_: re.Match[str], _body: Body) -> Body:
    return encode({"portalId": PORTAL_ID, "accountType": "STANDARD", "timeZone": "US/Eastern", "uiDomain": "app.hubspot.com"})  # fmt: skip


def listing(results: list[dict[str, Any]]) -> Body:
    return encode({"results": results})


_OBJECTS = r"/crm/(objects/[\d-]+|v3/objects)/(?P<name>[\w-]+)"
_LINKS = r"/crm/(associations/[\d-]+|v4/associations)/(?P<from>[\w-]+)/(?P<to>[\w-]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(path), handler)
    for method, path, handler in (
        ("POST", _OBJECTS + "/batch/upsert", upsert),
        ("POST", _OBJECTS + "/batch/read", read),
        ("POST", _OBJECTS + "/search", search),
        ("POST", _LINKS + "/batch/associate/default", associate),
        ("GET", _LINKS + "/labels", labels),
        ("GET", r"/crm/(properties/[\d-]+|v3/properties)/(?P<name>[\w-]+)", properties),
        ("GET", r"/crm/(properties/[\d-]+|v3/properties)/(?P<name>[\w-]+)/groups", groups),
        ("GET", r"/crm/(pipelines/[\d-]+|v3/pipelines)/tickets", pipelines),
        ("GET", r"/crm/(owners/[\d-]+|v3/owners)", owners),
        ("GET", r"/account-info/(v3|[\d-]+)/details", account),
    )
)
NOT_FOUND = encode({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "resource not found", "correlationId": "0"})  # fmt: skip


@lru_cache(maxsize=256)
def route(method: str, path: str) -> tuple[Handler, re.Match[str]] | None:
    """Who answers a call."""
    for known, pattern, handler in ROUTES:
        if known == method and (found := pattern.fullmatch(path)):
            return handler, found
    return None


class Connection(asyncio.Protocol):
    """One client's connection; the on_... methods are called by the parser."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._pieces = b"", list[bytes]()

    def on_url(self, piece: bytes) -> None:
        self._url += piece

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Answer; the connection stays open."""
        known = route(self._parser.get_method().decode(), self._url.partition(b"?")[0].decode())
        status, body = 404, NOT_FOUND
        if known:
            handler, found = known
            status, body = 200, handler(found, b"".join(self._pieces))
        self._transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: application/json;charset=utf-8\r\n%bcontent-length: %d\r\n\r\n"
            % (status, REASONS[status], RATES, len(body))
            + body
        )


async def serve(port: int) -> None:
    """Serve on this machine until SIGTERM or SIGINT."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(Connection, "127.0.0.1", port)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await stop.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]) if sys.argv[1:] else 0))
