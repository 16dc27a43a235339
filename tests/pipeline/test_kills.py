"""kill -9 and signals at random points, by a seed; the runs behind them leave nothing lost and nothing double.

Behind each run its state is held against HubSpot and the ledger (`claims.py`), and before a full read begins anew, a quiet run from that
state has to make all good: the full read would heal what the runs before it have lost.

The pipelines are real processes with real pipes (`forked.py`); what is left of a run ends as under Meltano, or as in a shell's
pipeline, by the dice. `test_meltano_kills.py` does the same to Meltano itself. A seed again: `-k seed3`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .changing import SupportTeam
from .claims import StateWatch
from .exits import PROMISED_SECONDS, Exits
from .expected import differences, doubled, fallen_versions, wrongly_archived
from .faults import LEAKS
from .forked import PLUGINS, Ended, Forks, Pipeline, Running

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
SEEDS = 60 if SOAKS else 6
KILLS = 24  # of each seed
STOPS = 8
HIT_SHARE = 0.7  # of the kills have to meet their process alive
CASES = 400
HANG_SECONDS = 20  # behind a signal: then the run is killed, and the test has failed in any case
ANSWERED_FOR = 40  # versions that the states of a seed must have vouched for, else too little was checked


def wait_for_point(sandbox: RunningSandbox, running: Running, dice: random.Random) -> None:
    """Until so many requests were made, or so much time has passed."""
    if dice.random() < 0.3:
        time.sleep(dice.random() * 0.5)
        return
    seen, wanted = len(sandbox.requests()), dice.randrange(1, 18)
    while not running.is_over() and len(sandbox.requests()) - seen < wanted:
        time.sleep(0.01)


def begin(sandbox: RunningSandbox, forks: Forks, folder: Path, seed: int) -> tuple[Pipeline, random.Random, SupportTeam]:  # fmt: skip
    """An org and a pipeline by the dice; answers take long enough for a kill to find its process at work."""
    dice = random.Random(seed)
    sandbox.seed(CASES, random_seed=seed)
    sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})
    bulk = {"api_mode": "bulk", "bulk_window_rows": 150}
    pipeline = Pipeline(
        forks=forks,
        folder=folder,
        sandbox=sandbox,
        tap=dice.choice(({"page_size": 200}, bulk)),
        target={"association_mode": "mirror", "unknown_owner": "clear", "write_mode": dice.choice(("all", "changed"))},
    )  # fmt: skip
    return pipeline, dice, SupportTeam(sandbox, dice)


def watch_of(pipeline: Pipeline) -> StateWatch:
    exact = pipeline.target["write_mode"] == "all"
    return StateWatch(pipeline.sandbox, pipeline.folder, exact_versions=exact)


def before_a_run(sandbox: RunningSandbox, pipeline: Pipeline, dice: random.Random, team: SupportTeam, watch: StateWatch, known: list[Ended]) -> None:  # fmt: skip
    """Changes; the state of now, of an earlier line, or none."""
    if dice.random() < 0.4:
        if pipeline.state is not None:
            settle(sandbox, pipeline, team, watch)
        pipeline.state = None
    elif known and known[-1].states and dice.random() < 0.2:
        pipeline.state = known[-1].states[0]
    team.work(5)
    sandbox.admin("POST", "clock", {"advance": dice.choice((0, 1, 20))})
    sandbox.admin("DELETE", "faults")
    sandbox.faults([{"latency_ms": dice.choice((1, 8, 25))}])


def settle(sandbox: RunningSandbox, pipeline: Pipeline, team: SupportTeam, watch: StateWatch) -> None:
    """One quiet run from the last state, and HubSpot is what it has to be."""
    sandbox.admin("DELETE", "faults")
    team.commit_all()
    sandbox.admin("POST", "clock", {"advance": 90})
    last = pipeline.run()
    assert last.is_clean, last.log
    exact_versions = pipeline.target["write_mode"] == "all"
    assert differences(sandbox, exact_versions=exact_versions) == []
    assert fallen_versions(sandbox) == []
    assert doubled(sandbox) == []
    assert wrongly_archived(sandbox, team.deleted) == set()
    assert watch.overclaims(pipeline.state) == []
    assert sandbox.admin("GET", "hubspot/flights")["overlaps"] == {}


@pytest.mark.parametrize("seed", range(SEEDS), ids="seed{}".format)
def test_R03_R04_R05_killed_anywhere_and_run_again(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, seed: int
) -> None:
    """Tap, mapper, target or all of them, one kill after the other: no state says more than HubSpot has, and a whole run makes all good."""
    pipeline, dice, team = begin(sandbox, forks, tmp_path, seed)
    watch = watch_of(pipeline)
    hit: Counter[str] = Counter()
    known: list[Ended] = []
    for _ in range(KILLS):
        before_a_run(sandbox, pipeline, dice, team, watch, known)
        victim = dice.choice([*PLUGINS, *PLUGINS, "all"])
        running = pipeline.start()
        wait_for_point(sandbox, running, dice)
        for name in PLUGINS if victim == "all" else (victim,):
            running.processes[name].send(signal.SIGKILL)
        ended = running.end(as_meltano=dice.random() < 0.7)
        hit[victim] += ended.codes["target" if victim == "all" else victim] == -signal.SIGKILL
        assert not LEAKS.search(ended.log), ended.log
        assert watch.overclaims(pipeline.state) == [], ended.log
        known.append(ended)
    print(dict(hit), f"{watch.checked} versions vouched for")
    settle(sandbox, pipeline, team, watch)
    assert hit.total() >= KILLS * HIT_SHARE, f"too few kills met a run under way: {hit}"
    assert watch.checked >= ANSWERED_FOR, "the states said too little to be held against anything"


@pytest.mark.parametrize("seed", range(SEEDS // 3), ids="seed{}".format)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_R06_R07_signals_to_the_whole_end_it_and_lose_nothing(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, seed: int, number: signal.Signals
) -> None:
    """As a process group gets it, once or twice: all end in time, no state says more than HubSpot has, nothing is double."""
    pipeline, dice, team = begin(sandbox, forks, tmp_path, 100 + seed)
    watch = watch_of(pipeline)
    codes: Counter[int] = Counter()
    slowest = 0.0  # from the first signal to the end of each of the three
    known: list[Ended] = []
    for _ in range(STOPS):
        before_a_run(sandbox, pipeline, dice, team, watch, known)
        running = pipeline.start()
        running.wait_until_up()
        wait_for_point(sandbox, running, dice)
        with Exits({name: process.pid for name, process in running.processes.items()}) as exits:
            signalled = time.monotonic()
            for _again in range(dice.choice((1, 1, 2))):
                for process in running.processes.values():
                    process.send(number)
            ended = running.end(as_meltano=False, seconds=HANG_SECONDS)
        slowest = max(slowest, *exits.seconds_since(signalled).values())
        assert slowest < PROMISED_SECONDS, (ended.codes, exits.seconds_since(signalled))
        assert not LEAKS.search(ended.log), ended.log
        assert watch.overclaims(pipeline.state) == [], ended.log
        codes[ended.codes["target"]] += 1
        known.append(ended)
    print(codes, f"slowest end {slowest:.2f} s, {watch.checked} versions vouched for")
    settle(sandbox, pipeline, team, watch)
    assert codes[128 + number] >= STOPS // 2, f"too few signals met a run under way: {codes}"
