"""The other streams, the filter, the fields: what a user of the tap alone relies on."""

import json
import time
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Tap, of, stored

ALL = ("cases", "accounts", "contacts", "case_comments", "email_messages", "users", "record_types", "business_processes", "case_statuses")  # fmt: skip
SMALL = {"record_types", "business_processes", "case_statuses"}


def records(sandbox: RunningSandbox, name: str) -> dict[str, dict[str, Any]]:
    return {r["Id"]: r for r in sandbox.admin("GET", f"salesforce/records?object={name}")}


def selecting(tap: Tap, *streams: str) -> Any:
    """A catalog with these streams and all of their columns."""
    catalog = tap.discover()
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog


# -- streams


def test_catalog_has_every_stream_and_selects_cases(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    catalog = tap.discover()
    assert {s["tap_stream_id"] for s in catalog["streams"]} == {*ALL, "case_snapshots"}
    assert sandbox.admin("GET", "salesforce/counts")["api_calls"] == 1  # Meltano discovers before every run
    by_default = {
        s["tap_stream_id"]
        for s in catalog["streams"]
        for entry in s["metadata"]
        if not entry["breadcrumb"] and entry["metadata"].get("selected-by-default", True)
    }
    assert by_default == {"cases", "case_snapshots"}
    assert {m["stream"] for m in tap.read().messages if m["type"] == "SCHEMA"} == {"cases"}


def test_every_stream_comes_whole_and_then_only_what_changed(sandbox: RunningSandbox, tap: Tap) -> None:
    """Accounts and contacts are those that cases refer to; small tables come whole each time."""
    sandbox.seed(60)
    for name, values in (("Account", {"Name": "Nobody's"}), ("Contact", {"LastName": "Alone"})):
        unused = {"Id": f"{'001' if name == 'Account' else '003'}5g00000ZzzzzAAA", **values}
        sandbox.admin("POST", "salesforce/records", {"action": "insert", "object": name, "records": [unused]})
    catalog = selecting(tap, *ALL)
    first = tap.read(None, catalog=catalog)
    assert first.returncode == 0, first.log
    cases = stored(sandbox)
    for stream, name, through in (("accounts", "Account", "AccountId"), ("contacts", "Contact", "ContactId")):
        referred = {c[through] for c in cases.values() if c[through] and not c["IsDeleted"]}
        assert {r["Id"] for r in of(first, stream)} == referred
        assert referred < set(records(sandbox, name))
    for stream, name in (("case_comments", "CaseComment"), ("users", "User"), ("case_statuses", "CaseStatus"), ("email_messages", "EmailMessage")):  # fmt: skip
        assert {r["Id"] for r in of(first, stream)} == set(records(sandbox, name)), stream
    account = of(first, "accounts")[0]["Id"]
    change = {"action": "update", "object": "Account", "id": account, "values": {"Name": "Renamed"}}
    time.sleep(1.1)
    sandbox.admin("POST", "salesforce/records", change)
    second = tap.read(first.state, catalog=catalog)
    assert [r["Name"] for r in of(second, "accounts")] == ["Renamed"]
    moved = {m["stream"] for m in second.messages if m["type"] == "RECORD"} - {"cases"}
    assert moved == {"accounts", *SMALL}
    # The case did not change by itself, but what it shows of its account did.
    assert {r["AccountId"] for r in of(second, "cases")} <= {account}


def test_object_that_the_user_may_not_read_is_told_and_the_others_come(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    sandbox.seed(5)
    catalog = selecting(tap, "cases", "contacts")
    sandbox.admin("POST", "salesforce/switches", {"hidden_objects": ["Contact"]})
    read = tap.read(None, catalog=catalog)
    assert len(of(read, "cases")) == 5, read.log
    assert "No stream contacts" in read.log


@pytest.mark.parametrize("status", [500, 404])
def test_describe_that_fails_within_the_one_call_is_tried_alone_or_told(
    sandbox: RunningSandbox, tap: Tap, status: int
) -> None:
    """What passes is asked again; an object that is not there costs its stream only."""
    sandbox.seed(3)
    names = ("Case", "Account", "Contact", "CaseComment", "EmailMessage", "User", "RecordType", "BusinessProcess", "CaseStatus")  # fmt: skip
    code = {500: "UNKNOWN_EXCEPTION", 404: "NOT_FOUND"}[status]
    parts = [{"httpStatusCode": status, "body": [{"errorCode": code, "message": "m"}], "referenceId": f"q{n}", "httpHeaders": {}} for n in range(len(names))]  # fmt: skip
    described = {"status": 200, "body": {"compositeResponse": parts}}
    sandbox.faults([{"half": "salesforce", "path": "/composite", "nth": 1, "action": "answer", **described}])
    done = tap.read(None, "--discover")
    assert "Traceback" not in done.log
    if status == 500:
        assert done.returncode == 0, done.log
        assert len(sandbox.requests(half="salesforce", path="/describe")) == len(names)
    else:
        assert (done.returncode, "does the org have this api_version" in done.log) == (3, True)


@pytest.mark.parametrize(
    ("switches", "lost"),
    [
        ({"hidden_objects": ["Contact"]}, {"Contact__Email"}),
        ({"hidden_fields": [["Account", "Website"]]}, {"Account__Website"}),
    ],
)
def test_parent_that_the_user_may_not_read_is_told_and_cases_come_without_it(
    sandbox: RunningSandbox, tap: Tap, switches: dict[str, Any], lost: set[str]
) -> None:
    sandbox.seed(20)
    before = set(tap.read().rows[0])
    sandbox.admin("POST", "salesforce/switches", switches)
    read = tap.read()
    assert (read.returncode, len(read.rows)) == (0, 20), read.log
    assert before - set(read.rows[0]) == lost
    assert all(f"Case.{name} can't be read" in read.log for name in lost)


# -- scope


def test_filter_lets_in_what_meets_it_and_every_deletion(sandbox: RunningSandbox, tap: Tap) -> None:
    """A deleted row may have lost the field that the filter asks for; a tombstone too many harms nobody."""
    sandbox.seed(120)
    gone = set(sandbox.mutate(deletes=4)["deleted"])
    read = tap.read(where="Priority = 'High' AND Subject != 'it\\'s'")
    assert read.returncode == 0, read.log
    high = {i for i, c in stored(sandbox).items() if c["Priority"] == "High" and not c["IsDeleted"]}
    assert set(read.ids) == high | gone


def test_record_types_are_taken_in_or_left_out_by_name(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(120)
    types = {i: t["DeveloperName"] for i, t in records(sandbox, "RecordType").items()}
    of_case = {i: types.get(c["RecordTypeId"]) for i, c in stored(sandbox).items()}
    included = tap.read(record_types_include=["billing", "Returns"])
    assert set(included.ids) == {i for i, name in of_case.items() if name in {"Billing", "Returns"}}
    excluded = tap.read(record_types_exclude=["Billing"])
    assert set(excluded.ids) == {i for i, name in of_case.items() if name != "Billing"}
    wrong = tap.read(record_types_include=["Biling"])
    assert (wrong.returncode, wrong.rows) == (3, [])
    assert "record_types_include: Case has no record type 'Biling'; there are: Billing" in wrong.log


def test_state_of_another_filter_is_refused_before_any_work(sandbox: RunningSandbox, tap: Tap) -> None:
    """Cases that the other filter left out would never come."""
    sandbox.seed(10)
    first = tap.read(where="Priority = 'High'")
    second = tap.read(first.state)
    assert (second.returncode, second.messages) == (3, [])
    assert "other settings where" in second.log


def test_filter_that_salesforce_refuses_names_the_setting(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    for where in ("Nonsense__c = 1", "Priority LIKE 7"):
        read = tap.read(where=where)
        assert read.returncode == 3, where
        assert "where" in read.log
        assert "Traceback" not in read.log


def test_filter_longer_than_an_address_may_be_is_sent_in_a_body(sandbox: RunningSandbox, tap: Tap) -> None:
    """Address and headers together have 16,384 bytes."""
    sandbox.seed(30)
    ids = list(stored(sandbox))
    listed = ", ".join(f"'{i}'" for i in [*ids[:10], *(f"5005g00000{n:05d}AAA" for n in range(700))])
    read = tap.read(where=f"Id IN ({listed})")
    assert read.returncode == 0, read.log
    assert set(read.ids) >= set(ids[:10])
    assert sandbox.requests(half="salesforce", path="/composite")


# -- columns


def test_more_columns_of_parents_by_path(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(60)
    sandbox.admin("POST", "salesforce/switches", {})
    owners = records(sandbox, "User")
    read = tap.read(relationship_fields=["CreatedBy.Email", "Account.Owner.Name"])
    assert read.returncode == 0, read.log
    for row in read.rows:
        assert row["CreatedBy__Email"] == owners[row["CreatedById"]]["Email"]
        assert "Account__Owner__Name" in row
    wrong = tap.read(relationship_fields=["Account.Nme"])
    assert wrong.returncode == 3
    assert "relationship_fields: Account.Nme is no field" in wrong.log


def test_R49_field_that_vanished_between_runs_is_told_and_never_null(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    sandbox.seed(10)
    first = tap.read()
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Priority"]]})
    sandbox.mutate(edits=3)
    second = tap.read(first.state)
    assert second.returncode == 0, second.log
    assert second.rows
    assert not any("Priority" in row for row in second.rows)
    assert "Case.Priority can't be read any more" in second.log
    assert second.report["dropped_fields"] == ["Case.Priority"]


def test_R49_field_that_vanishes_within_a_run_is_told_and_the_rest_comes(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """INVALID_FIELD behind the describe: described anew, announced anew."""
    sandbox.seed(10)
    slow = {"half": "salesforce", "path": "COUNT", "nth": 1, "action": "latency", "latency_ms": 1500}
    sandbox.faults([slow])
    process = tap.start()
    assert process.stdout
    before = [json.loads(process.stdout.readline()) for _ in range(2)]
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Priority"]]})
    rest = [json.loads(line) for line in process.stdout]
    _, log = process.communicate()
    assert process.returncode == 0, log
    schemas = [m["schema"]["properties"] for m in [*before, *rest] if m["type"] == "SCHEMA"]
    assert ["Priority" in properties for properties in schemas] == [True, False]
    assert len([m for m in rest if m["type"] == "RECORD"]) == 10
    assert "Case.Priority can't be read any more" in log


def test_describe_is_asked_for_only_if_it_changed(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    cache = str(tap.folder / "describe.json")
    first = tap.read(describe_cache_path=cache)
    second = tap.read(first.state, describe_cache_path=cache)
    assert second.returncode == 0, second.log
    assert [r["status"] for r in sandbox.requests(half="salesforce", path="Case/describe")] == [200, 304]
