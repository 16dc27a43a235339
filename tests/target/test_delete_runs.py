"""Deletions through the whole program: exit codes, states, the list, dry runs, and inputs that end too early."""

import random
from collections.abc import Sequence

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import KEY, Message, Target, by_key, case_id, lines, schema, state, ticket, tombstone
from .marked_portal import AFTER, BEFORE, ORG, SOURCE, VERSION, case_ids, snapshot

MARK_COLUMNS = {
    SOURCE: {"type": ["string", "null"]},
    VERSION: {"type": ["string", "null"], "format": "date-time"},
}
SNAPSHOT_SCHEMA = {
    "type": "SCHEMA",
    "stream": "case_snapshots",
    "schema": {"type": "object", "properties": {"snapshot_id": {"type": "string"}}},
    "key_properties": ["snapshot_id", "sequence"],
}


def marked_schema() -> Message:
    return schema(**MARK_COLUMNS)


def marked_ticket(number: int, version: str = BEFORE) -> Message:
    return ticket(number, **{SOURCE: ORG, VERSION: version})


def snapshot_messages(ids: Sequence[str], at_once: int = 1_000) -> list[Message]:
    records = snapshot(ids, at_once=at_once)
    return [SNAPSHOT_SCHEMA, *({"type": "RECORD", "stream": "case_snapshots", "record": r} for r in records)]


@pytest.fixture
def loaded(target: Target) -> Target:
    """A target that has loaded 120 tickets of one org."""
    first = target.load([marked_schema(), *map(marked_ticket, range(120)), state("loaded")])
    assert (first.returncode, first.states) == (0, ["loaded"]), first.log
    return target


def test_R55_guard_ends_the_run_with_its_own_code_and_the_state_leaves(
    sandbox: RunningSandbox, loaded: Target
) -> None:
    """What was written is confirmed, and the deletions are held: a later run needs no input that has them to confirm them."""
    stream = [marked_schema(), *map(tombstone, range(51)), marked_ticket(200), state("deleted")]
    refused = loaded.load(stream, on_delete="archive")
    assert (refused.returncode, refused.states) == (8, ["deleted"]), refused.log
    assert by_key(sandbox).keys() == set(case_ids(*range(120), 200))
    assert "confirm_deletes=51" in refused.log
    assert len((loaded.folder / "deletes.csv").read_text(encoding="utf-8").splitlines()) == 52
    still = loaded.load([marked_schema(), marked_ticket(3), state("restored")], on_delete="archive")
    assert (still.returncode, still.states) == (0, ["restored"]), still.log
    assert by_key(sandbox).keys() == set(case_ids(3, *range(51, 120), 200))


def test_R55_confirmed_or_discarded_they_are_held_no_longer(sandbox: RunningSandbox, loaded: Target) -> None:
    stream = [marked_schema(), *map(tombstone, range(60))]
    assert loaded.load(stream, on_delete="archive").returncode == 8
    assert loaded.ask("--deletes=discard").returncode == 0
    assert loaded.load([marked_schema()], on_delete="archive").returncode == 0
    assert len(by_key(sandbox)) == 120
    assert loaded.load(stream, on_delete="archive").returncode == 8
    confirmed = loaded.load([marked_schema()], on_delete="archive", confirm_deletes=60)
    assert (confirmed.returncode, confirmed.report["archived"]) == (0, 60), confirmed.log
    assert by_key(sandbox).keys() == set(case_ids(*range(60, 120)))


def test_deletions_held_by_an_earlier_run_wait_while_deletions_are_ignored(
    sandbox: RunningSandbox, loaded: Target
) -> None:
    """on_delete went back to ignore, its default."""
    assert loaded.load([marked_schema(), *map(tombstone, range(60))], on_delete="archive").returncode == 8
    assert loaded.load([marked_schema()], confirm_deletes=60).returncode == 0
    assert len(by_key(sandbox)) == 120


def test_R57_restored_case_gets_a_ticket_again(sandbox: RunningSandbox, loaded: Target) -> None:
    """A new one, as HubSpot has no call that restores; never two."""
    before = by_key(sandbox)[case_id(1)]["id"]
    loaded.load([marked_schema(), tombstone(1)], on_delete="archive")
    assert case_id(1) not in by_key(sandbox)
    again = loaded.load([marked_schema(), marked_ticket(1, AFTER)], on_delete="archive")
    assert (again.returncode, again.report["created"]) == (0, 1)
    assert by_key(sandbox)[case_id(1)]["id"] != before


