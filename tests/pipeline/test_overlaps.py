"""Runs that overlap: two started together, a full import beside a continuous sync. One writes at a time; nothing is double, nothing old wins."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .changing import SupportTeam
from .conftest import Project
from .expected import differences, doubled, fallen_versions, wrongly_archived
from .forked import Forks, Pipeline

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
PAIRS = 60 if SOAKS else 12
WAITED = 9  # the target's exit code: another run had the portal all the time
# What the target tells: it had to wait or another wrote since it began; another had the portal all the time; Meltano's own refusal.
MET = re.compile(
    r"Another run has just written|another run of target-hubspot-tickets writes|is already running"
)
MET_SHARE = 0.5  # of the pairs have to meet
SLOW = [{"half": "hubspot", "latency_ms": 60}]  # so that a run is still at work when the other one comes
CLEAR = {"unknown_owner": "clear", "association_mode": "mirror"}


def pipelines(sandbox: RunningSandbox, forks: Forks, folder: Path, *names: str, **target: Any) -> list[Pipeline]:  # fmt: skip
    """Some that share a ledger, each in a folder of its own."""
    made = []
    for name in names:
        (folder / name).mkdir()
        settings = CLEAR | {"ledger_url": str(folder / "ledger.db")} | target
        made.append(Pipeline(forks=forks, folder=folder / name, sandbox=sandbox, target=settings))
    return made


def frozen(sandbox: RunningSandbox, cases: int) -> None:
    sandbox.seed(cases)
    sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})


def settle(sandbox: RunningSandbox, pipeline: Pipeline, deleted: AbstractSet[str] = frozenset()) -> None:
    """One run alone, and HubSpot is what it has to be."""
    sandbox.admin("POST", "salesforce/commit")
    sandbox.admin("POST", "clock", {"advance": 90})
    last = pipeline.run()
    assert last.is_clean, last.log
    assert differences(sandbox) == []
    assert fallen_versions(sandbox) == []
    assert doubled(sandbox) == []
    assert wrongly_archived(sandbox, {*deleted}) == set()


def test_R24_two_runs_started_together_write_one_after_the_other(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    """Pairs from the same state, cases changing: both end well, or one says that another run writes; no key is in two calls at once."""
    frozen(sandbox, 200)
    team = SupportTeam(sandbox, random.Random(1))
    one, other = pipelines(sandbox, forks, tmp_path, "one", "other")
    ends: Counter[tuple[int, int]] = Counter()
    met = 0
    for number in range(PAIRS):
        team.work(4)
        sandbox.admin("POST", "clock", {"advance": 5})
        one.state = other.state = None if number % 3 == 0 else one.state
        pair = [one.start(), other.start()]
        team.work(2)
        ended = [running.end() for running in pair]
        codes = [run.codes["target"] for run in ended]
        ends[codes[0], codes[1]] += 1
        met += WAITED in codes or any(MET.search(run.logs["target"]) for run in ended)
        assert {*codes} <= {0, WAITED}, codes
        assert 0 in codes
    print(dict(ends), f"{met} pairs met")
    settle(sandbox, one, team.deleted)
    assert sandbox.admin("GET", "hubspot/flights")["overlaps"] == {}
    assert met >= PAIRS * MET_SHARE, f"of {PAIRS} pairs {met} met: too little was proven"


def test_R24_without_a_common_lock_there_are_still_no_duplicates(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    """Two ledgers in two places, so that no lock holds: runs together, from nothing, on one portal."""
    frozen(sandbox, 150)
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "latency_ms": 900}])
    for name in map(str, range(PAIRS // 4)):
        one, other = (
            pipelines(sandbox, forks, tmp_path, f"{side}{name}", ledger_url=str(tmp_path / f"{side}{name}.db"))[0]
            for side in ("one", "other")
        )  # fmt: skip
        pair = [one.start(), other.start()]
        assert all(running.end().is_clean for running in pair)
        assert len(sandbox.tickets()) == 150
    met = sandbox.admin("GET", "hubspot/flights")["overlaps"]
    assert met, "no two writes of one ticket met, so nothing was proven"
    sandbox.admin("DELETE", "faults")
    settle(sandbox, one)


def test_full_import_beside_a_continuous_sync(sandbox: RunningSandbox, forks: Forks, tmp_path: Path) -> None:
    """Each with a state of its own, cases changing all the while: when both are done, one plain sync makes HubSpot equal."""
    frozen(sandbox, 3_000)
    team = SupportTeam(sandbox, random.Random(5))
    sync, full = pipelines(sandbox, forks, tmp_path, "sync", "import", lock_wait_seconds=1)
    assert sync.run().is_clean
    ends: Counter[str] = Counter()
    for _ in range(4 if SOAKS else 2):
        sandbox.faults([{"half": "hubspot", "latency_ms": 400}])
        full.state = None
        importing = full.start()
        while not importing.is_over():
            team.work(6)
            sandbox.admin("POST", "clock", {"advance": 7})
            ends[f"sync {sync.run().codes['target']}"] += 1
        ends[f"import {importing.end().codes['target']}"] += 1
        sandbox.admin("DELETE", "faults")
    print(dict(ends))
    settle(sandbox, sync, team.deleted)
    assert ends["import 0"], ends
    assert ends[f"sync {WAITED}"], "the sync never met the import: nothing was proven"


def test_R24_R27_two_runs_of_meltano_started_together(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """One of a pair may be refused, by Meltano or by the target; and an import with a state of its own beside a sync may not harm it."""
    sandbox.seed(300)
    sandbox.faults(SLOW)
    sync = project(clear_owners)
    beside = {
        "MELTANO_SYS_DIR_ROOT": str(sync.folder / "beside")
    }  # D3: runs of one project share files otherwise
    with ThreadPoolExecutor(2) as both:
        pair = [both.submit(sync.sync), both.submit(sync.sync, **beside)]
        runs = [started.result() for started in pair]
    assert 0 in [run.returncode for run in runs], runs
    assert not any("Traceback" in run.output for run in runs if run.returncode == 0)
    assert any(MET.search(run.output) for run in runs), "the two never met: nothing was proven"
    sandbox.mutate(edits=20, deletes=5, adds=10)
    with ThreadPoolExecutor(2) as both:
        importing = both.submit(sync.sync, "--full-refresh", "--state-id-suffix=import", **beside)
        syncing = both.submit(sync.sync)
        runs = [importing.result(), syncing.result()]
    assert 0 in [run.returncode for run in runs], runs
    assert any(MET.search(run.output) for run in runs), (
        "the import and the sync never met: nothing was proven"
    )
    sandbox.admin("DELETE", "faults")
    last = sync.sync()
    assert last.returncode == 0, last.output
    assert differences(sandbox) == []


def clear_owners(definition: dict[str, Any]) -> None:
    for plugin in definition["environments"][0]["config"]["plugins"]["loaders"]:
        plugin["config"] |= CLEAR
