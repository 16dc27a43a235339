"""Bulk 2.0: the same rows as REST, whatever happens to jobs and pages."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.configuration import with_defaults
from tap_salesforce_cases.session import SalesforceSession

from .conftest import Tap, credentials, stored

BULK: dict[str, Any] = {"api_mode": "bulk", "bulk_window_rows": 200, "retry_wait_seconds": 0.05}
TEXTS = (
    'two\nlines, "quotes", a comma',
    "N/A",
    "null",
    "#N/A",
    " spaces around ",
    "x" * 32_000,
    "Zürich 東京 😀 \u200b",
    "nul\x00byte",
    "\r\ncarriage",
    "'",
    "=1+1",
)


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in rows}


def calls(sandbox: RunningSandbox, method: str, path: str) -> list[str]:
    return [r["path"] for r in sandbox.requests(half="salesforce", path=path) if r["method"] == method]


def test_rest_and_bulk_give_the_same_rows(sandbox: RunningSandbox, tap: Tap) -> None:
    """Every column of every row, with texts that a CSV has trouble with."""
    sandbox.seed(450)
    sandbox.mutate(deletes=5, merges=2)
    for record_id, text in zip(list(stored(sandbox))[20:], TEXTS, strict=False):
        change = {"action": "update", "id": record_id, "values": {"Description": text, "Subject": text[:80]}}
        sandbox.admin("POST", "salesforce/records", change)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 70})
    rest, bulk = tap.read(api_mode="rest"), tap.read(**BULK)
    assert (rest.returncode, bulk.returncode) == (0, 0), bulk.log
    assert len(bulk.rows) == len(stored(sandbox))
    assert by_id(bulk.rows) == by_id(rest.rows)
    assert set(TEXTS) - {" spaces around "} <= {row.get("Description") for row in bulk.rows}
    assert calls(sandbox, "POST", "jobs/query")


@pytest.mark.parametrize(("threshold", "is_bulk"), [(30, True), (31, False)])
def test_api_is_chosen_by_the_number_of_rows(
    sandbox: RunningSandbox, tap: Tap, threshold: int, is_bulk: bool
) -> None:
    """Above bulk_threshold Bulk 2.0, and its jobs are deleted after use; a run with little to read needs none."""
    sandbox.seed(31)
    first = tap.read(bulk_threshold=threshold)
    assert len(first.rows) == 31
    made = calls(sandbox, "POST", "jobs/query")
    assert bool(made) is is_bulk
    assert len(calls(sandbox, "DELETE", "jobs/query")) == len(made)
    sandbox.mutate(edits=3)
    tap.read(first.state, bulk_threshold=threshold)
    assert calls(sandbox, "POST", "jobs/query") == made


@pytest.mark.parametrize("outcome", ["Failed", "Aborted", "InProgress"])
def test_R41_job_that_does_not_complete_is_made_once_more_and_then_read_by_rest(
    sandbox: RunningSandbox, tap: Tap, outcome: str
) -> None:
    sandbox.seed(30)
    sandbox.admin("POST", "salesforce/switches", {"bulk_outcome": outcome})
    read = tap.read(**BULK, bulk_timeout_seconds=1)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert len(calls(sandbox, "POST", "jobs/query")) == 2
    assert f"{'was still' if outcome == 'InProgress' else 'is'} {outcome}" in read.log
    assert "Reading this window by REST" in read.log


@pytest.mark.parametrize(
    ("code", "message", "jobs"),
    [
        ("FEATURENOTENABLED", "Bulk API is not enabled", 1),
        ("INVALIDENTITY", "Entity 'Case' is not supported by the Bulk API.", 2),
    ],
)
def test_refused_job_is_read_by_rest(
    sandbox: RunningSandbox, tap: Tap, code: str, message: str, jobs: int
) -> None:
    """For the whole run where Salesforce has no Bulk 2.0 at all, else for the window."""
    sandbox.seed(300)
    refusal = {"status": 400, "body": [{"errorCode": code, "message": message}]}
    sandbox.faults(
        [{"half": "salesforce", "method": "POST", "path": "jobs/query", "action": "answer", **refusal}]
    )
    read = tap.read(**BULK)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert message in read.log
    assert (len(calls(sandbox, "POST", "jobs/query")) == 1) is (jobs == 1)


@pytest.mark.parametrize(
    "action", ["truncate_body", "drop_before_commit", "drop_after_commit", "500", "html_200", "401"]
)
@pytest.mark.parametrize("path", ["/results", "resultPages", r"jobs/query/750[^/]*\?$", r"jobs/query\?$"])
def test_R48_fault_on_any_call_of_a_job_changes_no_row(
    sandbox: RunningSandbox, tap: Tap, action: str, path: str
) -> None:
    sandbox.seed(300)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 70})
    sandbox.faults([{"half": "salesforce", "path": path, "nth": 1, "action": action}])
    read = tap.read(**BULK)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert sandbox.admin("GET", "faults")["rules"][0]["hit"] == 1


CUT = {"half": "salesforce", "path": "/results", "action": "answer", "status": 200, "headers": {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "50"}, "body": "Id\n"}  # fmt: skip


def test_R42_page_that_lacks_records_is_read_again(sandbox: RunningSandbox, tap: Tap) -> None:
    """Fewer records than Sforce-NumberOfRecords says, in a CSV that ends well."""
    sandbox.seed(50)
    sandbox.faults([CUT | {"nth": 1}])
    read = tap.read(**BULK)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert "A Bulk page has 50 records and 0 came" in read.log


def test_R42_page_that_always_lacks_records_is_never_taken_for_whole(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """After three times the run ends without its bookmark."""
    sandbox.seed(50)
    sandbox.faults([CUT])
    broken = tap.read(**BULK)
    assert broken.returncode == 6
    assert "3 times: run again" in broken.log
    assert "Traceback" not in broken.log
    sandbox.admin("DELETE", "faults")
    rest = tap.read(broken.state, **BULK)
    assert {*broken.ids, *rest.ids} == set(stored(sandbox)), rest.log


def test_R42_job_that_lacks_a_page_is_never_taken_for_whole(sandbox: RunningSandbox, tap: Tap) -> None:
    """The job says how many records it has; a list of pages that ends early gives fewer."""
    sandbox.seed(50)
    none = {"status": 200, "body": {"resultPages": [], "done": True}}
    sandbox.faults([{"half": "salesforce", "path": "resultPages", "action": "answer", **none}])
    broken = tap.read(**BULK)
    assert broken.returncode == 6
    assert "has 50 records and 0 came" in broken.log
    sandbox.admin("DELETE", "faults")
    assert set(tap.read(broken.state, **BULK).ids) == set(stored(sandbox))


def test_R40_session_that_ends_among_threads_is_opened_once(sandbox: RunningSandbox, tap: Tap) -> None:
    """Each of them gets a 401; one login serves them all."""
    session = SalesforceSession(with_defaults(credentials(tap)))
    path = f"{session.base_path}/limits"
    session.get(path)
    for round_number in (1, 2, 3):
        sandbox.admin("POST", "salesforce/expire-tokens")
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(lambda _: session.get(path).json, range(24)))
        assert len(answers) == 24
        assert sandbox.admin("GET", "salesforce/counts")["logins"] == 1 + round_number


def test_org_without_parallel_results_is_read_page_by_page(sandbox: RunningSandbox, tap: Tap) -> None:
    """API versions below 58 have no resultPages: the locators lead from page to page."""
    sandbox.seed(300)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 70})
    gone = {"status": 404, "body": [{"errorCode": "NOT_FOUND", "message": "no such resource"}]}
    sandbox.faults([{"half": "salesforce", "path": "resultPages", "action": "answer", **gone}])
    read = tap.read(**BULK)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert any("locator=" in r["query"] for r in sandbox.requests(half="salesforce", path="/results"))


def test_R41_job_of_the_last_run_that_is_gone_is_made_anew(sandbox: RunningSandbox, tap: Tap) -> None:
    """Salesforce keeps jobs for seven days; the window of one that is gone is read again."""
    sandbox.seed(300)
    sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 70})
    sandbox.faults(
        [{"half": "salesforce", "path": "/results", "nth": n, "action": "500"} for n in range(3, 12)]
    )
    broken = tap.read(**BULK, max_tries=2, bulk_downloads=1)
    assert broken.returncode == 6
    assert broken.state
    assert broken.state["bookmarks"]["cases"]["jobs"]
    sandbox.admin("DELETE", "faults")
    gone = {"status": 404, "body": [{"errorCode": "NOT_FOUND", "message": "job"}], "times": 1}
    sandbox.faults(
        [{"half": "salesforce", "path": "jobs/query/750", "method": "GET", "action": "answer", **gone}]
    )
    rest = tap.read(broken.state, **BULK)
    assert rest.returncode == 0, rest.log
    assert {*broken.ids, *rest.ids} == set(stored(sandbox))


def test_other_columns_than_in_an_open_job_begin_its_window_anew(sandbox: RunningSandbox, tap: Tap) -> None:
    """The rows of one import have one form."""
    sandbox.seed(300)
    sandbox.faults(
        [{"half": "salesforce", "path": "/results", "nth": n, "action": "500"} for n in range(2, 12)]
    )
    broken = tap.read(**BULK, max_tries=2, bulk_downloads=1)
    sandbox.admin("DELETE", "faults")
    rest = tap.read(broken.state, **BULK, exclude_fields=["Description"])
    assert rest.returncode == 0, rest.log
    assert "The columns are others" in rest.log
    assert {*broken.ids, *rest.ids} == set(stored(sandbox))
    assert not any("Description" in row for row in rest.rows)
