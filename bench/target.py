"""Shell: how fast the target loads: against a server that only answers, against the sandbox's real limits, and beside other targets.

`make bench` runs it. Each target is a process of its own that reads a stream from a file. Rates depend on the machine; ratios and
shares of the limit are what counts. `--million` adds a run over 1,000,000 tickets, for the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hubspot_servers import LATENCY_MS, Server, bare_ceiling, bare_hubspot, sandbox_ceiling, sandbox_hubspot
from ticket_feed import Feed

FOLDER = Path(__file__).parents[1] / ".bench"
OURS = "target-hubspot-tickets"
PARTS = ("servers", "bare", "limits", "peers")
# "Usage guidelines": 190 calls in 10 s for apps of a Professional account; 100 tickets a call.
CALLS, WINDOW_SECONDS, TICKETS_A_CALL = 190, 10, 100
CEILING = CALLS / WINDOW_SECONDS * TICKETS_A_CALL
POLL_SECONDS = 0.02
ROUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process: seconds of the wall and of the processors, peak memory in MB, its last STATE and our target's report."""

    tickets: int
    seconds: float
    cpu_seconds: float
    megabytes: float
    state: Any
    report: dict[str, Any]

    @property
    def rate(self) -> float:
        return self.tickets / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A target, how many tickets it gets, and its command; ours needs none."""

    name: str
    tickets: int
    command: list[str] | None = None


class FailedError(Exception):
    """A target ended with an error or without loading everything; the message is the end of its log."""


def measure(command: list[str], feed: Feed, env: dict[str, str] | None = None) -> Measured:
    """Run a target to its end in an empty folder.

    Raises:
        FailedError: its exit code is not 0.
    """
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        stream, out, log, report = (folder / n for n in ("tickets.jsonl", "out.jsonl", "log", "report.json"))
        with stream.open("wb") as lines:
            lines.writelines(feed.lines())
        started = time.perf_counter()
        with stream.open("rb") as lines, out.open("wb") as written, log.open("wb") as logged:
            process = subprocess.Popen(
                command,
                stdin=lines,
                stdout=written,
                stderr=logged,
                env={**os.environ, **(env or {})},
                cwd=folder,
            )
            status, usage, peak = awaited(process.pid)
            seconds = time.perf_counter() - started
        if status:
            raise FailedError(log.read_text(encoding="utf-8", errors="replace")[-3000:])
        states = out.read_bytes().splitlines()
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    return Measured(
        tickets=feed.tickets,
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        megabytes=peak,
        state=json.loads(states[-1]) if states else None,
        report=told,
    )


def awaited(pid: int) -> tuple[int, resource.struct_rusage, float]:
    """Wait for a process: its exit status, what it used, its peak memory in MB."""
    peak = 0.0
    while True:
        peak = max(peak, megabytes(pid))
        time.sleep(POLL_SECONDS)
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, peak


def megabytes(pid: int) -> float:
    """The most memory that a process had so far (proc(5): VmHWM); what the kernel tells at its end counts its parent's, too."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0.0)


def load(url: str, feed: Feed) -> Measured:
    """Our target over a stream; every ticket has to be new, and the last state has to be out.

    Raises:
        FailedError: something of this is not so.
    """
    settings = {"base_url": url, "access_token": "sandbox-token", "report_path": "report.json"}
    config = FOLDER / "target.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    program = Path(sys.executable).parent / OURS
    one = measure([str(program), "--config", str(config)], feed)
    if one.report.get("created") != feed.tickets or one.state != feed.last_state():
        raise FailedError(f"not everything was loaded: {one.report}, last state {one.state}")
    return one


def servers() -> None:
    """What the servers can take: far more than the target, or the numbers below say nothing of the target."""
    print(f"bare server: takes {bare_ceiling(100_000):,.0f} tickets/s")
    alone, associated = sandbox_ceiling(20_000)
    print(f"sandbox: takes {alone:,.0f} tickets/s, {associated:,.0f} with two associations each")


def bare(tickets: int, rounds: int) -> None:
    """No limit, no latency, no work in the server; the best of some rounds."""
    found = []
    for _ in range(rounds):
        with bare_hubspot() as server:
            found.append((load(server.url, Feed(tickets=tickets)), server.cpu_seconds()))
    one, used = max(found, key=lambda both: both[0].rate)
    print(
        f"bare server: {tickets:,} tickets of 20 columns, {one.rate:,.0f}/s as a whole process, {one.report['records_per_second']:,.0f}/s"
        f" without its start, {one.cpu_seconds:.1f} s of processor, peak {one.megabytes:.0f} MB; server {used:.1f} s of processor"
    )


