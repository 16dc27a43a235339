"""Faults and crashes: what is in HubSpot at the end, and that no state runs ahead of it."""

import json
import signal
import subprocess
import time
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Message, Target, by_key, case_id, lines, read_states, schema, state, ticket

PASSING = (
    "429_ten_secondly", "423", "500", "502", "503", "504", "524",
    "drop_before_commit", "drop_after_commit", "truncate_body", "html_200",
)  # fmt: skip
CALLS = ("batch/upsert", "/search", "associate/default", "properties", "pipelines", "owners", "details")


def at_once(action: str, path: str) -> dict[str, Any]:
    """A fault on the first such call; 429's own waiting time is shortened to keep the test short."""
    shorter = {"headers": {"Retry-After": "0.2"}} if action == "429_ten_secondly" else {}
    return {"half": "hubspot", "path": path, "nth": 1, "action": action, **shorter}


@pytest.mark.parametrize("action", PASSING)
def test_passing_fault_on_any_call_leaves_every_ticket_once(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message], action: str
) -> None:
    """Each call of a run fails once, in this way: all tickets, each once, all associations, exit 0."""
    sandbox.faults([at_once(action, path) for path in CALLS])
    loaded = target.load([schema(), *seeded_tickets, state("all")])
    assert (loaded.returncode, loaded.states) == (0, ["all"]), loaded.log
    tickets = by_key(sandbox)
    assert set(tickets) == {m["record"]["salesforce_case_id"] for m in seeded_tickets}
    hit = {r["path"]: r["hit"] for r in sandbox.admin("GET", "faults")["rules"]}
    assert all(hit.values()), hit
    asked = sum(len(m["record"]["associations"]) for m in seeded_tickets)
    made = sum(len(linked) for t in tickets.values() for linked in t["associations"].values())
    assert made == asked - loaded.report["pending_associations"]


def test_redirect_gets_no_token(sandbox: RunningSandbox, target: Target) -> None:
    """A redirect to another host ends the run; the token goes nowhere."""
    sandbox.faults(
        [{"half": "hubspot", "action": "redirect", "location": f"{sandbox.salesforce_url}/stolen"}]
    )
    loaded = target.load([schema(), ticket(1)])
    assert loaded.returncode == 1
    assert sandbox.requests(half="salesforce", path="/stolen") == []
    assert "Traceback" not in loaded.log


# A permission that is taken away while a run is under way.
FORBIDDEN = {"status": "error", "category": "FORBIDDEN", "message": "no", "correlationId": "c-1"}
LASTING: dict[str, dict[str, Any]] = {"403": {"action": "answer", "status": 403, "body": FORBIDDEN}}


@pytest.mark.parametrize(
    ("action", "exit_code", "told", "status"),
    [
        ("429_daily", 5, "used up", "stopped: quota"),
        ("401", 4, "access_token", "stopped: token refused"),
        ("403", 4, "allows access_token no", "stopped: token refused"),
        ("500", 6, "gave up", "stopped: HubSpot unreachable"),
    ],
)
def test_R17_lasting_refusal_ends_the_run_with_the_state_of_what_is_confirmed(
    sandbox: RunningSandbox, target: Target, action: str, exit_code: int, told: str, status: str
) -> None:
    """2,000 are confirmed, then nothing goes any more: an exit code of its own, one message, and no state but that of the 2,000."""
    process = target.start(max_tries=2)
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), *map(ticket, range(2000)), state(2000)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [2000]
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", **LASTING.get(action, {"action": action})}])
    stdout, log = process.communicate(lines([*map(ticket, range(2000, 4500)), state(4500)]), timeout=60)
    assert (process.returncode, read_states(stdout)) == (exit_code, []), log
    assert told in log
    assert "Traceback" not in log
    report = json.loads((target.folder / "report.json").read_text(encoding="utf-8"))
    assert (report["status"], report["exit_code"]) == (status, exit_code)
    assert {case_id(n) for n in range(2000)} <= set(by_key(sandbox))


