"""Requirements of the whole process, by number (R..): what goes in on stdin, and what is in HubSpot, the ledger and on stdout then."""

from __future__ import annotations

import json
import random
import signal
import time
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.ledger import Ledger

from .conftest import (
    KEY,
    PORTAL,
    Message,
    Target,
    by_key,
    case_id,
    lines,
    read_states,
    schema,
    state,
    ticket,
    tombstone,
)

PRIORITY: dict[str, Any] = {"hs_ticket_priority": "NOSUCH"}


def values(sandbox: RunningSandbox, name: str = "subject") -> dict[str, str]:
    return {key: t["properties"].get(name, "") for key, t in by_key(sandbox).items()}


def test_R01_replaying_the_whole_input_changes_nothing(sandbox: RunningSandbox, target: Target) -> None:
    """3,000 tickets twice: no new one, no value changed; with write_mode changed not even a write."""
    stream = [schema(), *map(ticket, range(3000)), state("all")]
    target.load(stream, write_mode="changed")
    before = by_key(sandbox)
    again = target.load(stream)
    assert (again.report["created"], again.report["updated"]) == (0, 3000)
    after = by_key(sandbox)
    assert {k: t["id"] for k, t in after.items()} == {k: t["id"] for k, t in before.items()}
    kept = ("subject", "content", "hs_pipeline", "hs_pipeline_stage", KEY)
    assert all(after[k]["properties"].get(n) == before[k]["properties"].get(n) for k in before for n in kept)
    target.load(stream, write_mode="changed")
    writes = len(sandbox.writes())
    idle = target.load(stream, write_mode="changed")
    assert (idle.report["unchanged"], idle.states) == (3000, ["all"])
    assert len(sandbox.writes()) == writes


def test_changed_record_is_written_in_mode_changed_and_a_changed_wish_is_associated(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Same values and another company is a change; so is another value; the rest is passed over."""
    first, second = (c["properties"]["salesforceaccountid"] for c in sandbox.admin("GET", "hubspot/records/companies")["results"][:2])  # fmt: skip
    asks = lambda account: [{"to": "company", "by": "salesforceaccountid", "value": account}]  # noqa: E731
    target.load([schema(), ticket(1, associations=asks(first)), ticket(2), ticket(3)], write_mode="changed")
    loaded = target.load(
        [schema(), ticket(1, associations=asks(second)), ticket(2, subject="new"), ticket(3)],
        write_mode="changed",
    )
    assert (loaded.report["updated"], loaded.report["unchanged"]) == (2, 1)
    assert len(by_key(sandbox)[case_id(1)]["associations"]["companies"]) == 2
    assert values(sandbox)[case_id(2)] == "new"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_R07_hung_server_does_not_hold_up_a_stop(
    sandbox: RunningSandbox, target: Target, stop: signal.Signals
) -> None:
    """HubSpot takes the call and never answers: the process ends with the signal's code, and no state of what hangs leaves."""
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "latency_ms": 60_000}])
    process = target.start()
    assert process.stdin
    process.stdin.write(lines([schema(), *map(ticket, range(2100)), state("all")]))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not sandbox.admin("GET", "hubspot/flights")["most_at_once"] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(stop)
    stdout, log = process.communicate(timeout=30)
    assert process.returncode == 128 + stop, log
    assert read_states(stdout) == []
    sandbox.admin("DELETE", "faults")


def test_R09_states_leave_on_the_way_not_at_the_end(sandbox: RunningSandbox, target: Target) -> None:
    """12,000 records: never are 10,000 records confirmed without a state; and a slow stream is not held back until it ends."""
    stream: list[Message] = [schema()]
    for number in range(12_000):
        stream.append(ticket(number))
        if (number + 1) % 500 == 0:
            stream.append(state(number + 1))
    loaded = target.load(stream)
    assert loaded.returncode == 0
    gaps = [b - a for a, b in zip([0, *loaded.states], loaded.states, strict=False)]
    assert max(gaps) <= 10_000
    assert len(loaded.states) >= 3


