"""Requirements and platform defects that no other file names: R02, R18, R67, D01 to D13 as far as a target can have them.

D03 (runs of one project that share Meltano's state files) and D05 (what a killed Meltano leaves) are shown with the whole pipeline.
"""

from __future__ import annotations

import io
import subprocess
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import TargetError
from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.target import TargetHubspotTickets

from .conftest import (
    KEY,
    PORTAL,
    Message,
    Target,
    by_key,
    case_id,
    clean_environment,
    lines,
    read_states,
    schema,
    state,
    ticket,
    tombstone,
)
from .whole_runs import asks

MISSING = "001888000000000AAA"  # no company has it
Config = dict[str, Any]


@pytest.fixture
def config(sandbox: RunningSandbox, tmp_path: Path) -> Config:
    sandbox.seed(3)
    return {
        "base_url": sandbox.hubspot_url,
        "access_token": "sandbox-token",
        "ledger_url": str(tmp_path / "ledger.db"),
        "on_delete": "archive",
    }


def run(config: Config, messages: list[Message]) -> tuple[str, TargetHubspotTickets, TargetError | None]:
    """One run in this process: its stdout, the target with its report, and what ended it early."""
    out = io.StringIO()
    with redirect_stdout(out):
        target = TargetHubspotTickets(config=config)
        try:
            target.listen_and_report(io.StringIO(lines(messages)))
        except TargetError as error:
            return out.getvalue(), target, error
    return out.getvalue(), target, None


def account_of(sandbox: RunningSandbox) -> str:
    """A company's Salesforce id."""
    found = sandbox.admin("GET", "hubspot/records/companies")["results"]
    return str(found[0]["properties"]["salesforceaccountid"])


def in_two_rounds(account: str) -> list[Message]:
    """Tickets, some with a company, some with one that is missing; a changed schema parts them."""
    first = [ticket(n, associations=asks(account if n % 2 else MISSING)) for n in range(120)]
    second = [ticket(n, subject="later", associations=asks(account)) for n in range(100, 150)]
    return [schema(), *first, state(120), schema(content=None), *second, tombstone(3), state(171)]


# -- A. delivery


@pytest.mark.parametrize("action", ["drop_before_commit", "drop_after_commit", "truncate_body"])
def test_R02_R18_run_that_dies_at_any_call_is_mended_by_the_next(
    sandbox: RunningSandbox, config: Config, tmp_path: Path, action: str
) -> None:
    """Before HubSpot has it, behind its commit, within its answer: at each call of a run I6 holds, and a plain rerun has I1 and I2."""
    _, undisturbed, _ = run(config | {"max_in_flight": 1}, in_two_rounds(account_of(sandbox)))
    calls, died, states = undisturbed.report.api_calls, 0, 0
    for number in range(1, calls + 1):
        sandbox.reset()
        sandbox.seed(3)
        stream = in_two_rounds(account_of(sandbox))
        ledger = tmp_path / f"{number}.db"
        mine = config | {"ledger_url": str(ledger), "max_tries": 1, "max_in_flight": 1}
        sandbox.faults([{"half": "hubspot", "nth": number, "action": action}])
        out, _, error = run(mine, stream)
        died += error is not None
        there = by_key(sandbox)
        for read in read_states(out):
            states += 1
            covered = {case_id(n) for n in range(min(read, 120))}
            assert covered - {case_id(3)} <= there.keys(), number
            with Ledger.open(str(ledger), PORTAL) as opened:
                waiting = {row.key for page in opened.pending() for row in page}
            linked = {key for key, t in there.items() if t["associations"].get("companies")}
            assert covered - {case_id(3)} <= waiting | linked, number
        sandbox.admin("DELETE", "faults")
        out, target, error = run(mine, stream)
        assert (error, read_states(out)[-1], target.report.exit_code) == (None, 171, 0), number
        there = by_key(sandbox)
        assert there.keys() == {case_id(n) for n in range(150)} - {case_id(3)}, number
        assert {there[case_id(n)]["properties"]["subject"] for n in range(100, 150)} == {"later"}, number
    assert died >= calls / 2 > 10, "too few runs died to prove anything"
    assert states > 10, "too few states to be held against anything"