def test_silent_success_is_no_success(sandbox: RunningSandbox, target: Target) -> None:
    """HubSpot answers 200 and writes nothing: what its answer does not name is sent once more, alone."""
    sandbox.settings(silent_batches=1)
    loaded = target.load([schema(), *map(ticket, range(20)), state("all")])
    assert (loaded.returncode, loaded.report["created"], loaded.report["rejected"]) == (0, 20, 0), loaded.log
    assert len(by_key(sandbox)) == 20


def checkpointed(count: int, every: int) -> list[Message]:
    """Tickets with a state after each `every` that says how many came before it."""
    stream = [schema()]
    for number in range(count):
        stream.append(ticket(number))
        if (number + 1) % every == 0:
            stream.append(state(number + 1))
    return stream


def upserts(sandbox: RunningSandbox) -> int:
    return len(sandbox.requests(half="hubspot", path="batch/upsert"))


def run_until(sandbox: RunningSandbox, process: subprocess.Popen[str], calls: int, text: str) -> None:
    """Feed the process and wait until HubSpot has seen that many upserts."""
    assert process.stdin
    process.stdin.write(text)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while upserts(sandbox) < calls and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_R06_stop_at_any_moment_loses_and_doubles_nothing(
    sandbox: RunningSandbox, target: Target, stop: signal.Signals
) -> None:
    """Stopped in the middle of a batch: each state that came out covers tickets that are there; the rest comes with the next run."""
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "latency_ms": 60}])
    stream = checkpointed(2400, every=100)
    process = target.start()
    run_until(sandbox, process, 14, lines(stream[:2100]))
    process.send_signal(stop)
    stdout, log = process.communicate(timeout=60)
    assert process.returncode == (-stop if stop is signal.SIGKILL else 128 + stop), log
    written = set(by_key(sandbox))
    assert 0 < len(written) < 2400
    for read in read_states(stdout):
        assert {case_id(n) for n in range(read)} <= written
    if stop is not signal.SIGKILL:  # what is on its way is finished, and its state is out
        assert (len(written), read_states(stdout)[-1]) == (2000, 2000)
    sandbox.admin("DELETE", "faults")
    again = target.load(stream)
    assert (again.returncode, again.states[-1]) == (0, 2400), again.log
    assert set(by_key(sandbox)) == {case_id(n) for n in range(2400)}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"type": "RECORD", "stream": "tickets", "record": {"subject": "private word', "no Singer message"),
        ("private word", "no Singer message"),
        ('["private word"]', "no known type"),
        ('{"type": "private word"}', "no known type"),
        ('{"type": "RECORD", "stream": "tickets", "private word": {}}', "RECORD message whose 'record' is missing"),
        ('{"type": "SCHEMA", "stream": ["private word"], "schema": {}}', "SCHEMA message whose 'stream' is missing"),
        ('{"type": "BATCH", "stream": "tickets"}', "switch batch_config off"),
        ('{"type": "RECORD", "stream": "private", "record": {}}', "before its SCHEMA message"),
    ],
)  # fmt: skip
def test_line_that_is_no_message_ends_the_run_and_is_not_quoted(
    sandbox: RunningSandbox, target: Target, line: str, told: str
) -> None:
    """A tap that was killed leaves half a line: exit 3, one message, nothing of the line in the log, no state."""
    loaded = target.load(lines([schema(), ticket(1)]) + line + "\n" + lines([state("all")]))
    assert (loaded.returncode, loaded.states) == (3, [])
    assert set(by_key(sandbox)) == {case_id(1)}
    assert told in loaded.log
    assert "Traceback" not in loaded.log
    assert "private word" not in loaded.log


def test_rate_limits_are_kept_not_hit(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message]
) -> None:
    """With a portal's true limits a run is never refused for its pace."""
    sandbox.admin("POST", "hubspot/limits", {"real": True})
    loaded = target.load([schema(), *seeded_tickets])
    assert loaded.returncode == 0, loaded.log
    assert [r for r in sandbox.requests(half="hubspot") if r["status"] == 429] == []
