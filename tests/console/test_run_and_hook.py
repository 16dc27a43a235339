"""`case-sync run`, its exit codes, and the hook on_failure: a command and a webhook, told of failure, suspension and recovery."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_console.counts_words import result_line
from case_sync_console.errors import (
    ANOTHER_RUN,
    AUTHENTICATION,
    CONFIGURATION,
    FAULT,
    OK,
    PARTIAL,
    QUOTA,
    WORDS,
)
from case_sync_console.events import event_of, run_end
from case_sync_console.hook import call, flaws
from case_sync_console.hook_address import is_allowed_url
from case_sync_console.hook_events import (
    FAILURE,
    RECOVERY,
    SUSPENSION,
    Ending,
    Memory,
    body,
    events_of,
    kept,
    read_memory,
    remembered,
    without_logins,
)
from case_sync_console.own_settings import Hook
from case_sync_console.run_ends import failure_of

from .conftest import BIN, Project

pytestmark = [pytest.mark.xdist_group("console-run"), pytest.mark.timeout(1200)]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CODES = st.sampled_from([*WORDS, 130, 143])
RECORDER = """import json, os, sys
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({"body": json.load(sys.stdin), "event": os.environ["CASE_SYNC_EVENT"], "args": sys.argv[2:]}) + "\\n")
"""


def ending(code: int, message: str = "") -> Ending:
    return Ending(exit_code=code, message=message, started_at=NOON, ended_at=NOON)


# -- when


def told(codes: list[int]) -> list[tuple[str, ...]]:
    """The events of a row of runs."""
    memory, found = Memory(), []
    for code in codes:
        found.append(events_of(memory, ending(code)))
        memory = remembered(memory, ending(code))
    return found


def test_N32_failure_suspension_and_recovery_are_told() -> None:
    """Refused logins and used-up calls are suspensions; the first run that goes through after either is a recovery."""
    assert told([OK, CONFIGURATION, AUTHENTICATION, QUOTA, OK, OK]) == [
        (),
        (FAILURE,),
        (SUSPENSION,),
        (SUSPENSION,),
        (RECOVERY,),
        (),
    ]


def test_a_run_with_rejected_records_is_told_and_ends_a_failure() -> None:
    assert told([PARTIAL, OK]) == [(FAILURE,), ()]
    assert told([CONFIGURATION, PARTIAL, OK]) == [(FAILURE,), (RECOVERY, FAILURE), ()]


def test_another_run_and_a_stop_say_nothing_and_change_nothing() -> None:
    assert told([CONFIGURATION, ANOTHER_RUN, 143, 130, OK]) == [(FAILURE,), (), (), (), (RECOVERY,)]


@given(st.lists(CODES, max_size=20))
def test_recoveries_follow_failures(codes: list[int]) -> None:
    """Between two recoveries there is a failure or a suspension, and no recovery comes first."""
    events = [event for found in told(codes) for event in found]
    is_failing = False
    for event in events:
        if event == RECOVERY:
            assert is_failing
        is_failing = event != RECOVERY


@given(CODES, st.integers(0, 50))
def test_what_is_remembered_comes_back(code: int, times: int) -> None:
    memory = Memory(exit_code=code, failing_since=NOON.isoformat(), times=times)
    assert read_memory(json.loads(json.dumps(kept(memory)))) == memory


@pytest.mark.parametrize(
    "spoilt", [None, [], "x", {}, {"exit_code": "3"}, {"exit_code": 1, "failing_since": None, "times": 0}]
)
def test_a_spoilt_memory_is_none(spoilt: Any) -> None:
    assert read_memory(spoilt) == Memory()


# -- what


def test_the_body_tells_since_when_and_how_often() -> None:
    memory = remembered(Memory(), ending(AUTHENTICATION))
    second = replace(ending(AUTHENTICATION, "Salesforce refused the login"), ended_at=NOON.replace(hour=13))
    after = remembered(memory, second)
    assert body(SUSPENSION, "prod", second, after, memory) == {
        "event": "suspension",
        "environment": "prod",
        "exit_code": 4,
        "words": "the login or the token was refused",
        "message": "Salesforce refused the login",
        "started_at": "2026-05-01T12:00:00+00:00",
        "ended_at": "2026-05-01T13:00:00+00:00",
        "failing_since": "2026-05-01T12:00:00+00:00",
        "times": 2,
    }
    recovered = body(RECOVERY, "prod", ending(OK, "12 cases"), remembered(after, ending(OK)), after)
    assert (recovered["exit_code"], recovered["times"], recovered["message"]) == (0, 2, "")
    assert recovered["failing_since"] == "2026-05-01T12:00:00+00:00"


@given(st.text(max_size=3000), st.text(alphabet="abcXYZ019:", min_size=3, max_size=20))
def test_a_body_holds_no_login_of_a_url_and_is_short(text: str, login: str) -> None:
    end = ending(FAULT, f"{text[:50]} postgresql://{login}@db/x {text}")
    message = body(FAILURE, "prod", end, Memory(), Memory())["message"]
    assert f"//{login}@" not in message
    assert len(message) <= 2000


def test_logins_are_taken_out_of_urls() -> None:
    assert without_logins("at https://me:pw@host/x and http://h/") == "at https://host/x and http://h/"


# -- how a run of Meltano ended


def meltano_said(*events: dict[str, Any], exit_code: int = 1) -> Any:
    return failure_of(run_end(exit_code, [event_of(json.dumps(one)) for one in events]))


def test_the_plugin_that_explains_an_end_gives_the_exit_code() -> None:
    end = {"event": "Block run completed", "exit_codes": {"extractors": 4, "mappers": 1}}
    said = {"event": "Error: login refused", "name": "tap-salesforce-cases", "stdio": "stderr"}
    found = meltano_said(said, end)
    assert (found.exit_code, found.plugin, found.message) == (4, "tap-salesforce-cases", "login refused")


def test_the_neighbours_of_the_plugin_that_failed_are_not_heard() -> None:
    """The tap that lost its reader says so; why the target ended is what counts."""
    end = {"event": "Block run completed", "exit_codes": {"loaders": 4, "extractors": 1}}
    tap = {"event": "Error: the reader has gone", "name": "tap-salesforce-cases", "stdio": "stderr"}
    target = {"event": "Error: token refused", "name": "target-hubspot-tickets", "stdio": "stderr"}
    assert meltano_said(tap, target, end).message == "token refused"


def test_a_login_refused_in_discovery_has_the_taps_exit_code() -> None:
    """Meltano lists no exit code then, but quotes the command's."""
    failed = "Cannot start plugin tap-salesforce-cases: Catalog discovery failed: command ['tap', '--discover'] returned 4 with stderr:\n x"
    said = {"event": "Error: login refused", "name": "tap-salesforce-cases", "stdio": "stderr"}
    end = {"event": "Block run completed", "err": failed, "exit_codes": {}}
    found = meltano_said(said, {"event": failed, "level": "error"}, end)
    assert (found.exit_code, found.message) == (4, "login refused")


