"""Shell: what stands before both servers: it tells the halves apart by port, plays the faults and keeps the request log."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.faults import Action, FaultPlan
from case_sync_sandbox.request_log import LoggedRequest, RequestLog

TRANSPORT = "case_sync_sandbox.transport"
STARTED = "case_sync_sandbox.started"  # monotonic seconds (perf_counter) of the request's arrival
ON_FINISH = "case_sync_sandbox.on_finish"  # calls without arguments, made when the answer is sent or the connection dropped
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's protocol that lets the application reach the transport, so that it can hang up."""

    def on_message_begin(self) -> None:
        """Start a request, as uvicorn does."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


@dataclass(slots=True)
class _Exchange:
    """One request on its way: what the log will say about it."""

    scope: Scope
    half: str
    started: float = field(default_factory=time.perf_counter)
    arrived: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    body: list[bytes] = field(default_factory=list)
    is_finished: bool = False


class Front:
    """The outermost ASGI application."""

    def __init__(  # noqa: PLR0913 - what one server is made of, put together once
        self,
        *,
        halves: dict[int, str],
        apps: dict[str, ASGIApp],
        admin: ASGIApp,
        plan: FaultPlan,
        log: RequestLog,
        clock: Clock,
    ) -> None:
        """Serve `apps[half]` on the port that `halves` gives to it, and `admin` under /_sandbox on each port."""
        self._halves = halves
        self._apps = apps
        self._admin = admin
        self._plan = plan
        self._log = log
        self._clock = clock
        self._arrivals: dict[str, Callable[[Scope], None]] = {}

    def tell_arrivals(self, half: str, told: Callable[[Scope], None]) -> None:
        """Call `told` with the scope of each request of a half as it arrives, before any fault."""
        self._arrivals[half] = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path: str = scope["path"]
        if path.startswith("/_sandbox"):
            await self._admin_app(path)(scope, receive, send)
            return
        half = self._halves[scope["server"][1]]
        target = f"{path}?{scope['query_string'].decode('latin-1')}"
        actions = self._plan.decide(half, scope["method"], target)
        exchange = _Exchange(scope=scope, half=half)
        scope[STARTED] = exchange.started
        scope[ON_FINISH] = []
        if half in self._arrivals:
            self._arrivals[half](scope)
        try:
            await self._serve(exchange, actions, receive, send)
        except ClientDisconnect:
            exchange.status = None
        finally:
            self._finish(exchange, actions)

    def _admin_app(self, path: str) -> ASGIApp:
        """Each half has admin paths of its own, reachable on both ports."""
        for half, app in self._apps.items():
            if path.startswith(f"/_sandbox/{half}/"):
                return app
        return self._admin

    async def _serve(self, exchange: _Exchange, actions: list[Action], receive: Receive, send: Send) -> None:
        receive = self._counting_receive(exchange, receive)
        send = _counting_send(exchange, _dated(self._clock, send))
        app = self._apps[exchange.half]
        if not actions:
            await app(exchange.scope, receive, send)
            return
        # A server that is slow has the request already: a client that gives up meanwhile does not undo it.
        receive = _replayed(await read_all(receive))
        resets = self._plan.resets
        for action in actions:
            if action.latency_ms and action.kind != "slow_drip":
                await asyncio.sleep(action.latency_ms / 1000)
        if self._plan.resets != resets:
            await self._hang_up(exchange, actions)
            return
        action = next((a for a in actions if a.kind != "latency"), Action(kind="latency"))
        match action.kind:
            case "latency":
                await app(exchange.scope, receive, send)
            case "drop_before_commit":
                await self._hang_up(exchange, actions)
            case "drop_after_commit":
                await app(exchange.scope, receive, _swallow)
                await self._hang_up(exchange, actions)
            case "truncate_body":
                await self._truncate(exchange, actions, await collect(app, exchange.scope, receive), send)
            case "slow_drip":
                await _dripped(await collect(app, exchange.scope, receive), send, action)
            case _:
                await _answered(send, action)

    async def _hang_up(self, exchange: _Exchange, actions: list[Action]) -> None:
        """Close the connection at once; the client sees a reset or an end of file, and the log has it before."""
        exchange.status = None
        self._finish(exchange, actions)
        exchange.scope[TRANSPORT].abort()
        await asyncio.sleep(0.01)  # lets the loop tell the protocol, which then expects no answer

    async def _truncate(self, exchange: _Exchange, actions: list[Action], answer: Answer, send: Send) -> None:
        """Send half of the body, and hang up; for who sees it and asks again at once, the request is over."""
        await send(_with_length(answer))
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._finish(exchange, actions)
        exchange.scope[TRANSPORT].close()
        await asyncio.sleep(0.01)

    def _finish(self, exchange: _Exchange, actions: list[Action]) -> None:
        """Tell those who wait for the end, and the log; once."""
        if exchange.is_finished:
            return
        exchange.is_finished = True
        for finished in exchange.scope[ON_FINISH]:
            finished()
        self._record(exchange, actions)

    def _counting_receive(self, exchange: _Exchange, receive: Receive) -> Receive:
        keep = self._log.keep_bodies and exchange.scope["method"] in WRITES

        async def counted() -> Message:
            message = await receive()
            piece = message.get("body", b"")
            exchange.bytes_in += len(piece)
            if keep and piece:
                exchange.body.append(piece)
            return message

        return counted

    def _record(self, exchange: _Exchange, actions: list[Action]) -> None:
        scope = exchange.scope
        self._log.append(
            LoggedRequest(
                seq=self._log.next_seq(),
                time=exchange.arrived.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                half=exchange.half,
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=exchange.status,
                bytes_in=exchange.bytes_in,
                bytes_out=exchange.bytes_out,
                duration_ms=round((time.perf_counter() - exchange.started) * 1000, 3),
                fault="+".join(action.kind for action in actions) or None,
                body=b"".join(exchange.body).decode("utf-8", "replace") if exchange.body else None,
            )
        )


@dataclass(slots=True)
class Answer:
    """A whole answer, held back."""

    start: Message
    body: bytes


def _counting_send(exchange: _Exchange, send: Send) -> Send:
    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
        else:
            exchange.bytes_out += len(message.get("body", b""))
        await send(message)

    return counted


def _dated(clock: Clock, send: Send) -> Send:
    """Each answer's Date is the sandbox's clock: clients take the vendor's time from it (RFC 9110, 6.6.1)."""

    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            moment = email.utils.format_datetime(clock.now(), usegmt=True).encode()
            message = {**message, "headers": [*message["headers"], (b"date", moment)]}
        await send(message)

    return dated


