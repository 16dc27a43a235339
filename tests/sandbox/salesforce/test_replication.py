"""Deletions and changes over time: getDeleted, getUpdated, delete, undelete, merge, purge."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from .conftest import NOON, Org

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def ask(org: Org, what: str, start: datetime, end: datetime, name: str = "Case") -> httpx.Response:
    return org.get(f"/sobjects/{name}/{what}/", start=start.isoformat(), end=end.isoformat())


def deleted(org: Org, start: datetime, end: datetime, name: str = "Case") -> dict[str, str]:
    """Id -> deletedDate."""
    answer = ask(org, "deleted", start, end, name)
    assert answer.status_code == 200, answer.text
    return {r["id"]: r["deletedDate"] for r in answer.json()["deletedRecords"]}


def updated(org: Org, start: datetime, end: datetime) -> set[str]:
    answer = ask(org, "updated", start, end)
    assert answer.status_code == 200, answer.text
    return set(answer.json()["ids"])


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def shown(org: Org, record_id: str, fields: str = "IsDeleted", name: str = "Case") -> dict[str, Any] | None:
    found = org.soql(f"SELECT {fields} FROM {name} WHERE Id = '{record_id}'")
    return {k: v for k, v in found[0].items() if k != "attributes"} if found else None


def ids(org: Org, count: int) -> list[str]:
    return [r["Id"] for r in org.stored()[:count]]


# -- windows


def test_the_window_is_whole_minutes_and_includes_both_ends(frozen: Org) -> None:
    """Seconds of start and end are cut off: 12:00:00 is in 12:00:59 to 12:02:00 and in 11:58 to 12:00:59, not in 12:01 on."""
    (one,) = ids(frozen, 1)
    frozen.change("delete", id=one)
    stamp = {one: "2026-05-04T12:00:00.000+0000"}
    assert stamp == deleted(frozen, NOON + timedelta(seconds=59), NOON + 2 * MINUTE)
    assert stamp == deleted(frozen, NOON - 2 * MINUTE, NOON + timedelta(seconds=59))
    assert deleted(frozen, NOON + MINUTE, NOON + 3 * MINUTE) == {}
    assert deleted(frozen, NOON - 3 * MINUTE, NOON - MINUTE) == {}


@pytest.mark.parametrize(
    ("start", "end"), [(NOON, NOON), (NOON, NOON + MINUTE), (NOON, NOON - DAY)], ids=["none", "one", "back"]
)
@pytest.mark.parametrize("what", ["deleted", "updated"])
def test_start_precedes_end_by_more_than_a_minute(
    frozen: Org, what: str, start: datetime, end: datetime
) -> None:
    assert code(ask(frozen, what, start, end)) == (400, "INVALID_REPLICATION_DATE")


@pytest.mark.parametrize(("what", "days"), [("deleted", 15), ("updated", 30)])
def test_results_reach_back_15_and_30_days(frozen: Org, what: str, days: int) -> None:
    """The start may lie that far back, and not a minute more."""
    assert ask(frozen, what, NOON - days * DAY, NOON).status_code == 200
    answer = ask(frozen, what, NOON - days * DAY - MINUTE, NOON)
    assert code(answer) == (400, "INVALID_REPLICATION_DATE")


@pytest.mark.parametrize("start", ["", "yesterday", "2026-05-04T10:00:00"])
def test_a_date_needs_an_offset(frozen: Org, start: str) -> None:
    answer = frozen.get("/sobjects/Case/deleted", start=start, end=NOON.isoformat())
    assert answer.status_code == 400


def test_offsets_are_understood_encoded_or_not(frozen: Org) -> None:
    """Z, +02:00 encoded, and a bare plus, which arrives as a space, mean the same minute."""
    frozen.change("delete", id=ids(frozen, 1)[0])
    answers = [
        frozen.http.get(f"/services/data/v67.0/sobjects/Case/deleted/?start={start}&end=2026-05-04T12:30:00Z")
        for start in ("2026-05-04T11:30:00Z", "2026-05-04T13:30:00%2B02:00", "2026-05-04T13:30:00+02:00")
    ]
    assert [len(a.json()["deletedRecords"]) for a in answers] == [1, 1, 1]
    assert answers[0].json() == answers[1].json() == answers[2].json()


def test_too_many_ids_are_refused(frozen: Org) -> None:
    """EXCEEDED_ID_LIMIT above the limit, which a shorter window stays below."""
    frozen.switch(max_replication_ids=2)
    one, two, three = ids(frozen, 3)
    frozen.change("delete", id=one)
    frozen.change("delete", id=two)
    assert set(deleted(frozen, NOON - DAY, NOON)) == {one, two}
    frozen.change("delete", id=three)
    assert code(ask(frozen, "deleted", NOON - DAY, NOON)) == (400, "EXCEEDED_ID_LIMIT")
    frozen.sandbox.mutate(edits=3)
    assert code(ask(frozen, "updated", NOON - DAY, NOON)) == (400, "EXCEEDED_ID_LIMIT")


def test_a_purged_delete_log_asks_for_a_full_pull(frozen: Org) -> None:
    """INVALID_REPLICATION_DATE when the log begins after start; earliestDateAvailable says where it begins."""
    frozen.switch(log_starts="2026-05-03T12:00:00")
    assert code(ask(frozen, "deleted", NOON - 2 * DAY, NOON)) == (400, "INVALID_REPLICATION_DATE")
    answer = ask(frozen, "deleted", NOON - DAY, NOON).json()
    assert answer["earliestDateAvailable"] == "2026-05-03T12:00:00.000+0000"
    frozen.switch(purged_log=True)
    assert code(ask(frozen, "deleted", NOON - DAY, NOON)) == (400, "INVALID_REPLICATION_DATE")


def test_only_replicateable_objects_are_asked(frozen: Org) -> None:
    """What describe calls replicateable is answered, another object refused, an unknown one not found."""
    for listed in frozen.get("/sobjects").json()["sobjects"]:
        answer = ask(frozen, "updated", NOON - DAY, NOON, listed["name"])
        assert (200 if listed["replicateable"] else 400) == answer.status_code, listed["name"]
    words = ask(frozen, "deleted", NOON - DAY, NOON, "CaseStatus").json()[0]["message"]
    assert words == "sObject type CaseStatus is not replicable"
    assert code(ask(frozen, "deleted", NOON - DAY, NOON, "Nope")) == (404, "NOT_FOUND")


# -- what happens to a record


def test_a_deleted_case_stays_in_the_bin_with_a_new_stamp(frozen: Org) -> None:
    """IsDeleted and SystemModstamp change, and nothing else; deletedDate is that stamp; getUpdated leaves it out."""
    (one,) = ids(frozen, 1)
    before = frozen.stored()[0]
    frozen.advance(seconds=90)
    frozen.change("delete", id=one)
    stamp = "2026-05-04T12:01:30"
    assert {**before, "IsDeleted": 1, "SystemModstamp": stamp} == frozen.stored()[0]
    assert {one: f"{stamp}.000+0000"} == deleted(frozen, NOON - DAY, NOON + DAY)
    assert one not in updated(frozen, NOON - DAY, NOON + DAY)
    assert frozen.get(f"/sobjects/Case/{one}").status_code == 404


def test_deleted_rows_may_come_emptied(frozen: Org) -> None:
    """With the switch on, a tombstone has lost its texts and links, and keeps id, number and stamp."""
    frozen.switch(null_fields_of_deleted=True)
    case = next(r for r in frozen.stored() if r["Subject"] and r["AccountId"])
    frozen.change("delete", id=case["Id"])
    row = shown(frozen, case["Id"], "CaseNumber, IsDeleted, Subject, AccountId")
    number = case["CaseNumber"]
    assert {"CaseNumber": number, "IsDeleted": True, "Subject": None, "AccountId": None} == row


def test_an_undeleted_case_comes_back_as_an_update(frozen: Org) -> None:
    """IsDeleted is false, the stamp new; getDeleted forgets it and getUpdated names it."""
    (one,) = ids(frozen, 1)
    frozen.change("delete", id=one)
    frozen.advance(seconds=120)
    frozen.change("undelete", id=one)
    row = shown(frozen, one, "IsDeleted, SystemModstamp")
    assert row == {"IsDeleted": False, "SystemModstamp": "2026-05-04T12:02:00.000+0000"}
    assert deleted(frozen, NOON - DAY, NOON + DAY) == {}
    assert one in updated(frozen, NOON + MINUTE, NOON + DAY)


@pytest.mark.parametrize("logged", [True, False])
def test_a_purged_case_is_in_no_query(frozen: Org, logged: bool) -> None:
    """Neither query nor queryAll finds it; the delete log does, unless it was purged as well."""
    one, two = ids(frozen, 2)
    frozen.change("delete", id=one)
    frozen.advance(seconds=3_600)
    for record_id in (one, two):
        frozen.change("purge", id=record_id, logged=logged)
        assert shown(frozen, record_id) is None
    first, second = "2026-05-04T12:00:00.000+0000", "2026-05-04T13:00:00.000+0000"
    expected = {one: first, two: second} if logged else {}
    assert expected == deleted(frozen, NOON - DAY, NOON + DAY)


@pytest.mark.parametrize("name", ["Account", "Contact", "Case"])
def test_a_merge_leaves_a_tombstone_that_names_its_master(frozen: Org, name: str) -> None:
    """Losers are deleted with MasterRecordId, what hung on them moves to the winner with its old stamp, the winner is updated."""
    people = [r["Id"] for r in frozen.stored(name)]
    winner, losers = people[0], people[1:3]
    if name == "Case":
        frozen.change("write", id=people[5], values={"ParentId": people[1]})
    children = {
        (child, r["Id"], field): r["SystemModstamp"]
        for child, field in LINKS[name]
        for r in frozen.stored(child)
        if r[field] in losers and r["Id"] not in {winner, *losers}
    }
    assert children
    frozen.advance(seconds=60)
    frozen.change("merge", object=name, winner=winner, losers=losers)
    moment = "2026-05-04T12:01:00.000+0000"
    for loser in losers:
        row = shown(frozen, loser, "IsDeleted, MasterRecordId, SystemModstamp", name)
        assert {"IsDeleted": True, "MasterRecordId": winner, "SystemModstamp": moment} == row
    assert shown(frozen, winner, "IsDeleted, SystemModstamp", name) == {
        "IsDeleted": False,
        "SystemModstamp": moment,
    }
    for (child, record_id, field), stamp in children.items():
        (row,) = (r for r in frozen.stored(child) if r["Id"] == record_id)
        assert (winner, stamp) == (row[field], row["SystemModstamp"])
    assert set(losers) == set(deleted(frozen, NOON - DAY, NOON + DAY, name))


# What hangs on a record of each object that can be merged.
LINKS = {
    "Account": [("Case", "AccountId"), ("Contact", "AccountId")],
    "Contact": [("Case", "ContactId")],
    "Case": [("Case", "ParentId"), ("CaseComment", "ParentId"), ("EmailMessage", "ParentId")],
}


def test_a_case_merged_with_its_parent_is_not_its_own_parent(frozen: Org) -> None:
    child, parent = ids(frozen, 2)
    frozen.change("write", id=child, values={"ParentId": parent})
    frozen.change("merge", winner=child, losers=[parent])
    assert shown(frozen, child, "ParentId") == {"ParentId": None}


def test_a_merge_takes_up_to_three_records(frozen: Org) -> None:
    """A winner and one or two losers of a kind that can be merged."""
    people = [r["Id"] for r in frozen.stored("Contact")]
    for name, winner, losers in (
        ("Contact", people[0], people[1:4]),
        ("Contact", people[0], []),
        ("Contact", people[0], people[:1]),
        ("User", "x", ["y"]),
    ):
        body = {"action": "merge", "object": name, "winner": winner, "losers": losers}
        assert frozen.http.post("/_sandbox/salesforce/records", json=body).status_code == 400
    assert people == [r["Id"] for r in frozen.stored("Contact") if not r["IsDeleted"]]