def test_R09_a_slow_stream_is_loaded_while_it_comes(sandbox: RunningSandbox, target: Target) -> None:
    """One record and its state, then silence with the pipe open: the ticket and the state are there before the input ends."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), ticket(1), state(1)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [1]
    assert set(by_key(sandbox)) == {case_id(1)}
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_R15_nothing_but_states_is_on_stdout(sandbox: RunningSandbox, target: Target) -> None:
    """Rejections, waiting associations, warnings, created properties: all of that is on stderr."""
    nowhere = [{"to": "company", "by": "salesforceaccountid", "value": "001000000000000AAA"}]
    process = target.start()
    stdout, _ = process.communicate(
        lines([schema(), ticket(1), state(1), ticket(2, **PRIORITY), ticket(3, associations=nowhere), state(3)]), timeout=60
    )  # fmt: skip
    assert process.returncode == 0
    assert [json.loads(line) for line in stdout.splitlines()] == [{"bookmarks": {"cases": {"read": 3}}}]


def test_R20_one_key_is_never_in_two_requests_at_once(sandbox: RunningSandbox, target: Target) -> None:
    """12,000 records of 3,000 keys, in shuffled order, slow answers, many calls in flight: no overlap, and the last of each key holds."""
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "probability": 0.5, "latency_ms": 40}])
    dice = random.Random(20)
    stream, last = [schema()], {}
    for number in range(12_000):
        key = dice.randrange(3000)
        last[case_id(key)] = f"v{number}"
        stream.append(ticket(key, subject=f"v{number}"))
    loaded = target.load(stream)
    assert loaded.returncode == 0
    flights = sandbox.admin("GET", "hubspot/flights")
    assert flights["overlaps"] == {}
    assert flights["most_at_once"] > 1
    assert values(sandbox) == last


def test_R21_changed_schema_keeps_the_order_of_each_key(sandbox: RunningSandbox, target: Target) -> None:
    """A column comes and goes in the middle of the stream, ten times: what came later holds (D8)."""
    stream: list[Message] = []
    for turn in range(10):
        without = {} if turn % 2 else {"content": None}
        stream.append(schema(**without))
        for number in range(30):
            record = ticket(number, subject=f"turn {turn}")
            if turn % 2:
                record["record"]["content"] = f"content {turn}"
            stream.append(record)
    assert target.load([*stream, state("all")]).states == ["all"]
    assert set(values(sandbox).values()) == {"turn 9"}
    assert set(values(sandbox, "content").values()) == {"content 9"}


def test_R22_deletions_and_upserts_of_a_key_keep_the_order_of_the_stream(
    sandbox: RunningSandbox, target: Target
) -> None:
    """40 keys with a random sequence each, over three runs: the last word counts."""
    dice = random.Random(22)
    last: dict[int, str | None] = {}
    for turn in range(3):
        stream = [schema()]
        for step in range(400):
            key = dice.randrange(40)
            last[key] = None if dice.random() < 0.4 else f"{turn}.{step}"
            stream.append(tombstone(key) if last[key] is None else ticket(key, subject=last[key]))
        assert target.load(stream, on_delete="archive").returncode == 0
        assert values(sandbox) == {case_id(k): subject for k, subject in last.items() if subject}


def test_R23_older_version_does_not_overwrite_a_newer_ticket(sandbox: RunningSandbox, target: Target) -> None:
    """With stale_guard: shuffled replays of old versions, one run each, leave the newest values; at most one call more per 100."""
    column = {"type": ["string", "null"], "format": "date-time"}
    announced = schema(salesforce_system_modstamp=column)

    def version(key: int, day: int) -> Message:
        return ticket(key, subject=f"day {day}", salesforce_system_modstamp=f"2026-01-{day:02}T00:00:00.000Z")

    dice = random.Random(23)
    target.load([announced, *(version(key, 20) for key in range(150))])
    for _ in range(3):
        replay = [version(key, dice.randrange(1, 29)) for key in range(150)]
        loaded = target.load([announced, *replay], stale_guard=True)
        assert loaded.report["stale"] > 0
    newest = {k: int(s.split()[1]) for k, s in values(sandbox).items()}
    assert min(newest.values()) >= 20
    reads = sandbox.requests(half="hubspot", path="batch/read")
    assert len(reads) <= 3 * 2


def test_R38_key_of_an_archived_ticket_makes_a_new_ticket_or_is_told(
    sandbox: RunningSandbox, target: Target
) -> None:
    """HubSpot documents neither; both are handled: one active ticket, or a rejection in words."""
    target.load([schema(), ticket(1), ticket(2)])
    target.load([schema(), tombstone(1), tombstone(2)], on_delete="archive")
    assert target.load([schema(), ticket(1)]).report["created"] == 1
    sandbox.settings(archived_key="error")
    loaded = target.load([schema(), ticket(2), state("all")])
    assert (loaded.returncode, loaded.states) == (0, ["all"])
    assert [r["code"] for r in loaded.rejected] == ["CONFLICTING_UNIQUE_VALUE"]
    assert set(by_key(sandbox)) == {case_id(1)}


@pytest.mark.parametrize("merged_key", ["primary", "secondary", "both"])
def test_R39_merged_tickets_stay_one_per_key_or_are_told(
    sandbox: RunningSandbox, target: Target, merged_key: str
) -> None:
    """Two tickets merged by hand in HubSpot; whichever keeps the key, later records make no second active ticket of it."""
    sandbox.settings(merged_key=merged_key)
    target.load([schema(), *map(ticket, range(20))])
    ids = {key: t["id"] for key, t in by_key(sandbox).items()}
    for number in range(0, 20, 2):
        httpx.post(
            f"{sandbox.hubspot_url}/crm/objects/2026-09/tickets/merge",
            headers={"authorization": "Bearer sandbox-token"},
            json={"primaryObjectId": ids[case_id(number)], "objectIdToMerge": ids[case_id(number + 1)]},
        ).raise_for_status()
    loaded = target.load([schema(), *(ticket(n, subject="later") for n in range(20)), state("all")])
    assert (loaded.returncode, loaded.states) == (0, ["all"])
    subjects = values(sandbox)  # fails when two active tickets share a key
    told = {r["key"] for r in loaded.rejected}
    for number in range(20):
        keys = {case_id(number)}
        if merged_key == "both":  # both keys lead to the ticket that is left
            keys.add(case_id(number ^ 1))
        assert any(subjects.get(key) == "later" or key in told for key in keys), number


@pytest.mark.parametrize(("count", "every"), [(5_000, 5_000), (3_000, 100)])
def test_R64_poison_is_isolated(sandbox: RunningSandbox, target: Target, count: int, every: int) -> None:
    """One in thousands, or one in a hundred: these are on record, all others are written, and the state goes on."""
    poison = range(17, count, every)
    stream = [schema(), *(ticket(n, **(PRIORITY if n in poison else {})) for n in range(count)), state("all")]
    loaded = target.load(stream)
    assert (loaded.returncode, loaded.states) == (0, ["all"])
    assert {r["key"] for r in loaded.rejected} == {case_id(n) for n in poison}
    assert set(by_key(sandbox)) == {case_id(n) for n in range(count)} - {case_id(n) for n in poison}


def test_R64_a_fault_that_is_not_the_records_stops_the_run(sandbox: RunningSandbox, target: Target) -> None:
    """All records for the same reason: the run ends with exit code 7 long before all of them are on record."""
    stream = [schema(), *(ticket(n, **PRIORITY) for n in range(9000)), state("all")]
    loaded = target.load(stream, max_same_rejections=500)
    assert (loaded.returncode, loaded.states) == (7, [])
    assert "INVALID_OPTION" in loaded.log
    assert 500 <= len(loaded.rejected) < 9000


@pytest.mark.parametrize(
    ("settings", "exit_code"),
    [({"fail_on_rejected": True}, 7), ({"max_rejected": 2}, 7), ({"max_rejected": 3}, 0), ({}, 0)],
)
def test_R17_limits_of_rejection_end_in_their_own_code(
    target: Target, settings: dict[str, Any], exit_code: int
) -> None:
    stream = [schema(), *map(ticket, range(20)), *(ticket(n, **PRIORITY) for n in range(30, 33))]
    loaded = target.load(stream, **settings)
    assert (loaded.returncode, loaded.report["exit_code"]) == (exit_code, exit_code)
    assert len(loaded.rejected) == 3


def test_R17_report_adds_up_in_random_runs(sandbox: RunningSandbox, target: Target) -> None:
    """I9: every record of a run is in exactly one count."""
    dice = random.Random(17)
    counted = ("created", "updated", "unchanged", "stale", "superseded", "rejected", "held_deletes", "ignored_deletes")  # fmt: skip
    for _ in range(4):
        stream = [schema()]
        for _ in range(300):
            key = dice.randrange(120)
            stream.append(dice.choice([tombstone(key), ticket(key), ticket(key, **PRIORITY), {"type": "RECORD", "stream": "tickets", "record": {"subject": "no key"}}]))  # fmt: skip
        settings = {"on_delete": dice.choice(["archive", "ignore"]), "write_mode": dice.choice(["all", "changed"]), "max_deletes": 500}  # fmt: skip
        report = target.load(stream, **settings).report
        assert report["records"] == 300
        assert report["records"] + report["retried"] == sum(report[name] for name in counted), report


def test_R65_rejected_records_are_tried_again_until_they_go(sandbox: RunningSandbox, target: Target) -> None:
    """An option that is missing is made by hand: the next run, without any record, writes all 120; nothing is left on record."""
    target.load([schema(), *(ticket(n, **PRIORITY) for n in range(120)), state("all")])
    assert len(target.rejected()) == 120
    idle = target.load([schema()])
    assert (idle.report["retried"], len(idle.rejected)) == (120, 120)
    with Ledger.open(str(target.ledger), PORTAL) as ledger:
        assert {row.tries for row in ledger.rejected()} == {2}
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    mended = target.load([schema()])
    assert (mended.report["retried"], mended.report["created"], mended.rejected) == (120, 120, [])
    assert set(by_key(sandbox)) == {case_id(n) for n in range(120)}


def add_option(sandbox: RunningSandbox, name: str, value: str) -> None:
    """As an admin would in HubSpot."""
    headers = {"authorization": "Bearer sandbox-token"}
    url = f"{sandbox.hubspot_url}/crm/properties/2026-09/tickets/{name}"
    options = httpx.get(url, headers=headers).json()["options"]
    new = {"label": value.title(), "value": value, "displayOrder": len(options), "hidden": False}
    httpx.patch(url, headers=headers, json={"options": [*options, new]}).raise_for_status()


def test_newer_record_takes_a_rejection_off_the_record(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1, **PRIORITY)])
    loaded = target.load([schema(), ticket(1, subject="mended")])
    assert loaded.rejected == []
    assert values(sandbox) == {case_id(1): "mended"}


def test_record_without_a_key_or_with_broken_associations_holds_up_no_other(
    sandbox: RunningSandbox, target: Target
) -> None:
    """D11: it is on record, the state goes on, and its text is in no log."""
    broken = {"type": "RECORD", "stream": "tickets", "record": {"subject": "private word"}}
    stream = [
        schema(),
        ticket(1),
        broken,
        ticket(2, associations=[{"to": "nobody"}]),
        ticket(3),
        state("all"),
    ]
    loaded = target.load(stream)
    assert (loaded.returncode, loaded.states) == (0, ["all"])
    assert set(by_key(sandbox)) == {case_id(1), case_id(3)}
    assert [r["code"] for r in loaded.rejected] == ["UNREADABLE", "UNREADABLE"]
    assert "private word" not in loaded.log + str(loaded.rejected)


def test_without_payloads_nothing_of_a_record_is_kept(target: Target) -> None:
    """The ledger knows key and reason; a later run does not try it, the next record of the case does."""
    target.load([schema(), ticket(1, content="private word", **PRIORITY)], keep_rejected_payloads=False)
    assert b"private word" not in b"".join(p.read_bytes() for p in target.folder.glob("ledger.db*"))
    loaded = target.load([schema()], keep_rejected_payloads=False)
    assert (loaded.report["retried"], len(loaded.rejected)) == (0, 1)


def test_rejected_records_are_exported_as_messages_that_pipe_back_in(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Into the same target with another option set, or into any other."""
    target.load([schema(), *(ticket(n, **PRIORITY) for n in range(5)), ticket(9)])
    exported = target.ask("--rejected=export")
    assert exported.returncode == 0, exported.stderr
    messages = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [m["type"] for m in messages] == ["SCHEMA", *["RECORD"] * 5]
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    assert target.load(exported.stdout, ledger_url=str(target.folder / "other.db")).report["created"] == 5


