"""What is on record is tried again: rejected records and associations that wait, by themselves, on command, or piped back in."""

from __future__ import annotations

import json

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.ledger import Ledger

from .conftest import PORTAL, Target, by_key, case_id, schema, state, ticket
from .whole_runs import PRIORITY, add_option, asks, values


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


def test_newer_record_takes_a_rejection_off_the_record(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1, **PRIORITY)])
    loaded = target.load([schema(), ticket(1, subject="mended")])
    assert loaded.rejected == []
    assert values(sandbox) == {case_id(1): "mended"}


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
    accounts = [f"001999000{n:06d}AAA" for n in range(40)]
    wishes = (ticket(n, associations=asks(accounts[n % 40])) for n in range(300))
    loaded = target.load([schema(), *wishes, state("all")])
    assert (loaded.states, loaded.report["pending_associations"]) == (["all"], 300)
    assert "private" not in target.ask("--pending=list").stdout
    sandbox.admin("POST", "hubspot/load", {"companies": [{"name": f"C{n}", "salesforceaccountid": account} for n, account in enumerate(accounts)]})  # fmt: skip
    loaded = target.load([schema()])
    assert (loaded.report["associations"], loaded.report["pending_associations"]) == (300, 0)
    assert all(len(t["associations"]["companies"]) == 1 for t in by_key(sandbox).values())