def test_R59_dry_run_lists_what_the_run_archives(sandbox: RunningSandbox, loaded: Target) -> None:
    """With deletions held before, some of them taken back now, and some that come twice."""
    held = loaded.load([marked_schema(), *map(tombstone, range(60))], on_delete="archive")
    assert held.returncode == 8
    stream = [marked_schema(), *map(tombstone, range(50, 70)), *(marked_ticket(n, AFTER) for n in range(5, 10)), tombstone(9),
              *snapshot_messages(case_ids(*range(5, 9), *range(75, 120)))]  # fmt: skip
    settings = {"on_delete": "archive", "confirm_deletes": 100}
    rehearsed = loaded.load(stream, dry_run=True, **settings)
    assert (rehearsed.returncode, rehearsed.states) == (0, []), rehearsed.log
    planned = sorted(line["key"] for line in loaded.plan() if line["would"] == "archive")
    assert len(by_key(sandbox)) == 120
    done = loaded.load(stream, **settings)
    assert done.returncode == 0, done.log
    assert planned == sorted(set(case_ids(*range(120))) - by_key(sandbox).keys())
    assert len(planned) == 71  # 5 of the first ten are back, one of them went again; 65 more up to 74


def test_R51_complete_snapshot_archives_what_left_the_source(sandbox: RunningSandbox, loaded: Target) -> None:
    """Purged cases, of which no tombstone tells; and nothing, where on_delete is ignore."""
    stream = [*snapshot_messages(case_ids(*range(100))), state("reconciled")]
    ignored = loaded.load(stream)
    assert (ignored.returncode, ignored.states) == (0, ["reconciled"]), ignored.log
    assert len(by_key(sandbox)) == 120
    done = loaded.load(stream, on_delete="archive")
    assert (done.returncode, done.report["archived"]) == (0, 20), done.log
    assert by_key(sandbox).keys() == set(case_ids(*range(100)))


def test_R16_input_cut_anywhere_before_the_marker_archives_nothing(
    sandbox: RunningSandbox, loaded: Target
) -> None:
    """Between two lines, or within one, which is an error; the end of the input is none (D2)."""
    text = lines([marked_schema(), *snapshot_messages(case_ids(*range(1_000, 1_100)), at_once=10)])
    marker = text.rstrip("\n").rindex("\n") + 1
    ends = [place + 1 for place, letter in enumerate(text[:marker]) if letter == "\n"]
    rng = random.Random(16)
    for place in (*rng.sample(ends, 4), *(rng.randrange(len(text) - 2) for _ in range(4))):
        cut = loaded.load(text[:place], on_delete="archive", confirm_deletes=1_000)
        assert (cut.returncode, cut.report["archived"]) == (0 if place in ends else 3, 0), cut.log
    assert len(by_key(sandbox)) == 120


def test_R52_tombstone_does_not_blank_its_ticket_before_it_goes(
    sandbox: RunningSandbox, loaded: Target
) -> None:
    """Salesforce may null the fields of a deleted row."""
    nulls = tombstone(1)
    nulls["record"] |= {"subject": None, "content": None, SOURCE: ORG}
    assert loaded.load([marked_schema(), nulls], on_delete="archive").returncode == 0
    (gone,) = (t for t in sandbox.tickets(archived=True) if t["properties"][KEY] == case_id(1))
    assert gone["properties"]["subject"] == "Ticket 1"


def test_state_behind_a_snapshot_leaves_only_when_the_snapshot_was_used(
    sandbox: RunningSandbox, loaded: Target
) -> None:
    """Refused, the tap has to send it again; used, its state leaves."""
    few = snapshot_messages(case_ids(*range(20)))
    stream = [marked_schema(), marked_ticket(1), state("before"), *few, state("behind")]
    refused = loaded.load(stream, on_delete="archive")
    assert (refused.returncode, refused.states) == (8, ["before"]), refused.log
    assert len(by_key(sandbox)) == 120
    confirmed = loaded.load(stream, on_delete="archive", confirm_deletes=100)
    assert (confirmed.returncode, confirmed.states[-1]) == (0, "behind"), confirmed.log
    assert by_key(sandbox).keys() == set(case_ids(*range(20)))