def test_R67_waiting_associations_survive_a_kill_behind_any_state(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Killed as soon as a state is out: all that it covers waits in the ledger; once the company is there, all are linked."""
    turns = 3
    stream: list[Message] = []
    for turn in range(turns):
        stream.append(schema(**({"content": None} if turn % 2 else {})))
        stream += [ticket(n, associations=asks(MISSING)) for n in range(turn * 100, turn * 100 + 100)]
        stream.append(state((turn + 1) * 100))
    for turn in range(turns):
        process = target.start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(lines(stream))
        process.stdin.flush()
        read = 0
        for _ in range(turn + 1):
            read = read_states(process.stdout.readline())[0]
        process.kill()
        process.communicate()
        with Ledger.open(str(target.ledger), PORTAL) as ledger:
            waiting = {row.key for page in ledger.pending() for row in page}
        assert {case_id(n) for n in range(read)} <= waiting
    sandbox.admin("POST", "hubspot/load", {"companies": [{"name": "Late", "salesforceaccountid": MISSING}]})
    loaded = target.load([*stream, schema()])
    assert (loaded.returncode, loaded.report["pending_associations"]) == (0, 0)
    assert all(len(t["associations"]["companies"]) == 1 for t in by_key(sandbox).values())


# -- D. what the platform gets wrong


def test_D06_what_a_dependency_prints_is_no_state(sandbox: RunningSandbox, target: Target) -> None:
    """A library that prints JSON all the time, from the first message to the end: on stdout there are states alone."""
    noise = (
        "import sys, threading, time\n"
        "def noise():\n"
        "    while True:\n"
        "        if sys.stdout is not sys.__stdout__:\n"
        "            print('12345')\n"
        "        time.sleep(0.002)\n"
        "threading.Thread(target=noise, daemon=True).start()\n"
    )
    (target.folder / "sitecustomize.py").write_text(noise, encoding="utf-8")
    done = subprocess.run(
        target.command(),
        input=lines([schema(), *map(ticket, range(300)), state("all")]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=clean_environment() | {"PYTHONPATH": str(target.folder)},
    )
    assert done.returncode == 0, done.stderr
    assert "12345" in done.stderr, "the library printed nothing"
    assert read_states(done.stdout) == ["all"]


@pytest.mark.parametrize("metadata", [None, False, True])
def test_D07_deletion_reaches_hubspot_whatever_the_sdk_does_with_its_columns(
    sandbox: RunningSandbox, config: Config, metadata: bool | None
) -> None:
    """_sdc_deleted_at archives, with add_record_metadata unset, off and on."""
    settings = config if metadata is None else config | {"add_record_metadata": metadata}
    run(settings, [schema(), ticket(1), ticket(2)])
    _, target, error = run(settings, [schema(), tombstone(1), state("all")])
    assert (error, target.report.archived) == (None, 1)
    assert set(by_key(sandbox)) == {case_id(2)}


def test_D08_D09_nothing_older_is_written_behind_something_newer(
    sandbox: RunningSandbox, config: Config
) -> None:
    """OLD under one schema, a deletion of some, NEW under the next: each of the 40 tickets is there, and is NEW."""
    keys = range(40)
    stream = [schema(), *(ticket(n, subject="OLD") for n in keys), *(tombstone(n) for n in keys[::4])]
    stream += [schema(content=None), *(ticket(n, subject="NEW") for n in keys), state("all")]
    _, _, error = run(config, stream)
    assert error is None
    subjects = {key: found["properties"]["subject"] for key, found in by_key(sandbox).items()}
    assert subjects == {case_id(n): "NEW" for n in keys}


def test_D10_state_leaves_within_thirty_seconds_of_a_slow_stream(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Five records in as many seconds, the pipe still open: their states are out long before thirty seconds are over."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema()]))
    for number in range(5):
        process.stdin.write(lines([ticket(number), state(number + 1)]))
        process.stdin.flush()
        time.sleep(1)
    began = time.monotonic()
    first = read_states(process.stdout.readline())[0]
    assert time.monotonic() - began < 30 - 5
    assert {case_id(n) for n in range(first)} <= set(by_key(sandbox))
    process.communicate(timeout=30)
    assert process.returncode == 0


COLUMNS_OF_BAD: dict[str, Any] = {
    "createdate": {"type": "string"},
    "hubspot_owner_id": {"type": "string"},
    "hubspot_owner_email": None,
}
BAD: list[Any] = [
    {"subject": "private word"},
    {KEY: None},
    {KEY: ["private word"]},
    {KEY: case_id(900), "createdate": "private word"},
    {KEY: case_id(901), "hs_ticket_priority": "private word"},
    {KEY: case_id(902), "associations": "private word"},
    {KEY: case_id(903), "associations": [{"to": "company"}]},
    {KEY: case_id(904), "hubspot_owner_id": {"private word": 1}},
    {KEY: case_id(905), "hs_pipeline": "No such", "hs_pipeline_stage": "New"},
    {KEY: "\ud800 private word", "subject": "x"},
]


def test_D11_no_record_stops_the_stream(sandbox: RunningSandbox, config: Config) -> None:
    """Whatever is wrong with it, it is on record, once; the others are written, the state goes on, in this run and the next."""
    announced = schema(**COLUMNS_OF_BAD)
    stream = [announced, ticket(1)]
    stream += [{"type": "RECORD", "stream": "tickets", "record": record} for record in BAD]
    stream += [ticket(2), state("all")]
    for _ in range(2):
        out, target, error = run(config, stream)
        assert (error, read_states(out)) == (None, ["all"])
        assert set(by_key(sandbox)) == {case_id(1), case_id(2)}
        assert target.report.rejected >= len(BAD)
    with Ledger.open(config["ledger_url"], PORTAL) as ledger:
        rows = list(ledger.rejected())
    assert len(rows) == len(BAD)
    assert "private word" not in "".join(row.message + row.code for row in rows)


def test_D11_deletion_of_a_key_that_cannot_be_sent_stops_no_run(
    sandbox: RunningSandbox, config: Config
) -> None:
    """A lone surrogate in the key of a tombstone: neither this run nor a later one ends for it."""
    broken = {"type": "RECORD", "stream": "tickets", "record": tombstone(1)["record"] | {KEY: "\ud800x"}}
    for number in (1, 2):
        out, _, error = run(config, [schema(), ticket(number), broken, state(number)])
        assert (error, read_states(out)) == (None, [number])


SECRETS = ("access_token", "client_secret", "refresh_token", "ledger_url")


@pytest.mark.parametrize("value", [7263548901, ["hidden-7263548901"], {"hidden": "7263548901"}])
def test_D12_S3_secrets_of_the_wrong_type_are_not_printed(target: Target, value: Any) -> None:
    """As a number, inside a list, inside an object: the message names each setting, and quotes none."""
    done = target.load([schema()], **dict.fromkeys(SECRETS, value))
    assert done.returncode == 3
    assert all(name in done.log for name in SECRETS)
    assert "7263548901" not in done.log


def test_D12_S4_values_of_records_are_in_no_log_report_or_list(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Bad values of our finding, and an answer of HubSpot's that quotes them, for one record and for a whole call."""
    quoted = {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": "private word was not one of the allowed options",
        "errors": [{"message": "private word", "code": "INVALID_OPTION", "context": {"value": ["private word"]}}],
    }  # fmt: skip
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "action": "answer", "status": 400, "body": quoted, "nth": n} for n in range(2, 40)])  # fmt: skip
    announced = schema(**COLUMNS_OF_BAD)
    bad = [{"type": "RECORD", "stream": "tickets", "record": record} for record in BAD[:-1]]
    loaded = target.load([announced, *bad, ticket(1, subject="private word"), state("all")])
    listed = target.ask("--rejected=list")
    assert loaded.returncode == 0
    assert len(loaded.rejected) == len(bad) + 1
    assert "private word" not in loaded.log + str(loaded.report) + str(loaded.rejected)
    assert "private word" not in listed.stdout + listed.stderr


