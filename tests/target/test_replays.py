"""The same again: replays, old versions, changed records only, a ledger that was lost; and keys whose tickets were archived or merged."""

from __future__ import annotations

import random

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import KEY, Message, Target, by_key, case_id, schema, state, ticket, tombstone
from .whole_runs import PRIORITY, asks, values

REPLAYS = 5


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
    target.load([schema(), ticket(1, associations=asks(first)), ticket(2), ticket(3)], write_mode="changed")
    loaded = target.load(
        [schema(), ticket(1, associations=asks(second)), ticket(2, subject="new"), ticket(3)],
        write_mode="changed",
    )
    assert (loaded.report["updated"], loaded.report["unchanged"]) == (2, 1)
    assert len(by_key(sandbox)[case_id(1)]["associations"]["companies"]) == 2
    assert values(sandbox)[case_id(2)] == "new"


def test_R23_older_version_does_not_overwrite_a_newer_ticket(sandbox: RunningSandbox, target: Target) -> None:
    """With stale_guard: shuffled replays of old versions, one run each, leave the newest values; at most one call more per 100."""
    column = {"type": ["string", "null"], "format": "date-time"}
    announced = schema(salesforce_system_modstamp=column)

    def version(key: int, day: int) -> Message:
        return ticket(key, subject=f"day {day}", salesforce_system_modstamp=f"2026-01-{day:02}T00:00:00.000Z")

    dice = random.Random(23)
    newest = dict.fromkeys(range(150), 20)
    target.load([announced, *(version(key, 20) for key in newest)])
    for _ in range(REPLAYS):
        days = {key: dice.randrange(1, 29) for key in dice.sample(sorted(newest), len(newest))}
        loaded = target.load([announced, *(version(key, day) for key, day in days.items())], stale_guard=True)
        assert loaded.report["stale"] == sum(day < newest[key] for key, day in days.items()) > 0
        newest = {key: max(day, newest[key]) for key, day in days.items()}
    assert values(sandbox) == {case_id(key): f"day {day}" for key, day in newest.items()}
    reads = sandbox.requests(half="hubspot", path="batch/read")
    assert len(reads) <= REPLAYS * 2


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
