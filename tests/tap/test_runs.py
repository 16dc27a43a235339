"""Windows, clocks, deletions, reconciliation, logins, quota: what a run of the tap does besides reading rows."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Tap, of, stored

# -- windows, clocks, deletes


@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_R45_queries_that_take_too_long_are_halved(sandbox: RunningSandbox, tap: Tap, api_mode: str) -> None:
    """QUERY_TIMEOUT for anything above 40 rows: down to windows that pass, and no row is lost or comes twice."""
    sandbox.seed(300)
    sandbox.admin("POST", "salesforce/switches", {"query_timeout_above_rows": 40})
    read = tap.read(api_mode=api_mode)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))


@pytest.mark.parametrize("days", [-3, 3])
def test_R50_this_machines_clock_does_not_matter(sandbox: RunningSandbox, tap: Tap, days: int) -> None:
    """Salesforce's clock counts: a change is found whatever the clock here says."""
    sandbox.admin("POST", "clock", {"offset": days * 86_400})
    sandbox.seed(20)
    first = tap.read()
    time.sleep(1.1)
    changed = set(sandbox.mutate(edits=4)["edited"])
    second = tap.read(first.state)
    assert set(second.ids) == changed
    assert tap.read(second.state).rows == []


def test_deletions_too_many_for_one_call_come_in_parts(sandbox: RunningSandbox, tap: Tap) -> None:
    """EXCEEDED_ID_LIMIT: the delete log is read in halves."""
    sandbox.seed(40)
    first = tap.read()
    sandbox.admin("POST", "salesforce/switches", {"max_replication_ids": 3})
    for record_id in first.ids[:8]:
        sandbox.admin("POST", "clock", {"advance": 150})
        for action in ("delete", "purge"):
            sandbox.admin("POST", "salesforce/records", {"action": action, "id": record_id})
    second = tap.read(first.state)
    assert second.returncode == 0, second.log
    assert {r["Id"]: r["_sf_delete_kind"] for r in second.rows} == dict.fromkeys(first.ids[:8], "purged")


@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_reconciliation_is_whole_and_says_so(sandbox: RunningSandbox, tap: Tap, api_mode: str) -> None:
    """All live ids in scope, then the marker with both counts, the org, the user and the filter."""
    sandbox.seed(1_200)
    sandbox.mutate(deletes=5)
    live = {i for i, c in stored(sandbox).items() if not c["IsDeleted"]}
    snapshot = of(tap.read(reconcile=True, api_mode=api_mode), "case_snapshots")
    *parts, marker = snapshot
    assert [p["sequence"] for p in snapshot] == list(range(len(snapshot)))
    assert len(parts) == 2
    assert {i for part in parts for i in part["ids"]} == live
    assert (marker["kind"], marker["count"], marker["source_count"]) == ("complete", len(live), len(live))
    assert all(marker[name] for name in ("organization_id", "user_id", "filter_fingerprint", "taken_at"))


