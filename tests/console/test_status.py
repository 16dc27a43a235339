"""How the sync stands: from the ledger's rows, as a screen and as JSON, while a run is under way, and from another machine."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from case_sync_console.status_screen import as_json, screen
from case_sync_console.sync_status import (
    Budget,
    Interrupted,
    Status,
    hubspot_budget,
    last_continuous,
    read_until,
    run_shown,
    salesforce_budget,
    told_apart,
)

from .conftest import Project, make_project

pytestmark = [pytest.mark.xdist_group("console-status"), pytest.mark.timeout(1200)]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def run_row(name: str = "sync", *, code: int = 0, minute: int = 0, **salesforce: Any) -> dict[str, Any]:
    at = f"2026-05-01T11:{minute:02}:00.000Z"
    state = {"bookmarks": {"cases": {"replication_key_value": at}}, "salesforce": {"at": at, **salesforce}}
    return {
        "started_at": f"2026-05-01 11:{minute:02}:00+00:00", "ended_at": "2026-05-01 11:59:00+00:00", "status": "complete",
        "exit_code": code, "run_name": name, "state": state,
        "summary": {
            "created": 3, "updated": 2, "unchanged": 1, "archived": 4, "rejected": 5, "pending_associations": 6, "api_calls": 7,
            "seconds": 8.4, "hubspot_calls_left_today": 900, "hubspot_calls_allowed_a_day": 1000,
        },
    }  # fmt: skip


def test_N23_W04_a_run_tells_counts_calls_of_both_vendors_and_seconds() -> None:
    found = run_shown(run_row(api_calls=9))
    assert (found.new, found.updated, found.unchanged, found.deleted, found.rejected, found.waiting) == (
        3,
        2,
        1,
        4,
        5,
        6,
    )
    assert (found.salesforce_calls, found.hubspot_calls, found.seconds, found.result) == (9, 7, 8.4, "ok")
    assert run_shown(run_row(code=4)).result == "the login or the token was refused"


def test_N23_a_run_whose_tap_or_mapper_failed_is_not_ok() -> None:
    """The target's input just ends then: it is the state that tells."""
    whole = run_row()
    cut = whole | {"state": {"bookmarks": whole["state"]["bookmarks"]}}
    assert run_shown(cut).result == "cut off: the tap or the mapper failed"
    assert run_shown(cut | {"exit_code": 5}).result == run_shown(whole | {"exit_code": 5}).result
    nothing = {"state": None, "summary": {"records": 0}}
    assert run_shown(whole | nothing).result == "nothing came"
    assert run_shown(whole | nothing | {"summary": {"records": 3}}).result == run_shown(cut).result
    assert run_shown(whole | nothing | {"run_name": "retry"}).result == "ok"
    assert read_until([cut, whole]) == read_until([whole])


def test_N23_N24_budgets_are_those_that_the_vendors_told_last() -> None:
    rows = [run_row(), run_row(api_used_24h=250, api_allowed_24h=1000)]
    assert salesforce_budget(rows) == Budget(used=250, left=750, allowed=1000)
    assert hubspot_budget(rows) == Budget(used=100, left=900, allowed=1000)
    assert salesforce_budget([]) == Budget(used=None, left=None, allowed=None)


def test_only_runs_of_the_continuous_sync_say_how_far_it_is() -> None:
    """An import, a resync, or a run that failed does not."""
    rows = [
        run_row("import", minute=50),
        run_row("resync", minute=40),
        run_row(minute=30, code=5),
        run_row(minute=20),
    ]
    assert read_until(rows) == datetime(2026, 5, 1, 11, 20, tzinfo=UTC)
    assert last_continuous(rows) == rows[2]
    assert read_until([]) is None


def test_the_lists_of_the_ledger_are_told_apart() -> None:
    rejected = {
        "key": "a",
        "code": "X",
        "message": "m",
        "category": "rule",
        "remedy": "r",
        "tries": 1,
        "has_record": False,
    }
    waiting = {
        "key": "b",
        "to": "companies",
        "reason": "NOT_FOUND",
        "by": ["domain"],
        "category": "association",
        "remedy": "r",
    }
    found = told_apart([run_row(), rejected, waiting, {"key": "c", "source": "org"}])
    assert (len(found.runs), [one.key for one in found.errors], found.deletions) == (1, ["a", "b"], 1)


def status(**more: Any) -> Status:
    known: dict[str, Any] = {
        "environment": "prod", "sync": "active", "now": NOON, "runs": (run_shown(run_row(api_calls=9)),),
        "read_until": datetime(2026, 5, 1, 11, 58, tzinfo=UTC), "bookmark": datetime(2026, 5, 1, 11, 48, tzinfo=UTC),
        "next_run": datetime(2026, 5, 1, 12, 15, tzinfo=UTC), "interval": "*/15 * * * *", "installed": "cron",
        "salesforce": Budget(used=250, left=750, allowed=1000), "hubspot": Budget(used=None, left=None, allowed=None),
        "on_record": {"rule": 2}, "deletions": 3, "interrupted": (Interrupted(suffix="import-0a1b2c3d", command=None),),
    }  # fmt: skip
    return Status(**{**known, **more})


def shown(found: Status, width: int = 220) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(screen(found))
    return captured.get()


@pytest.mark.parametrize(
    "words",
    [
        "on (environment prod)",
        "2026-05-01 11:58:00 UTC, 2 min ago; the next run looks from 2026-05-01 11:48:00 UTC on",
        "12:15 UTC, in 15 min ('*/15 * * * *'), by cron",
        "cases by category: rule 2; why, and what to do: case-sync errors",
        "3 tickets would be deleted, more than allowed at once",
        "an import (0a1b2c3d); to go on, give the same command as before",
        "250 of 1,000 calls used in 24 hours, 750 left",
        "not told yet",
    ],
)
def test_W04_the_screen_says(words: str) -> None:
    assert words in shown(status())


