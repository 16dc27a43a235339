"""Reconciliation: only a complete snapshot or version proves that a case is gone, and only its own org's tickets are spoken of."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import MassDeletionError
from target_hubspot_tickets.reconciling import Reconciler
from target_hubspot_tickets.snapshots import Flaw, Proof, Snapshot, is_older, moment

from .conftest import KEY, case_id
from .marked_portal import (
    AFTER,
    BEFORE,
    ORG,
    OTHER_ORG,
    SOURCE,
    TAKEN_AT,
    USER,
    VERSION,
    MarkedPortal,
    Message,
    case_ids,
    opened,
    snapshot,
)

Change = Callable[[list[Message]], list[Message]]


@pytest.fixture
def portal(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[MarkedPortal]:
    with opened(sandbox, tmp_path) as portal:
        yield portal


def judged(records: list[Message]) -> Proof | Flaw:
    """The verdict on one snapshot's records."""
    taken = Snapshot("s1")
    ids = [one for record in records for one in taken.take(record)]
    return taken.verdict(len(set(ids)))


# -- what a snapshot proves


def test_R53_whole_snapshot_is_a_proof() -> None:
    """Of any number of ids, none included."""
    for count in (0, 1, 999, 1_000, 1_001, 2_500):
        proof = judged(snapshot(case_ids(*range(count))))
        assert isinstance(proof, Proof)
        assert (proof.count, proof.fingerprint.organization_id, proof.fingerprint.user_id) == (
            count,
            ORG,
            USER,
        )


def test_R53_count_that_is_no_number_is_none() -> None:
    """True is 1 to Python."""
    for name in ("count", "source_count"):
        assert isinstance(judged(snapshot(case_ids(1), **{name: True})), Flaw)


def without(*places: int) -> Change:
    return lambda records: [r for n, r in enumerate(records) if n not in {p % len(records) for p in places}]


def marker(**changes: Any) -> Change:
    return lambda records: [*records[:-1], records[-1] | changes]


def part(place: int, **changes: Any) -> Change:
    return lambda records: [r | changes if n == place else r for n, r in enumerate(records)]


# Each takes one thing away from a snapshot of 30 ids in three records, or changes it.
FLAWS: dict[str, tuple[Change, Flaw]] = {
    "no marker": (without(-1), Flaw.UNFINISHED),
    "nothing but a first record": (without(1, 2, 3), Flaw.UNFINISHED),
    "first record missing": (without(0), Flaw.GAP),
    "middle record missing": (without(1), Flaw.GAP),
    "last ids missing": (without(2), Flaw.GAP),
    "record twice": (lambda r: [r[0], *r], Flaw.GAP),
    "records swapped": (lambda r: [r[1], r[0], *r[2:]], Flaw.GAP),
    "sequence is no number": (part(1, sequence="1"), Flaw.GAP),
    "no sequence": (part(1, sequence=None), Flaw.GAP),
    "no ids": (part(1, ids=None), Flaw.UNREADABLE),
    "id is no text": (part(1, ids=[7]), Flaw.UNREADABLE),
    "empty id": (part(1, ids=[" "]), Flaw.UNREADABLE),
    "unknown kind": (part(1, kind="more"), Flaw.UNREADABLE),
    "id twice, another missing": (part(1, ids=case_ids(*range(10, 19), 0)), Flaw.REPEATED_IDS),
    "fewer ids in a record": (part(1, ids=case_ids(*range(10, 19))), Flaw.OTHER_COUNT),
    "marker twice": (lambda r: [*r, r[-1]], Flaw.GOES_ON),
    "ids behind the marker": (lambda r: [*r, r[0] | {"sequence": 4}], Flaw.GOES_ON),
    "no count": (marker(count=None), Flaw.OTHER_COUNT),
    "count is no number": (marker(count=True), Flaw.OTHER_COUNT),
    "count one lower": (marker(count=29), Flaw.OTHER_COUNT),
    "count one higher": (marker(count=31), Flaw.OTHER_COUNT),
    "no source count": (marker(source_count=None), Flaw.OTHER_SOURCE_COUNT),
    "source counts one less": (marker(source_count=29), Flaw.OTHER_SOURCE_COUNT),
    "source counts one more": (marker(source_count=31), Flaw.OTHER_SOURCE_COUNT),
    "no org": (marker(organization_id=None), Flaw.NO_ORGANIZATION),
    "empty org": (marker(organization_id=""), Flaw.NO_ORGANIZATION),
    "no user": (marker(user_id=None), Flaw.NO_USER),
    "no filter": (marker(filter_fingerprint=None), Flaw.NO_FILTER),
    "no time": (marker(taken_at=None), Flaw.NO_TIME),
    "time is none": (marker(taken_at="yesterday"), Flaw.NO_TIME),
    "time without a zone": (marker(taken_at="2026-01-06T09:00:00"), Flaw.NO_TIME),
}


