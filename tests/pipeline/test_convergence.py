"""Cases change at random while syncs run under faults of both vendors; after one quiet sync HubSpot equals the rules' word on Salesforce.

`make faults` runs 200 seeds in blocks of ten: all but six as real processes with real pipes, forked from a warm program (`forked.py`), which
saves the seven seconds that a start of Meltano takes; six with `meltano run case-sync` itself. `make soak` runs 2,000 and twelve.
One seed again, as a failure tells it: `FAULT_SEED=137 .venv/bin/python -m pytest tests/pipeline/test_convergence.py -k block`.
What happens in a seed is the same each time; at which request a change of another process's hits, is not.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .changing import SupportTeam, link_late_companies
from .conftest import Project
from .expected import differences, doubled, fallen_versions, wrongly_archived
from .faults import HARMLESS, JOB_LOST, KINDS_AT_LEAST, LEAKS, Mischief, deal, effects, tally
from .forked import Forks, Pipeline

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
ONE_SEED = os.environ.get("FAULT_SEED")
SEEDS = 2_000 if SOAKS else 200
MELTANO_SEEDS = 12 if SOAKS else 6
BLOCK = 10
RUNS, MELTANO_RUNS = 3, 2  # under faults, of each seed
FAULTS_OF_A_SEED = 6  # at least, on average over a block; what only takes longer is none
KINDS_MISSED = 6  # of all, in a block
# What else befell the runs of a block: so many of these kinds at least, and so many in all. That each can happen, the deeds below show.
EFFECTS = ("session expired", "token expired", "cursor lost", "job lost", "committed late")
EFFECT_KINDS_OF_A_BLOCK = 3
EFFECTS_OF_A_BLOCK = 10

OAUTH = {"access_token": None, "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}  # fmt: skip
BULK = {"api_mode": "bulk", "bulk_window_rows": 60, "bulk_jobs_in_flight": 2}


@dataclass(slots=True)
class Scenario:
    """All that a seed decides."""

    sandbox: RunningSandbox
    dice: random.Random
    exact_links: bool
    write_mode: str
    met: Counter[str] = field(default_factory=Counter)  # effects, by kind
    deleted: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, sandbox: RunningSandbox, seed: int) -> Scenario:
        sandbox.reset()
        sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})
        dice = random.Random(seed)
        sandbox.seed(dice.choice((15, 60, 240)), random_seed=dice.randrange(1_000))
        pages = {"max_page_rows": dice.choice((8, 2_000))}  # many pages have cursors to lose
        sandbox.admin("POST", "salesforce/switches", {"bulk_polls": dice.choice((0, 1)), **pages})
        sandbox.settings(echo_trace_ids=dice.random() < 0.5)
        return cls(sandbox, dice, exact_links=dice.random() < 0.5, write_mode=dice.choice(("all", "changed")))

    def tap_settings(self) -> dict[str, Any]:
        return self.dice.choice(({"page_size": 200}, BULK)) | {"bulk_timeout_seconds": 2}

    def target_settings(self) -> dict[str, Any]:
        return self.dice.choice(({}, OAUTH)) | {
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
            self.met["job lost"] += len(set(JOB_LOST.findall(log)))
        self.met["committed late"] += team.commit_all()
        self.deleted |= team.deleted
        self.met += effects(self.sandbox)
        self.sandbox.admin("POST", "clock", {"advance": 90})

    def check(self) -> None:
        """HubSpot is what the rules say, and at no time it was what it may never be: the log of all writes tells."""
        exact_versions = self.write_mode == "all"
        assert differences(self.sandbox, exact_links=self.exact_links, exact_versions=exact_versions) == []
        assert fallen_versions(self.sandbox) == []
        assert doubled(self.sandbox) == []
        assert wrongly_archived(self.sandbox, self.deleted) == set()
        assert self.sandbox.admin("GET", "hubspot/flights")["overlaps"] == {}


@dataclass(slots=True, kw_only=True)
class Met:
    """What runs met: faults of requests by half and kind, and what else befell them."""

    faults: dict[str, Counter[str]] = field(
        default_factory=lambda: {half: Counter() for half in KINDS_AT_LEAST}
    )
    effects: Counter[str] = field(default_factory=Counter)

    def add(self, other: Met) -> None:
        for half, counted in other.faults.items():
            self.faults[half] += counted
        self.effects += other.effects

    @property
    def fault_count(self) -> int:
        """Without what only takes longer."""
        return sum(
            count
            for counted in self.faults.values()
            for kind, count in counted.items()
            if kind not in HARMLESS
        )

    @property
    def missing_kinds(self) -> list[str]:
        kinds = ((half, kind) for half, known in KINDS_AT_LEAST.items() for kind in known - HARMLESS)
        return sorted(f"{half} {kind}" for half, kind in kinds if not self.faults[half][kind])


def converge(sandbox: RunningSandbox, forks: Forks, folder: Path, seed: int) -> Met:
    """One seed; what it met."""
    folder.mkdir()
    scenario = Scenario.begin(sandbox, seed)
    pipeline = Pipeline(
        forks=forks, folder=folder, sandbox=sandbox, tap=scenario.tap_settings(), target=scenario.target_settings()
    )  # fmt: skip
    scenario.storm(RUNS, lambda: pipeline.run().log)
    met = Met(faults=tally(sandbox), effects=scenario.met)
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
    met = Met()
    for seed in seeds:
        print(f"FAULT_SEED={seed}")
        met.add(converge(sandbox_server, forks, tmp_path / str(seed), seed))
    print({half: dict(counted) for half, counted in met.faults.items()}, dict(met.effects))
    if ONE_SEED:
        return
    assert met.fault_count >= FAULTS_OF_A_SEED * len(seeds)
    assert len(met.missing_kinds) <= KINDS_MISSED, (
        f"too few kinds to prove anything: without {met.missing_kinds}"
    )
    assert met.effects.total() >= EFFECTS_OF_A_BLOCK, met.effects
    assert len(+met.effects) >= EFFECT_KINDS_OF_A_BLOCK, met.effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One of `Mischief`'s, done where it can't miss: behind so many requests to a half."""

    kind: str
    half: str
    requests: int
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    tap: dict[str, Any] = field(default_factory=lambda: {"page_size": 200})