@pytest.mark.parametrize("width", [80, 115, 220])
def test_W04_runs_are_told_without_a_broken_word(width: int) -> None:
    """Each number with what it counts, on a narrow terminal in words."""
    words = shown(status(), width).split("The last runs")[1].lower().split()
    for one in (
        "new",
        "updated",
        "unchanged",
        "deleted",
        "rejected",
        "waiting",
        "salesforce",
        "hubspot",
        "calls",
        "seconds",
        "result",
        "05-01",
        "sync",
        "ok",
    ):
        assert any(word.strip(",") == one for word in words), one
    assert {"3", "2", "1", "4", "5", "6", "9", "7", "8"} <= set(words)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sync": "paused"}, "paused; to go on: case-sync resume"),
        ({"sync": "saved"}, "saved for later; to switch it on: case-sync activate"),
        ({"sync": "new"}, "not switched on yet"),
        ({"installed": None}, "nothing is installed on this machine"),
        ({"next_run": None}, "no interval in meltano.yml"),
        ({"read_until": None, "runs": ()}, "There was no run yet."),
        ({"on_record": {}}, "nothing rejected, nothing waiting"),
    ],
)
def test_every_position_has_its_words(more: dict[str, Any], words: str) -> None:
    assert words in shown(status(**more))


def test_json_is_plain_and_says_how_far_behind() -> None:
    found = as_json(status())
    assert (found["behind_seconds"], found["read_until"]) == (120.0, "2026-05-01T11:58:00+00:00")
    assert found["runs"][0]["result"] == "ok"


# -- a real one


@pytest.fixture(scope="module")
def ran(module_project: Project) -> Project:
    module_project.sandbox.seed(30)
    time.sleep(2)
    for command in ("activate", "import"):
        ended = module_project.console(command)
        assert ended.exit_code == 0, ended.output
    return module_project


def test_N23_W04_status_tells_the_runs_of_a_sync(ran: Project) -> None:
    ended = ran.console("status", "--json")
    assert ended.exit_code == 0, ended.output
    found = ended.json()
    assert [run["name"] for run in found["runs"]] == ["import", "activate"]
    assert found["runs"][0]["new"] == 30
    assert all(run["salesforce_calls"] > 0 and run["hubspot_calls"] > 0 for run in found["runs"])
    assert found["sync"] == "active"
    assert found["read_until"] >= found["bookmark"]
    assert found["salesforce"]["left"] < found["salesforce"]["allowed"]
    assert found["hubspot"]["allowed"] is not None
    assert found["next_run"] is not None


def test_status_comes_from_any_machine_that_reaches_the_ledger(
    ran: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Another folder, with the same meltano.yml and no state of Meltano's at all."""
    other = make_project(tmp_path_factory.mktemp("elsewhere"), ran.sandbox)
    shutil.copy(ran.folder / "meltano.yml", other.folder / "meltano.yml")
    ledger = str(ran.folder / "hubspot-tickets-ledger.db")
    ended = other.console("status", "--json", TARGET_HUBSPOT_TICKETS_LEDGER_URL=ledger)
    assert ended.exit_code == 0, ended.output
    here = ran.console("status", "--json").json()
    told = ("sync", "runs", "read_until", "bookmark", "on_record")
    assert {name: ended.json()[name] for name in told} == {name: here[name] for name in told}
    assert here["read_until"] is not None


def test_status_works_while_a_run_is_under_way_and_as_a_utility_of_meltano(ran: Project) -> None:
    """Nobody waits for the lock of the run."""
    ran.sandbox.mutate(adds=5)
    ran.sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "probability": 1.0, "latency_ms": 60000}])
    ran.sandbox.admin("DELETE", "requests")
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ran.console, "run")
        while not ran.sandbox.requests(half="hubspot"):  # the target has begun
            time.sleep(0.2)
        asked = pool.submit(ran.meltano, "invoke", "case-sync", "status")
        second, ended = ran.console("run"), asked.result()
        done = first.result()
    ran.sandbox.admin("DELETE", "faults")
    assert ended.exit_code == 0, ended.output
    assert "The last runs" in ended.stdout
    assert done.exit_code == 0, done.output
    assert second.exit_code == 9, second.output
    assert "under way" in second.stderr


def test_a_broken_ledger_is_said_in_words(ran: Project) -> None:
    broken = ran.folder / "broken.db"
    broken.write_text(
        "this is no database, and longer than a header of SQLite is, to be sure" * 20, encoding="utf-8"
    )
    ended = ran.console("status", TARGET_HUBSPOT_TICKETS_LEDGER_URL=str(broken))
    assert ended.exit_code == 10, ended.output
    assert "Traceback" not in ended.output


def test_while_hubspot_is_down_the_ledger_is_read_all_the_same(ran: Project) -> None:
    """It is a file here; whose it is, it says itself as long as it has runs of one account only."""
    down = {"TARGET_HUBSPOT_TICKETS_BASE_URL": "http://127.0.0.1:9", "TARGET_HUBSPOT_TICKETS_MAX_TRIES": "1"}
    ended = ran.console("status", "--json", **down)
    assert ended.exit_code == 0, ended.output
    assert ended.json()["runs"] == ran.console("status", "--json").json()["runs"]
    empty = ran.console("status", **down, TARGET_HUBSPOT_TICKETS_LEDGER_URL="another.db")
    assert (empty.exit_code, empty.stdout.startswith("Sync  on (environment sandbox)")) == (6, True), (
        empty.output
    )
    assert "make sandbox" in empty.stderr