@pytest.mark.parametrize("name", FLAWS)
def test_R53_snapshot_that_lacks_one_thing_deletes_nothing(portal: MarkedPortal, name: str) -> None:
    """And says why; HubSpot is not even asked. The same records without the change archive ten tickets."""
    change, flaw = FLAWS[name]
    portal.add(case_ids(*range(40)))
    whole = snapshot(case_ids(*range(30)), at_once=10)
    assert judged(change(whole)) == flaw
    before = len(portal.sandbox.requests(half="hubspot"))
    assert portal.reconcile(change(whole), confirm_deletes=40).archived == 0
    assert len(portal.sandbox.requests(half="hubspot")) == before
    assert portal.reconcile(whole, confirm_deletes=40).archived == 10


@given(st.data())
def test_R53_no_order_but_the_whole_one_is_a_proof(data: st.DataObject) -> None:
    """Of the records of a snapshot any other sequence, with repeats and gaps, proves nothing."""
    whole = snapshot(case_ids(*range(data.draw(st.integers(1, 9)))), at_once=2)
    drawn = data.draw(st.lists(st.sampled_from(whole), max_size=len(whole) + 2))
    assert isinstance(judged(drawn), Proof) is (drawn == whole)


def test_R16_input_that_ends_anywhere_before_the_marker_deletes_nothing(portal: MarkedPortal) -> None:
    """At 100 random places; the end of the input is no completion (D2)."""
    portal.add(case_ids(*range(20)))
    records = snapshot(case_ids(*range(1_000, 1_300)), at_once=2)
    rng = random.Random(16)
    for cut in rng.sample(range(len(records)), 100):
        ended = [record | {"snapshot_id": f"cut at {cut}"} for record in records[:cut]]
        assert portal.reconcile(ended, confirm_deletes=1_000).archived == 0
    assert portal.archives() == 0
    assert portal.reconcile(records).archived == 20


# -- what is archived


def test_R51_what_the_source_has_no_more_is_archived(portal: MarkedPortal) -> None:
    """Purged without a tombstone, or out of scope: by the snapshot. Soft deleted: by its tombstone, and once. Of others: not."""
    portal.add(case_ids(*range(100)))
    portal.add(case_ids(*range(200, 220)), source=OTHER_ORG)
    portal.hold(case_ids(*range(90, 95)))
    alive = case_ids(*range(80))
    done = portal.reconcile(snapshot([one.swapcase() for one in alive]))
    assert (done.archived, done.spared) == (20, 0)
    assert portal.active_keys() == {*alive, *case_ids(*range(200, 220))}


def test_R51_a_snapshot_of_what_is_there_archives_nothing(portal: MarkedPortal) -> None:
    """However large the two sides, and whatever more the source has."""
    portal.add(case_ids(*range(250)))
    before = portal.active_ids()
    done = portal.reconcile(snapshot(case_ids(*range(2_200))))
    assert (done.archived, portal.archives(), portal.active_ids()) == (0, 0, before)


def test_R54_each_ticket_is_read_again_before_it_is_archived(portal: MarkedPortal) -> None:
    """Of 1,000 candidates 300 change after they were found: a newer version, another key, another org, archived by hand.

    The other 700 are archived, and no ticket else.
    """
    ids = portal.add(case_ids(*range(1_050)))
    alive = case_ids(*range(1_000, 1_050))
    looks = []

    def change_before_archiving() -> None:
        looks.append(1)
        if len(looks) == 12:  # eleven pages of the walk, then the first that is archived
            portal.change_by_hand(ids[:100], **{VERSION: AFTER})
            portal.change_by_hand(ids[100:150], **{SOURCE: OTHER_ORG})
            for number in range(150, 200):
                portal.change_by_hand([ids[number]], **{KEY: case_id(number + 5_000)})
            portal.archive_by_hand(ids[200:300])

    done = portal.reconcile(snapshot(alive), check_signal=change_before_archiving, confirm_deletes=1_000)
    assert (done.archived, done.spared) == (700, 300)
    assert portal.active_ids() == {*ids[:200], *ids[1_000:]}


