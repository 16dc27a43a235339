"""A run that waits for another one has read its input before: what that one wrote meanwhile is newer, and stays (F11)."""

import json
import sqlite3
import subprocess
import time

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import LockedError
from target_hubspot_tickets.locking import one_run

from .conftest import PORTAL, Message, Target, by_key, case_id, lines, schema, ticket, tombstone

OLD, NEW = "2026-01-07T11:30:00.000Z", "2026-01-07T11:31:00.000Z"
VERSIONED = schema(salesforce_system_modstamp={"type": ["string", "null"], "format": "date-time"})


def of_version(message: Message, version: str) -> Message:
    return {**message, "record": message["record"] | {"salesforce_system_modstamp": version}}


def write(process: subprocess.Popen[str], *messages: Message) -> None:
    assert process.stdin is not None
    process.stdin.write(lines(messages))
    process.stdin.flush()


def begun(target: Target, *messages: Message) -> subprocess.Popen[str]:
    """A run that has the portal, and whose input goes on."""
    process = target.start(on_delete="archive")
    write(process, *messages)
    while True:
        try:
            with one_run(str(target.ledger), PORTAL, wait_seconds=0):
                time.sleep(0.01)
        except LockedError:
            return process


def end(process: subprocess.Popen[str]) -> str:
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    return log


def logins(sandbox: RunningSandbox) -> int:
    return len(sandbox.requests(path="account-info"))


@pytest.mark.parametrize("late", ["upsert", "tombstone"])
def test_R23_run_that_waited_brings_back_nothing_older(
    sandbox: RunningSandbox, target: Target, late: str
) -> None:
    """An older version, and a deletion that was undone, wait for the portal while another run writes the newer ticket."""
    first = begun(target, VERSIONED)
    asked = logins(sandbox)
    stale = ticket(1, subject="old") if late == "upsert" else tombstone(1)
    waits = target.start(on_delete="archive")
    write(waits, VERSIONED, of_version(stale, OLD), of_version(ticket(2, subject="only here"), OLD))
    while logins(sandbox) == asked:
        time.sleep(0.01)
    write(first, of_version(ticket(1, subject="new"), NEW))
    end(first)
    end(waits)
    tickets = by_key(sandbox)
    assert {key: t["properties"]["subject"] for key, t in tickets.items()} == {
        case_id(1): "new",
        case_id(2): "only here",
    }
    assert json.loads((target.folder / "report.json").read_text())["stale"] == 1


def test_R50_run_that_has_written_meanwhile_is_seen_whatever_its_clock_says(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Nobody waits: one run begins, another one begins and ends, and the first one's older version comes. The other one's clock is a day behind."""
    assert target.load([VERSIONED, of_version(ticket(2), OLD)]).returncode == 0
    progress = target.folder / "progress.json"
    late = target.start(progress_path=str(progress))
    while not progress.exists():
        time.sleep(0.01)
    time.sleep(2)  # it has looked at the ledger, which nothing tells
    assert target.load([VERSIONED, of_version(ticket(1, subject="new"), NEW)]).returncode == 0
    with sqlite3.connect(target.ledger) as ledger:
        ledger.execute(
            "UPDATE hubspot_tickets_runs SET started_at = '2020-01-01T00:00:00+00:00', ended_at = '2020-01-01T00:00:01+00:00'"
        )
    ledger.close()
    write(late, VERSIONED, of_version(ticket(1, subject="old"), OLD))
    end(late)
    assert by_key(sandbox)[case_id(1)]["properties"]["subject"] == "new"


def test_run_alone_reads_no_version(sandbox: RunningSandbox, target: Target) -> None:
    """The guard costs calls: behind a run that ended before, none is made."""
    stream = [VERSIONED, of_version(ticket(1), OLD)]
    assert target.load(stream).returncode == 0
    assert target.load(stream).report["stale"] == 0
    assert sandbox.requests(path="tickets/batch/read") == []
