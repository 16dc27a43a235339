"""The process while it runs: what leaves on stdout and when, the order of each key, a hung server, a second run beside it."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import (
    PORTAL,
    Message,
    Target,
    by_key,
    case_id,
    lines,
    read_states,
    schema,
    state,
    ticket,
    tombstone,
)
from .whole_runs import PRIORITY, begun, swallowed, values

SILENT = {"half": "hubspot", "path": "batch/upsert", "latency_ms": 60_000}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_R07_hung_server_does_not_hold_up_a_stop(
    sandbox: RunningSandbox, target: Target, stop: signal.Signals, again: bool
) -> None:
    """HubSpot takes the calls and never answers: the process ends with the signal's code, whether it gets another or not; no state of what hangs leaves."""
    process = begun(target)
    assert process.stdin
    sandbox.faults([SILENT])
    process.stdin.write(lines([*map(ticket, range(2, 4_100)), state("all")]))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while sandbox.admin("GET", "hubspot/flights")["most_at_once"] < 2:
        assert time.monotonic() < deadline, "no two calls hang"
        time.sleep(0.05)
    process.send_signal(stop)
    if again:
        time.sleep(0.5)
        process.send_signal(stop)
    stdout, log = process.communicate(timeout=12)  # ten are promised; a busy machine adds some
    assert process.returncode == 128 + stop, log
    assert read_states(stdout) == []
    sandbox.admin("DELETE", "faults")


def test_R09_states_leave_on_the_way_not_at_the_end(sandbox: RunningSandbox, target: Target) -> None:
    """Three times 10,000 records, and the next only when a state of the last is out: no 10,000 go by without one."""
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema()]))
    newest = 0
    for start in range(0, 30_000, 10_000):
        numbers = range(start, start + 10_000)
        process.stdin.write(lines(part for number in numbers for part in (ticket(number), state(number + 1))))
        process.stdin.flush()
        while newest <= start:
            (newest,) = read_states(process.stdout.readline())
    rest, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert [newest, *read_states(rest)][-1] == 30_000


def test_R09_a_slow_stream_is_loaded_while_it_comes(sandbox: RunningSandbox, target: Target) -> None:
    """One record and its state, then silence with the pipe open: the ticket and the state are there before the input ends."""
    process = begun(target)
    assert set(by_key(sandbox)) == {case_id(1)}
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_R15_nothing_but_states_is_on_stdout(sandbox: RunningSandbox, target: Target) -> None:
    """Rejections, waiting associations, warnings, created properties: all of that is on stderr."""
    nowhere = [{"to": "company", "by": "salesforceaccountid", "value": "001000000000000AAA"}]
    process = target.start()
    stdout, _ = process.communicate(
        lines([schema(), ticket(1), state(1), ticket(2, **PRIORITY), ticket(3, associations=nowhere), state(3)]), timeout=60
    )  # fmt: skip
    assert process.returncode == 0
    assert [json.loads(line) for line in stdout.splitlines()] == [{"bookmarks": {"cases": {"read": 3}}}]


def test_R20_one_key_is_never_in_two_requests_at_once(sandbox: RunningSandbox, target: Target) -> None:
    """12,000 records of 3,000 keys, in shuffled order, slow answers, many calls in flight: no overlap, and the last of each key holds."""
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "probability": 0.5, "latency_ms": 40}])
    dice = random.Random(20)
    stream, last = [schema()], {}
    for number in range(12_000):
        key = dice.randrange(3000)
        last[case_id(key)] = f"v{number}"
        stream.append(ticket(key, subject=f"v{number}"))
    loaded = target.load(stream)
    assert loaded.returncode == 0
    flights = sandbox.admin("GET", "hubspot/flights")
    assert flights["overlaps"] == {}
    assert flights["most_at_once"] > 1
    assert values(sandbox) == last


def test_R21_changed_schema_keeps_the_order_of_each_key(sandbox: RunningSandbox, target: Target) -> None:
    """A column comes and goes in the middle of the stream, ten times: what came later holds (D8)."""
    stream: list[Message] = []
    for turn in range(10):
        without = {} if turn % 2 else {"content": None}
        stream.append(schema(**without))
        for number in range(30):
            record = ticket(number, subject=f"turn {turn}")
            if turn % 2:
                record["record"]["content"] = f"content {turn}"
            stream.append(record)
    assert target.load([*stream, state("all")]).states == ["all"]
    assert set(values(sandbox).values()) == {"turn 9"}
    assert set(values(sandbox, "content").values()) == {"content 9"}


def test_R22_deletions_and_upserts_of_a_key_keep_the_order_of_the_stream(
    sandbox: RunningSandbox, target: Target
) -> None:
    """40 keys with a random sequence each, over three runs: the last word counts."""
    dice = random.Random(22)
    last: dict[int, str | None] = {}
    for turn in range(3):
        stream = [schema()]
        for step in range(400):
            key = dice.randrange(40)
            last[key] = None if dice.random() < 0.4 else f"{turn}.{step}"
            stream.append(tombstone(key) if last[key] is None else ticket(key, subject=last[key]))
        assert target.load(stream, on_delete="archive").returncode == 0
        assert values(sandbox) == {case_id(k): subject for k, subject in last.items() if subject}


def test_R24_second_run_at_once_is_refused_in_words(sandbox: RunningSandbox, target: Target) -> None:
    """While one run holds the portal another ends with exit code 9, and writes nothing."""
    process = begun(target)
    second = target.load([schema(), ticket(2), state("all")], lock_wait_seconds=0)
    assert (second.returncode, second.states) == (9, []), second.log
    assert PORTAL in second.log
    process.communicate(timeout=30)
    assert set(by_key(sandbox)) == {case_id(1)}
    assert target.load([schema(), ticket(2)], lock_wait_seconds=0).returncode == 0


def test_R76_input_is_read_no_faster_than_it_is_written(sandbox: RunningSandbox, target: Target) -> None:
    """HubSpot is silent: of 60,000 tickets few are taken in, so that whoever sends them waits; and the memory is bounded with them."""
    process = begun(target)
    assert process.stdin
    sandbox.faults([SILENT])
    taken = swallowed(process, lines(map(ticket, range(2, 60_002))).encode())
    assert 2_000 < 60_000 * taken < 20_000  # four rounds of 2,000, the one that is being filled, and the pipe
    process.kill()
    process.communicate()
    sandbox.admin("DELETE", "faults")