async def _swallow(_message: Message) -> None:
    """Take an answer that nobody will get."""


async def read_all(receive: Receive) -> bytes:
    """The request's whole body.

    Raises:
        ClientDisconnect: the client went before it was sent.
    """
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def collect(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Run the application and hold its answer back."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return Answer(start=messages[0], body=b"".join(m.get("body", b"") for m in messages[1:]))


def _replayed(body: bytes) -> Receive:
    """A receive that has the whole body at hand and knows of no disconnect."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _dripped(answer: Answer, send: Send, action: Action) -> None:
    await send(_with_length(answer))
    size = max(1, -(-len(answer.body) // action.pieces))
    for start in range(0, len(answer.body), size):
        await asyncio.sleep(action.latency_ms / 1000)
        await send(
            {"type": "http.response.body", "body": answer.body[start : start + size], "more_body": True}
        )
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _with_length(answer: Answer) -> Message:
    """The start of an answer with the length of its whole body, whatever way it was going to be sent."""
    headers = [
        (name, value)
        for name, value in answer.start["headers"]
        if name.lower() not in (b"content-length", b"transfer-encoding")
    ]
    return {**answer.start, "headers": [*headers, (b"content-length", str(len(answer.body)).encode())]}


LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form><h1>Sign in</h1></form></body></html>"


async def _answered(send: Send, action: Action) -> None:
    status, headers, body = action.status, {"content-type": "application/json;charset=UTF-8"}, action.body
    if action.kind == "html_200":
        status, headers, body = 200, {"content-type": "text/html; charset=utf-8"}, LOGIN_PAGE
    elif action.kind == "redirect":
        status, headers, body = 302, {"location": action.location}, ""
    payload = body.encode() if isinstance(body, str) else b"" if body is None else orjson.dumps(body)
    headers = {
        **headers,
        **{k.lower(): v for k, v in action.headers.items()},
        "content-length": str(len(payload)),
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": payload})