def test_rules_that_do_not_fit_are_a_configuration_error() -> None:
    """Meltano 4.4.1 tells a list, and the mapper's name, where nothing else failed."""
    said = {"event": "Error: rules.fields: no", "name": "case-ticket-mapper", "stdio": "stderr"}
    for told in ([{"case-ticket-mapper": 1}], {"mappers": 1}):
        found = meltano_said(said, {"event": "Block run completed", "exit_codes": told})
        assert (found.exit_code, found.message) == (CONFIGURATION, "rules.fields: no")


def test_a_mapper_that_ended_before_its_neighbours_is_told_though_meltano_blames_them() -> None:
    """Meltano 4.4.1, core/block/extract_load.py: the exit codes of the others are made up then."""
    err = (
        "Unexpected completion sequence in ExtractLoadBlock set. Intermediate block (likely a mapper) failed."
    )
    end = {"event": "Block run completed", "err": err, "exit_codes": {"extractors": 1, "loaders": 1}}
    said = {"event": "Error: rules.fields: no", "name": "case-ticket-mapper", "stdio": "stderr"}
    found = meltano_said(said, end)
    assert (found.plugin, found.exit_code, found.message) == (
        "case-ticket-mapper",
        CONFIGURATION,
        "rules.fields: no",
    )
    assert meltano_said(end).exit_code == FAULT
    fault = said | {
        "event": "Error: a fault of this program: KeyError in ticket.py, line 7. Please report it"
    }
    assert meltano_said(fault, end).exit_code == FAULT


