"""What the target remembers, in SQLite and in a real PostgreSQL."""

import itertools
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.outcomes import (
    AssociationOutcome,
    HeldDelete,
    PendingAssociation,
    RoundOutcome,
)

from .ledger_rounds import NOON, PORTAL, Clock, keys_of, made, numbered_key, pending, rejected, wish, written


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url, PORTAL, now=Clock()) as opened:
        yield opened


# -- rejected records

PAYLOAD = {
    "amount": Decimal("12345678901234567890.10"),
    "tiny": Decimal("1E-400"),
    "count": 12345678901234567890123,
    "subject": "é 👩‍👩‍👧 \ud800 \0 \u2028",
    "when": "2026-01-07T11:30:00.000Z",
    "nothing": None,
    "associations": [{"to": "company", "by": "domain", "value": "a.example", "otherwise": []}],
    "is_open": True,
}


def test_a_record_comes_back_as_it_was(ledger: Ledger) -> None:
    """Every digit, every character, null, and the order of its columns."""
    ledger.record(RoundOutcome(rejected=[rejected("1", record=PAYLOAD), rejected("2")]))
    first, second = ledger.rejected()
    assert first.record == PAYLOAD
    assert first.record is not None
    assert list(first.record) == list(PAYLOAD)
    assert second.record is None


def test_rejected_records_are_read_in_the_order_of_their_keys(ledger: Ledger) -> None:
    """By pages, all or those of some keys; they may leave while they are read."""
    keys = [f"k{number:04d}" for number in range(350)]
    ledger.record(RoundOutcome(rejected=[rejected(key) for key in reversed(keys)]))
    assert [row.key for row in ledger.rejected()] == keys
    some = ledger.rejected(keys=[" K0007", "k0001", "k9999", "k0001"])
    assert [row.key for row in some] == ["k0001", "k0007"]
    read = []
    for row in ledger.rejected():
        read.append(row.key)
        ledger.record(written(row.key))
    assert read == keys
    assert ledger.counts().rejected == 0


def test_rejected_records_are_counted_by_code(ledger: Ledger) -> None:
    """Codes are HubSpot's or whatever a mapper sends."""
    ledger.record(RoundOutcome(rejected=[rejected("1"), rejected("2", code="\0"), rejected("3")]))
    assert ledger.rejected_by_code() == {"INVALID_OPTION": 2, "\0": 1}


# -- associations and deletions that wait


def test_no_key_is_parted_by_pages(ledger: Ledger) -> None:
    """Rows of a key are replaced together, so they are read together, however many there are."""
    wishes = [wish(value=str(number)) for number in range(7)]
    for key in map(str, range(300)):
        ledger.record(pending(key, *wishes))
    ledger.record(pending("many", *(wish(value=str(number)) for number in range(1_500))))
    pages = [[row.key for row in page] for page in ledger.pending()]
    keys = [set(page) for page in pages]
    assert [len(page) for page in pages if len(page) > 1_000] == [1_500]
    assert sum(map(len, pages)) == 300 * 7 + 1_500
    assert not [a & b for a, b in itertools.combinations(keys, 2) if a & b]


def test_pending_associations_are_read_by_what_they_wait_for(ledger: Ledger) -> None:
    """Keys that wait for an object of a kind come with all that they wait for; `after` begins behind a key."""
    ledger.record(pending("a", wish("companies")))
    ledger.record(pending("b", wish("companies"), wish("tickets")))
    ledger.record(pending("c", wish("tickets")))
    assert keys_of(ledger.pending(to="tickets")) == ["b", "b", "c"]
    assert keys_of(ledger.pending(to="contacts")) == []
    assert keys_of(ledger.pending(keys=["C ", "a"])) == ["a", "c"]
    assert keys_of(ledger.pending(after="B")) == ["c"]


def test_held_deletions_may_be_released_while_they_are_read(ledger: Ledger) -> None:
    keys = [f"k{number:04d}" for number in range(2_300)]
    ledger.record(RoundOutcome(held=[HeldDelete(key=key, source="org") for key in keys]))
    read = []
    for page in ledger.held():
        read += page
        ledger.release_held([row.key.upper() for row in page if row.key != "k0000"])
    assert read == [HeldDelete(key=key, source="org") for key in keys]
    assert keys_of(ledger.held()) == ["k0000"]
    ledger.drop_held()
    assert ledger.counts().held == 0


