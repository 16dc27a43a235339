"""A large import interrupted ten times: each time it goes on where it was, and in the end every case has its ticket, once.

They come by Bulk, as any import above 10,000 does.
"""

from __future__ import annotations

import random
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .expected import differences, doubled, wrongly_archived
from .faults import LEAKS
from .forked import PLUGINS, Forks, Pipeline, Running

pytestmark = pytest.mark.faults

CASES = 100_000
INTERRUPTIONS = 10
# New tickets from a start to its interruption; what is under way then may still come, up to a round of 2,000.
STEP = CASES // 24
WINDOW = CASES // 24  # rows of a Bulk job, behind which the tap tells a state
# Few enough to be found in seconds. Where searches are the limit, at five a second, up to 32 rounds are written and wait for theirs, and a
# kill costs all of them a second time: docs/guarantees.md, R9.
ORG = {"accounts": 500, "contacts": 2_000}
IN_FLIGHT = 5  # calls of 100 tickets; 24 of them would hide in a small import whether a run went on
# Tickets that interruptions cost a second time: one may as many as lie between two states (R9), all together far fewer. Runs that begin
# from the front pass the sum at the seventh or so.
MOST_AGAIN, ALL_AGAIN = 10_000, 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is in HubSpot so far: tickets, and calls for one of them, whether it was new or there already."""

    tickets: int
    writes: int

    @classmethod
    def now(cls, sandbox: RunningSandbox) -> Self:
        summary = sandbox.admin("GET", "hubspot/summary")
        writes = sum(summary["writes"].get(op, 0) for op in ("create", "update"))
        return cls(tickets=summary["records"]["tickets"], writes=writes)

    def again_since(self, before: Written) -> int:
        """Writes of tickets that were there before."""
        return (self.writes - before.writes) - (self.tickets - before.tickets)


def interrupt(sandbox: RunningSandbox, running: Running, at: int, dice: random.Random) -> str:
    """At so many tickets: one of the three is killed, or the whole is asked to stop."""
    while not running.is_over() and Written.now(sandbox).tickets < at:
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
    sandbox.seed(CASES, **ORG)
    pipeline = Pipeline(
        forks=forks, folder=tmp_path, sandbox=sandbox, tap={"bulk_window_rows": WINDOW, "page_size": 500}, target={"unknown_owner": "clear", "max_in_flight": IN_FLIGHT}
    )  # fmt: skip
    interrupted, all_again = Counter[str](), 0
    for number in range(1, INTERRUPTIONS + 1):
        before = Written.now(sandbox)
        running = pipeline.start()
        victim = interrupt(sandbox, running, before.tickets + STEP, dice)
        ended = running.end(as_meltano=victim != "SIGTERM", seconds=600)
        interrupted[victim] += not ended.is_clean
        after = Written.now(sandbox)
        again = after.again_since(before)
        all_again += again
        print(number, victim, ended.codes, len(ended.states), after.tickets - before.tickets, again)
        assert not LEAKS.search(ended.log), ended.log
        assert ended.states, f"run {number} let out no state: the next one would begin where this one did"
        assert again <= MOST_AGAIN, f"run {number} did not go on where the one before it was"
        assert all_again <= ALL_AGAIN, f"{number} runs did not go on where the ones before them were"
    before = Written.now(sandbox)
    last = pipeline.start().end(seconds=1_200)
    assert last.is_clean, last.log
    assert last.report["records"] <= CASES - before.tickets + MOST_AGAIN
    assert differences(sandbox) == []
    assert doubled(sandbox) == []
    assert wrongly_archived(sandbox, set()) == set()
    assert interrupted.total() == INTERRUPTIONS, interrupted
    assert Written.now(sandbox).writes <= CASES + ALL_AGAIN + MOST_AGAIN