def test_a_run_under_way_is_told_in_plain_words() -> None:
    words = "Another 'sandbox:x' pipeline is already running which started at 2026-11-26 20:15:49.358778+00:00. Wait until ..."
    found = meltano_said({"event": words, "level": "error"})
    assert found.exit_code == ANOTHER_RUN
    assert "under way since 2026-11-26 20:15 UTC" in str(found)


def test_a_result_line_says_all_outcomes() -> None:
    report = {
        "records": 1200,
        "created": 1,
        "updated": 2,
        "unchanged": 3,
        "archived": 4,
        "rejected": 5,
        "stale": 6,
        "pending_associations": 1,
    }
    assert result_line(report, 7.4) == (
        "1,200 cases: tickets 1 new, 2 updated, 3 unchanged, 4 deleted, 6 older than their ticket, 5 rejected; "
        "1 association on record waits for a company, contact or ticket; 7 s"
    )


@pytest.mark.parametrize(
    ("done", "words"),
    [({"archived": 2}, False), ({"archived": 1, "already_gone": 1}, False), ({}, True)],
)
def test_deletions_that_were_carried_out_are_not_left_to_be_confirmed(
    done: dict[str, int], words: bool
) -> None:
    """The target counts what it was asked to delete, and beside it what came of that."""
    assert ("2 deletions left to be confirmed" in result_line({"held_deletes": 2, **done})) is words


# -- the calls