# -- speed


def test_a_round_with_nothing_for_the_ledger_does_not_touch_it(tmp_path: Path) -> None:
    """Most rounds are like that: 15,000 records a second must not wait for a disk. Here they would wait for another writer."""
    path = tmp_path / "ledger.db"
    with Ledger.open(str(path), PORTAL) as ledger:
        plain = written(*(numbered_key(1, place) for place in range(1_000)))
        plain.associations.settled |= plain.written.keys()
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            ledger.record(plain)
            assert ledger.digests(list(plain.written)) == {}
            assert ledger.made(list(plain.written)) == {}
            other.execute("ROLLBACK")


def test_a_round_of_full_size_is_taken(ledger: Ledger) -> None:
    """2,000 keys with two waiting associations each: more than databases take in one statement."""
    keys = [f"k{number:04d}" for number in range(2_000)]
    outcome = written(*keys, digest=b"0" * 16)
    outcome.associations.settled |= set(keys)
    outcome.associations.pending += [
        PendingAssociation(key=key, ticket_id="1", wish=wish(to))
        for key in keys
        for to in ("companies", "contacts")
    ]
    for _ in range(2):
        ledger.record(outcome)
    assert (ledger.counts().pending, ledger.counts().digests) == (4_000, 2_000)
    assert ledger.digests([*keys, "other"]) == dict.fromkeys(keys, b"0" * 16)
    assert {row.tries for page in ledger.pending() for row in page} == {2}


def test_threads_may_read_while_rounds_are_recorded(ledger: Ledger) -> None:
    """Each read sees whole rounds, and none fails because another thread writes."""
    keys = [numbered_key(1, place) for place in range(600)]

    def read(_: int) -> set[bytes]:
        return set(ledger.digests(keys[:500]).values())

    ledger.record(written(*keys, digest=b"\0"))
    with ThreadPoolExecutor(4) as threads:
        reads = threads.map(read, range(100))
        for number in range(1, 30):
            ledger.record(written(*keys, digest=bytes([number])))
        assert [len(found) for found in reads] == [1] * 100


# -- keys of snapshots


def test_seen_keys_are_told_from_unseen_ones(ledger: Ledger) -> None:
    """Each snapshot by itself, in any spelling and number; noting a key twice is noting it once."""
    keys = [f"500{number:012d}AAA" for number in range(25_000)]
    for name in ("a", "b\0"):
        ledger.start_seen(name)
    ledger.add_seen("a", iter(keys))
    ledger.add_seen("a", keys[:10])
    ledger.add_seen("b\0", ["x"])
    assert (ledger.count_seen("a"), ledger.count_seen("b\0"), ledger.count_seen("c")) == (25_000, 1, 0)
    asked = ["new 2", keys[-1].lower(), "new 1", keys[0]]
    assert ledger.unseen("a", asked) == ["new 2", "new 1"]
    assert ledger.unseen("b\0", asked) == asked
    ledger.start_seen("a")
    assert (ledger.count_seen("a"), ledger.count_seen("b\0")) == (0, 1)
    ledger.forget_seen()
    assert ledger.count_seen("b\0") == 0


# -- streams, facts, runs


def test_schema_messages_come_back(ledger: Ledger) -> None:
    """The last one of each stream."""
    messages = [
        {
            "type": "SCHEMA",
            "stream": name,
            "schema": {"multipleOf": Decimal("0.01")},
            "key_properties": ["id"],
        }
        for name in ("tickets", "b")
    ]
    ledger.save_stream("tickets", {"type": "SCHEMA", "old": True})
    for message in messages:
        ledger.save_stream(message["stream"], message)
    assert ledger.stream("tickets") == messages[0]
    assert ledger.stream("c") is None
    assert ledger.streams() == messages[::-1]


def test_facts_come_back(ledger: Ledger) -> None:
    """Any JSON value; None forgets."""
    for value in ({"a": [1, Decimal("1.5"), None]}, "text", None):
        ledger.remember("name", value)
        assert ledger.recall("name") == value
    assert ledger.recall("other") is None


