"""A server between a plugin and a vendor that passes everything on, and changes some of the answers, by a seed."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import requests

from .mutating import mutated_bytes, several

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "server"}
# Kinds of lies as cards: all kinds have come after so many lies, whatever the seed.
DECK = ("status", "bytes", "json", "json", "json", "json")
STATUSES = (200, 201, 204, 207, 302, 400, 401, 403, 404, 409, 429, 500, 503)


class Liar:
    """Listens on a free port of its own; `lies` are counted by kind. A context manager."""

    def __init__(self, upstream: str, seed: int, *, share: float) -> None:
        """`share` of the answers are changed."""
        self.lies: Counter[str] = Counter()
        self._upstream, self._dice, self._share = upstream, random.Random(seed), share
        self._deck: list[str] = []
        self._lock = threading.Lock()
        self._sessions = threading.local()
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                liar.serve(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, asked: BaseHTTPRequestHandler) -> None:
        """Ask upstream, and pass the answer on, or another."""
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in HOP_BY_HOP}
        answer = self._session().request(
            asked.command, self._upstream + asked.path, data=body, headers=headers, timeout=60, allow_redirects=False
        )  # fmt: skip
        with self._lock:
            status, content = self._told(answer.status_code, answer.content)
        asked.send_response(status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(content)))
        asked.end_headers()
        if status not in {204, 304}:
            asked.wfile.write(content)

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        session: requests.Session = self._sessions.session
        return session

    def _told(self, status: int, content: bytes) -> tuple[int, bytes]:
        dice = self._dice
        if dice.random() >= self._share:
            return status, content
        if not self._deck:
            self._deck = dice.sample(DECK, len(DECK))
        kind = self._deck.pop()
        try:
            value = json.loads(content)
        except ValueError:
            kind = "bytes" if kind == "json" else kind
        self.lies[kind] += 1
        if kind == "status":
            return dice.choice(STATUSES), content
        if kind == "bytes":
            return status, mutated_bytes(content, dice)
        return status, json.dumps(several(value, dice)).encode()