class Receiver(HTTPServer):
    """A webhook that keeps what it is told, and answers as it is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Kept)
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.location: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/a-secret-path"


class _Kept(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def running_receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()


@pytest.fixture
def receiver(running_receiver: Receiver) -> Receiver:
    running_receiver.bodies.clear()
    running_receiver.answers.clear()
    running_receiver.location = None
    return running_receiver


TOLD = {"event": "failure", "exit_code": 3, "environment": "prod"}


def test_a_webhook_that_is_ill_for_a_moment_is_called_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers[:] = [503, 204]
    assert call(Hook(command=None, url=receiver.url), TOLD, tmp_path) == []
    assert receiver.bodies == [TOLD, TOLD]


def test_a_webhook_that_refuses_is_said_without_its_path(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers[:] = [403]
    (problem,) = call(Hook(command=None, url=receiver.url), TOLD, tmp_path)
    assert problem == "on_failure_url: 127.0.0.1 answered 403"
    assert len(receiver.bodies) == 1


def test_S9_a_webhook_is_called_where_it_was_set_and_nowhere_else(receiver: Receiver, tmp_path: Path) -> None:
    """A redirect is a refusal. The number is that of reliability.md, section S."""
    receiver.answers[:] = [307, 204]
    receiver.location = receiver.url + "/elsewhere"
    (problem,) = call(Hook(command=None, url=receiver.url), TOLD, tmp_path)
    assert problem == "on_failure_url: 127.0.0.1 answered 307"
    assert receiver.bodies == [TOLD]


# Each is no address, goes in clear text, or names to one reader of addresses or another something else than a host by its name.
REFUSED = [
    "not a url", "http://[broken", "ftp://host/s3cret", "http://example.com/s3cret", "HTTP://example.com/s3cret", "//example.com/s3cret",
    "https://user@example.com/s3cret", "https://user:s3cret@example.com/", "https://@example.com/s3cret", "http://localhost:1@example.com/s3cret",
    "http://127.0.0.1@example.com/s3cret", "http://localhost.example.com/s3cret", "http://127.0.0.1.example.com/s3cret",
    "http://127.0.0.1\\@example.com/s3cret", "http://localhost\\.example.com/s3cret", "https://example.com\\@127.0.0.1/s3cret",
    "https://example.com/s3cret\\x", "https://example.com?@127.0.0.1/s3cret", "https://example.com#@127.0.0.1/s3cret", "https://example.com/s3cret#x",
    "https://example.com\t/s3cret", "https://example.com\n.x/s3cret", " https://example.com/s3cret", "https://169.254.169.254/s3cret",
    "https://2852039166/s3cret", "https://0xA9FEA9FE/s3cret", "http://0.0.0.0/s3cret", "http://127.1/s3cret", "https://[fd00:ec2::254]/s3cret",
    "https://ex\u0430mple.com/s3cret", "https://example\uff0f.com/s3cret", "https://example.com:0/s3cret", "https://example.com:99999/s3cret",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_S8_a_webhook_in_clear_text_or_of_two_readings_is_said_and_not_called(
    url: str, tmp_path: Path
) -> None:
    """By its setting, and without the path, which is a secret. The number is that of reliability.md, section S."""
    (problem,) = call(Hook(command=None, url=url), TOLD, tmp_path)
    assert problem.startswith("on_failure_url: it must start with https://")
    assert "s3cret" not in problem
    assert flaws(Hook(command=None, url=url), tmp_path) == [problem]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.example.com/services/T0/B1/x-y_z", "hooks.example.com"),
        ("HTTPS://Example.com:443", "example.com"),
        ("https://example.com/a@127.0.0.1/c?x=1&y=%2F", "example.com"),
        ("http://127.0.0.1:8080/x?y", "127.0.0.1"),
        ("https://127.0.0.1/x", "127.0.0.1"),
        ("http://localhost", "localhost"),
        ("http://[::1]:1/x", "::1"),
    ],
)
def test_S8_the_webhook_that_is_checked_is_the_one_that_is_called(url: str, host: str) -> None:
    """The check and the HTTP library read the same host out of it."""
    assert is_allowed_url(url)
    assert httpx.URL(url).host == host


def test_S8_what_goes_in_clear_text_goes_by_no_proxy(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert call(Hook(command=None, url=receiver.url), TOLD, tmp_path) == []
    assert receiver.bodies == [TOLD]


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    """What a shell would take for a second command is an argument."""
    recorder, kept_at = tmp_path / "recorder.py", tmp_path / "kept.jsonl"
    recorder.write_text(RECORDER, encoding="utf-8")
    hook = Hook(command=f"'{sys.executable}' '{recorder}' '{kept_at}' ; touch harm $(touch harm)", url=None)
    assert call(hook, TOLD, tmp_path) == []
    (line,) = kept_at.read_text().splitlines()
    assert json.loads(line) == {
        "body": TOLD,
        "event": "failure",
        "args": [";", "touch", "harm", "$(touch", "harm)"],
    }
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "command", ["'unclosed", "/no/such/program", "''", f"'{sys.executable}' -c 'raise SystemExit(4)'"]
)
def test_a_command_that_fails_is_said(command: str, tmp_path: Path) -> None:
    (problem,) = call(Hook(command=command, url=None), TOLD, tmp_path)
    assert problem.startswith("on_failure_command: ")


def test_a_hook_that_could_not_be_called_is_known_before_it_has_to_be(tmp_path: Path) -> None:
    """By a look alone: nothing is started or called."""
    here = tmp_path / "tell.sh"
    here.write_text("#!/bin/sh\ntouch called\n", encoding="utf-8")
    nowhere = "http://127.0.0.1:1/x"

    def found(command: str) -> list[str]:
        return flaws(Hook(command=command, url=nowhere), tmp_path)

    assert found("./tell.sh now") == ["on_failure_command: there is no program './tell.sh' that may be run"]
    here.chmod(0o700)
    assert found("./tell.sh now") == found(f"'{here}'") == found("sh -c true") == []
    assert found("no-such-program") == [
        "on_failure_command: there is no program 'no-such-program' that may be run"
    ]
    assert found(" ") == ["on_failure_command: it names no program"]
    assert found("'unclosed") == ["on_failure_command: the command line can't be read: No closing quotation"]
    assert flaws(Hook(command=None, url=None), tmp_path) == []
    assert not (tmp_path / "called").exists()


# -- the whole


def test_N31_N32_a_refused_token_is_exit_4_with_a_suspension_and_then_a_recovery(
    project: Project, receiver: Receiver, tmp_path: Path
) -> None:
    """The hook's settings stand in meltano.yml; a hook that fails is said and changes no exit code; no secret leaves."""
    project.sandbox.seed(5)
    recorder, kept_at = tmp_path / "recorder.py", tmp_path / "kept.jsonl"
    recorder.write_text(RECORDER, encoding="utf-8")

    def configure(document: Any) -> None:
        (utility,) = document["plugins"]["utilities"]
        utility["config"] = {
            "on_failure_url": receiver.url,
            "on_failure_command": f"'{sys.executable}' '{recorder}' '{kept_at}'",
        }

    project.change(configure)
    project.switch_on()
    refused = project.console("run", TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN="wrong-token-4711")
    assert refused.exit_code == AUTHENTICATION, refused.output
    assert "access_token" in refused.stderr
    receiver.answers[:] = [410]
    well = project.console("run")
    assert well.exit_code == OK, well.output
    assert well.stdout.startswith("5 cases: tickets 5 new")
    assert "on_failure_url: 127.0.0.1 answered 410" in well.stderr
    assert [one["event"] for one in receiver.bodies] == ["suspension", "recovery"]
    assert [json.loads(line)["event"] for line in kept_at.read_text().splitlines()] == [
        "suspension",
        "recovery",
    ]
    assert "4711" not in json.dumps(receiver.bodies) + refused.output
    assert receiver.bodies[0]["environment"] == "sandbox"

    again = project.meltano("invoke", "case-sync", "run")
    assert again.exit_code == OK, again.output
    assert "0 cases: tickets 0 new" in again.stdout
    assert len(receiver.bodies) == 2
    well = project.console("run", CASE_SYNC_ON_FAILURE_URL="http://example.com/s3cret")
    assert (well.exit_code, "on_failure_url: it must start with https://" in well.stderr) == (OK, True)
    assert "s3cret" not in well.output


