"""Records that can't be written: alone on record, within limits that end a run, counted once, and gone when their option is made."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, case_id, schema, state, ticket, tombstone
from .whole_runs import PRIORITY, values


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


def test_R17_R80_report_adds_up_in_random_runs(sandbox: RunningSandbox, target: Target) -> None:
    """I9: every record of a run is in exactly one count; and what is said to be written is what HubSpot counts."""
    dice = random.Random(17)
    counted = ("created", "updated", "unchanged", "stale", "superseded", "rejected", "held_deletes", "ignored_deletes")  # fmt: skip
    before: Counter[str] = Counter()
    for _ in range(12):
        stream = [schema()]
        for _ in range(300):
            key = dice.randrange(120)
            stream.append(dice.choice([tombstone(key), ticket(key), ticket(key, **PRIORITY), {"type": "RECORD", "stream": "tickets", "record": {"subject": "no key"}}]))  # fmt: skip
        settings = {"on_delete": dice.choice(["archive", "ignore"]), "write_mode": dice.choice(["all", "changed"]), "max_deletes": 500}  # fmt: skip
        report = target.load(stream, **settings).report
        assert report["records"] == 300
        assert report["records"] + report["retried"] == sum(report[name] for name in counted), report
        writes = Counter(sandbox.admin("GET", "hubspot/summary")["writes"])
        said = Counter(create=report["created"], update=report["updated"], archive=report["archived"])
        assert writes - before == +said, report
        before = writes


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


def test_create_options_makes_the_options_that_records_bring(sandbox: RunningSandbox, target: Target) -> None:
    """Once for all records of a round; the records are written, and without the setting they are rejected."""
    stream = [schema(), *(ticket(n, hs_ticket_priority=f"LEVEL_{n % 3}") for n in range(60)), state("all")]
    assert target.load(stream).report["rejected"] == 60
    loaded = target.load(stream, create_options=True)
    assert (loaded.report["created"], loaded.rejected) == (60, []), loaded.log
    assert set(values(sandbox, "hs_ticket_priority").values()) == {"LEVEL_0", "LEVEL_1", "LEVEL_2"}