def test_D13_records_are_not_validated_against_the_schema(sandbox: RunningSandbox, config: Config) -> None:
    """42 columns: several times the 3,061 records that jsonschema lets through in a second of one core; HubSpot judges the values."""
    count = 6_000
    extra = {f"column_{n}": {"type": ["string", "null"], "maxLength": 3} for n in range(36)}
    text = dict.fromkeys(extra, "longer than it may be")
    stream = [schema(**extra), *(ticket(n, content="text", **text) for n in range(count)), state("all")]
    whole = io.StringIO(lines(stream))
    with redirect_stdout(io.StringIO()):
        target = TargetHubspotTickets(config=config | {"unknown_columns": "ignore"})
        began = time.process_time()
        target.listen_and_report(whole)
        seconds = time.process_time() - began
    assert (target.report.created, target.report.rejected) == (count, 0)
    assert count / seconds > 2 * 3_061


# Which tests hold the defects that have none of their own here.
ELSEWHERE = {
    "D01": ("test_faults.py", "test_R06_stop_at_any_moment_loses_and_doubles_nothing"),
    "D02": ("test_delete_runs.py", "test_R16_input_cut_anywhere_before_the_marker_archives_nothing"),
    "D03": (
        "../pipeline/test_meltano_defects.py",
        "test_D03_R26_state_of_another_tenant_is_refused_before_anything_is_read",
    ),
    "D05": (
        "../pipeline/test_meltano_defects.py",
        "test_D05_S5_after_a_killed_meltano_the_next_run_mends_all_at_once",
    ),
    "D04": ("test_locking.py", "test_R24_of_two_runs_that_start_together_one_waits"),
    "D08": ("test_streaming.py", "test_R21_changed_schema_keeps_the_order_of_each_key"),
    "D09": ("test_streaming.py", "test_R22_deletions_and_upserts_of_a_key_keep_the_order_of_the_stream"),
    "D10": ("test_streaming.py", "test_R09_states_leave_on_the_way_not_at_the_end"),
}


@pytest.mark.parametrize("defect", ELSEWHERE)
def test_defect_of_the_platform_has_its_test(defect: str) -> None:
    """The list above names tests that are there."""
    file, name = ELSEWHERE[defect]
    assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
