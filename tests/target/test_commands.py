"""What an admin asks the target besides a run: a rehearsal, a check, the runs on record, and to forget."""

from __future__ import annotations

import json

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, case_id, lines, schema, state, ticket, tombstone
from .whole_runs import PRIORITY


def test_dry_run_writes_nothing_and_tells_what_a_run_would_do(
    sandbox: RunningSandbox, target: Target
) -> None:
    """R59 and W03: create, update with the difference, unchanged, reject, archive: exactly what the run then does."""
    target.load([schema(), ticket(1), ticket(2), ticket(3)])
    stream = [schema(), ticket(1, subject="other"), ticket(2), ticket(4), ticket(5, **PRIORITY), tombstone(3), tombstone(9), state("all")]  # fmt: skip
    before, writes = by_key(sandbox), len(sandbox.writes())
    dry = target.load(stream, dry_run=True, on_delete="archive")
    assert (dry.returncode, dry.states) == (0, []), dry.log
    assert (by_key(sandbox), len(sandbox.writes())) == (before, writes)
    plan = target.plan()
    told = {line["key"]: line["would"] for line in plan if line["would"] != "delete"}
    assert told == {
        case_id(1): "update", case_id(2): "unchanged", case_id(4): "create", case_id(5): "reject", case_id(3): "archive",
    }  # fmt: skip
    (change,) = [line["changes"] for line in plan if line["would"] == "update"]
    assert change == {"subject": {"before": "Ticket 1", "after": "other"}}
    assert (target.folder / "plan.jsonl").stat().st_mode & 0o077 == 0
    assert "nothing was written" in dry.log
    real = target.load(stream, on_delete="archive")
    assert "nothing was written" not in real.log
    assert (real.report["created"], real.report["archived"], real.report["rejected"]) == (1, 1, 1)


def test_check_tells_all_problems_and_writes_nothing(sandbox: RunningSandbox, target: Target) -> None:
    """As text for people, as JSON for programs; with a stream's schema also what does not fit of it."""
    fine = target.ask("--check")
    assert (fine.returncode, "All is well" in fine.stdout) == (0, True), fine.stdout + fine.stderr
    stream = target.folder / "stream.jsonl"
    stream.write_text(lines([schema(nosuch={"type": "string"}, other={"type": "string"})]), encoding="utf-8")
    bad = target.ask("--check=json", "--input", str(stream))
    report = json.loads(bad.stdout)
    assert bad.returncode == 3
    assert "nosuch" in str(report["problems"])
    assert "other" in str(report["problems"])
    assert sandbox.writes() == []
    assert not [r for r in sandbox.requests(half="hubspot", path="properties") if r["method"] != "GET"]
    assert target.ask("--check", base_url="http://127.0.0.1:9", max_tries=1).returncode == 6
    assert target.ask("--check", access_token="wrong").returncode == 4


def test_S15_ledger_can_be_emptied_and_a_case_forgotten(target: Target) -> None:
    target.load([schema(), *(ticket(n, **PRIORITY) for n in range(3))])
    assert target.ask("--forget", case_id(1)).returncode == 0
    assert {r["key"] for r in target.rejected()} == {case_id(0), case_id(2)}
    assert target.ask("--empty-ledger").returncode == 0
    assert target.rejected() == []


def test_runs_are_on_record(target: Target) -> None:
    target.load([schema(), ticket(1)])
    target.load([schema(), ticket(2, **PRIORITY)], fail_on_rejected=True)
    newest, oldest = (json.loads(line) for line in target.ask("--runs").stdout.splitlines())
    assert (newest["summary"]["exit_code"], newest["summary"]["rejected"]) == (7, 1)
    assert oldest["summary"]["created"] == 1