def test_reconciliation_comes_every_so_many_days(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(4)
    state = tap.read(reconcile_days=3).state
    sandbox.admin("POST", "clock", {"offset": 2 * 86_400})
    second = tap.read(state, reconcile_days=3)
    assert of(second, "case_snapshots") == []
    sandbox.admin("POST", "clock", {"offset": 4 * 86_400})
    third = tap.read(second.state, reconcile_days=3)
    assert [r["kind"] for r in of(third, "case_snapshots")] == ["ids", "complete"]
    assert of(tap.read(third.state, reconcile_days=3), "case_snapshots") == []


def test_reconciliation_that_is_cut_has_no_marker_and_comes_again(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(2_500)
    state = tap.read().state
    where = {"half": "salesforce", "path": "/query/0"}
    sandbox.faults([{**where, "nth": n, "action": "500"} for n in range(1, 9)])
    cut = tap.read(state, reconcile=True, max_tries=2)
    assert cut.returncode == 6
    assert "complete" not in [r["kind"] for r in of(cut, "case_snapshots")]


def test_reconciliation_that_lacks_ids_says_so_in_its_marker(sandbox: RunningSandbox, tap: Tap) -> None:
    """What came and what COUNT() says differ: a reader must not believe it."""
    sandbox.seed(2_500)
    state = tap.read().state
    short = {"status": 200, "body": {"records": [], "done": True, "totalSize": 0}}
    sandbox.faults([{"half": "salesforce", "path": "/query/0", "action": "answer", **short}])
    marker = of(tap.read(state, reconcile=True, api_mode="rest"), "case_snapshots")[-1]
    assert (marker["kind"], marker["count"], marker["source_count"]) == ("complete", 2_000, 2_500)


def test_bookmark_waits_for_open_transactions_if_asked(sandbox: RunningSandbox, tap: Tap) -> None:
    """GetUpdated's latestDateCovered, as far back as max_lookback_seconds allows."""
    sandbox.seed(10)
    read = tap.read(use_get_updated=True, lookback_seconds=0)
    assert read.returncode == 0, read.log
    assert sandbox.requests(half="salesforce", path="Case/updated")


# -- logging in, quota


def test_jwt_login_with_a_key_from_a_file(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    made = sandbox.admin("POST", "salesforce/jwt-key")
    key = tap.folder / "key.pem"
    key.write_text(made["private_key"], encoding="utf-8")
    settings = {"auth_method": "jwt_bearer", "client_id": made["client_id"], "username": made["username"], "client_secret": None}  # fmt: skip
    assert len(tap.read(private_key_path=str(key), **settings).rows) == 3
    assert len(tap.read(private_key=made["private_key"], **settings).rows) == 3
    missing = tap.read(private_key_path=str(tap.folder / "none.pem"), **settings)
    assert missing.returncode == 3
    assert "private_key_path can't be read" in missing.log


def test_S5_S23_rotated_refresh_token_is_kept_where_the_user_says(sandbox: RunningSandbox, tap: Tap) -> None:
    """Each token counts once: the file holds its successor, readable by its owner only."""
    sandbox.seed(3)
    sandbox.admin("POST", "salesforce/switches", {"rotate_refresh_tokens": True})
    kept = Path(tap.folder / "token")
    settings = {
        "auth_method": "refresh_token",
        "refresh_token": "sandbox-refresh",
        "refresh_token_path": str(kept),
    }
    for _ in range(3):
        assert len(tap.read(**settings).rows) == 3
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.read_text(encoding="utf-8") != "sandbox-refresh"


def test_S23_rotated_refresh_token_without_a_place_is_told(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    sandbox.admin("POST", "salesforce/switches", {"rotate_refresh_tokens": True})
    read = tap.read(auth_method="refresh_token", refresh_token="sandbox-refresh")
    assert len(read.rows) == 3
    assert "refresh_token_path is not set" in read.log


def test_S9_next_page_on_another_host_gets_no_token(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    page = {"totalSize": 9, "done": False, "nextRecordsUrl": f"{sandbox.hubspot_url}/stolen", "records": []}
    sandbox.faults([{"half": "salesforce", "path": "ORDER", "action": "answer", "status": 200, "body": page}])
    read = tap.read()
    assert read.returncode == 1
    assert "another host" in read.log
    assert sandbox.requests(half="hubspot", path="stolen") == []


def test_R71_run_keeps_to_its_own_share_of_the_quota(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(1_000)
    sandbox.admin("POST", "salesforce/switches", {"daily_limit": 100, "per_app_usage": True})
    read = tap.read(page_size=200, quota_percent_per_run=5)
    assert read.returncode == 5
    assert "quota_percent_per_run" in read.log
    assert read.report["status"] == "stopped: quota"
    rest = tap.read(read.state, quota_percent_per_run=100)
    assert {*read.ids, *rest.ids} == set(stored(sandbox))


def test_start_date_is_where_a_first_run_begins(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(50)
    middle = sorted(c["SystemModstamp"] for c in stored(sandbox).values())[25]
    read = tap.read(start_date=middle.replace("+0000", "Z"))
    assert set(read.ids) == {i for i, c in stored(sandbox).items() if c["SystemModstamp"] >= middle}
    later = datetime.now(UTC) + timedelta(days=1)
    nothing = tap.read(start_date=later.isoformat())
    assert (nothing.returncode, nothing.rows) == (0, []), nothing.log


@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_until_a_first_case_is_found_a_run_says_what_to_check(
    sandbox: RunningSandbox, tap: Tap, api_mode: str
) -> None:
    """A filter mistyped is no error to Salesforce. A run that goes on from what was read finds nothing new most of the time."""
    sandbox.seed(5)
    told, settings = "No case is in scope", {"api_mode": api_mode, "bulk_threshold": 1}
    nothing = tap.read(where="Priority = 'Hihg'", **settings)
    assert (nothing.returncode, nothing.ids) == (0, [])
    assert told in nothing.log
    assert told in tap.read(nothing.state, where="Priority = 'Hihg'", **settings).log
    whole = tap.read(**settings)
    assert whole.ids
    assert told not in whole.log
    again = tap.read(whole.state, **settings)
    assert (again.ids, told in again.log) == ([], False)
    assert told not in tap.read(start_now=True, **settings).log
