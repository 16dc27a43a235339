"""The runs as the ledger tells them, and commands that read it while a run is under way."""

import json
import subprocess
from typing import Any

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, case_id, lines, schema, state, ticket


def runs(target: Target, **settings: Any) -> list[dict[str, Any]]:
    done = target.ask("--runs", **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_run_is_kept_with_its_name_its_state_and_what_is_left_of_the_day(
    sandbox: RunningSandbox, target: Target
) -> None:
    """The last state that left; numbers are numbers. A run that acknowledged nothing has none, and is a sync."""
    sandbox.admin("POST", "hubspot/limits", {"daily": 5_000})
    loaded = target.load([schema(), ticket(1), state(1), ticket(2), state(2)], run_name="import")
    target.load([schema()])
    idle, full = runs(target)
    assert (full["run_name"], full["state"]) == ("import", {"bookmarks": {"cases": {"read": 2}}})
    assert (idle["run_name"], idle["state"]) == ("sync", None)
    assert isinstance(full["summary"]["seconds"], float)
    allowed, left = (
        full["summary"][name] for name in ("hubspot_calls_allowed_a_day", "hubspot_calls_left_today")
    )
    assert allowed == 5_000
    assert 0 < left <= 5_000 - loaded.report["api_calls"]
    assert loaded.report["hubspot_calls_left_today"] == left


def test_without_the_headers_nothing_is_said_of_the_day(target: Target) -> None:
    """HubSpot tells OAuth apps nothing of the day."""
    oauth = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    }
    loaded = target.load([schema(), ticket(1)], access_token=None, **oauth)
    assert loaded.report["created"] == 1, loaded.log
    assert loaded.report["hubspot_calls_allowed_a_day"] is None
    assert loaded.report["hubspot_calls_left_today"] is None


def under_way(target: Target) -> subprocess.Popen[str]:
    """A run that has acknowledged its first state, and waits for more input."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), ticket(1, hs_ticket_priority="NOSUCH"), state(1)]))
    process.stdin.flush()
    assert "read" in process.stdout.readline()
    return process


def test_what_only_reads_does_not_wait_for_a_run(target: Target) -> None:
    """One that changes the ledger is refused meanwhile, and told why."""
    target.load([schema(), ticket(9)])
    process = under_way(target)
    for option in ("--runs", "--rejected=list", "--rejected=export", "--pending=list", "--deletes=list"):
        done = target.ask(option, lock_wait_seconds=0)
        assert done.returncode == 0, done.stderr
        if option == "--rejected=list":
            assert [json.loads(line)["key"] for line in done.stdout.splitlines()] == [case_id(1)]
    for changing in ("--deletes=discard", "--empty-ledger", f"--forget={case_id(1)}", "--rejected=retry"):
        refused = target.ask(changing, lock_wait_seconds=0)
        assert (refused.returncode, refused.stdout) == (9, ""), refused.stderr
    process.communicate(timeout=60)
    assert process.returncode == 0
