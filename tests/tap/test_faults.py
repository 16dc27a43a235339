"""Faults and crashes of the tap: nothing lost, nothing twice, no token where it does not belong."""

import io
import itertools
import json
import logging
import signal
import subprocess
import sys
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.errors import StoppedError
from tap_salesforce_cases.messages import MessageWriter

from .conftest import Tap, stored

PASSING = ("401", "403_concurrent", "500", "502", "503", "504", "drop_before_commit", "drop_after_commit", "truncate_body", "html_200")  # fmt: skip
CALLS = ("oauth2/token", "describe", "/queryAll", "/queryAll/|/query/0")


@pytest.mark.parametrize("action", PASSING)
def test_R48_passing_fault_on_any_call_changes_no_row(sandbox: RunningSandbox, tap: Tap, action: str) -> None:
    """Each call of a run fails once, in this way: every case, each once, exit 0."""
    sandbox.seed(450)
    paths = [
        p for p in CALLS if not (action in {"401", "403_concurrent", "html_200"} and p == "oauth2/token")
    ]
    sandbox.faults([{"half": "salesforce", "path": path, "nth": 1, "action": action} for path in paths])
    read = tap.read(page_size=200)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    hit = {r["path"]: r["hit"] for r in sandbox.admin("GET", "faults")["rules"]}
    assert all(hit[path] for path in ("describe", "/queryAll")), hit


def test_R40_session_that_ends_in_the_middle_is_opened_once_more(sandbox: RunningSandbox, tap: Tap) -> None:
    """401 on the second page: one more login, the page again, no row twice."""
    sandbox.seed(450)
    sandbox.faults([{"half": "salesforce", "path": "/query(All)?/0", "nth": 1, "action": "401"}])
    read = tap.read(page_size=200)
    assert sorted(read.ids) == sorted(stored(sandbox)), read.log
    assert sandbox.admin("GET", "salesforce/counts")["logins"] >= 2


def test_R41_lost_cursors_go_on_from_the_last_row(sandbox: RunningSandbox, tap: Tap) -> None:
    """Every page's locator is gone when it is asked for: each case still comes once."""
    sandbox.seed(1500)
    sandbox.admin("POST", "salesforce/switches", {"expire_locators": True})
    read = tap.read(page_size=200)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    lost = [r for r in sandbox.requests(half="salesforce", path="/query(All)?/0") if r["status"] != 200]
    assert len(lost) >= 5


LASTING = {
    "redirect": 6,
    "drop_before_commit": 6,
    "500": 6,
    "403_daily": 5,
    "401": 4,
}  # with their exit codes


@pytest.mark.parametrize("action", LASTING)
def test_R17_R33_R35_lasting_fault_ends_with_one_message_and_a_state_to_go_on_from(
    sandbox: RunningSandbox, tap: Tap, action: str
) -> None:
    """From the third page on nothing answers: the exit code says why; the next run brings the rest, and the union is the whole table."""
    sandbox.seed(1000)
    where = {"half": "salesforce", "path": "/query(All)?/0", "location": f"{sandbox.hubspot_url}/stolen"}
    sandbox.faults([{**where, "nth": n, "action": action} for n in range(2, 9)])
    broken = tap.read(page_size=200, max_tries=2)
    assert sum(rule["hit"] for rule in sandbox.admin("GET", "faults")["rules"]) in (1, 2), (
        "calls behind the end"
    )
    assert broken.returncode == LASTING[action]
    assert "Traceback" not in broken.log
    assert "Error: " in broken.log
    assert sandbox.requests(half="hubspot", path="stolen") == []
    assert broken.report["status"] == ("stopped: quota" if action == "403_daily" else "incomplete")
    sandbox.admin("DELETE", "faults")
    rest = tap.read(broken.state)
    assert rest.returncode == 0, rest.log
    assert {*broken.ids, *rest.ids} == set(stored(sandbox))


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_R05_killed_at_any_page_loses_nothing(sandbox: RunningSandbox, tap: Tap, page: int) -> None:
    """SIGKILL while a page is on its way: what came out, and what the next run reads from the last state, is the table."""
    sandbox.seed(1000)
    stall = {
        "half": "salesforce",
        "path": "ORDER|/query(All)?/0",
        "nth": page,
        "action": "latency",
        "latency_ms": 30_000,
    }
    sandbox.faults([stall])
    process = tap.start(page_size=200)
    assert process.stdout
    lines = list(itertools.islice(process.stdout, 1 + 200 * (page - 1)))
    process.kill()
    rest_of_it = process.stdout.read()
    process.communicate()
    messages = [
        json.loads(line) for line in [*lines, *rest_of_it.splitlines(keepends=True)] if line.endswith("}\n")
    ]
    emitted = {m["record"]["Id"] for m in messages if m["type"] == "RECORD"}
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    sandbox.admin("DELETE", "faults")
    again = tap.read(states[-1] if states else None)
    assert emitted | set(again.ids) == set(stored(sandbox))


