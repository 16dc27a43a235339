"""The seeded org: the same for the same random seed, as varied as real cases, and consistent in itself."""

from collections.abc import Callable
from typing import Any

import pytest

from case_sync_sandbox.salesforce.schema import CASE
from case_sync_sandbox.seeding.org import NO_RECORD_TYPE_STATUSES, PROCESSES
from case_sync_sandbox.testing import RunningSandbox, SandboxError

from .conftest import names, stored, whole_org

NOON = "2026-05-04T12:00:00"
Record = dict[str, Any]


@pytest.fixture
def seeded(sandbox: RunningSandbox) -> RunningSandbox:
    """A thousand cases, made at noon."""
    sandbox.admin("POST", "clock", {"freeze": f"{NOON}Z"})
    sandbox.seed(1_000)
    return sandbox


def seed_again(sandbox: RunningSandbox, random_seed: int) -> tuple[Any, ...]:
    sandbox.reset()
    sandbox.admin("POST", "clock", {"freeze": f"{NOON}Z"})
    said = sandbox.seed(200, random_seed=random_seed)
    return said, whole_org(sandbox), sandbox.admin("GET", "show")


def test_the_same_random_seed_makes_the_same_data(sandbox: RunningSandbox) -> None:
    """Both halves are equal for equal seeds at the same time; another seed makes other cases."""
    first, again, other = (seed_again(sandbox, number) for number in (7, 7, 8))
    assert first == again
    assert first[1]["Case"] != other[1]["Case"]
    assert first[1]["Account"] == other[1]["Account"]


@pytest.mark.parametrize("cases", [0, 1, 7, 200])
def test_a_seed_has_the_cases_that_were_asked_for(sandbox: RunningSandbox, cases: int) -> None:
    assert sandbox.seed(cases)["cases"] == cases == len(stored(sandbox))


def test_only_an_empty_org_is_seeded(sandbox: RunningSandbox) -> None:
    """A second seed is refused, and leaves the first one alone."""
    sandbox.seed(10)
    with pytest.raises(SandboxError, match="10 cases already: reset"):
        sandbox.seed(5)
    assert len(stored(sandbox)) == 10


VARIETY: dict[str, Callable[[Record], bool]] = {
    "latin letters with marks": lambda r: "ü" in (r["Subject"] or ""),
    "han": lambda r: "配" in (r["Subject"] or ""),
    "emoji": lambda r: "🔴" in (r["Subject"] or ""),
    "no subject": lambda r: r["Subject"] is None,
    "no description": lambda r: r["Description"] is None,
    "one line": lambda r: r["Description"] is not None and "\n" not in r["Description"],
    "newlines": lambda r: "\n" in (r["Description"] or ""),
    "quotes and separators": lambda r: '"E-42; check seal"' in (r["Description"] or ""),
    "long text": lambda r: len(r["Description"] or "") > 30_000,
    "no contact": lambda r: r["ContactId"] is None,
    "an account without a contact": lambda r: r["AccountId"] is not None and r["ContactId"] is None,
    "no account": lambda r: r["AccountId"] is None,
    "no record type": lambda r: r["RecordTypeId"] is None,
    "a parent": lambda r: r["ParentId"] is not None,
    "of a queue": lambda r: r["OwnerId"].startswith("00G"),
    "closed": lambda r: bool(r["IsClosed"]),
    "escalated": lambda r: bool(r["IsEscalated"]),
    "one topic": lambda r: r["Topics__c"] is not None and ";" not in r["Topics__c"],
    "several topics": lambda r: ";" in (r["Topics__c"] or ""),
    "supplied email": lambda r: r["SuppliedEmail"] is not None,
}


def test_seeded_cases_are_as_varied_as_real_ones(seeded: RunningSandbox) -> None:
    """Each trait is there and missing, and each custom field has a value in some cases and none in others."""
    cases = stored(seeded)
    for trait, has in VARIETY.items():
        assert 0 < sum(map(has, cases)) < len(cases), trait
    for field in CASE.fields:
        if field.custom and not field.calculated:
            filled = sum(r[field.name] not in {None, 0} for r in cases)
            assert 0 < filled < len(cases), field.name
    assert {t for r in cases if r["Topics__c"] for t in r["Topics__c"].split(";")} == set(
        CASE.by_name["topics__c"].picklist
    )
    assert len({r["Subject"] for r in cases}) > 50
    assert len({r["SystemModstamp"][:7] for r in cases}) > 20


