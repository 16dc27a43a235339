"""kill -9 and signals under `meltano run case-sync` itself: of a plugin, and of Meltano. `test_kills.py` has the many, this the real."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import BIN, Project
from .exits import PROMISED_SECONDS, Exits
from .expected import differences, doubled

pytestmark = pytest.mark.faults

PROGRAMS = {
    "tap": "tap-salesforce-cases",
    "mapper": "case-ticket-mapper",
    "target": "target-hubspot-tickets",
}
CASES = 3_000
MELTANO_KILLS = 30 if os.environ.get("SOAK") == "1" else 4
SLOW = [{"half": "hubspot", "latency_ms": 60}, {"half": "salesforce", "path": "/query", "latency_ms": 150}]
UP_SECONDS = 120
BOUND_SECONDS = (
    30  # for an end of Meltano's, which is not ours; plugins that are signalled themselves have 10
)


# What a signal reaches by itself; what Meltano ends is Meltano's affair.
SIGNALLED: dict[str, tuple[str, ...]] = {"Meltano": (), "group": tuple(PROGRAMS), "target": ("target",)}


def children(pid: int) -> dict[str, int]:
    """The plugins that a process started, by their short names."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().decode()
            except OSError:  # it has just ended
                continue
            found |= {name: child for name, program in PROGRAMS.items() if f"/{program}\0" in command}
    return found


@contextmanager
def started(sync: Project, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """`meltano run`, as soon as its three plugins are up; a process group of its own."""
    with subprocess.Popen(
        [str(BIN / "meltano"), "run", *options, "case-sync"],
        cwd=sync.folder,
        env=sync.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            until = time.monotonic() + UP_SECONDS
            while len(plugins := children(process.pid)) < len(PROGRAMS):
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < until, f"only {plugins} came up"
                time.sleep(0.02)
            yield process, plugins
        finally:
            if process.poll() is None:
                process.kill()


def until_writing(sandbox: RunningSandbox, dice: random.Random) -> None:
    """Some tickets of this run are there, not all."""
    seen, wanted = len(sandbox.writes()), dice.randrange(1, 800)
    until = time.monotonic() + UP_SECONDS
    while len(sandbox.writes()) - seen < wanted:
        assert time.monotonic() < until, "the run wrote nothing"
        time.sleep(0.02)


def until_reading(sandbox: RunningSandbox, dice: random.Random) -> None:
    """Some pages of this run are read, not all."""
    seen, wanted = len(sandbox.requests(path="/query")), dice.randrange(2, 10)
    until = time.monotonic() + UP_SECONDS
    while len(sandbox.requests(path="/query")) - seen < wanted:
        assert time.monotonic() < until, "the run read nothing"
        time.sleep(0.02)


def gone(pids: dict[str, int]) -> bool:
    """Whether they ended; one that nobody waits for yet has."""
    return not any(
        Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
        for pid in pids.values()
    )  # fmt: skip


@pytest.fixture
def sync(sandbox: RunningSandbox, project: Callable[..., Project]) -> Project:
    """A project, an org, and answers that take their time."""

    def configure(definition: dict[str, Any]) -> None:
        for plugin in definition["environments"][0]["config"]["plugins"]["loaders"]:
            plugin["config"] |= {"unknown_owner": "clear"}
        for plugin in definition["environments"][0]["config"]["plugins"]["extractors"]:
            plugin["config"] |= {"page_size": 200}

    sandbox.seed(CASES)
    sandbox.faults(SLOW)
    return project(configure)


def settle(sandbox: RunningSandbox, sync: Project, *options: str) -> None:
    """One quiet run makes all good."""
    sandbox.admin("DELETE", "faults")
    last = sync.sync(*options)
    assert last.returncode == 0, last.output
    assert differences(sandbox) == []


@pytest.mark.timeout(3_600)
def test_R05_R25_plugin_or_meltano_killed_and_run_again(sandbox: RunningSandbox, sync: Project) -> None:
    """Each plugin, then Meltano again and again. Behind a killed Meltano the plugins end, and a run needs --force for five minutes (D5)."""
    dice = random.Random(5)
    for victim in PROGRAMS:
        sandbox.faults(SLOW)
        with started(sync, "--full-refresh") as (meltano, plugins):
            (until_writing if victim == "target" else until_reading)(sandbox, dice)
            os.kill(plugins[victim], signal.SIGKILL)
            output, _ = meltano.communicate(timeout=120)
            assert meltano.returncode == 1, (victim, output)
        settle(sandbox, sync)  # no full refresh, which would heal what was lost
        sandbox.mutate(edits=30, deletes=3, adds=5, random_seed=dice.randrange(1_000))
    for number in range(MELTANO_KILLS):
        sandbox.faults(SLOW)
        with started(sync, "--force", "--full-refresh") as (meltano, plugins):
            dice.choice((until_writing, until_reading))(sandbox, dice)
            os.kill(meltano.pid, signal.SIGKILL)
            meltano.wait()
            until = time.monotonic() + BOUND_SECONDS
            while not gone(plugins):
                assert time.monotonic() < until, "plugins outlive Meltano"
                time.sleep(0.05)
        if number == 0:
            refused = sync.sync()
            assert refused.returncode == 1
            assert "is already running" in refused.output
        settle(sandbox, sync, "--force")
        sandbox.mutate(edits=30, deletes=3, adds=5, random_seed=dice.randrange(1_000))
    assert doubled(sandbox) == []


@pytest.mark.timeout(900)
def test_R06_D1_meltano_or_its_group_stopped_loses_nothing(sandbox: RunningSandbox, sync: Project) -> None:
    """SIGTERM to Meltano, SIGINT and SIGTERM to the whole group, SIGTERM to the target alone: all end, and the next run makes all good."""
    dice = random.Random(6)
    for number, whose in (
        (signal.SIGTERM, "Meltano"),
        (signal.SIGINT, "group"),
        (signal.SIGTERM, "group"),
        (signal.SIGTERM, "target"),
    ):
        with started(sync) as (meltano, plugins), Exits({**plugins, "Meltano": meltano.pid}) as exits:
            until_writing(sandbox, dice)
            signalled = time.monotonic()
            if whose == "group":
                os.killpg(meltano.pid, number)
            else:
                os.kill(meltano.pid if whose == "Meltano" else plugins["target"], number)
            output, _ = meltano.communicate(timeout=BOUND_SECONDS)
            assert meltano.returncode, (number, whose, output)
            assert gone(plugins), (number, whose)
        seconds = exits.seconds_since(signalled)
        print(f"{number.name} to {whose}:", {name: round(taken, 2) for name, taken in seconds.items()})
        assert all(seconds[name] < PROMISED_SECONDS for name in SIGNALLED[whose]), (number, whose, seconds)
        sandbox.mutate(edits=30, deletes=3, adds=5, random_seed=dice.randrange(1_000))
    settle(sandbox, sync)
