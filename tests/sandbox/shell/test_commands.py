"""The commands as a user types them, each in a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

FIXTURE = Path(__file__).parents[4] / "shared" / "fixtures" / "cfpb" / "complaints.csv"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run a command in an empty folder."""

    def run(*arguments: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "case_sync_sandbox.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def words(run: Any) -> Any:
    """A command that has to succeed; its output."""

    def words(*arguments: str) -> Any:
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return words


def test_serve_in_background_seed_change_show_stop(run: Any, words: Any) -> None:
    """The whole round that README shows, found by the folder's announcement."""
    ready = json.loads(words("serve", "--background", "--salesforce-port", "0", "--hubspot-port", "0"))
    try:
        assert words("seed", "--cases", "40").startswith("40 cases")
        assert words("mutate", "--edit", "3", "--close", "2", "--delete", "1", "--add", "4") == (
            "3 edited, 2 closed, 1 deleted, 4 added\n"
        )
        shown = words("show")
        assert "Technical Support" in shown
        assert " 43 " in shown
        assert "Edited: call back" in words("show", "cases", "--rows", "30")
        assert words("reset").startswith("both halves are empty")
    finally:
        assert words("stop") == f"stopped {ready['pid']}\n"


def test_show_tickets_names_pipeline_stage_and_company(sandbox: RunningSandbox, words: Any) -> None:
    """Labels stand for ids, and companies for associations."""
    made = sandbox.admin(
        "POST",
        "hubspot/load",
        {"tickets": [{"subject": "Broken pump"}], "companies": [{"name": "Firm & Sons"}]},
    )
    pair = {"from": {"id": made["tickets"][0]}, "to": {"id": made["companies"][0]}}
    httpx.post(
        f"{sandbox.hubspot_url}/crm/v4/associations/tickets/companies/batch/associate/default",
        json={"inputs": [pair]},
        headers={"authorization": "Bearer sandbox-token"},
        trust_env=False,
    )
    row = next(
        line
        for line in words("show", "tickets", "--url", sandbox.salesforce_url).splitlines()
        if "Broken pump" in line
    )
    for word in ("Support Pipeline", "New", "Firm & Sons", made["tickets"][0]):
        assert word in row


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show"], "error: no sandbox is running: start it with `case-sync-sandbox serve`"),
        (["stop"], "error: no sandbox is running: start it with `case-sync-sandbox serve`"),
        (["reset", "--url", "http://127.0.0.1:9"], "error: no sandbox is running at http://127.0.0.1:9"),
        (["mutate"], "error: say what to change"),
        (["seed", "--from-csv", "none.csv"], "error: --from-csv none.csv: there is no such file"),
        (["seed", "--columns", "none.json"], "error: --columns none.json: there is no such file"),
    ],
)
def test_a_failure_is_one_readable_line(run: Any, arguments: list[str], message: str) -> None:
    """Exit code 1, one line that says what to do, no traceback."""
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


def test_what_is_no_sandbox_is_said_so(run: Any, tmp_path: Path) -> None:
    """A server that is another program's is not mistaken for a sandbox."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = server.stdout.readline().split("port ")[1].split()[0]
        done = run("show", "--url", f"http://127.0.0.1:{port}")
        assert done.returncode == 1
        assert "is no sandbox" in done.stderr
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


@pytest.mark.skipif(not FIXTURE.is_file(), reason="the shared fixtures are not here")
def test_a_csv_of_real_complaints_fills_both_halves(
    sandbox: RunningSandbox, words: Any, tmp_path: Path
) -> None:
    """Each line is a case; every company of the file is there once."""
    shutil.copy(FIXTURE, tmp_path / "complaints.csv")
    told = words("seed", "--url", sandbox.hubspot_url, "--from-csv", "complaints.csv")
    assert told.startswith("145 cases")
    assert sandbox.admin("GET", "show")["salesforce"]["cases"] == 145


def test_a_column_that_is_not_there_is_named(sandbox: RunningSandbox, run: Any, tmp_path: Path) -> None:
    """A bad column map is refused with the column's name, and nothing is loaded."""
    (tmp_path / "cases.csv").write_text("number,text\n1,hello\n")
    (tmp_path / "map.json").write_text('{"nummer": "CaseNumber"}')
    done = run("seed", "--url", sandbox.hubspot_url, "--from-csv", "cases.csv", "--columns", "map.json")
    assert done.returncode == 1
    assert "nummer" in done.stderr
    assert sandbox.admin("GET", "show")["salesforce"]["cases"] == 0


def test_version(words: Any) -> None:
    """The version is said and nothing is started."""
    assert words("--version").startswith("case-sync-sandbox ")
