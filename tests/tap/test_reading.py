"""What the tap emits of an org, run after run."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Tap, stored


def settle() -> None:
    """Stamps have a second's resolution: the next change gets a later one."""
    time.sleep(1.1)


def test_every_case_comes_once_in_order_with_its_values(sandbox: RunningSandbox, tap: Tap) -> None:
    """Live rows and tombstones add up to the table; each live row has every selected field as Salesforce holds it."""
    sandbox.seed(450)
    sandbox.mutate(deletes=6, merges=2)
    read = tap.read(page_size=200)
    assert read.returncode == 0, read.log
    table = stored(sandbox)
    assert sorted(read.ids) == sorted(table)
    assert [(r["SystemModstamp"], r["Id"]) for r in read.rows] == sorted(
        (r["SystemModstamp"], r["Id"]) for r in read.rows
    )
    for row in read.rows:
        source = table[row["Id"]]
        assert row["IsDeleted"] == bool(source["IsDeleted"])
        if not row["IsDeleted"]:
            assert {n: row[n] for n in ("Subject", "Description", "Status", "AccountId")} == {
                n: source[n] for n in ("Subject", "Description", "Status", "AccountId")
            }
    assert read.report["rows"] == {"cases": len(table)}
    assert read.report["status"] == "complete"


def test_relationship_columns_and_joins_are_those_of_the_parents(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(80)
    accounts = {a["Id"]: a for a in sandbox.admin("GET", "salesforce/records?object=Account")}
    types = {t["Id"]: t for t in sandbox.admin("GET", "salesforce/records?object=RecordType")}
    processes = {p["Id"]: p for p in sandbox.admin("GET", "salesforce/records?object=BusinessProcess")}
    rows = tap.read().rows
    assert any(row["Account__Name"] for row in rows)
    assert any(row["BusinessProcess__Name"] for row in rows)
    for row in rows:
        assert row["Account__Name"] == accounts.get(row["AccountId"], {}).get("Name")
        process = types.get(row["RecordTypeId"], {}).get("BusinessProcessId")
        assert row["BusinessProcess__Name"] == processes.get(process, {}).get("Name")
        assert row["CaseStatus__IsClosed"] == row["IsClosed"]


def test_next_run_emits_what_changed_and_nothing_else(sandbox: RunningSandbox, tap: Tap) -> None:
    """Edits, closes, deletes, undeletes and new cases come, each once; a run without changes emits no row."""
    sandbox.seed(120)
    state = tap.read().state
    quiet = tap.read(state)
    assert (quiet.returncode, quiet.rows) == (0, [])
    settle()
    changed = sandbox.mutate(edits=5, closes=3, deletes=4, adds=2)
    second = tap.read(quiet.state)
    assert sorted(second.ids) == sorted(
        i for kind in ("edited", "closed", "deleted", "added") for i in changed[kind]
    )
    assert {r["Id"] for r in second.rows if r["IsDeleted"]} == set(changed["deleted"])
    settle()
    back = sandbox.mutate(undeletes=2)
    third = tap.read(second.state)
    assert sorted(third.ids) == sorted(back["undeleted"])
    assert all(row["Subject"] is not None or row["_sdc_deleted_at"] is None for row in third.rows)


def test_change_within_the_second_of_a_run_is_not_missed(sandbox: RunningSandbox, tap: Tap) -> None:
    """Two versions of a row with one stamp: the stamp is the same, the values are not."""
    sandbox.seed(10)
    newest = next(iter(stored(sandbox)))
    change = {"action": "update", "id": newest, "values": {"Subject": "First version"}}
    sandbox.admin("POST", "salesforce/records", change)
    first = tap.read()
    change |= {"stamp": stored(sandbox)[newest]["SystemModstamp"], "values": {"Subject": "Second version"}}
    sandbox.admin("POST", "salesforce/records", change)
    second = tap.read(first.state)
    assert [(r["Id"], r["Subject"], r["SystemModstamp"]) for r in second.rows] == [
        (newest, "Second version", first.rows[-1]["SystemModstamp"])
    ]


def test_R43_late_commit_is_caught(sandbox: RunningSandbox, tap: Tap) -> None:
    """A row stamped before rows that were read, and seen after them, comes with the next run."""
    sandbox.seed(30)
    late, early = (row["Id"] for row in tap.read().rows[:2])
    sandbox.admin(
        "POST", "salesforce/late-commit", {"changes": [["Case", late, {"Subject": "Committed late"}]]}
    )
    settle()
    sandbox.admin(
        "POST",
        "salesforce/records",
        {"action": "update", "id": early, "values": {"Subject": "Committed at once"}},
    )
    first = tap.read()
    assert {r["Id"]: r["Subject"] for r in first.rows}[early] == "Committed at once"
    sandbox.admin("POST", "salesforce/commit")
    second = tap.read(first.state)
    assert [(r["Id"], r["Subject"]) for r in second.rows] == [(late, "Committed late")]


def test_start_date_leaves_out_what_is_older(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(60)
    stamps = sorted(c["SystemModstamp"] for c in stored(sandbox).values())
    middle = stamps[30][:19] + "Z"
    read = tap.read(start_date=middle)
    wanted = {i for i, c in stored(sandbox).items() if c["SystemModstamp"][:19] >= middle[:19]}
    assert set(read.ids) == wanted
    assert 0 < len(wanted) < 60


def test_empty_org_leaves_a_state_that_can_be_used(tap: Tap, sandbox: RunningSandbox) -> None:
    first = tap.read()
    assert (first.returncode, first.rows) == (0, [])
    sandbox.seed(5)
    assert len(tap.read(first.state).rows) == 5


def test_S13_catalog_decides_which_columns_come(sandbox: RunningSandbox, tap: Tap) -> None:
    """Deselected fields are neither asked for nor emitted; tombstones stay whole."""
    sandbox.seed(20)
    sandbox.mutate(deletes=2)
    catalog = tap.discover()
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = entry["breadcrumb"][-1] in {
                "Subject",
                "_sdc_deleted_at",
                "_sf_delete_kind",
            }
    read = tap.read(None, catalog=catalog)
    live = [row for row in read.rows if not row.get("_sdc_deleted_at")]
    assert {frozenset(row) for row in live} == {
        frozenset({"Id", "SystemModstamp", "Subject", "_sdc_deleted_at", "_sf_organization_id"})
    }
    assert len(read.rows) - len(live) == 2
    assert not any(
        "Description" in r["query"]
        for r in sandbox.requests(half="salesforce", path="queryAll")
        if "query" in r
    )
    quiet = tap.read(read.state, catalog=catalog)
    assert quiet.rows == []


def test_field_hidden_from_the_user_is_not_in_the_catalog(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(10)
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Priority"]]})
    columns = tap.discover()["streams"][0]["schema"]["properties"]
    assert "Priority" not in columns
    assert all("Priority" not in row for row in tap.read().rows)


def test_S13_excluded_fields_are_never_read(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    rows = tap.read(exclude_fields=["description"]).rows
    assert all("Description" not in row and "LastViewedDate" in row for row in rows)
    assert all("LastViewedDate" not in row for row in tap.read().rows)


def jwt(sandbox: RunningSandbox) -> dict[str, Any]:
    key = sandbox.admin("POST", "salesforce/jwt-key")
    return {"auth_method": "jwt_bearer", "client_secret": None, **key}


def refresh(_: RunningSandbox) -> dict[str, Any]:
    return {"auth_method": "refresh_token", "refresh_token": "sandbox-refresh"}


@pytest.mark.parametrize("login", [jwt, refresh], ids=["jwt_bearer", "refresh_token"])
def test_other_ways_to_log_in_read_the_same(sandbox: RunningSandbox, tap: Tap, login: Any) -> None:
    sandbox.seed(5)
    read = tap.read(**login(sandbox))
    assert (read.returncode, len(read.rows)) == (0, 5), read.log


def change(sandbox: RunningSandbox, action: str, record_id: str) -> None:
    sandbox.admin("POST", "salesforce/records", {"action": action, "id": record_id})


def test_case_deleted_for_good_comes_as_a_tombstone_once(sandbox: RunningSandbox, tap: Tap) -> None:
    """It is in no query any more, only in the delete log; a case that is merely in the recycle bin comes as before."""
    sandbox.seed(20)
    first = tap.read()
    gone, binned = first.ids[:2]
    change(sandbox, "purge", gone)
    change(sandbox, "delete", binned)
    second = tap.read(first.state)
    assert sorted((r["Id"], r["_sf_delete_kind"]) for r in second.rows) == sorted(
        [(gone, "purged"), (binned, "soft")]
    )
    assert all(r["_sdc_deleted_at"] and r["IsDeleted"] for r in second.rows)
    assert second.report["purged"] == 1
    assert tap.read(second.state).rows == []


def test_case_deleted_behind_the_query_and_purged_before_the_next_comes_as_a_tombstone(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """The log names it while it is in the recycle bin, which is no tombstone yet: the next run looks at it again."""
    sandbox.seed(5)
    first = tap.read()
    sandbox.faults([{"half": "salesforce", "path": "Case/deleted", "action": "latency", "latency_ms": 1_500}])
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(tap.read, first.state)
        while not sandbox.admin("GET", "faults")["rules"][0]["hit"]:
            time.sleep(0.02)
        change(sandbox, "delete", first.ids[0])
        second = running.result()
    assert second.rows == []
    change(sandbox, "purge", first.ids[0])
    third = tap.read(second.state)
    assert [(r["Id"], r["_sf_delete_kind"]) for r in third.rows] == [(first.ids[0], "purged")]
    assert tap.read(third.state).rows == []


def test_hard_deletes_can_be_switched_off(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    first = tap.read(hard_deletes=False)
    change(sandbox, "purge", first.ids[0])
    assert tap.read(first.state, hard_deletes=False).rows == []
    assert sandbox.requests(half="salesforce", path="/deleted") == []


def test_entry_of_the_log_whose_case_is_there_deletes_nothing(sandbox: RunningSandbox, tap: Tap) -> None:
    """Deleted and brought back while the log was read: what queryAll still knows was not purged."""
    sandbox.seed(5)
    first = tap.read()
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    entry = {"id": first.ids[0], "deletedDate": now}
    body = {"deletedRecords": [entry], "earliestDateAvailable": now, "latestDateCovered": now}
    sandbox.faults(
        [{"half": "salesforce", "path": "Case/deleted", "action": "answer", "status": 200, "body": body}]
    )
    second = tap.read(first.state)
    assert (second.returncode, second.rows) == (0, []), second.log


def test_log_that_does_not_reach_back_is_told_and_reconciled(sandbox: RunningSandbox, tap: Tap) -> None:
    """Nothing is deleted on a guess: the ids of all cases follow, closed by a marker whose counts agree."""
    sandbox.seed(5)
    first = tap.read()
    change(sandbox, "purge", first.ids[0])
    sandbox.admin("POST", "salesforce/switches", {"purged_log": True})
    second = tap.read(first.state)
    assert second.returncode == 0, second.log
    assert "delete log does not reach back" in second.log
    assert [r["kind"] for r in second.rows] == ["ids", "complete"]
    assert set(second.rows[0]["ids"]) == set(first.ids) - {first.ids[0]}
    assert (second.rows[1]["count"], second.rows[1]["source_count"]) == (4, 4)


def test_state_of_another_org_is_refused_before_any_row(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(5)
    first = tap.read()
    assert first.state
    sandbox.admin("POST", "salesforce/switches", {"organization_id": "00D5g00000OtherEAA"})
    second = tap.read(first.state)
    assert (second.returncode, second.rows) == (3, [])
    assert "made with another Salesforce org" in second.log
    assert "Traceback" not in second.log


def test_run_without_changes_costs_few_calls(sandbox: RunningSandbox, tap: Tap) -> None:
    """Describe, COUNT, the overlap, the small tables in one, the delete log; the login is none of the API's calls."""
    sandbox.seed(50)
    sandbox.mutate(edits=5)
    state = tap.read().state
    quiet = tap.read(state)
    assert (quiet.rows, quiet.report["unchanged"], quiet.report["api_calls"]) == ([], 5, 5)


def test_R46_R71_quota_ends_the_run_with_its_state(sandbox: RunningSandbox, tap: Tap) -> None:
    """Others need the org's calls, too: the run stops, says so, and the next one goes on behind what was read."""
    sandbox.seed(1000)
    used = sandbox.admin("GET", "salesforce/counts")["api_calls"]
    sandbox.admin("POST", "salesforce/switches", {"daily_limit": (used + 5) * 2})
    stopped = tap.read(page_size=200, quota_percent=50)
    assert stopped.returncode == 5
    assert "quota_percent" in stopped.log
    assert stopped.report["status"] == "stopped: quota"
    assert 0 < len(stopped.rows) < 1000
    sandbox.admin("POST", "salesforce/switches", {"daily_limit": 100_000})
    rest = tap.read(stopped.state)
    assert {*stopped.ids, *rest.ids} == set(stored(sandbox))
    assert len(rest.rows) < 1000