def test_S22_a_sync_that_was_never_switched_on_brings_in_nothing(project: Project) -> None:
    """Its first run would be an import of all cases, which nobody asked for."""
    project.sandbox.seed(5)
    ended = project.console("run")
    assert (ended.exit_code, "case-sync activate" in ended.stdout) == (0, True), ended.output
    assert project.sandbox.tickets() == []
    assert project.sandbox.requests(half="salesforce") == []


def test_a_case_that_a_rule_rejects_is_exit_7(project: Project) -> None:
    """Done, but not all of it arrived: said with the command that tells more."""
    project.sandbox.seed(20)

    def unmap(rules: Any) -> None:
        for pipeline in rules["pipelines"].values():
            pipeline["stages"] = {"New": next(iter(pipeline["stages"].values()))}
            pipeline["stages"].pop("Working", None)

    project.change_rules(unmap)
    project.switch_on()
    ended = project.console("run")
    assert ended.exit_code == PARTIAL, ended.output
    assert "case-sync errors" in ended.stdout


def test_N24_at_the_api_budget_a_run_stops_in_good_order_and_the_next_goes_on(project: Project) -> None:
    """Exit code 5; what was read is there, its place is kept, and what is left comes once there are calls again."""
    project.switch_on()
    project.sandbox.seed(600)
    used = project.sandbox.admin("GET", "salesforce/counts")["api_calls"]
    project.sandbox.admin("POST", "salesforce/switches", {"daily_limit": (used + 5) * 2})
    sparing = {"TAP_SALESFORCE_CASES_QUOTA_PERCENT": "50", "TAP_SALESFORCE_CASES_PAGE_SIZE": "200"}
    stopped = project.console("run", **sparing)
    assert stopped.exit_code == QUOTA, stopped.output
    assert "quota_percent" in stopped.stderr
    assert 0 < len(project.tickets()) < 600
    assert project.state()
    project.sandbox.admin("POST", "salesforce/switches", {"daily_limit": 100_000})
    rest = project.console("run")
    assert rest.exit_code == OK, rest.output
    assert len(project.tickets()) == 600
    assert not rest.stdout.startswith("600 cases")


def command_lines() -> list[str]:
    """Of all programs that run on this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_text(encoding="utf-8", errors="replace").replace("\0", " "))
    return found


def test_a_run_that_is_told_to_end_takes_all_its_programs_with_it(project: Project) -> None:
    """As systemd stops a unit; the ledger is free again at once, and nobody is told of a failure."""
    project.switch_on()
    project.sandbox.seed(150)
    project.sandbox.faults(
        [{"half": "hubspot", "path": "batch/upsert", "probability": 1.0, "latency_ms": 3000}]
    )
    program = [str(BIN / "case-sync"), "run"]
    with subprocess.Popen(program, cwd=project.folder, env=project.env, stdout=subprocess.DEVNULL) as process:
        while not any("batch/upsert" in one["path"] for one in project.sandbox.requests(half="hubspot")):
            assert process.poll() is None
            time.sleep(0.2)
        process.terminate()
        assert process.wait(60) == 143
    project.sandbox.admin("DELETE", "faults")
    assert not [one for one in command_lines() if str(project.folder) in one]
    again = project.console("run", TARGET_HUBSPOT_TICKETS_LOCK_WAIT_SECONDS="0")
    assert again.exit_code == OK, again.output
    assert len(project.tickets()) == 150
