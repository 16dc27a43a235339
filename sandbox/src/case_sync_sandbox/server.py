"""Shell: both servers in one process on two loopback ports."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from case_sync_sandbox.admin import Admin
from case_sync_sandbox.clock import Clock
from case_sync_sandbox.faults import FaultPlan
from case_sync_sandbox.front import DroppableProtocol, Front
from case_sync_sandbox.hubspot.app import build_hubspot_app
from case_sync_sandbox.hubspot.rate_limits import PROFESSIONAL, WIDE
from case_sync_sandbox.request_log import RequestLog
from case_sync_sandbox.salesforce.app import build_salesforce_app
from case_sync_sandbox.serving import ANNOUNCEMENT, MEMORY, ServeError, ServeOptions


class QuietServer(uvicorn.Server):
    """uvicorn's server that leaves signals to us: a stop that was asked for is a success, not a signal's exit code."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    def ask_to_stop(self) -> None:
        """Finish what is under way, then return from `serve`."""
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address.

    Raises:
        ServeError: not loopback (the sandbox knows no secrets worth the name), or the port is taken.
    """
    try:
        if not ipaddress.ip_address(host).is_loopback:
            raise ServeError(
                f"--host {host} is refused: the sandbox serves loopback addresses such as 127.0.0.1 only"
            )
    except ValueError:
        raise ServeError(f"--host {host} is no IP address: use 127.0.0.1") from None
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServeError(
            f"port {port} can't be used ({error.strerror}): choose another one, or 0 for a free one"
        ) from error
    return listener


def _database(folder: str, name: str) -> str:
    if folder == MEMORY:
        return MEMORY
    Path(folder).mkdir(parents=True, exist_ok=True)
    return str(Path(folder) / f"{name}.sqlite")


def build_front(options: ServeOptions, ports: dict[int, str]) -> Front:
    """Both applications behind the one front; `ports` says which half each port serves."""
    clock, plan, log = Clock(), FaultPlan(), RequestLog()
    salesforce = build_salesforce_app(_database(options.database, "salesforce"), clock)
    limits = PROFESSIONAL if options.real_limits else WIDE
    hubspot = build_hubspot_app(_database(options.database, "hubspot"), clock, limits)
    admin = Admin(clock=clock, plan=plan, log=log, salesforce=salesforce.state.store, hub=hubspot.state.hub)
    front = Front(
        halves=ports,
        apps={"salesforce": salesforce, "hubspot": hubspot},
        admin=admin.app(),
        plan=plan,
        log=log,
        clock=clock,
    )
    front.tell_arrivals("hubspot", hubspot.state.arrive)
    return front


def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT. Prints one JSON line with pid and URLs when ready.

    Raises:
        ServeError: before anything is served.
    """
    listeners = {
        "salesforce": listen(options.host, options.salesforce_port),
        "hubspot": listen(options.host, options.hubspot_port),
    }
    ports = {listener.getsockname()[1]: half for half, listener in listeners.items()}
    front = build_front(options, ports)
    config = uvicorn.Config(
        front,
        http=DroppableProtocol,
        ws="none",
        proxy_headers=False,
        lifespan="off",
        log_level="warning",
        date_header=False,  # the front gives the sandbox's own
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=60,
        backlog=1024,
    )
    urls = {half: f"http://{_bracketed(options.host)}:{port}" for port, half in ports.items()}
    gc.freeze()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(
            _serve_until_stopped(
                QuietServer(config), list(listeners.values()), urls, announce=options.announce
            )
        )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _serve_until_stopped(
    server: QuietServer, listeners: list[socket.socket], urls: dict[str, str], *, announce: bool
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ask_to_stop)
    announcing = asyncio.create_task(_announce(server, urls, announce=announce))
    await server.serve(sockets=listeners)
    await announcing
    if announce:
        _withdraw()


async def _announce(server: uvicorn.Server, urls: dict[str, str], *, announce: bool) -> None:
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    line = json.dumps({"pid": os.getpid(), **{f"{half}_url": url for half, url in urls.items()}})
    if announce:
        ANNOUNCEMENT.parent.mkdir(exist_ok=True)
        ANNOUNCEMENT.write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)  # noqa: T201  (the line that callers wait for)


def _withdraw() -> None:
    """Remove the announcement, unless another server has written its own since."""
    with contextlib.suppress(OSError, ValueError):
        if json.loads(ANNOUNCEMENT.read_text(encoding="utf-8"))["pid"] == os.getpid():
            ANNOUNCEMENT.unlink()
