"""A large import interrupted ten times: each time it goes on where it was, and in the end every case has its ticket, once.

20,000 cases in CI, which is what fits its time; 100,000 in `make soak`. Both come by Bulk, as any import above 10,000 does.
"""

import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .expected import differences
from .faults import LEAKS
from .forked import PLUGINS, Forks, Pipeline, Running

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
CASES = 100_000 if SOAKS else 20_000
INTERRUPTIONS = 10
MOST_AGAIN = 10_000 if SOAKS else 4_000  # tickets that one interruption may have written a second time (R9)


def tickets_written(sandbox: RunningSandbox) -> int:
    return sum(sandbox.admin("GET", "hubspot/summary")["writes"].get(op, 0) for op in ("create", "update"))


def interrupt(sandbox: RunningSandbox, running: Running, at: int, dice: random.Random) -> str:
    """At so many tickets: one of the three is killed, or the whole is asked to stop."""
    while not running.is_over() and tickets_written(sandbox) < at:
        pass
    victim = dice.choice([*PLUGINS, "SIGTERM"])
    for name in PLUGINS if victim == "SIGTERM" else (victim,):
        running.processes[name].send(signal.SIGTERM if victim == "SIGTERM" else signal.SIGKILL)
    return victim


@pytest.mark.timeout(1_800)
def test_R05_R09_large_import_interrupted_ten_times(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    """Nothing lost, nothing double, and each run goes on behind the one before, so that the whole comes to an end."""
    dice = random.Random(9)
    sandbox.seed(CASES)
    pipeline = Pipeline(
        forks=forks, folder=tmp_path, sandbox=sandbox, tap={"bulk_window_rows": CASES // 10}, target={"unknown_owner": "clear"}
    )  # fmt: skip
    interrupted: Counter[str] = Counter()
    for number in range(1, INTERRUPTIONS + 1):
        before = tickets_written(sandbox)
        running = pipeline.start()
        victim = interrupt(sandbox, running, before + CASES // (INTERRUPTIONS + 4), dice)
        ended = running.end(as_meltano=victim != "SIGTERM", seconds=600)
        interrupted[victim] += not ended.is_clean
        assert not LEAKS.search(ended.log), ended.log
        print(number, victim, ended.codes, len(ended.states), tickets_written(sandbox) - before)
    last = pipeline.start().end(seconds=1_200)
    assert last.is_clean, last.log
    assert differences(sandbox) == []
    assert interrupted.total() == INTERRUPTIONS, interrupted
    assert tickets_written(sandbox) <= CASES + INTERRUPTIONS * MOST_AGAIN
