"""Shell: what the target is measured against: the bare server, the sandbox, and how much each can take by itself."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ticket_feed import KEY, Feed, portal

from case_sync_sandbox.testing import RunningSandbox

UPSERT = "/crm/objects/2026-09/tickets/batch/upsert"
ASSOCIATE = "/crm/associations/2026-09/tickets/{}/batch/associate/default"
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sandbox-token"}
THREADS = 4
LATENCY_MS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server by its address and process id."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """What it used of the processors since its start (proc(5): utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Its largest memory since its start (proc(5): VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def bare_hubspot() -> Iterator[Server]:
    """The server that only answers, in a process of its own."""
    program = Path(__file__).with_name("bare_hubspot.py")
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield Server(url=json.loads(line)["url"], pid=process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sandbox_hubspot(*, hard: bool) -> Iterator[tuple[RunningSandbox, dict[str, list[str]]]]:
    """A sandbox with the stream's portal, and the ids of its companies and contacts; `hard`: real limits and 300 ms a call."""
    with RunningSandbox(real_limits=hard) as sandbox:
        ids = sandbox.admin("POST", "hubspot/load", portal())
        if hard:
            sandbox.faults([{"half": "hubspot", "action": "latency", "latency_ms": LATENCY_MS}])
        yield sandbox, ids


def post_all(url: str, path: str, bodies: list[bytes]) -> list[bytes]:
    """Post bodies over a few connections; the answers in no order."""
    waiting, answers, lock = iter(bodies), list[bytes](), threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            connection.request("POST", path, body, HEADERS)
            answer = connection.getresponse()
            answers.append(answer.read())
            if answer.status != http.HTTPStatus.OK:
                raise SystemExit(f"{path} answered {answer.status}: {answers[-1][:300]!r}")

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) < len(bodies):
        raise SystemExit(f"{path} left {len(bodies) - len(answers)} calls without an answer")
    return answers


def upsert_bodies(tickets: int) -> list[bytes]:
    """Calls of 100 tickets each, ready to send."""
    records = [
        json.loads(line)["record"]
        for line in Feed(tickets=tickets, by_id=True).lines()
        if b'"RECORD"' in line
    ]
    inputs = [
        {
            "idProperty": KEY,
            "id": record[KEY],
            "objectWriteTraceId": record[KEY],
            "properties": {n: v if isinstance(v, str) else json.dumps(v) for n, v in record.items()},
        }
        for record in records
    ]
    return [_body(inputs[start : start + 100]) for start in range(0, tickets, 100)]


def _body(inputs: list[dict[str, Any]]) -> bytes:
    return json.dumps({"inputs": inputs}).encode()


def bare_ceiling(tickets: int) -> float:
    """Tickets per second that the bare server takes from a client that does nothing but post."""
    bodies = upsert_bodies(tickets)
    with bare_hubspot() as server:
        started = time.perf_counter()
        post_all(server.url, UPSERT, bodies)
        return tickets / (time.perf_counter() - started)


def sandbox_ceiling(tickets: int) -> tuple[float, float]:
    """Tickets per second that the sandbox takes, without and with two associations each, nothing holding it back."""
    bodies = upsert_bodies(tickets)
    with sandbox_hubspot(hard=False) as (sandbox, ids):
        started = time.perf_counter()
        answers = post_all(sandbox.hubspot_url, UPSERT, bodies)
        upserted = time.perf_counter() - started
        written = [result["id"] for answer in answers for result in json.loads(answer)["results"]]
        seconds = upserted
        for name in ("companies", "contacts"):
            others = ids[name]
            pairs = [
                {"from": {"id": one}, "to": {"id": others[number % len(others)]}}
                for number, one in enumerate(written)
            ]
            calls = [_body(pairs[start : start + 2000]) for start in range(0, tickets, 2000)]
            started = time.perf_counter()
            post_all(sandbox.hubspot_url, ASSOCIATE.format(name), calls)
            seconds += time.perf_counter() - started
        return tickets / upserted, tickets / seconds