def test_rejected_records_are_listed_and_retried_on_command(sandbox: RunningSandbox, target: Target) -> None:
    """The list has no values; a retry takes those named, or all."""
    target.load([schema(), *(ticket(n, content="private word", **PRIORITY) for n in range(3))])
    listed = target.ask("--rejected=list")
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert {row["key"] for row in rows} == {case_id(n) for n in range(3)}
    assert {row["code"] for row in rows} == {"INVALID_OPTION"}
    assert "private word" not in listed.stdout + listed.stderr
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    assert target.ask("--rejected=retry", "--key", case_id(1)).returncode == 0
    assert set(by_key(sandbox)) == {case_id(1)}
    assert target.ask("--rejected=retry").returncode == 0
    assert set(by_key(sandbox)) == {case_id(n) for n in range(3)}
    assert target.ask("--rejected=list").stdout == ""


def test_R66_company_that_comes_late_is_associated_without_the_case_changing(
    sandbox: RunningSandbox, target: Target
) -> None:
    """300 tickets wait; their companies are made; the next run, without any record, links all of them."""
    account = lambda n: f"001999000{n:06d}AAA"  # noqa: E731
    asks = lambda n: [{"to": "company", "by": "salesforceaccountid", "value": account(n % 40)}]  # noqa: E731
    loaded = target.load([schema(), *(ticket(n, associations=asks(n)) for n in range(300)), state("all")])
    assert (loaded.states, loaded.report["pending_associations"]) == (["all"], 300)
    assert "private" not in target.ask("--pending=list").stdout
    sandbox.admin("POST", "hubspot/load", {"companies": [{"name": f"C{n}", "salesforceaccountid": account(n)} for n in range(40)]})  # fmt: skip
    loaded = target.load([schema()])
    assert (loaded.report["associations"], loaded.report["pending_associations"]) == (300, 0)
    assert all(len(t["associations"]["companies"]) == 1 for t in by_key(sandbox).values())


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


