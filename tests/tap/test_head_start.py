"""An import's first rows come by REST while Salesforce works on its Bulk job, and no row comes twice for it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.head_start import MOST_PAGES, HeadStart
from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.windows import Position, Window

from .conftest import Tap, stored

# Much for a sandbox of a few thousand cases; a page of Salesforce's has 200 rows at least.
IMPORT: dict[str, Any] = {"bulk_threshold": 500, "page_size": 200}
CASES = 3_000
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def paths(sandbox: RunningSandbox) -> list[str]:
    """What was asked for of cases, in this order: rows by REST ("page"), a look at the job ("poll"), its rows ("results")."""
    told = {"/results": "results", "jobs/query/": "poll", "queryAll": "page", "/query/": "page"}
    found = (r["path"] for r in sandbox.requests(half="salesforce") if "COUNT" not in r["query"])
    return [word for path in found if (word := next((w for part, w in told.items() if part in path), ""))]


def test_first_rows_come_before_the_job_is_complete(sandbox: RunningSandbox, tap: Tap) -> None:
    """Page by page until a look at the job finds it complete; then the rest, each case once."""
    sandbox.seed(CASES)
    sandbox.admin("POST", "salesforce/switches", {"bulk_polls": 3})
    read = tap.read(**IMPORT)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    asked = paths(sandbox)
    before = asked[: asked.index("results")]
    assert before[:7] == ["page", "poll"] * 3 + ["page"]
    assert len(before) <= 2 * MOST_PAGES + 1


def test_slow_job_gets_ten_calls_of_head_start(sandbox: RunningSandbox, tap: Tap) -> None:
    """No more, for each costs one of the org's calls; and the log counts each case once."""
    sandbox.seed(CASES)
    sandbox.admin("POST", "salesforce/switches", {"bulk_polls": MOST_PAGES + 3})
    read = tap.read(**IMPORT)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    asked = paths(sandbox)
    assert asked[: asked.index("results")].count("page") == MOST_PAGES
    assert f"{CASES:,} read" in read.log


@pytest.mark.parametrize("outcome", ["Failed", "Aborted"])
def test_job_that_fails_behind_a_head_start_repeats_none_of_it(
    sandbox: RunningSandbox, tap: Tap, outcome: str
) -> None:
    """REST goes on where it stood."""
    sandbox.seed(CASES)
    sandbox.admin("POST", "salesforce/switches", {"bulk_polls": 2, "bulk_outcome": outcome})
    read = tap.read(**IMPORT)
    assert read.returncode == 0, read.log
    assert "Reading this window by REST" in read.log
    assert sorted(read.ids) == sorted(stored(sandbox))


def test_lost_cursor_ends_the_head_start_and_loses_nothing(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(CASES)
    sandbox.admin("POST", "salesforce/switches", {"bulk_polls": 4, "expire_locators": True})
    read = tap.read(**IMPORT)
    assert read.returncode == 0, read.log
    assert sorted(read.ids) == sorted(stored(sandbox))
    assert paths(sandbox).count("page") <= 3  # the head start's first one, the lost one, and the newest rows


def test_who_asks_for_bulk_alone_spends_no_other_call(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(CASES)
    sandbox.admin("POST", "salesforce/switches", {"bulk_polls": 3})
    read = tap.read(api_mode="bulk")
    assert sorted(read.ids) == sorted(stored(sandbox))
    asked = paths(sandbox)
    assert "page" not in asked[: asked.index("results")]


@given(seconds=st.lists(st.integers(0, 6), max_size=60), cut=st.integers(0, 60), seed=st.integers(0, 99))
def test_what_is_out_is_left_out_of_the_jobs_rows_and_nothing_else(
    seconds: list[int], cut: int, seed: int
) -> None:
    """Many cases share a second; a job gives them in any order."""
    stamps = [to_wire(NOON + timedelta(seconds=second)) for second in sorted(seconds)]
    rows = [{"Id": f"{number:03}", "SystemModstamp": stamp} for number, stamp in enumerate(stamps)]
    head = HeadStart()
    assert list(head.watched(rows[:cut])) == rows[:cut]
    mixed = random.Random(seed).sample(rows, len(rows))
    assert [row for row in mixed if row not in rows[:cut]] == list(head.without(iter(mixed)))


@pytest.mark.parametrize(("hours", "is_within"), [(-1, False), (0, True), (1, True), (2, False)])
def test_left_is_what_lies_behind_the_last_row_of_the_window(hours: int, is_within: bool) -> None:
    window = Window(since_inclusive=NOON, until_exclusive=NOON + timedelta(hours=2))
    position = Position(stamp=NOON + timedelta(hours=hours), record_id="5")
    left = HeadStart(position=position).left_of(window)
    assert left == (window.from_position(position) if is_within else window)
