"""Changes like those of support people: exactly as many as asked for, each case in one way."""

from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox, SandboxError

from .conftest import stored

KINDS = ("edited", "closed", "deleted", "undeleted", "merged", "added")
WANTED = {"edits": 9, "closes": 8, "deletes": 7, "undeletes": 3, "merges": 2, "adds": 5}
STAMPS = {"SystemModstamp", "LastModifiedDate", "ClosedDate", "CreatedDate"}


@pytest.fixture
def seeded(sandbox: RunningSandbox) -> RunningSandbox:
    """200 cases, of which four are in the recycle bin; an hour ago."""
    sandbox.admin("POST", "clock", {"freeze": "2026-05-04T12:00:00Z"})
    sandbox.seed(200)
    sandbox.mutate(deletes=4, random_seed=1)
    sandbox.admin("POST", "clock", {"advance": 3_600})
    return sandbox


def by_id(sandbox: RunningSandbox) -> dict[str, dict[str, Any]]:
    return {r["Id"]: r for r in stored(sandbox)}


def differences(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before if before[name] != after[name]} - STAMPS


def test_each_kind_is_changed_as_often_as_asked(seeded: RunningSandbox) -> None:
    """What it says that it did is what the records show; no case is changed in two ways, and no other one is touched."""
    before = by_id(seeded)
    said = seeded.mutate(**WANTED)
    after = by_id(seeded)
    assert tuple(WANTED.values()) == tuple(len(said[kind]) for kind in KINDS)
    touched = [i for kind in KINDS for i in said[kind]]
    assert len(touched) == len(set(touched))
    masters = {after[i]["MasterRecordId"] for i in said["merged"]}
    assert {*touched, *masters} == {i for i in after if before.get(i) != after[i]}
    assert {"2026-05-04T13:00:00"} == {after[i]["SystemModstamp"] for i in {*touched, *masters}}


def test_the_changes_are_what_their_names_say(seeded: RunningSandbox) -> None:
    """Edits change subject or priority, closes the status, deletions the bin, merges name a live master."""
    before = by_id(seeded)
    said = seeded.mutate(**WANTED)
    after = by_id(seeded)
    for one in said["edited"]:
        assert "Subject" in differences(before[one], after[one]) <= {"Subject", "Priority"}
    for one in said["closed"]:
        assert {"Status", "IsClosed"} == differences(before[one], after[one])
        assert after[one]["ClosedDate"] == "2026-05-04T13:00:00"
    for one in said["deleted"]:
        assert {"IsDeleted"} == differences(before[one], after[one])
    for one in said["undeleted"]:
        assert (before[one]["IsDeleted"], after[one]["IsDeleted"]) == (1, 0)
    for one in said["merged"]:
        assert (after[one]["IsDeleted"], after[after[one]["MasterRecordId"]]["IsDeleted"]) == (1, 0)


def test_added_cases_are_new_and_believable(seeded: RunningSandbox) -> None:
    """Made now, with numbers and ids of their own; record type and status are a pair that other cases have."""
    before = by_id(seeded)
    said = seeded.mutate(adds=20)
    after = by_id(seeded)
    pairs = {(r["RecordTypeId"], r["Status"]) for r in before.values()}
    numbers = {r["CaseNumber"] for r in before.values()}
    for one in said["added"]:
        case = after[one]
        assert one not in before
        assert case["CaseNumber"] not in numbers
        assert (case["RecordTypeId"], case["Status"]) in pairs
        assert case["CreatedDate"] == case["SystemModstamp"] == "2026-05-04T13:00:00"
    assert len(after) == len(before) + 20


def test_ids_of_purged_cases_are_not_given_again(seeded: RunningSandbox) -> None:
    """The last case is purged; the next one that is added is another."""
    last = max(by_id(seeded))
    seeded.admin("POST", "salesforce/records", {"action": "purge", "object": "Case", "id": last})
    (added,) = seeded.mutate(adds=1)["added"]
    assert added > last


def test_the_same_random_seed_makes_the_same_changes(sandbox: RunningSandbox) -> None:
    """Another seed picks other cases."""
    said = []
    for number in (7, 7, 8):
        sandbox.reset()
        sandbox.seed(200)
        said.append(sandbox.mutate(**{**WANTED, "undeletes": 0}, random_seed=number))
    assert said[0] == said[1] != said[2]


def test_a_small_org_is_changed_as_far_as_it_goes(sandbox: RunningSandbox) -> None:
    """Fewer only where there are no more: closed cases that closing passes by are there to be deleted."""
    sandbox.seed(40)
    open_cases = sum(not r["IsClosed"] for r in stored(sandbox))
    said = sandbox.mutate(closes=40, deletes=40, undeletes=5)
    assert (open_cases, 40 - open_cases, 0) == (
        len(said["closed"]), len(said["deleted"]), len(said["undeleted"]),
    )  # fmt: skip


@pytest.mark.parametrize(("wanted", "words"), [({"edits": -1}, "edits is -1"), ({"edit": 1}, "edit")])
def test_what_can_not_be_done_is_refused_and_nothing_changes(
    seeded: RunningSandbox, wanted: dict[str, int], words: str
) -> None:
    before = by_id(seeded)
    with pytest.raises(SandboxError, match=words):
        seeded.mutate(**wanted, deletes=1)
    assert before == by_id(seeded)
