"""progress_path: how far a run is, for who shows it meanwhile."""

import json
import threading
import time
from pathlib import Path
from typing import Any

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, lines, schema, state, ticket

COUNTS = ("records", "created", "updated", "rejected", "associations", "api_calls", "rejected_by_code")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def wait_for(path: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """Until the file says so; the time limit is never reached, unless it does not."""
    deadline, found = time.monotonic() + 60, {}
    while time.monotonic() < deadline:
        found = read(path) if path.exists() else {}
        if wanted.items() <= found.items():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{wanted} is not in {found}")


def test_the_file_tells_how_far_a_run_is_and_how_it_ended(target: Target) -> None:
    """With the pipe open the counts are there within seconds; at the end status and exit code are."""
    path = target.folder / "progress.json"
    process = target.start(progress_path=str(path), run_name="import")
    assert process.stdin
    process.stdin.write(lines([schema(), ticket(1), ticket(2, hs_ticket_priority="NOSUCH"), state(1)]))
    process.stdin.flush()
    found = wait_for(path, {"phase": "loading", "created": 1, "rejected": 1, "records": 2})
    assert (found["run_name"], found["status"], found["exit_code"]) == ("import", "running", None)
    assert found["rejected_by_code"] == {"INVALID_OPTION": 1}
    assert found["api_calls"] > 0
    assert found["started_at"] < found["at"]
    assert found.keys() >= set(COUNTS)
    process.communicate(timeout=60)
    ended = read(path)
    assert (ended["phase"], ended["status"], ended["exit_code"]) == ("ended", "complete", 0)
    assert [p.name for p in target.folder.iterdir() if p.name.startswith("progress")] == ["progress.json"]


def test_a_reader_never_sees_half_a_file(sandbox: RunningSandbox, target: Target) -> None:
    path, ended = target.folder / "progress.json", threading.Event()
    seen: list[str] = []

    def look() -> None:
        while not ended.is_set():
            if path.exists():
                seen.append(read(path)["phase"])

    looking = threading.Thread(target=look)
    looking.start()
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "probability": 1.0, "latency_ms": 400}])
    loaded = target.load([schema(), *map(ticket, range(3_000))], progress_path=str(path))
    ended.set()
    looking.join()
    assert loaded.returncode == 0
    assert seen[-1] in {"finishing", "deleting", "ended"}


def test_a_run_that_fails_says_so_in_the_file(target: Target) -> None:
    path = target.folder / "progress.json"
    loaded = target.load([schema(wrong={"type": "string"}), ticket(1)], progress_path=str(path))
    ended = read(path)
    assert (ended["phase"], ended["exit_code"]) == ("ended", loaded.returncode) == ("ended", 3)


def test_a_file_that_can_not_be_written_is_told_at_the_start(sandbox: RunningSandbox, target: Target) -> None:
    loaded = target.load([schema(), ticket(1)], progress_path="/nowhere/progress.json")
    assert loaded.returncode == 3
    assert "progress_path can't be written" in loaded.log
    assert sandbox.tickets() == []