@pytest.mark.parametrize(
    ("settings", "told", "code"),
    [
        ({"client_secret": "not-the-secret"}, "check client_secret", 4),
        ({"client_id": "not-the-client"}, "check client_id", 4),
        ({"login_url": None}, "login_url is missing", 3),
        ({"login_url": "http://127.0.0.1:9", "max_tries": 1}, "Check login_url", 6),
        ({"login_url": "http://salesforce.example"}, "login_url must start with https://", 3),
        ({"auth_method": "jwt_bearer", "username": "u", "private_key": "not-the-key"}, "private_key is no RSA private key", 4),
        ({"report_path": "/nowhere/report.json"}, "report_path can't be written", 3),
        ({"api_version": "01.0"}, "api_version", 3),
        ({"api_version": "99.0"}, "api_version", 3),
        ({"sync_status": "asleep"}, "sync_status must be one of: active, paused, saved", 3),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "option", [(), ("--discover",), ("--describe",)], ids=["sync", "discover", "describe"]
)
def test_wrong_setting_ends_in_one_message(
    sandbox: RunningSandbox, tap: Tap, option: tuple[str, ...], settings: dict[str, Any], told: str, code: int
) -> None:
    if "report_path" in settings:
        option = ()  # only a run leaves a report
    sandbox.seed(3)
    read = tap.read({}, *option, **settings)
    assert read.returncode == code
    assert told in read.log
    assert "Traceback" not in read.log
    assert "Warning" not in read.log
    assert "not-the-" not in read.log.replace("not-the-client", "")


@pytest.mark.parametrize("option", ["--state", "--catalog"])
@pytest.mark.parametrize("content", ["{not json", "[1]"])
def test_file_that_is_no_json_object_is_told(tap: Tap, option: str, content: str) -> None:
    path = tap.folder / "given.json"
    path.write_text(content, encoding="utf-8")
    read = tap.read(None, option, str(path))
    assert read.returncode == 3
    assert f"the file given with {option} holds no JSON object" in read.log
    assert "Traceback" not in read.log


def test_user_without_a_small_table_still_reads_cases(sandbox: RunningSandbox, tap: Tap) -> None:
    """No permission for CaseStatus: a warning that names it, and every case."""
    sandbox.seed(8)
    sandbox.admin("POST", "salesforce/switches", {"hidden_objects": ["CaseStatus"]})
    read = tap.read()
    assert (read.returncode, len(read.rows)) == (0, 8), read.log
    assert "Without CaseStatus" in read.log


def test_S1_log_and_messages_hold_no_secret_and_the_log_no_case(sandbox: RunningSandbox, tap: Tap) -> None:
    """What a customer wrote goes down the pipe only; the token and the secret go nowhere."""
    sandbox.seed(20)
    sandbox.faults([{"half": "salesforce", "path": "queryAll", "nth": 1, "action": "500"}])
    read = tap.read()
    texts = [row["Subject"] for row in read.rows if row["Subject"]] + [
        row["Contact__Email"] for row in read.rows if row["Contact__Email"]
    ]
    assert texts
    assert not any(text in read.log for text in texts)
    for secret in ("sandbox-secret", "00D5g"):
        assert secret not in read.log
    assert "sandbox-secret" not in json.dumps(read.messages)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_told_to_stop_it_ends_behind_a_whole_line(
    sandbox: RunningSandbox, tap: Tap, signal_number: int, api_mode: str
) -> None:
    """At once, exit 143 (130 after Ctrl-C) and no traceback; the next run brings what is missing."""
    sandbox.seed(1_000)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 200})
    stall = {"half": "salesforce", "path": "/results|/query(All)?/0", "nth": 2, "action": "latency", "latency_ms": 30_000}  # fmt: skip
    sandbox.faults([stall])
    process = tap.start(page_size=200, api_mode=api_mode, bulk_downloads=1)
    assert process.stdout
    lines = list(itertools.islice(process.stdout, 150))
    process.send_signal(signal_number)
    lines += list(process.stdout)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 128 + signal_number
    assert "Traceback" not in log
    messages = [json.loads(line) for line in lines]
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    sandbox.admin("DELETE", "faults")
    rest = tap.read(states[-1])
    emitted = {m["record"]["Id"] for m in messages if m["type"] == "RECORD"}
    assert emitted | set(rest.ids) == set(stored(sandbox))


def test_R06_a_signal_in_the_middle_of_a_line_of_the_log_ends_it_all_the_same() -> None:
    """Logging goes on after any exception, and prints a traceback of it; a stop has to come through."""
    screen = io.StringIO()

    class Told(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:  # noqa: ARG002 - logging's signature
            MessageWriter().stop(signal.SIGTERM)
            return ""

    handler = logging.StreamHandler(screen)
    handler.setFormatter(Told())
    with pytest.raises(StoppedError):
        handler.handle(logging.makeLogRecord({"msg": "a line"}))
    assert screen.getvalue() == ""


TOLD_AT_ITS_END = """import atexit, os, sys
from tap_salesforce_cases.tap import TapSalesforceCases
atexit.register(os.kill, os.getpid(), int(sys.argv.pop()))
TapSalesforceCases.cli()
"""


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_R07_told_to_stop_when_all_is_out_it_just_ends(
    sandbox: RunningSandbox, tap: Tap, signal_number: int
) -> None:
    sandbox.seed(5)
    config = tap.command()[-1]
    done = subprocess.run(
        [sys.executable, "-c", TOLD_AT_ITS_END, "--config", config, str(int(signal_number))],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["value"]["salesforce"]["rows"] == 5
