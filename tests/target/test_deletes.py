"""Deletions: only what is deleted in the source and ours, never too many at once, and never unseen."""

import csv
import random
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.deletion_guard import (
    NOT_IN_SOURCE,
    TOMBSTONE,
    DeletionLimits,
    Doomed,
    csv_row,
    judge,
)
from target_hubspot_tickets.errors import HubSpotAnswerError, MassDeletionError, SettingError, StoppedError
from target_hubspot_tickets.outcomes import RoundOutcome, Written

from .conftest import KEY, case_id
from .marked_portal import ORG, OTHER_ORG, SOURCE, MarkedPortal, case_ids, opened, snapshot


@pytest.fixture
def portal(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[MarkedPortal]:
    with opened(sandbox, tmp_path) as portal:
        yield portal


# -- the guard


@pytest.mark.parametrize(
    ("active", "limits", "allowed"),
    [
        (0, {}, 50),
        (4_999, {}, 50),
        (5_099, {}, 50),
        (5_100, {}, 51),
        (1_000_000, {}, 10_000),
        (100, {"max_deletes": 0, "max_delete_ratio": 0.29}, 29),  # 0.29 * 100 is less than 29 to a float
        (100, {"max_deletes": 0, "max_delete_ratio": 0}, 0),
        (100, {"max_deletes": 3, "max_delete_ratio": 0.02}, 3),
        (100, {"confirm_deletes": 70}, 70),
        (100, {"confirm_deletes": 20}, 50),
        (100_000, {"confirm_deletes": 999}, 1_000),
    ],
)
def test_R55_guard_allows_the_larger_limit_and_not_one_more(active: int, limits: Any, allowed: int) -> None:
    given = DeletionLimits(**limits)
    judged = {wanted: judge(wanted, active, given) for wanted in (allowed - 1, allowed, allowed + 1)}
    assert {one.allowed for one in judged.values()} == {allowed}
    assert [one.is_allowed for one in judged.values()] == [True, True, False]


@pytest.mark.parametrize(
    ("confirmed", "is_allowed"), [(None, False), (0, False), (6, False), (7, True), (8, True)]
)
def test_doubtful_deletions_need_their_number_confirmed_however_few(
    confirmed: int | None, is_allowed: bool
) -> None:
    limits = DeletionLimits(confirm_deletes=confirmed)
    assert judge(7, 100_000, limits, only_confirmed=True).is_allowed is is_allowed
    assert judge(0, 0, limits, only_confirmed=True).is_allowed


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_list_is_a_formula(start: str) -> None:
    row = csv_row(Doomed(ticket_id="7", key=f"{start}cmd|' /C calc'!A0", source=ORG, reason=TOMBSTONE))
    assert row == ["7", f"'{start}cmd|' /C calc'!A0", "deleted in the source"]


# -- tombstones


def test_R51_tombstones_archive_their_tickets_and_no_others(portal: MarkedPortal) -> None:
    """Soft deleted, merged away, or with a key in other letters: the ticket goes; those without a tombstone stay."""
    portal.add(case_ids(*range(130)))
    portal.hold([*case_ids(*range(20)), case_id(20).lower(), case_id(21)])
    done = portal.delete()
    assert (done.archived, done.already_gone, done.foreign, done.spared) == (22, 0, 0, 0)
    assert portal.active_keys() == set(case_ids(*range(22, 130)))
    assert portal.held() == set()


def test_R38_a_key_without_an_active_ticket_is_done(portal: MarkedPortal) -> None:
    """Never loaded, archived by somebody before: 2,400 of them, no error, none held any longer; and nothing is archived."""
    gone = portal.add(case_ids(*range(1_300)))
    for start in range(0, len(gone), 100):
        portal.archive_by_hand(gone[start : start + 100])
    before = portal.archives()
    portal.hold(case_ids(*range(2_400)))
    done = portal.delete()
    assert (done.archived, done.already_gone) == (0, 2_400)
    assert portal.archives() == before
    assert portal.held() == set()


@pytest.mark.parametrize("keeps", ["primary", "both"])
def test_R38_a_merged_ticket_is_not_archived_by_the_key_that_it_swallowed(
    portal: MarkedPortal, keeps: str
) -> None:
    """Whichever record of a merge HubSpot answers with: it carries another key, so the deletion is not its own."""
    portal.sandbox.settings(merged_key=keeps)
    winner, loser = portal.add(case_ids(1, 2))
    portal.post("merge", {"primaryObjectId": winner, "objectIdToMerge": loser})
    portal.hold(case_ids(2))
    done = portal.delete()
    assert (done.archived, done.already_gone) == (0, 1)
    assert portal.active_ids() == {winner}


def test_R58_a_ticket_of_another_org_is_left_alone(
    portal: MarkedPortal, caplog: pytest.LogCaptureFixture
) -> None:
    """Even if it has the key; it is told by key, and asked for no more."""
    portal.add(case_ids(1), source=OTHER_ORG)
    portal.add(case_ids(2))
    portal.hold(case_ids(1, 2))
    done = portal.delete()
    assert (done.archived, done.foreign) == (1, 1)
    assert portal.active_keys() == set(case_ids(1))
    assert portal.held() == set()
    assert case_id(1) in caplog.text


@pytest.mark.parametrize(("held", "has"), [(None, ORG), (ORG, None), (None, None)])
def test_R58_a_tombstone_counts_by_its_key_where_a_mark_is_missing(
    portal: MarkedPortal, held: str | None, has: str | None
) -> None:
    portal.add(case_ids(1), source=has)
    portal.hold(case_ids(1), source=held)
    assert portal.delete().archived == 1
    assert portal.active_keys() == set()


def test_R58_a_thousand_tickets_of_other_tools_stay_as_they_are(portal: MarkedPortal) -> None:
    """Without a key, of another org, with a key but no mark: none is touched by what archives all of ours."""
    others = portal.add_of_other_tools(500)
    others += portal.add(case_ids(*range(1_000, 1_400)), source=OTHER_ORG)
    others += portal.add(case_ids(*range(2_000, 2_100)), source=None)
    portal.add(case_ids(*range(60)))
    before = {t["id"]: t for t in portal.sandbox.tickets() if str(t["id"]) in set(others)}
    portal.hold(case_ids(*range(30), *range(1_000, 1_010)))
    done = portal.reconcile(snapshot(case_ids(99)), confirm_deletes=60)
    assert (done.archived, done.foreign) == (60, 10)
    assert {t["id"]: t for t in portal.sandbox.tickets()} == before
    assert len(before) == 1_000


def test_R57_an_upsert_behind_its_tombstone_keeps_the_ticket(portal: MarkedPortal) -> None:
    """The case was restored before the deletion was carried out, in the same run or after one that the guard stopped."""
    (ticket_id,) = portal.add(case_ids(1))
    portal.hold(case_ids(1))
    with pytest.raises(MassDeletionError):
        portal.delete(max_deletes=0)
    portal.ledger.record(RoundOutcome(written={case_id(1): Written(ticket_id=ticket_id)}))
    assert portal.delete().archived == 0
    assert portal.active_ids() == {ticket_id}


# -- the guard at work


@pytest.mark.parametrize(
    ("wanted", "limits", "is_allowed"),
    [
        (49, {}, True),
        (50, {}, True),
        (51, {}, False),
        (51, {"max_delete_ratio": 0.255}, True),
        (51, {"max_delete_ratio": 0.254}, False),
        (51, {"confirm_deletes": 50}, False),
        (51, {"confirm_deletes": 51}, True),
        (51, {"confirm_deletes": 52}, True),
    ],
)
def test_R55_over_the_limit_nothing_is_archived_and_all_are_listed(
    portal: MarkedPortal, wanted: int, limits: dict[str, Any], is_allowed: bool
) -> None:
    """Of 200 tickets that carry our marks, among 300 that don't."""
    portal.add_of_other_tools(200)
    portal.add(case_ids(*range(1_000, 1_100)), source=OTHER_ORG)
    ids = portal.add(case_ids(*range(200)))
    portal.hold(case_ids(*range(wanted)))
    if is_allowed:
        assert portal.delete(**limits).archived == wanted
        assert portal.held() == set()
        assert not portal.list_path.exists()
        return
    with pytest.raises(MassDeletionError) as refused:
        portal.delete(**limits)
    assert portal.archives() == 0
    assert portal.held() == set(case_ids(*range(wanted)))
    text = str(refused.value)
    assert "51 of 200 tickets" in text
    assert str(portal.list_path) in text
    assert "confirm_deletes=51" in text
    assert "--deletes=discard" in text
    with portal.list_path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["ticket_id", "key", "reason"]
    assert sorted(rows) == sorted(
        [i, case_id(n), "deleted in the source"] for n, i in enumerate(ids[:wanted])
    )


def test_R55_confirmed_once_the_held_deletions_of_earlier_runs_are_done(portal: MarkedPortal) -> None:
    """Three runs refuse, each with more of them; one confirms them all; the next has none left."""
    portal.add(case_ids(*range(200)))
    for run in range(3):
        portal.hold(case_ids(*range(run * 60, run * 60 + 60)))
        with pytest.raises(MassDeletionError, match=f"^{run * 60 + 60} of 200 "):
            portal.delete()
    assert portal.delete(confirm_deletes=180).archived == 180
    assert portal.active_keys() == set(case_ids(*range(180, 200)))
    assert portal.delete().archived == 0


def test_R55_tombstones_and_what_a_reconciliation_finds_are_counted_together_and_each_once(
    portal: MarkedPortal,
) -> None:
    """30 tombstones and 30 tickets without a case are 60; a ticket that is both is one."""
    portal.add(case_ids(*range(100)))
    portal.hold(case_ids(*range(30)))
    alive = case_ids(*range(60, 100))
    with pytest.raises(MassDeletionError, match=r"^60 of 100 "):
        portal.reconcile(snapshot(alive))
    assert portal.archives() == 0
    with portal.list_path.open(encoding="utf-8", newline="") as file:
        reasons = {row["key"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons == dict.fromkeys(case_ids(*range(30)), TOMBSTONE) | dict.fromkeys(
        case_ids(*range(30, 60)), NOT_IN_SOURCE
    )
    assert portal.reconcile(snapshot(alive), confirm_deletes=60).archived == 60
    assert portal.active_keys() == set(alive)


def test_list_is_for_its_owner_only_even_where_one_was_there(portal: MarkedPortal) -> None:
    portal.list_path.touch(mode=0o644)
    portal.add(case_ids(1))
    portal.hold(case_ids(1))
    with pytest.raises(MassDeletionError):
        portal.delete(max_deletes=0)
    assert stat.S_IMODE(portal.list_path.stat().st_mode) == 0o600


def test_list_that_can_not_be_written_names_its_setting(portal: MarkedPortal) -> None:
    """And nothing is archived either."""
    portal.list_path.mkdir()
    portal.add(case_ids(1))
    portal.hold(case_ids(1))
    with pytest.raises(SettingError, match=r"^deletes_path "):
        portal.delete(max_deletes=0)
    assert portal.active_keys() == set(case_ids(1))


def test_R59_dry_run_lists_exactly_what_the_real_run_archives(portal: MarkedPortal) -> None:
    """With tombstones, gone keys, tickets of others and of no case; and it changes neither portal nor ledger."""
    rng = random.Random(59)
    portal.add(case_ids(*range(400)))
    portal.add(case_ids(*range(400, 450)), source=OTHER_ORG)
    held, alive = case_ids(*rng.sample(range(500), 150)), case_ids(*rng.sample(range(400), 250))
    portal.hold(held)
    planned_only = portal.reconcile(snapshot(alive), is_dry=True, confirm_deletes=400)
    planned = {one.key for one in portal.planned}
    assert (portal.archives(), portal.held()) == (0, set(held))
    before = portal.active_keys()
    done = portal.reconcile(snapshot(alive, snapshot_id="s2"), confirm_deletes=400)
    assert planned == before - portal.active_keys() != set()
    assert planned_only == done


def test_R59_dry_run_is_refused_as_the_real_run_would_be(portal: MarkedPortal) -> None:
    portal.add(case_ids(*range(60)))
    portal.hold(case_ids(*range(51)))
    messages = []
    for is_dry in (True, False):
        with pytest.raises(MassDeletionError) as refused:
            portal.delete(is_dry=is_dry)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


# -- trouble


def test_a_run_that_is_stopped_in_the_middle_is_finished_by_the_next(portal: MarkedPortal) -> None:
    """What was archived is on record, what was not is still held."""
    portal.add(case_ids(*range(2_500)))
    portal.hold(case_ids(*range(2_500)))

    def stop_once_archiving() -> None:
        if portal.archives():
            raise StoppedError

    with pytest.raises(StoppedError):
        portal.delete(check_signal=stop_once_archiving, confirm_deletes=2_500)
    left = portal.active_keys()
    assert 0 < len(left) < 2_500
    assert portal.held() == left
    done = portal.delete(confirm_deletes=2_500)
    assert (done.archived, done.already_gone) == (len(left), 0)
    assert (portal.active_keys(), portal.held()) == (set(), set())


@pytest.mark.parametrize("action", ["drop_before_commit", "drop_after_commit", "truncate_body"])
def test_a_lost_answer_archives_nothing_twice(portal: MarkedPortal, action: str) -> None:
    portal.add(case_ids(*range(300)))
    portal.hold(case_ids(*range(250)))
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "tickets/batch/(archive|read)", "every": 3, "action": action}]
    )
    assert portal.delete(confirm_deletes=250).archived == 250
    assert portal.active_keys() == set(case_ids(*range(250, 300)))
    archived = [w["key"] for w in portal.sandbox.writes() if w["op"] == "archive"]
    assert sorted(archived) == case_ids(*range(250))
    assert portal.sandbox.admin("GET", "faults")["rules"][0]["hit"] >= 2