DEEDS = (
    Deed(kind="session expired", half="salesforce", requests=8, path="salesforce/expire-tokens"),
    Deed(kind="token expired", half="hubspot", requests=4, path="hubspot/expire-tokens"),
    Deed(kind="cursor lost", half="salesforce", requests=0, path="salesforce/switches", body={"expire_locators": True}),
    Deed(kind="job lost", half="salesforce", requests=0, path="salesforce/switches", body={"bulk_outcome": "Failed"}, tap=BULK),
)  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.kind)
def test_each_mischief_befalls_its_run_and_is_counted(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, deed: Deed
) -> None:
    """A switch without effect would make the blocks above prove less than they say: each has one here, and the run bears it."""
    sandbox.seed(240)
    sandbox.admin("POST", "salesforce/switches", {"max_page_rows": 25})
    sandbox.faults([{"latency_ms": 15}])
    pipeline = Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox, tap=deed.tap, target=OAUTH | {"unknown_owner": "clear"})  # fmt: skip
    running = pipeline.start()
    while not running.is_over() and len(sandbox.requests(half=deed.half)) < deed.requests:
        time.sleep(0.005)
    sandbox.admin("POST", deed.path, deed.body)
    ended = running.end()
    assert ended.is_clean, ended.log
    met = effects(sandbox) + Counter({"job lost": len(set(JOB_LOST.findall(ended.log)))})
    assert met[deed.kind], met
    assert differences(sandbox) == []


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
    met = Met(faults=tally(sandbox), effects=scenario.met)
    print(met)
    last = sync.sync()
    assert last.returncode == 0, last.output
    scenario.check()
    assert met.fault_count >= FAULTS_OF_A_SEED / 2, met