def test_R54_a_ticket_that_may_be_younger_than_the_snapshot_stays(portal: MarkedPortal) -> None:
    """By its version; one without a version may be, too. The very moment of the snapshot is not younger.

    The guard does not count those that stay.
    """
    portal.add(case_ids(1), version=AFTER)
    portal.add(case_ids(2), version=None)
    portal.add(case_ids(3), version=TAKEN_AT)
    portal.add(case_ids(4), version=BEFORE)
    done = portal.reconcile(snapshot(case_ids(9)), max_deletes=2, max_delete_ratio=0)
    assert (done.archived, done.spared) == (2, 0)
    assert portal.active_keys() == set(case_ids(1, 2))


def test_ticket_that_was_written_in_this_run_stays(portal: MarkedPortal) -> None:
    """Its case was there after the snapshot, or went between the two reads: the next tombstone says."""
    portal.add(case_ids(1, 2, 3))
    assert portal.reconcile(snapshot(case_ids(9)), written=[case_id(1).lower()]).archived == 2
    assert portal.active_keys() == set(case_ids(1))
    assert portal.reconcile(snapshot(case_ids(9))).archived == 1


def test_last_complete_snapshot_of_an_input_counts(portal: MarkedPortal) -> None:
    """Not an earlier one, and not one that came later and proves nothing."""
    portal.add(case_ids(*range(10)))
    first, second = snapshot(case_ids(0)), snapshot(case_ids(*range(8)), snapshot_id="s2")
    broken = snapshot(case_ids(5), snapshot_id="s3", count=2)
    assert portal.reconcile([*first, *second, *broken]).archived == 2
    assert portal.active_keys() == set(case_ids(*range(8)))


# -- what speaks against a complete snapshot


def test_R56_source_without_any_records_is_not_believed(portal: MarkedPortal) -> None:
    """A user who lost all access reads none, and the counts agree. Their number confirmed, they go."""
    portal.add(case_ids(*range(7)))
    for limits in ({}, {"confirm_deletes": 6}, {"max_deletes": 1_000, "max_delete_ratio": 1.0}):
        with pytest.raises(MassDeletionError, match="no records at all"):
            portal.reconcile(snapshot([]), **limits)
    assert portal.archives() == 0
    assert portal.reconcile(snapshot([]), confirm_deletes=7).archived == 7


def test_R56_half_of_the_records_lost_from_sight_is_stopped_by_the_guard(portal: MarkedPortal) -> None:
    portal.add(case_ids(*range(400)))
    with pytest.raises(MassDeletionError, match=r"^200 of 400 "):
        portal.reconcile(snapshot(case_ids(*range(200))))
    assert portal.archives() == 0


def test_R56_snapshot_of_another_org_speaks_of_no_ticket(
    portal: MarkedPortal, caplog: pytest.LogCaptureFixture
) -> None:
    """A sandbox org by mistake: nothing is archived, and the run says what it did not find."""
    portal.add(case_ids(*range(10)))
    done = portal.reconcile(snapshot(case_ids(99), organization_id=OTHER_ORG), confirm_deletes=1_000)
    assert (done.archived, portal.archives()) == (0, 0)
    assert f"No ticket carries the mark of org {OTHER_ORG}" in caplog.text


@pytest.mark.parametrize("name", ["user_id", "filter_fingerprint"])
def test_R53_another_user_or_filter_than_last_time_needs_confirmation(
    portal: MarkedPortal, name: str
) -> None:
    """However few tickets it would archive; confirmed, it is what later ones are compared with."""
    portal.add(case_ids(*range(20)))
    assert portal.reconcile(snapshot(case_ids(*range(19)))).archived == 1
    fewer = snapshot(case_ids(*range(17)), **{name: "another"})
    for _ in range(2):
        with pytest.raises(MassDeletionError, match=name):
            portal.reconcile(fewer)
    assert portal.reconcile(fewer, confirm_deletes=2).archived == 2
    assert portal.reconcile(snapshot(case_ids(*range(16)), **{name: "another"})).archived == 1
    with pytest.raises(MassDeletionError, match=name):
        portal.reconcile(snapshot(case_ids(*range(15))))


