"""Requirements of reliability that are the tap's own, found by their numbers; R03 has its cuts of the output in test_crashes.py."""

import contextlib
import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.errors import StateRefusedError
from tap_salesforce_cases.tap import TapSalesforceCases

from .conftest import Died, Read, Tap, credentials, of, run_here, stored

MODES: dict[str, dict[str, Any]] = {
    "rest": {"api_mode": "rest", "page_size": 200},
    "bulk": {"api_mode": "bulk", "bulk_window_rows": 250, "bulk_jobs_in_flight": 2, "bulk_downloads": 1},
}
# A call hangs before Salesforce has seen it, or when half of the answer is there.
HANGS: dict[str, dict[str, Any]] = {
    "before": {"action": "latency", "latency_ms": 4_000},
    "within": {"action": "slow_drip", "latency_ms": 500, "pieces": 8},
}
POINTS = {"rest": 13, "bulk": 17}  # calls of a run, at least: in both positions 60 places to die at


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSandbox, Tap]]:
    """An org that stands still, with cases in the recycle bin and some that are gone from it, too."""
    with RunningSandbox() as sandbox:
        sandbox.seed(700)
        sandbox.mutate(edits=10, deletes=8, merges=2)
        for record_id in list(stored(sandbox))[:3]:
            for action in ("delete", "purge"):
                sandbox.admin("POST", "salesforce/records", {"action": action, "id": record_id})
        sandbox.admin("POST", "salesforce/switches", {"bulk_page_records": 150, "bulk_polls": 0})
        yield sandbox, Tap(folder=tmp_path_factory.mktemp("org"), login_url=sandbox.salesforce_url)


def last_words(*reads: Read) -> dict[str, tuple[str, bool]]:
    """Id -> stamp and whether it is deleted, of the last word on each case."""
    return {
        row["Id"]: (row["SystemModstamp"], row["IsDeleted"]) for read in reads for row in of(read, "cases")
    }


# -- R03


class Killer(threading.Thread):
    """Lets the process die, as far as the tap can tell, once the sandbox has let a call hang."""

    def __init__(self, sandbox: RunningSandbox, *, after_seconds: float) -> None:
        super().__init__(daemon=True)
        self._sandbox, self._after, self._over = sandbox, after_seconds, threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            if any(rule["hit"] for rule in self._sandbox.admin("GET", "faults")["rules"]):
                time.sleep(self._after)
                if not self._over.is_set():
                    os.kill(os.getpid(), signal.SIGUSR1)
                return
            time.sleep(0.01)

    def __enter__(self) -> Self:
        def die(signum: int, frame: FrameType | None) -> None:
            if not self._over.is_set():
                raise Died

        self._before = signal.signal(signal.SIGUSR1, die)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        signal.signal(signal.SIGUSR1, self._before)


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.xdist_group("reliability")
def test_R03_death_at_any_call_loses_nothing(org: tuple[RunningSandbox, Tap], mode: str, hang: str) -> None:
    """At each call of a run: login, describe, small tables, counts, each page, job made, polled, read, deleted, delete log, snapshot."""
    sandbox, tap = org
    settings = MODES[mode] | {"reconcile": True, "use_get_updated": True}
    seen = len(sandbox.requests(half="salesforce"))
    whole = run_here(tap, **settings)
    calls = len(sandbox.requests(half="salesforce")) - seen
    assert calls >= POINTS[mode]
    deaths = 0
    for number in range(1, calls + 1):
        sandbox.admin("DELETE", "faults")
        sandbox.faults([{"half": "salesforce", "nth": number, **HANGS[hang]}])
        died = None
        with contextlib.suppress(Died), Killer(sandbox, after_seconds=0.7 if hang == "within" else 0.0):
            died = run_here(tap, **settings)
        if died is None or died.returncode == 0:  # it had ended before the signal came
            continue
        deaths += 1
        sandbox.admin("DELETE", "faults")
        rest = run_here(tap, died.state, **settings)
        assert last_words(died, rest) == last_words(whole), number
        marker = of(rest, "case_snapshots")[-1]
        assert (marker["kind"], marker["count"]) == ("complete", marker["source_count"]), number
    assert deaths >= 0.75 * calls  # on a busy machine a run may end before the signal comes


