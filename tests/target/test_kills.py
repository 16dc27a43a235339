"""The process killed at random points, and run again from the state that it had let out: nothing lost, nothing double."""

import random
import threading
import time

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import (
    KEY,
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

TICKETS = 3_000
KILLS = 25  # for each seed
NEVER_KILLED = 0.2  # at least this share of the kills has to hit a run under way


def stream_from(position: int) -> list[Message]:
    """Tickets, each tenth deleted in the end, with a state after each hundred that says how far it came."""
    messages = [ticket(n, subject=f"final {n}") for n in range(TICKETS)]
    messages += [tombstone(n) for n in range(0, TICKETS, 10)]
    stream = [schema()]
    for number, message in enumerate(messages, start=1):
        if number > position:
            stream.append(message)
            if number % 100 == 0:
                stream.append(state(number))
    return stream


def killed_run(sandbox: RunningSandbox, target: Target, position: int, after_requests: int) -> list[int]:
    """Start a run, kill it behind so many requests, and read the states that it had let out."""
    process = target.start(on_delete="archive", max_deletes=TICKETS)
    seen = len(sandbox.requests(half="hubspot"))
    assert process.stdin is not None
    feeder = threading.Thread(target=feed, args=(process.stdin, lines(stream_from(position))), daemon=True)
    feeder.start()
    while process.poll() is None and len(sandbox.requests(half="hubspot", since=seen)) < after_requests:
        time.sleep(0.01)
    process.kill()
    out, _ = process.stdout.read() if process.stdout else "", process.wait(timeout=30)
    feeder.join(timeout=30)
    return read_states(out[: out.rfind("\n") + 1])


def feed(pipe: object, text: str) -> None:
    try:
        pipe.write(text)  # type: ignore[attr-defined]
        pipe.close()  # type: ignore[attr-defined]
    except OSError:
        pass  # the reader was killed


@pytest.mark.parametrize("seed", [1, 2], ids="seed{}".format)
def test_R05_killed_at_random_points_and_run_again(
    sandbox: RunningSandbox, target: Target, seed: int
) -> None:
    """25 kills one after the other, each at a number of requests by the dice: I6 holds at each, and all is there in the end."""
    dice = random.Random(seed)
    position, hit = 0, 0
    for _ in range(KILLS):
        sandbox.admin("DELETE", "faults")
        sandbox.faults([{"half": "hubspot", "latency_ms": dice.choice([1, 10, 30])}])
        states = killed_run(sandbox, target, position, dice.randrange(1, 40))
        hit += position + 100 <= TICKETS and (not states or states[-1] < TICKETS)
        if states:
            assert states[-1] >= position
            position = states[-1]
        there = by_key(sandbox)
        # One that was deleted in the round in which it came never was a ticket.
        deleted = set(range(0, TICKETS, 10)[: max(position - TICKETS, 0)])
        expected = {case_id(n) for n in range(min(position, TICKETS)) if n not in deleted}
        missing = expected - there.keys() - by_key(sandbox, archived=True).keys()
        assert not missing, f"state {position} left before {len(missing)} tickets were written"
        if position >= TICKETS:
            position = 0  # a run that came to its end is followed by a whole one
        elif dice.random() < 0.3:
            position = max(0, position - 500)  # an older state: the last lines were lost on the way
    sandbox.admin("DELETE", "faults")
    loaded = target.load(stream_from(position), on_delete="archive", max_deletes=TICKETS)
    assert loaded.returncode == 0, loaded.log
    tickets = by_key(sandbox)
    assert set(tickets) == {case_id(n) for n in range(TICKETS) if n % 10}
    assert all(t["properties"]["subject"] == f"final {int(k[9:15])}" for k, t in tickets.items())
    assert {t["properties"][KEY] for t in tickets.values()} == set(tickets)
    assert hit >= KILLS * NEVER_KILLED, "too few kills met a run under way"
