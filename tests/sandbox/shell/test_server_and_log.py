"""The process with both servers: start, stop, clock, log, reset, and what is kept in files."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox, SandboxError

AUTH = {"authorization": "Bearer sandbox-token"}
EVERYWHERE = "0.0.0.0"  # noqa: S104  (it is refused)
SERVE = [sys.executable, "-m", "case_sync_sandbox.cli", "serve"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    """One JSON line at the start; exit code 0 and no announcement left after the signal, even with a client connected."""
    process = subprocess.Popen(
        [*SERVE, "--salesforce-port", "0", "--hubspot-port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = json.loads(process.stdout.readline())
    assert set(ready) == {"pid", "salesforce_url", "hubspot_url"}
    assert ready["pid"] == process.pid
    announced = tmp_path / ".sandbox" / "server.json"
    assert json.loads(announced.read_text()) == ready
    with httpx.Client(trust_env=False) as client:
        client.get(f"{ready['salesforce_url']}/_sandbox/health")
        os.kill(process.pid, number)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not announced.exists()


def test_only_loopback_is_served(tmp_path: Path) -> None:
    """An address that others could reach is refused in one line."""
    done = subprocess.run(
        [*SERVE, "--host", EVERYWHERE], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: --host {EVERYWHERE} is refused")
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The message says which port and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*SERVE, "--hubspot-port", port, "--salesforce-port", "0"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_keeps_both_halves(tmp_path: Path) -> None:
    """What was written before a stop is there after the next start: cases, tickets, properties, associations, ids."""
    path = "/crm/v3/objects/tickets"
    with RunningSandbox(database=str(tmp_path / "data")) as first:
        first.seed(20)
        httpx.post(
            first.hubspot_url + path, json={"properties": {"subject": "kept"}}, headers=AUTH, trust_env=False
        )
        before = (first.admin("GET", "show"), first.tickets())
    with RunningSandbox(database=str(tmp_path / "data")) as second:
        assert (second.admin("GET", "show"), second.tickets()) == before
        made = httpx.post(
            second.hubspot_url + path, json={"properties": {"subject": "next"}}, headers=AUTH, trust_env=False
        )
        assert int(made.json()["id"]) > int(before[1][0]["id"])


def test_the_log_tells_every_request_but_no_header(sandbox: RunningSandbox) -> None:
    """Half, method, path, query, status, sizes, in order; bodies of writes only when asked; admin calls never."""
    httpx.get(f"{sandbox.salesforce_url}/services/data?a=1", trust_env=False)
    sandbox.admin("POST", "requests", {"keep_bodies": True})
    body = {"properties": {"subject": "logged"}}
    httpx.post(f"{sandbox.hubspot_url}/crm/v3/objects/tickets", json=body, headers=AUTH, trust_env=False)
    entries = sandbox.requests()
    assert [(e["half"], e["method"], e["path"], e["query"], e["status"]) for e in entries] == [
        ("salesforce", "GET", "/services/data", "a=1", 200),
        ("hubspot", "POST", "/crm/v3/objects/tickets", "", 201),
    ]
    assert entries[0]["body"] is None
    assert json.loads(entries[1]["body"]) == body
    assert entries[1]["bytes_in"] == len(entries[1]["body"])
    assert "sandbox-token" not in json.dumps(entries)
    assert [e["half"] for e in sandbox.requests(since=entries[0]["seq"])] == ["hubspot"]
    assert sandbox.requests(path="^/services") == entries[:1]


def test_the_clock_can_be_frozen_moved_and_let_go(sandbox: RunningSandbox) -> None:
    """Both halves live by it: a ticket made while frozen has that moment."""
    sandbox.admin("POST", "clock", {"freeze": "2026-01-31T12:00:00Z"})
    sandbox.admin("POST", "clock", {"advance": 90})
    made = httpx.post(
        f"{sandbox.hubspot_url}/crm/v3/objects/tickets",
        json={"properties": {}},
        headers=AUTH,
        trust_env=False,
    )
    assert made.json()["createdAt"] == "2026-01-31T12:01:30.000Z"
    assert sandbox.admin("GET", "clock")["frozen_at"] == "2026-01-31T12:01:30+00:00"
    assert sandbox.admin("POST", "clock", {"reset": True})["frozen_at"] is None


def test_a_clock_without_a_zone_is_refused(sandbox: RunningSandbox) -> None:
    """The message asks for the zone."""
    with pytest.raises(SandboxError, match="time zone"):
        sandbox.admin("POST", "clock", {"freeze": "2026-01-31T12:00:00"})


def test_reset_leaves_nothing(sandbox: RunningSandbox) -> None:
    """Records, properties, settings, faults, log and clock are as at the start."""
    fresh = sandbox.admin("GET", "show"), sandbox.admin("GET", "hubspot/settings")
    sandbox.seed(10)
    sandbox.settings(search_lag_seconds=5)
    sandbox.faults([{"status": 500}])
    sandbox.admin("POST", "clock", {"advance": 1000})
    sandbox.reset()
    assert (sandbox.admin("GET", "show"), sandbox.admin("GET", "hubspot/settings")) == fresh
    assert sandbox.requests() == []
    assert sandbox.admin("GET", "faults") == {"rules": []}
    assert sandbox.admin("GET", "clock")["offset_seconds"] == 0


def test_a_request_held_by_a_latency_does_not_reach_into_the_world_behind_a_reset(
    sandbox: RunningSandbox,
) -> None:
    """Its client was killed; what it had asked for must not happen in the next test."""
    sandbox.faults([{"half": "hubspot", "method": "POST", "action": "latency", "latency_ms": 500}])
    url = f"{sandbox.hubspot_url}/crm/objects/2026-09/companies"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={"properties": {"name": "Late"}}, headers=AUTH, timeout=0.1)
    sandbox.reset()
    time.sleep(1)
    assert sandbox.admin("GET", "hubspot/records/companies")["results"] == []


def test_a_filled_org_is_not_seeded_again(sandbox: RunningSandbox) -> None:
    """The second seed is refused and changes nothing."""
    sandbox.seed(10)
    with pytest.raises(SandboxError, match="reset the sandbox"):
        sandbox.seed(10)
    assert sandbox.admin("GET", "show")["salesforce"]["cases"] == 10


def test_an_unknown_setting_is_refused_by_name(sandbox: RunningSandbox) -> None:
    """A misspelled switch is an error that lists the right ones."""
    with pytest.raises(SandboxError, match="archived_kee"):
        sandbox.settings(archived_kee="new")
    with pytest.raises(SandboxError, match="archived_key"):
        sandbox.settings(archived_key="maybe")