def limits(tickets: int) -> None:
    """Real limits, 300 ms a call, a company and a contact for each ticket."""
    with sandbox_hubspot(hard=True) as (sandbox, _):
        server = Server(url=sandbox.hubspot_url, pid=sandbox.pid)
        before = server.cpu_seconds()
        one = load(server.url, Feed(tickets=tickets, associated=True))
        used = server.cpu_seconds() - before
        calls = Counter(kind(call["path"]) for call in sandbox.requests(half="hubspot"))
        told = {name: sandbox.admin("GET", f"hubspot/{name}") for name in ("limits", "summary", "flights")}
    least = (calls["general"] - 1) // CALLS * WINDOW_SECONDS
    print(
        f"real limits, {LATENCY_MS} ms a call: {tickets:,} tickets with company and contact in {one.seconds:.1f} s, {one.rate:,.0f}/s:"
        f" {one.rate / CEILING:.1%} of the ceiling of {CEILING:,.0f}/s, {one.report['records_per_second'] / CEILING:.1%} without the start of the process; its {calls['general']} general calls need {least} s at least"
    )
    refused, made = told["limits"]["refused"], told["summary"]["associations"]
    print(f"  429 answers: {sum(refused.values())} {refused}; fullest windows: {told['limits']['maxima']}")
    print(f"  calls: {dict(calls)}, at most {told['flights']['most_at_once']} at once")
    print(f"  associations: {made}, pending {one.report['pending_associations']}")
    print(
        f"  {one.cpu_seconds:.1f} s of processor, peak {one.megabytes:.0f} MB; sandbox {used:.1f} s of processor"
    )


def kind(path: str) -> str:
    """The rate bucket of a call."""
    if path.endswith("/search"):
        return "search"
    return "associations" if "/associations/" in path else "general"


def peers(others: list[Peer]) -> None:
    """Other targets over a stream of plain tickets, and ours over as many: each on a fresh sandbox of the same settings."""
    for hard in (False, True):
        print(f"real limits, {LATENCY_MS} ms a call:" if hard else "no limits, no latency:")
        ours: dict[int, float] = {}
        for tickets in sorted({peer.tickets for peer in others}):
            if (rate := peer_rate(Peer(name=OURS, tickets=tickets), hard=hard)) is not None:
                ours[tickets] = rate
        for peer in others:
            if (rate := peer_rate(peer, hard=hard)) is not None and peer.tickets in ours:
                print(
                    f"  ratio to {peer.name}: {ours[peer.tickets] / rate:.1f} over {peer.tickets:,} tickets"
                )


def peer_rate(peer: Peer, *, hard: bool) -> float | None:
    """Tickets per second of a whole process; None, and why, where it did not load them all."""
    feed = Feed(tickets=peer.tickets, by_id=True)
    with sandbox_hubspot(hard=hard) as (sandbox, _):
        url = sandbox.hubspot_url
        try:
            one = (
                measure(peer.command, feed, {"SANDBOX_HUBSPOT_URL": url}) if peer.command else load(url, feed)
            )
        except FailedError as error:
            print(f"  {peer.name}: failed: {error}")
            return None
        there = int(sandbox.admin("GET", "hubspot/summary")["records"]["tickets"])
    print(
        f"  {peer.name}: {peer.tickets:,} tickets in {one.seconds:.1f} s, {one.rate:,.1f}/s, peak {one.megabytes:.0f} MB; {there:,} are there"
    )
    return one.rate if there == peer.tickets else None


def machine() -> str:
    """What it ran on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{OURS} {version(OURS)}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} x {models[0] if models else 'processor'}"


def peer_option(text: str) -> Peer:
    """NAME:TICKETS=COMMAND."""
    called, _, command = text.partition("=")
    name, _, tickets = called.rpartition(":")
    if not name or not command or not tickets.isdigit():
        raise argparse.ArgumentTypeError("give NAME:TICKETS=COMMAND")
    return Peer(name=name, tickets=int(tickets), command=shlex.split(command))


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description="Measure the target by itself and beside other ones.")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="these parts only")
    parser.add_argument("--tickets", type=int, default=200_000, help="for the bare server")
    parser.add_argument(
        "--million", action="store_true", help="also 100,000 and 1,000,000 tickets, for the memory"
    )
    parser.add_argument("--limited-tickets", type=int, default=100_000, help="for the real limits")
    parser.add_argument(
        "--peer", type=peer_option, action="append", default=[], metavar="NAME:TICKETS=COMMAND",
        help="another target, and how many tickets to give it: it reads the stream from its input, HubSpot is at the URL in SANDBOX_HUBSPOT_URL",
    )  # fmt: skip
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    try:
        run(options)
    except FailedError as error:
        raise SystemExit(f"{OURS} failed: {error}") from None


def run(options: argparse.Namespace) -> None:
    """The parts that are asked for, one after the other."""
    if "servers" in options.only:
        servers()
    if "bare" in options.only:
        bare(options.tickets, ROUNDS)
        for tickets in (100_000, 1_000_000) if options.million else ():
            bare(tickets, 1)
    if "limits" in options.only:
        limits(options.limited_tickets)
    if "peers" in options.only and options.peer:
        peers(options.peer)


if __name__ == "__main__":
    main()