# -- R13


@pytest.mark.parametrize("mode", MODES)
def test_R13_every_state_fed_back_gives_what_it_does_not_cover(
    sandbox: RunningSandbox, tap: Tap, mode: str
) -> None:
    """No row below its bookmark, which already stays behind the clock by the lookback; and all that came after it, or changed."""
    settings = {**MODES[mode], "bulk_window_rows": 1_500}
    sandbox.seed(6_000)
    table = set(stored(sandbox))
    whole = run_here(tap, **settings)
    out: set[str] = set()
    states = 0
    for message in whole.messages:
        if message["type"] == "RECORD":
            out.add(message["record"]["Id"])
        if message["type"] != "STATE":
            continue
        states += 1
        rest = run_here(tap, message["value"], **settings)
        bookmark = message["value"]["bookmarks"]["cases"].get("replication_key_value", "")
        assert all(row["SystemModstamp"] >= bookmark for row in rest.rows)
        assert out | set(rest.ids) == table
    assert states >= 6
    assert run_here(tap, whole.state, **settings).rows == []


# -- R14


def test_R14_state_of_the_future_gives_no_rows_and_no_deletions(sandbox: RunningSandbox, tap: Tap) -> None:
    """Whatever changed and was deleted meanwhile; and it stays where it is."""
    sandbox.seed(30)
    state = run_here(tap).state
    assert state
    ids = list(stored(sandbox))
    for action in ("delete", "purge"):
        sandbox.admin("POST", "salesforce/records", {"action": action, "id": ids[0]})
    sandbox.mutate(edits=3, deletes=2, adds=2)
    sandbox.admin("POST", "clock", {"advance": 90})
    assert run_here(tap, state).rows
    future = "2099-01-01T00:00:00.000Z"
    cases = state["bookmarks"]["cases"] | {"replication_key_value": future, "delete_log": {"covered": future}}
    bookmarks = {"cases": cases, "case_snapshots": {"reconciled_at": future}}
    read = run_here(tap, {"bookmarks": bookmarks}, reconcile_days=1)
    assert read.rows == []
    assert read.state
    assert read.state["bookmarks"]["cases"]["replication_key_value"] == future
    assert read.state["bookmarks"]["cases"]["delete_log"]["covered"] == future


GARBAGE: tuple[Any, ...] = (
    "yesterday",
    "",
    7,
    -1.5,
    True,
    [],
    ["x"],
    {"a": {"b": 1}},
    "2026-13-45T99:00:00Z",
)


