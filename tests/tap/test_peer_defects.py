"""What other taps are known to get wrong, one test each.

Elsewhere: bookmarks of unordered Bulk rows (test_crashes), jobs that
fail or are aborted, whole pages in memory, 401 among downloads (test_bulk), the usage header with a part per app (test_core),
clock skew, deletions for good (test_runs, test_reading), a session that ends between pages (test_faults).
"""

from datetime import UTC, datetime, timedelta

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Tap, run_here, stored


def restamp(sandbox: RunningSandbox, step_seconds: int) -> None:
    """A mass update: every case changed within minutes, so many seconds apart."""
    moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    for number, record_id in enumerate(stored(sandbox)):
        stamp = (moment + timedelta(seconds=number * step_seconds)).strftime("%Y-%m-%dT%H:%M:%S")
        change = {"action": "update", "id": record_id, "values": {"Reason": "Mass update"}, "stamp": stamp}
        sandbox.admin("POST", "salesforce/records", change)


def test_R45_day_of_a_mass_update_is_halved_down_to_seconds(sandbox: RunningSandbox, tap: Tap) -> None:
    """Windows shorter than a day can be halved, too: else such a day can never be read."""
    sandbox.seed(120)
    restamp(sandbox, 1)
    sandbox.admin("POST", "salesforce/switches", {"query_timeout_above_rows": 8})
    assert sorted(run_here(tap).ids) == sorted(stored(sandbox))


def test_one_second_that_takes_too_long_is_told_with_what_to_do(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(30)
    restamp(sandbox, 0)
    sandbox.admin("POST", "salesforce/switches", {"query_timeout_above_rows": 3})
    read = tap.read(api_mode="rest")
    assert read.returncode == 6
    assert "one second of Case" in read.log
    assert "api_mode=bulk" in read.log


@pytest.mark.parametrize("page_size", [200, 2_000])
def test_R44_rows_of_one_second_come_over_pages_and_runs(
    sandbox: RunningSandbox, tap: Tap, page_size: int
) -> None:
    """450 rows with one stamp: a strict `>` would lose what lies behind the first page, or behind the last run."""
    sandbox.seed(450)
    restamp(sandbox, 0)
    first = run_here(tap, page_size=page_size, breaks_after=400_000)
    second = run_here(tap, first.state, page_size=page_size)
    assert {*first.ids, *second.ids} == set(stored(sandbox))


def test_run_without_rows_leaves_the_bookmark_where_it_was(sandbox: RunningSandbox, tap: Tap) -> None:
    """It does not jump to this machine's clock: a late commit or a skew would fall into the gap."""
    sandbox.seed(10)
    first = run_here(tap)
    sandbox.admin("POST", "clock", {"offset": 5 * 86_400})
    second = run_here(tap, first.state)
    assert second.rows == []
    before, after = (read.state["bookmarks"]["cases"]["replication_key_value"] for read in (first, second) if read.state)  # fmt: skip
    assert after == before


def test_no_start_date_means_all_history(sandbox: RunningSandbox, tap: Tap) -> None:
    """Not the last two years."""
    sandbox.seed(20)
    oldest = next(iter(stored(sandbox)))
    old = {"action": "update", "id": oldest, "values": {}, "stamp": "2009-02-03T04:05:06"}
    sandbox.admin("POST", "salesforce/records", old)
    assert oldest in run_here(tap).ids


def test_R46_too_many_calls_at_once_pass_and_too_many_a_day_do_not(sandbox: RunningSandbox, tap: Tap) -> None:
    """One errorCode, two meanings."""
    sandbox.seed(10)
    once = {"half": "salesforce", "path": "queryAll", "nth": 1}
    sandbox.faults([{**once, "action": "403_concurrent"}])
    assert len(tap.read().rows) == 10
    sandbox.admin("DELETE", "faults")
    sandbox.faults([{**once, "action": "403_daily"}])
    assert tap.read().report["status"] == "stopped: quota"


def test_row_that_changes_while_it_is_read_is_not_skipped(sandbox: RunningSandbox, tap: Tap) -> None:
    """A row is asked for in one query, however many fields it has: none of its halves can disagree."""
    sandbox.seed(10)
    run_here(tap)
    queries = [r["query"] for r in sandbox.requests(half="salesforce", path="/queryAll")]
    assert sum("ORDER" in query for query in queries) == 1


def test_describes_cost_one_call_for_each_stream_that_is_selected(sandbox: RunningSandbox, tap: Tap) -> None:
    """An org has a thousand objects; a sync of cases asks for one."""
    sandbox.seed(3)
    run_here(tap)
    assert len(sandbox.requests(half="salesforce", path="/describe")) == 1
