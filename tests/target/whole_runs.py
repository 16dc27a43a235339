"""What the tests of whole runs share: a run under way, what HubSpot holds of it, and what an admin does in HubSpot."""

import contextlib
import os
import subprocess
import time
from typing import Any

import httpx

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, lines, read_states, schema, state, ticket

PRIORITY: dict[str, Any] = {"hs_ticket_priority": "NOSUCH"}  # an option that no portal has


def begun(target: Target) -> subprocess.Popen[str]:
    """A run whose first ticket is written and whose first state is out, with its pipes still open."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), ticket(1), state(1)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [1]
    return process


def swallowed(process: subprocess.Popen[str], text: bytes) -> float:
    """The share of a text that a program takes in before it reads no more, for five seconds."""
    assert process.stdin
    os.set_blocking(process.stdin.fileno(), False)
    rest, idle_since = text, time.monotonic()
    while rest and time.monotonic() - idle_since < 5:
        with contextlib.suppress(BlockingIOError):
            sent = os.write(process.stdin.fileno(), rest)
            rest, idle_since = rest[sent:], time.monotonic()
        time.sleep(0.01)
    return 1 - len(rest) / len(text)


def asks(account: str) -> list[dict[str, Any]]:
    """The wish for the company of this Salesforce account."""
    return [{"to": "company", "by": "salesforceaccountid", "value": account}]


def values(sandbox: RunningSandbox, name: str = "subject") -> dict[str, str]:
    return {key: t["properties"].get(name, "") for key, t in by_key(sandbox).items()}


def add_option(sandbox: RunningSandbox, name: str, value: str) -> None:
    """As an admin would in HubSpot."""
    headers = {"authorization": "Bearer sandbox-token"}
    url = f"{sandbox.hubspot_url}/crm/properties/2026-09/tickets/{name}"
    options = httpx.get(url, headers=headers).json()["options"]
    new = {"label": value.title(), "value": value, "displayOrder": len(options), "hidden": False}
    httpx.patch(url, headers=headers, json={"options": [*options, new]}).raise_for_status()