def test_a_refused_call_ends_the_run_behind_what_went_well(portal: MarkedPortal) -> None:
    """Of three calls one is refused as a whole: the other two are on record, the rest stays held."""
    portal.add(case_ids(*range(300)))
    portal.hold(case_ids(*range(300)))
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c-1"}
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "batch/archive", "nth": 2, "status": 400, "body": refusal}]
    )
    with pytest.raises(HubSpotAnswerError, match="c-1"):
        portal.delete(confirm_deletes=300)
    assert len(portal.held()) == 100
    assert portal.active_keys() == portal.held()


@pytest.mark.parametrize("nth", [1, 2])
def test_refused_look_is_not_taken_for_a_ticket_that_is_gone(portal: MarkedPortal, nth: int) -> None:
    """Neither when keys are read nor when ids are read again: the run ends, and all stays held."""
    portal.add(case_ids(*range(3)))
    portal.hold(case_ids(*range(3)))
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c-2"}
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "batch/read", "nth": nth, "status": 400, "body": refusal}]
    )
    with pytest.raises(HubSpotAnswerError, match="c-2"):
        portal.delete()
    assert portal.held() == portal.active_keys() == set(case_ids(*range(3)))


def test_errors_in_a_success_confirm_nothing(portal: MarkedPortal) -> None:
    """HubSpot documents 204; an answer that holds errors leaves its keys held, and the next run sees what became of them."""
    portal.add(case_ids(*range(10)))
    portal.hold(case_ids(*range(10)))
    error = {"status": "error", "category": "INTERNAL_ERROR", "message": "no", "context": {"ids": ["1"]}}
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "batch/archive", "nth": 1, "status": 207, "body": {"errors": [error]}}]
    )
    assert portal.delete().spared == 10
    assert portal.held() == portal.active_keys() == set(case_ids(*range(10)))
    assert portal.delete().archived == 10


def test_a_ticket_that_changed_hands_in_the_meantime_is_left_alone(portal: MarkedPortal) -> None:
    """Between the count and the archiving: another key, another org."""
    first, second, _ = portal.add(case_ids(1, 2, 3))
    portal.hold(case_ids(1, 2, 3))
    looks = []

    def change_before_archiving() -> None:
        looks.append(1)
        if len(looks) == 2:  # one look for the page that is held, one for the page that is archived
            portal.change_by_hand([first], **{KEY: case_id(9)})
            portal.change_by_hand([second], **{SOURCE: OTHER_ORG})

    done = portal.delete(check_signal=change_before_archiving)
    assert (done.archived, done.spared) == (1, 2)
    assert portal.active_keys() == set(case_ids(9, 2))
