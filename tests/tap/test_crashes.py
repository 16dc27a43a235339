"""A tap that dies anywhere: what came out before, and what the next run reads from the last whole state, is the table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Read, Row, Tap, run_here, stored

CUTS = 32
MODES: dict[str, dict[str, Any]] = {
    "rest": {"api_mode": "rest", "page_size": 500},
    "bulk": {"api_mode": "bulk", "bulk_window_rows": 500, "bulk_jobs_in_flight": 2},
    "bulk with a head start": {"bulk_threshold": 500, "page_size": 200, "bulk_window_rows": 2_000},
}


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tap, dict[str, Row], dict[str, Read]]]:
    """An org that stands still, its cases, and an undisturbed run in each mode."""
    with RunningSandbox() as sandbox:
        sandbox.seed(3_000)
        sandbox.mutate(edits=20, deletes=15, merges=3)
        sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 200, "bulk_polls": 0})
        folder: Path = tmp_path_factory.mktemp("org")
        tap = Tap(folder=folder, login_url=sandbox.salesforce_url)
        yield tap, stored(sandbox), {mode: run_here(tap, **settings) for mode, settings in MODES.items()}


def versions(*reads: Read) -> dict[str, tuple[str, bool]]:
    """Id -> stamp and whether it is deleted, of the last word on each case."""
    return {row["Id"]: (row["SystemModstamp"], row["IsDeleted"]) for read in reads for row in read.rows}


@pytest.mark.parametrize("mode", MODES)
def test_undisturbed_run_is_the_table(org: Any, mode: str) -> None:
    _, table, whole = org
    assert sorted(whole[mode].ids) == sorted(table)


@pytest.mark.parametrize("cut", range(1, CUTS + 1))
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.xdist_group("crashes")
def test_R03_death_after_any_byte_loses_nothing(org: Any, mode: str, cut: int) -> None:
    """Cut in the middle of a row, of a state, between pages and windows."""
    tap, table, whole = org
    settings = MODES[mode]
    died = run_here(tap, breaks_after=whole[mode].size_bytes * cut // (CUTS + 1) + 7, **settings)
    assert died.returncode == -9
    rest = run_here(tap, died.state, **settings)
    assert {*died.ids, *rest.ids} == set(table)
    assert versions(died, rest) == versions(whole[mode])
    assert run_here(tap, rest.state, **settings).rows == []


@pytest.mark.parametrize("mode", MODES)
def test_run_that_died_late_does_not_start_over(org: Any, mode: str) -> None:
    """The import goes on in the middle: behind the last page, or in an open Bulk job."""
    tap, _, whole = org
    died = run_here(tap, breaks_after=whole[mode].size_bytes * 3 // 4, **MODES[mode])
    rest = run_here(tap, died.state, **MODES[mode])
    assert len(rest.rows) < len(whole[mode].rows) // 2


@pytest.mark.parametrize("mode", MODES)
def test_R18_deaths_again_and_again_come_to_an_end(org: Any, mode: str) -> None:
    """Each run gets a little further than the one before."""
    tap, table, whole = org
    reads: list[Read] = []
    state = None
    for _ in range(40):
        read = run_here(tap, state, breaks_after=whole[mode].size_bytes * 2 // 5, **MODES[mode])
        reads.append(read)
        state = read.state or state
        if read.returncode == 0:
            break
    assert reads[-1].returncode == 0
    assert versions(*reads) == versions(whole[mode])
    assert {i for read in reads for i in read.ids} == set(table)