def test_another_user_who_sees_as_much_needs_no_confirmation(portal: MarkedPortal) -> None:
    """Nothing would be archived for it, but for a tombstone; it is what later ones are compared with."""
    portal.add(case_ids(*range(6)))
    portal.reconcile(snapshot(case_ids(*range(6))))
    portal.hold(case_ids(5))
    assert portal.reconcile(snapshot(case_ids(*range(5)), user_id="another")).archived == 1
    assert portal.reconcile(snapshot(case_ids(*range(4)), user_id="another")).archived == 1


def test_refused_snapshot_is_not_what_later_ones_are_compared_with(portal: MarkedPortal) -> None:
    """A first one with a wrong filter does not make the right one suspicious."""
    portal.add(case_ids(*range(100)))
    with pytest.raises(MassDeletionError):
        portal.reconcile(snapshot(case_ids(1), filter_fingerprint="wrong"))
    assert portal.reconcile(snapshot(case_ids(*range(99)))).archived == 1


def test_dry_run_is_not_what_later_ones_are_compared_with(portal: MarkedPortal) -> None:
    portal.add(case_ids(*range(100)))
    portal.reconcile(snapshot(case_ids(*range(98)), filter_fingerprint="wrong"), is_dry=True)
    portal.reconcile(snapshot(case_ids(*range(99))))
    assert portal.active_keys() == set(case_ids(*range(99)))


def test_two_orgs_may_share_a_portal(portal: MarkedPortal) -> None:
    """Each is compared with its own last snapshot, and archives its own tickets."""
    portal.add(case_ids(*range(10)))
    portal.add(case_ids(*range(20, 30)), source=OTHER_ORG)
    other: dict[str, Any] = {
        "organization_id": OTHER_ORG,
        "user_id": "another",
        "filter_fingerprint": "another",
    }
    assert portal.reconcile(snapshot(case_ids(*range(9)))).archived == 1
    assert portal.reconcile(snapshot(case_ids(*range(20, 28)), **other)).archived == 2
    assert portal.reconcile(snapshot(case_ids(*range(8)))).archived == 1
    assert portal.active_keys() == set(case_ids(*range(8), *range(20, 28)))


# -- versions of other streams


@pytest.fixture
def run(portal: MarkedPortal) -> Callable[..., int]:
    """A run over records with versions and markers: how many tickets it archives."""

    def over(*messages: Message, ends: bool = True, is_dry: bool = False) -> int:
        reconciler: Reconciler = portal.reconciler(is_dry=is_dry)
        for message in messages:
            if message["type"] == "RECORD":
                reconciler.versioned(message["stream"], message["version"], message["record"])
            else:
                reconciler.activate(message["stream"], message["version"])
        return portal.delete(reconciler, is_dry=is_dry).archived if ends else 0

    return over


def rows(*numbers: int, version: int = 7, source: str | None = ORG, stream: str = "issues") -> list[Message]:
    values = [{KEY: case_id(number), SOURCE: source} for number in numbers]
    return [{"type": "RECORD", "stream": stream, "version": version, "record": value} for value in values]


def activated(version: Any = 7, *, stream: str = "issues") -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def test_version_with_its_marker_behind_it_archives_what_it_does_not_have(
    portal: MarkedPortal, run: Callable[..., int]
) -> None:
    """With and without the marker that many taps send first; a marker of another stream or version is none of it."""
    portal.add(case_ids(*range(2_040)))
    portal.add(case_ids(5_000), source=OTHER_ORG)
    assert run(*rows(*range(2_030)), activated()) == 10
    assert run(activated(8), *rows(*range(2_020), version=8), activated(7), activated(8)) == 10
    assert portal.active_keys() == set(case_ids(*range(2_020), 5_000))


@pytest.mark.parametrize(
    "messages",
    [
        rows(1, 2),
        [activated()],
        [activated(), *rows(1, 2)],
        [*rows(1), activated(), *rows(2)],
        [*rows(1, 2), activated(8)],
        [*rows(1, 2), activated(None)],
        [*rows(1, 2), activated(stream="other")],
        [*rows(1), *rows(2, source=None), activated()],
        [*rows(1, source=None), *rows(2), activated()],
        [*rows(1, 2, source=None), activated()],
        [*rows(1), *rows(2, source=OTHER_ORG), activated()],
        [*rows(1), *({**r, "record": {SOURCE: ORG}} for r in rows(2)), activated()],
        [*rows(1, 2, version=6), *rows(1, version=7), activated(6)],
        [*rows(1, 2), *rows(1, 2, stream="other"), activated(), activated(stream="other")],
        [*rows(1, 2), *rows(1, 2, stream="other"), activated()],
    ],
    ids=[
        "no marker", "no record", "marker first only", "records behind the marker", "another version's", "marker without version",
        "another stream's", "last without org", "first without org", "no org", "two orgs", "no key", "older version's marker", "two streams", "two streams, one complete",
    ],
)  # fmt: skip
def test_version_that_is_not_proven_complete_archives_nothing(
    portal: MarkedPortal, run: Callable[..., int], messages: list[Message]
) -> None:
    portal.add(case_ids(*range(10)))
    assert run(*messages) == 0
    assert portal.archives() == 0


