"""Storms: changes with one stamp, commits that come late, while the tap reads; nothing is lost, whatever the order."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Row, Tap, run_here, stored

LOOKBACK_SECONDS = 30
STORMS, PER_TEST = 200, 10


class Storm:
    """What happens to an org, decided by a seed. The clock stands still but where it is moved: stamps are often equal."""

    def __init__(self, sandbox: RunningSandbox, seed: int) -> None:
        self._sandbox, self._random = sandbox, random.Random(seed)
        self._number = 0
        self.late_commits = 0

    def begin(self) -> None:
        self._sandbox.reset()
        self._sandbox.seed(self._random.choice((12, 250)), random_seed=self._random.randrange(1_000))
        self._sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})
        self._sandbox.admin("POST", "salesforce/switches", {"bulk_polls": 0})
        self._live = list(stored(self._sandbox))
        self._gone: list[str] = []

    def settings(self) -> dict[str, Any]:
        """REST, or Bulk in small windows."""
        bulk = {"api_mode": "bulk", "bulk_window_rows": 60}
        return {"lookback_seconds": LOOKBACK_SECONDS, **self._random.choice(({"page_size": 200}, bulk))}

    def pass_time(self) -> None:
        self._sandbox.admin("POST", "clock", {"advance": self._random.choice((0, 0, 1, 5, 40))})

    def blow(self, gusts: int) -> None:
        """So many changes."""
        for _ in range(gusts):
            self._random.choice(self._GUSTS)(self)

    def _values(self) -> dict[str, Any]:
        self._number += 1
        return {"Subject": f"version {self._number}"}

    def _edit(self) -> None:
        for record_id in self._random.sample(self._live, 2):
            self._records("update", id=record_id, values=self._values())

    def _commit_late(self) -> None:
        """Stamped now, seen before the lookback is over."""
        record_id = self._random.choice(self._live)
        self.late_commits += 1
        self._sandbox.admin(
            "POST",
            "salesforce/late-commit",
            {
                "changes": [["Case", record_id, self._values()]],
                "seconds": self._random.randrange(1, LOOKBACK_SECONDS),
            },
        )

    def _delete(self) -> None:
        if len(self._live) > 2:
            self._gone.append(self._live.pop(self._random.randrange(len(self._live))))
            self._records("delete", id=self._gone[-1])

    def _undelete(self) -> None:
        if self._gone:
            self._live.append(self._gone.pop())
            self._records("undelete", id=self._live[-1])

    def _add(self) -> None:
        self._live += self._sandbox.mutate(adds=1)["added"]

    def _records(self, action: str, **more: Any) -> None:
        self._sandbox.admin("POST", "salesforce/records", {"action": action, **more})

    _GUSTS: tuple[Callable[["Storm"], None], ...] = (_edit, _edit, _commit_late, _delete, _undelete, _add)


def last_words(rows: list[Row]) -> dict[str, tuple[bool, str | None]]:
    return {row["Id"]: (row["IsDeleted"], None if row["IsDeleted"] else row["Subject"]) for row in rows}


@pytest.mark.parametrize("first", range(0, STORMS, PER_TEST))
def test_R43_storms_lose_nothing(sandbox: RunningSandbox, tap: Tap, first: int) -> None:
    """After the last run the last word on each case is what Salesforce holds; and then there is nothing more to say."""
    late_commits = 0
    for seed in range(first, first + PER_TEST):
        storm = Storm(sandbox, seed)
        storm.begin()
        state: Any = None
        rows: list[Row] = []
        for _ in range(4):
            storm.blow(2)
            storm.pass_time()
            at_once = threading.Thread(target=storm.blow, args=(3,))
            at_once.start()
            read = run_here(tap, state, **storm.settings())
            at_once.join()
            rows += read.rows
            state = read.state
        sandbox.admin("POST", "clock", {"advance": LOOKBACK_SECONDS})
        read = run_here(tap, state, **storm.settings())
        rows += read.rows
        held = {
            i: (bool(c["IsDeleted"]), None if c["IsDeleted"] else c["Subject"])
            for i, c in stored(sandbox).items()
        }
        assert last_words(rows) == held, f"storm {seed}"
        assert run_here(tap, read.state, **storm.settings()).rows == [], f"storm {seed}"
        late_commits += storm.late_commits
    assert late_commits >= PER_TEST