def test_runs_are_kept_with_the_newest_first(ledger: Ledger) -> None:
    east = NOON.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+09:00").tzinfo)
    for number in range(3):
        ledger.add_run(
            {"status": "complete", "exit_code": number, "seconds": Decimal("1.5")}, east, east + timedelta(1)
        )
    runs = ledger.runs(2)
    assert [run.exit_code for run in runs] == [2, 1]
    assert (runs[0].started_at, runs[0].ended_at) == (NOON, NOON + timedelta(1))
    assert runs[0].started_at.utcoffset() == timedelta(0)
    assert runs[0].summary == {"status": "complete", "exit_code": 2, "seconds": Decimal("1.5")}


# -- forgetting


def test_S15_old_records_lose_their_values_and_old_runs_go(ledger_url: str) -> None:
    """What was rejected longer ago than the retention stays known by key and code alone."""
    clock = Clock()
    with Ledger.open(ledger_url, PORTAL, now=clock) as ledger:
        for key in ("old", "again"):
            ledger.record(RoundOutcome(rejected=[rejected(key, record={"a": 1})]))
        ledger.add_run({"exit_code": 1}, NOON, NOON)
        clock.now += timedelta(days=31)
        ledger.record(RoundOutcome(rejected=[rejected("again", record={"a": 2})]))
        ledger.add_run({"exit_code": 2}, clock.now, clock.now)
        assert ledger.forget_older_than(30) == 2
        assert {row.key: row.record for row in ledger.rejected()} == {"old": None, "again": {"a": 2}}
        assert [run.exit_code for run in ledger.runs()] == [2]
        assert ledger.forget_older_than(30) == 0


def fill(ledger: Ledger) -> None:
    """A row in every table."""
    ledger.record(
        RoundOutcome(rejected=[rejected("rejected", record={"a": 1})], held=[HeldDelete(key="held")])
    )
    ledger.record(pending("key"))
    ledger.record(written("key", digest=b"d"))
    ledger.record(RoundOutcome(associations=AssociationOutcome(made=[made("key")])))
    ledger.add_seen("s", ["key"])
    ledger.remember("fact", 1)
    ledger.save_stream("tickets", {"type": "SCHEMA"})
    ledger.add_run({}, NOON, NOON)


def left_in(ledger: Ledger) -> list[Any]:
    counts = ledger.counts()
    return [
        (counts.rejected, counts.pending, counts.held, counts.associations, counts.digests),
        ledger.count_seen("s"),
        ledger.recall("fact"),
        ledger.streams(),
        len(ledger.runs()),
    ]


def test_a_key_is_forgotten_everywhere(ledger: Ledger) -> None:
    fill(ledger)
    assert ledger.forget_case(" KEY") == 4
    assert left_in(ledger) == [(1, 0, 1, 0, 0), 0, 1, [{"type": "SCHEMA"}], 1]
    assert ledger.forget_case("rejected") == 1
    assert ledger.forget_case("held") == 1
    assert left_in(ledger)[0] == (0, 0, 0, 0, 0)


def test_portals_in_one_database_know_nothing_of_each_other(ledger_url: str) -> None:
    """Also emptying one leaves the others alone."""
    with Ledger.open(ledger_url, "1") as one, Ledger.open(ledger_url, "2") as other:
        fill(one)
        assert left_in(other) == [(0, 0, 0, 0, 0), 0, None, [], 0]
        fill(other)
        full = left_in(other)
        one.empty()
        one.forget_older_than(0)
        assert left_in(one) == [(0, 0, 0, 0, 0), 0, None, [], 0]
        assert left_in(other) == full


def test_what_is_forgotten_is_not_in_the_file(tmp_path: Path) -> None:
    """Personal data is overwritten, not only unlinked."""
    secret = "jane.doe@customer.example"
    with Ledger.open(str(tmp_path / "ledger.db"), PORTAL) as ledger:
        ledger.record(RoundOutcome(rejected=[rejected("k", record={"contact": secret * 200})]))
        ledger.record(RoundOutcome(rejected=[rejected("k2", record={"contact": "other"})]))
        assert any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())
        ledger.forget_case("k")
    assert not [path for path in tmp_path.iterdir() if secret.encode() in path.read_bytes()]