def test_seeded_cases_fit_their_fields(seeded: RunningSandbox) -> None:
    """No text is longer than its field, ids and numbers are unique, checkboxes are never null."""
    cases = stored(seeded)
    for field in CASE.fields:
        values = [r[field.name] for r in cases]
        if field.type == "boolean":
            assert set(values) <= {0, 1}, field.name
        if field.length:
            assert max((len(v) for v in values if v is not None), default=0) <= field.length, field.name
    assert len({r["Id"] for r in cases}) == len({r["CaseNumber"] for r in cases}) == 1_000


def test_seeded_references_lead_to_records(seeded: RunningSandbox) -> None:
    """Each reference of each object names a record that is there; a case's account is its contact's."""
    org = whole_org(seeded)
    there = {r["Id"] for records in org.values() for r in records}
    for name, records in org.items():
        for record in records:
            links = [v for k, v in record.items() if k.endswith("Id") and k not in {"Id", "TableEnumOrId"}]
            assert {link for link in links if link} <= there, (name, record["Id"])
    accounts = {c["Id"]: c["AccountId"] for c in org["Contact"]}
    assert all(r["AccountId"] == accounts[r["ContactId"]] for r in org["Case"] if r["ContactId"])


def test_seeded_statuses_are_those_of_the_support_process(seeded: RunningSandbox) -> None:
    """Each status of each active process occurs, no other; a case is closed as its status says, and has a ClosedDate then."""
    org = whole_org(seeded)
    record_types = {None: None, **{r["Id"]: r["Name"] for r in org["RecordType"]}}
    allowed = {p.record_type: set(p.statuses) for p in PROCESSES if p.active}
    allowed[None] = set(NO_RECORD_TYPE_STATUSES)
    met: dict[str | None, set[str]] = {}
    for record in org["Case"]:
        met.setdefault(record_types[record["RecordTypeId"]], set()).add(record["Status"])
    assert allowed == met
    closing = {s["ApiName"] for s in org["CaseStatus"] if s["IsClosed"]}
    for record in org["Case"]:
        closed = record["Status"] in closing
        assert (closed, closed) == (bool(record["IsClosed"]), record["ClosedDate"] is not None)


def test_seeded_stamps_are_in_the_past_and_in_order(seeded: RunningSandbox) -> None:
    """Created before changed, changed before now; LastModifiedDate is never after SystemModstamp."""
    for record in stored(seeded):
        assert record["CreatedDate"] <= record["LastModifiedDate"] <= record["SystemModstamp"] < NOON
        assert record["ClosedDate"] is None or record["CreatedDate"] <= record["ClosedDate"] < NOON


def test_the_portal_knows_most_of_the_org(seeded: RunningSandbox) -> None:
    """A pipeline for each active process with a stage for each of its statuses; nine of ten accounts are companies there."""
    shown = seeded.admin("GET", "show")["hubspot"]
    active = {p.record_type: len(p.statuses) for p in PROCESSES if p.active}
    assert active.items() <= {p["label"]: len(p["stages"]) for p in shown["pipelines"]}.items()
    accounts = names(seeded, "Account")
    companies = seeded.admin("GET", "hubspot/records/companies")["results"]
    known = {c["properties"]["salesforceaccountid"] for c in companies}
    assert known < set(accounts)
    assert len(known) == 125 - 125 // 10


def test_org_of_so_many_accounts_and_contacts(sandbox: RunningSandbox) -> None:
    """Cases are spread over those that are asked for; the portal has most of them."""
    said = sandbox.seed(300, accounts=9, contacts=20)
    assert (said["cases"], said["companies"] <= 9, said["contacts"] <= 20) == (300, True, True)
    cases = stored(sandbox)
    assert len({case["AccountId"] for case in cases if case["AccountId"]}) == 9
    assert len({case["ContactId"] for case in cases if case["ContactId"]}) == 20
