"""--missing: keys that have no ticket."""

import json
import subprocess
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, case_id, clean_environment, schema, ticket, tombstone


def missing(target: Target, keys: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*target.command(**settings), "--missing"],
        input=keys,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=clean_environment(),
    )


def told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_keys_without_a_ticket_are_told_in_their_order(sandbox: RunningSandbox, target: Target) -> None:
    """2,600 keys are more than one go; a line may be a key or an object with it. An archived ticket is none. Nothing is written."""
    target.load([schema(), *map(ticket, range(2_500))])
    target.load([schema(), tombstone(7)], on_delete="archive")
    writes = len(sandbox.writes())
    lines = [case_id(n) if n % 2 else json.dumps({"Id": case_id(n), "CaseNumber": "1"}) for n in range(2_600)]
    target.ledger.unlink()
    *gone, counts = told(missing(target, "\n".join(lines) + "\n\n"))
    assert gone == [{"key": case_id(n)} for n in [7, *range(2_500, 2_600)]]
    assert counts == {"tickets": 2_499, "missing": 101}
    assert len(sandbox.writes()) == writes
    assert not target.ledger.exists()


def test_before_the_first_run_all_are_missing(target: Target) -> None:
    assert told(missing(target, f"{case_id(1)}\n")) == [{"key": case_id(1)}, {"tickets": 0, "missing": 1}]


def test_nothing_is_missing_of_nothing(target: Target) -> None:
    assert told(missing(target, "")) == [{"tickets": 0, "missing": 0}]


@pytest.mark.parametrize("line", ["{}", '{"Id": ""}', "{not json"])
def test_a_line_without_a_key_is_told_by_its_number(target: Target, line: str) -> None:
    done = missing(target, f"{case_id(1)}\n{line}\n")
    assert done.returncode == 3
    assert "line 2 holds no key" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_that_is_refused_goes_again_in_halves(sandbox: RunningSandbox, target: Target) -> None:
    """HubSpot refuses the first call as a whole: the ticket is found all the same."""
    target.load([schema(), ticket(1), ticket(2)])
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c"}
    sandbox.faults([{"half": "hubspot", "path": "batch/read", "times": 1, "status": 400, "body": refusal}])
    assert told(missing(target, f"{case_id(1)}\n{case_id(2)}\n{case_id(3)}\n")) == [
        {"key": case_id(3)},
        {"tickets": 2, "missing": 1},
    ]


def test_a_key_that_hubspot_can_not_look_for_has_no_ticket(sandbox: RunningSandbox, target: Target) -> None:
    """Refused down to the key itself: it ends nothing, and the others are found."""
    target.load([schema(), ticket(1), ticket(2)])
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c"}
    sandbox.faults([{"half": "hubspot", "path": "batch/read", "times": 2, "status": 400, "body": refusal}])
    *_, counts = told(missing(target, f"{case_id(1)}\n{case_id(2)}\n"))
    assert counts == {"tickets": 1, "missing": 1}


def test_an_answer_of_another_form_is_told_by_what_was_asked(sandbox: RunningSandbox, target: Target) -> None:
    body = {"results": ["name"]}
    sandbox.faults([{"half": "hubspot", "path": "tickets", "action": "answer", "status": 200, "body": body}])
    done = missing(target, f"{case_id(1)}\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "HubSpot's answer with properties has not the form" in done.stderr
