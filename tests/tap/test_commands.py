"""What the tap answers to other programs: the org, how many cases are in scope, which."""

import json
import subprocess
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from case_ticket_mapper.metadata import Metadata, add

from .conftest import Tap, clean_environment, stored


def answers(tap: Tap, *options: str, **settings: Any) -> list[dict[str, Any]]:
    done = subprocess.run(
        tap.command(*options, **settings),
        capture_output=True, text=True, check=False, timeout=120, env=clean_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_describe_is_one_object_about_the_org(sandbox: RunningSandbox, tap: Tap) -> None:
    """Salesforce's own answers where they are long, a few words where they are short; whatever sync_status says."""
    sandbox.seed(40)
    sandbox.mutate(deletes=3)
    (found,) = answers(tap, "--describe", sync_status="paused")
    assert found["organization_id"] == "00D5g0000000001EAA"
    assert found["instance_url"] == sandbox.salesforce_url
    assert "@" in found["username"]
    assert found["server_time"].endswith("Z")
    assert (found["api_version"], found["api_allowed_24h"], found["cases"]) == ("66.0", 100_000, 37)
    assert 0 < found["api_used_24h"] < 5 + len(found["statuses_by_process"])
    case = found["case"]
    assert (case["name"], {f["name"] for f in case["fields"]} >= {"Id", "Status"}) == ("Case", True)
    assert {"Subject", "Account__Name", "BusinessProcess__Name", "_sf_organization_id"} <= {*found["columns"]}
    assert "LastViewedDate" not in found["columns"]
    processes = found["support_processes"]["records"]
    assert {"Id", "Name", "IsActive"} == set(processes[0])
    assert "Technical Support Process" in {p["Name"] for p in processes}
    statuses = found["case_statuses"]["records"]
    assert {"ApiName", "MasterLabel", "IsClosed", "SortOrder", "IsDefault"} == set(statuses[0])
    assert found["record_types"][0] == {
        "name": "Billing",
        "developer_name": "Billing",
        "is_active": True,
        "support_process": "Billing Process",
    }


def test_describe_names_the_columns_that_a_run_sends(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(2)
    settings = {"relationship_fields": ["Account.Industry"], "exclude_fields": ["Comments"]}
    (found,) = answers(tap, "--describe", **settings)
    read = tap.read(**settings)
    (sent,) = [
        m["schema"]["properties"] for m in read.messages if m["type"] == "SCHEMA" and m["stream"] == "cases"
    ]
    assert found["columns"] == list(sent)
    assert "Account__Industry" in sent
    assert "Comments" not in sent


def test_mapper_reads_what_describe_says(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    known = add(Metadata(), answers(tap, "--describe")[0])
    assert known.fields
    assert known.processes
    assert known.statuses
    assert known.statuses["Closed"]


def test_S19_describe_tells_which_statuses_each_support_process_allows(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """Of a process that no record type has, nothing is known; nor where the user may not ask."""
    sandbox.seed(5)
    (found,) = answers(tap, "--describe")
    allowed = found["statuses_by_process"]
    assert set(allowed) == {"Billing Process", "Returns Process", "Technical Support Process"}
    assert allowed["Returns Process"] == ["New", "In Repair", "Resolved", "Closed"]
    assert {p["Name"] for p in found["support_processes"]["records"]} - set(allowed) == {"Legacy Process"}
    forbidden = {"status": 403, "body": '[{"errorCode": "INSUFFICIENT_ACCESS", "message": "no access"}]'}
    sandbox.faults([{"half": "salesforce", "path": "ui-api", "action": "answer", **forbidden}])
    (found,) = answers(tap, "--describe")
    assert found["statuses_by_process"] == {}
    assert found["support_processes"]["records"]


def test_describe_leaves_empty_what_the_user_may_not_read(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    hidden = ["User", "BusinessProcess", "CaseStatus", "RecordType"]
    sandbox.admin("POST", "salesforce/switches", {"hidden_objects": hidden})
    (found,) = answers(tap, "--describe")
    assert (found["username"], found["record_types"]) == (None, [])
    assert (found["support_processes"], found["case_statuses"]) == ({"records": []}, {"records": []})
    assert found["cases"] == 3


@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_list_is_every_live_case_in_scope(sandbox: RunningSandbox, tap: Tap, api_mode: str) -> None:
    """The same lines from both APIs, over several pages; as many as --count-cases says."""
    sandbox.seed(2_100)
    sandbox.mutate(deletes=4)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 900})
    live = {i: c for i, c in stored(sandbox).items() if not c["IsDeleted"]}
    lines = answers(tap, "--list-cases", api_mode=api_mode, sync_status="saved")
    assert {line["Id"] for line in lines} == set(live)
    assert len(lines) == len(live)
    case = live[lines[7]["Id"]]
    moments = {name: case[name] + ".000Z" for name in ("SystemModstamp", "CreatedDate")}
    assert lines[7] == {"Id": case["Id"], "CaseNumber": case["CaseNumber"], **moments}
    assert answers(tap, "--count-cases") == [{"cases": len(live)}]


def test_list_and_count_keep_to_the_filter(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(80)
    types = {t["Id"] for t in sandbox.admin("GET", "salesforce/records?object=RecordType") if t["DeveloperName"] == "Billing"}  # fmt: skip
    wanted = {i for i, c in stored(sandbox).items() if c["Priority"] == "High" and c["RecordTypeId"] in types}
    scope: dict[str, Any] = {"where": "Priority = 'High'", "record_types_include": ["Billing"]}
    assert {line["Id"] for line in answers(tap, "--list-cases", **scope)} == wanted
    assert answers(tap, "--count-cases", **scope) == [{"cases": len(wanted)}]


def test_list_by_bulk_that_is_cut_is_never_taken_for_whole(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(30)
    cut = {
        "status": 200,
        "headers": {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "30"},
        "body": "Id\n",
    }
    sandbox.faults([{"half": "salesforce", "path": "/results", "action": "answer", **cut}])
    read = tap.read(None, "--list-cases", api_mode="bulk")
    assert read.returncode == 6
    assert "has 30 records and" in read.log


def test_one_thing_at_a_time(tap: Tap) -> None:
    read = tap.read(None, "--describe", "--count-cases")
    assert read.returncode == 2
    assert "go one at a time" in read.log


def test_reader_that_has_enough_is_no_fault_of_ours(sandbox: RunningSandbox, tap: Tap) -> None:
    """`... --list-cases | head`: one line, no traceback."""
    sandbox.seed(3_000)
    process = tap.start("--list-cases", page_size=200)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    log = process.stderr.read()
    process.wait(60)
    assert "Traceback" not in log