def mutations(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """States of which one member is another thing, and some that are other programs'."""
    cases = state["bookmarks"]["cases"]
    wrong: dict[str, tuple[Any, ...]] = {
        "replication_key_value": tuple(g for g in GARBAGE if g),
        "organization_id": GARBAGE,
        "object": GARBAGE,
        "filter": GARBAGE,
        "version": GARBAGE[:3],
        "emitted_in_lookback": tuple(g for g in GARBAGE if g),
        "jobs": tuple(g for g in GARBAGE if g),
        "delete_log": ("yesterday", 7, ["x"], {"covered": "yesterday"}, {"covered": 7}),
    }
    for name, values in wrong.items():
        for value in values:
            yield {"bookmarks": {"cases": cases | {name: value}}}
    yield {"bookmarks": cases}
    yield {"bookmarks": [cases]}
    yield {"bookmarks": "cut off"}
    yield {"value": state}
    yield {"bookmarks": {"Case": {"SystemModstamp": "2026-01-01T00:00:00Z"}}}  # another tap's
    yield {"bookmarks": {"cases": ["x"]}}


def test_R14_state_that_is_garbage_or_foreign_is_refused_before_any_message(
    sandbox: RunningSandbox, tap: Tap, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of 50 and more: read as an empty one it would mean an import of everything."""
    sandbox.seed(5)
    state = run_here(tap).state
    assert state
    refused = 0
    for mutated in mutations(state):
        with pytest.raises(StateRefusedError, match="clear the state"):
            TapSalesforceCases(config=credentials(tap), state=mutated, parse_env_config=False).sync_all()
        assert capsys.readouterr().out == "", mutated
        refused += 1
    assert refused >= 50


# -- R26, R27


def test_R26_state_of_another_org_object_or_filter_stops_before_any_row_is_asked_for(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """Exit 3, nothing on stdout, and no query of cases."""
    sandbox.seed(5)
    state = tap.read(where="Priority = 'High'").state
    assert state
    cases = state["bookmarks"]["cases"]
    assert {"organization_id", "object", "filter", "version", "fields"} <= set(cases)
    before = len(sandbox.requests(half="salesforce"))
    for name in ("organization_id", "object", "filter", "version"):
        other = {"bookmarks": {"cases": cases | {name: "another"}}}
        read = tap.read(other, where="Priority = 'High'")
        assert (read.returncode, read.messages) == (3, []), name
        assert "clear the state" in read.log
    later = sandbox.requests(half="salesforce")[before:]
    assert later
    assert not [r["path"] for r in later if "query" in r["path"].lower()]


def test_R27_taps_of_several_orgs_side_by_side_keep_apart(tmp_path: Path) -> None:
    """Six at a time, three of each of two orgs, in one folder with one describe cache: each emits its own org's cases, all of them."""
    with RunningSandbox() as one, RunningSandbox() as other:
        other.admin("POST", "salesforce/switches", {"organization_id": "00D5g00000OtherEAA"})
        orgs = ((one, "00D5g0000000001EAA", 40), (other, "00D5g00000OtherEAA", 25))
        for sandbox, _, cases in orgs:
            sandbox.seed(cases)
        for round_number in range(2):
            states = [_read_side_by_side(tmp_path, orgs, round_number)]
            assert all(states)


def _read_side_by_side(folder: Path, orgs: Any, round_number: int) -> bool:
    started = []
    for number, (sandbox, organization_id, cases) in enumerate(itertools.chain(orgs, orgs, orgs)):
        own = folder / f"{round_number}-{number}"
        own.mkdir()
        tap = Tap(folder=own, login_url=sandbox.salesforce_url)
        cache = str(folder / f"describe-{round_number}.json")
        started.append((tap.start(describe_cache_path=cache), organization_id, cases))
    random.Random(round_number).shuffle(started)
    for process, organization_id, cases in started:
        out, log = process.communicate(timeout=120)
        assert process.returncode == 0, log
        rows = [line for line in out.splitlines() if line.startswith('{"type":"RECORD"')]
        assert len(rows) == cases
        assert all(f'"_sf_organization_id":"{organization_id}"' in row for row in rows)
    return True


# -- R76


@pytest.mark.parametrize("mode", MODES)
def test_R76_nobody_reads_so_nothing_more_is_asked_of_salesforce(
    org: tuple[RunningSandbox, Tap], mode: str
) -> None:
    """The pipe is full: the tap waits with it, having read a part of the org; then all of it comes."""
    sandbox, tap = org
    sandbox.admin("DELETE", "requests")
    process = tap.start(**MODES[mode])
    asked = _calls_at_rest(sandbox)
    stdout, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert asked < len(sandbox.requests(half="salesforce"))
    assert {row["Id"] for row in _records(stdout)} >= {
        i for i, row in stored(sandbox).items() if not row["IsDeleted"]
    }


def _calls_at_rest(sandbox: RunningSandbox) -> int:
    """How many calls the tap has sent when it sends no more."""
    before, now = -1, 0
    while not now or before != now:
        time.sleep(1)
        before, now = now, len(sandbox.requests(half="salesforce"))
    return now


def _records(stdout: str) -> Iterator[dict[str, Any]]:
    messages = map(json.loads, stdout.splitlines())
    return (m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == "cases")
