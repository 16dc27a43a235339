"""Cases change at random while syncs run under faults of both vendors; after one quiet sync HubSpot equals the rules' word on Salesforce.

`make faults` runs 200 seeds in blocks of ten: all but six as real processes with real pipes, forked from a warm program (`forked.py`), which
saves the seven seconds that a start of Meltano takes; six with `meltano run case-sync` itself. `make soak` runs 2,000 and twelve.
One seed again, as a failure tells it: `FAULT_SEED=137 .venv/bin/python -m pytest tests/pipeline/test_convergence.py -k block`.
What happens in a seed is the same each time; at which request a change of another process's hits, is not.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .changing import SupportTeam, link_late_companies
from .conftest import Project
from .expected import differences, fallen_versions
from .faults import KINDS_AT_LEAST, LEAKS, Mischief, deal, tally
from .forked import Forks, Pipeline

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
ONE_SEED = os.environ.get("FAULT_SEED")
SEEDS = 2_000 if SOAKS else 200
MELTANO_SEEDS = 12 if SOAKS else 6
BLOCK = 10
RUNS, MELTANO_RUNS = 3, 2  # under faults, of each seed
FAULTS_OF_A_SEED = 6  # at least, on average over a block


@dataclass(slots=True)
class Scenario:
    """All that a seed decides."""

    sandbox: RunningSandbox
    dice: random.Random
    exact_links: bool
    write_mode: str

    @classmethod
    def begin(cls, sandbox: RunningSandbox, seed: int) -> Scenario:
        sandbox.reset()
        sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})
        dice = random.Random(seed)
        sandbox.seed(dice.choice((15, 60, 240)), random_seed=dice.randrange(1_000))
        sandbox.admin("POST", "salesforce/switches", {"bulk_polls": dice.choice((0, 1))})
        sandbox.settings(echo_trace_ids=dice.random() < 0.5)
        return cls(sandbox, dice, exact_links=dice.random() < 0.5, write_mode=dice.choice(("all", "changed")))

    def tap_settings(self) -> dict[str, Any]:
        bulk = {"api_mode": "bulk", "bulk_window_rows": 60, "bulk_jobs_in_flight": 2}
        return self.dice.choice(({"page_size": 200}, bulk)) | {"bulk_timeout_seconds": 2}

    def target_settings(self) -> dict[str, Any]:
        oauth = {"access_token": None, "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}  # fmt: skip
        return self.dice.choice(({}, oauth)) | {
            "association_mode": "mirror" if self.exact_links else "add",
            "unknown_owner": "clear",  # else a ticket keeps an owner that its case had once
            "write_mode": self.write_mode,
        }

    def storm(self, runs: int, run: Callable[[], str]) -> None:
        """Runs under faults, with changes before and during each; `run` gives its log."""
        team = SupportTeam(self.sandbox, self.dice)
        for number in range(runs):
            team.work(self.dice.randrange(2, 9))
            if number == runs - 1 and self.dice.random() < 0.5:
                link_late_companies(self.sandbox)
            self.sandbox.admin("POST", "clock", {"advance": self.dice.choice((0, 1, 90, 290))})
            self.sandbox.faults(deal(self.dice))
            with Mischief(self.sandbox, self.dice, lambda: team.work(1)):
                log = run()
            self.sandbox.admin("DELETE", "faults")
            assert not LEAKS.search(log), log
        team.commit_all()
        self.sandbox.admin("POST", "clock", {"advance": 90})

    def check(self) -> None:
        """HubSpot is what the rules say; the versions of a ticket never fell; no two calls wrote one key at once."""
        exact_versions = self.write_mode == "all"
        assert differences(self.sandbox, exact_links=self.exact_links, exact_versions=exact_versions) == []
        assert fallen_versions(self.sandbox) == []
        assert self.sandbox.admin("GET", "hubspot/flights")["overlaps"] == {}


def converge(sandbox: RunningSandbox, forks: Forks, folder: Path, seed: int) -> dict[str, Counter[str]]:
    """One seed; the faults that it met."""
    folder.mkdir()
    scenario = Scenario.begin(sandbox, seed)
    pipeline = Pipeline(
        forks=forks, folder=folder, sandbox=sandbox, tap=scenario.tap_settings(), target=scenario.target_settings()
    )  # fmt: skip
    scenario.storm(RUNS, lambda: pipeline.run().log)
    met = tally(sandbox)
    last = pipeline.run()
    assert last.is_clean, last.log
    scenario.check()
    written = len(sandbox.writes())
    again = pipeline.run()
    assert again.is_clean, again.log
    assert len(sandbox.writes()) == written, "a sync of nothing wrote something"
    return met


def blocks() -> list[list[int]]:
    if ONE_SEED:
        return [[int(ONE_SEED)]]
    return [list(range(first, first + BLOCK)) for first in range(0, SEEDS, BLOCK)]


@pytest.mark.parametrize("seeds", blocks(), ids=lambda seeds: f"block{seeds[0]}")
def test_R11_R12_R18_syncs_under_faults_converge(
    sandbox_server: RunningSandbox, forks: Forks, tmp_path: Path, seeds: list[int]
) -> None:
    """Ten seeds: after the last fault one plain run makes HubSpot equal, exactly, and the run after it finds nothing to do."""
    met: dict[str, Counter[str]] = {half: Counter() for half in KINDS_AT_LEAST}
    for seed in seeds:
        print(f"FAULT_SEED={seed}")
        for half, counted in converge(sandbox_server, forks, tmp_path / str(seed), seed).items():
            met[half] += counted
    print({half: dict(counted) for half, counted in met.items()})
    if ONE_SEED:
        return
    assert sum(sum(counted.values()) for counted in met.values()) >= FAULTS_OF_A_SEED * len(seeds)
    missing = {half: KINDS_AT_LEAST[half] - counted.keys() for half, counted in met.items()}
    assert sum(map(len, missing.values())) <= 6, (
        f"too few kinds of faults to prove anything: without {missing}"
    )


@pytest.mark.parametrize("seed", range(10_000, 10_000 + MELTANO_SEEDS), ids="seed{}".format)
def test_R18_meltano_runs_under_faults_converge(
    sandbox: RunningSandbox, project: Callable[..., Project], seed: int
) -> None:
    """The same with `meltano run case-sync`, state and all."""
    scenario = Scenario.begin(sandbox, seed)
    settings = {
        "extractors": scenario.tap_settings() | {"retry_wait_seconds": 0.01},
        "loaders": scenario.target_settings(),
    }

    def configure(definition: dict[str, Any]) -> None:
        for kind, config in settings.items():
            for plugin in definition["environments"][0]["config"]["plugins"][kind]:
                plugin["config"] = {n: v for n, v in (plugin["config"] | config).items() if v is not None}

    sync = project(configure)
    scenario.storm(MELTANO_RUNS, lambda: sync.sync().output)
    met = tally(sandbox)
    last = sync.sync()
    assert last.returncode == 0, last.output
    scenario.check()
    assert sum(sum(counted.values()) for counted in met.values()) >= FAULTS_OF_A_SEED / 2, met