def test_version_that_goes_on_in_a_later_run_counts_as_one(
    portal: MarkedPortal, run: Callable[..., int]
) -> None:
    """The tap stopped in the middle of its full read, and resumes it: tickets of its first part are not gone.

    A dry run between them changes nothing of that.
    """
    portal.add(case_ids(*range(30)))
    assert run(activated(), *rows(*range(10))) == 0
    assert run(*rows(*range(10, 25)), activated(), is_dry=True) == 5
    assert run(*rows(*range(10, 20))) == 0
    assert run(*rows(*range(20, 25)), activated()) == 5
    assert portal.active_keys() == set(case_ids(*range(25)))


def test_version_whose_earlier_run_broke_off_proves_nothing(
    portal: MarkedPortal, run: Callable[..., int]
) -> None:
    """What that run had read is not known in whole; the next version counts again."""
    portal.add(case_ids(*range(30)))
    run(*rows(*range(10)), ends=False)
    assert run(*rows(*range(10, 25)), activated()) == 0
    assert run(*rows(*range(25), version=8), activated(8)) == 5


def test_version_whose_first_part_is_forgotten_proves_nothing(
    portal: MarkedPortal, run: Callable[..., int]
) -> None:
    """A reconciliation by snapshot between the two runs cleared what was noted."""
    portal.add(case_ids(*range(30)))
    assert run(*rows(*range(10))) == 0
    portal.reconcile(snapshot(case_ids(*range(30))))
    assert run(*rows(*range(10, 25)), activated()) == 0


def test_version_that_goes_on_with_another_org_proves_nothing(
    portal: MarkedPortal, run: Callable[..., int]
) -> None:
    portal.add(case_ids(*range(10)))
    portal.add(case_ids(*range(10, 20)), source=OTHER_ORG)
    assert run(*rows(*range(9))) == 0
    assert run(*rows(*range(10, 19), source=OTHER_ORG), activated()) == 0


def test_version_that_was_complete_before_proves_nothing_again(
    portal: MarkedPortal, run: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    """A tap that keeps its version sends changes only from then on."""
    portal.add(case_ids(*range(30)))
    assert run(*rows(*range(25)), activated()) == 5
    assert run(*rows(3, 4), activated()) == 0
    assert "complete in an earlier run already" in caplog.text
    assert portal.active_keys() == set(case_ids(*range(25)))


def test_nothing_is_noted_where_nothing_is_archived(portal: MarkedPortal) -> None:
    """on_delete: ignore, which is the default."""
    portal.add(case_ids(*range(3)))
    ignoring = Reconciler(portal.reconciler()._tickets, portal.ledger, archives=False)
    for record in snapshot(case_ids(1)):
        ignoring.snapshot(record)
    ignoring.versioned("issues", 7, {KEY: case_id(1), SOURCE: ORG})
    ignoring.activate("issues", 7)
    ignoring.note_written(case_ids(1))
    assert portal.ledger.count_seen("snapshot s1") == 0
    assert portal.delete(ignoring).archived == 0


@pytest.mark.parametrize(
    ("version", "is_there"),
    [
        (BEFORE, True), ("2026-01-06T09:00:00Z", True), ("2026-01-06T10:00:00+01:00", True), ("2026-01-06T09:00:00.001Z", False),
        ("1767690000000", True), ("1767690000001", False), ("", False), (None, False), ("7 January", False), ("9" * 30, False),
        ("2026-01-05T09:00:00", False),
    ],
)  # fmt: skip
def test_R54_versions_are_compared_as_moments(version: str | None, is_there: bool) -> None:
    """In each form that HubSpot gives a date and time in; what can't be read counts as younger."""
    taken_at = moment(TAKEN_AT)
    assert taken_at is not None
    assert is_older(version, taken_at) is is_there