def test_ledger_can_be_emptied_and_a_case_forgotten(target: Target) -> None:
    target.load([schema(), *(ticket(n, **PRIORITY) for n in range(3))])
    assert target.ask("--forget", case_id(1)).returncode == 0
    assert {r["key"] for r in target.rejected()} == {case_id(0), case_id(2)}
    assert target.ask("--empty-ledger").returncode == 0
    assert target.rejected() == []


def test_losing_the_ledger_loses_no_ticket_and_makes_no_second(
    sandbox: RunningSandbox, target: Target
) -> None:
    stream = [schema(), *map(ticket, range(50)), ticket(60, **PRIORITY)]
    target.load(stream, write_mode="changed")
    for file in target.folder.glob("ledger.db*"):
        file.unlink()
    loaded = target.load(stream, write_mode="changed")
    assert (loaded.report["created"], loaded.report["updated"], len(loaded.rejected)) == (0, 50, 1)
    assert len(by_key(sandbox)) == 50


def test_R24_second_run_at_once_is_refused_in_words(sandbox: RunningSandbox, target: Target) -> None:
    """While one run holds the portal another ends with exit code 9, and writes nothing."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), ticket(1), state(1)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [1]
    second = target.load([schema(), ticket(2), state("all")], lock_wait_seconds=0)
    assert (second.returncode, second.states) == (9, []), second.log
    assert PORTAL in second.log
    process.communicate(timeout=30)
    assert set(by_key(sandbox)) == {case_id(1)}
    assert target.load([schema(), ticket(2)], lock_wait_seconds=0).returncode == 0


def test_runs_are_on_record(target: Target) -> None:
    target.load([schema(), ticket(1)])
    target.load([schema(), ticket(2, **PRIORITY)], fail_on_rejected=True)
    newest, oldest = (json.loads(line) for line in target.ask("--runs").stdout.splitlines())
    assert (newest["summary"]["exit_code"], newest["summary"]["rejected"]) == (7, 1)
    assert oldest["summary"]["created"] == 1


def test_create_options_makes_the_options_that_records_bring(sandbox: RunningSandbox, target: Target) -> None:
    """Once for all records of a round; the records are written, and without the setting they are rejected."""
    stream = [schema(), *(ticket(n, hs_ticket_priority=f"LEVEL_{n % 3}") for n in range(60)), state("all")]
    assert target.load(stream).report["rejected"] == 60
    loaded = target.load(stream, create_options=True)
    assert (loaded.report["created"], loaded.rejected) == (60, []), loaded.log
    assert set(values(sandbox, "hs_ticket_priority").values()) == {"LEVEL_0", "LEVEL_1", "LEVEL_2"}
