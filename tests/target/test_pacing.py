"""The gate: calls of one bucket in the order in which they came, but for those that others wait for."""

import threading
import time

import pytest

from target_hubspot_tickets.errors import StoppedError
from target_hubspot_tickets.pacing import Gate
from target_hubspot_tickets.protocol import Call

ORDINARY = Call(method="GET", path="/ordinary")
FIRST = Call(method="GET", path="/first", goes_first=True)


def through(gate: Gate, *calls: Call) -> list[str]:
    """The paths of calls, in the order in which they get through a gate in which one is under way when they come."""
    entered: list[str] = []
    started = gate.enter(ORDINARY)

    def go(call: Call) -> None:
        began = gate.enter(call)
        entered.append(call.path)
        gate.leave(call, began, status=200, limit="", remaining="")

    threads = [threading.Thread(target=go, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
        time.sleep(0.05)  # so that they queue in this order
    gate.leave(ORDINARY, started, status=200, limit="", remaining="")
    for thread in threads:
        thread.join()
    return entered


def test_call_that_goes_first_overtakes_the_others() -> None:
    """It came last; the others keep their order."""
    others = [Call(method="GET", path=f"/{number}") for number in range(4)]
    assert through(Gate(1), *others, FIRST) == ["/first", "/0", "/1", "/2", "/3"]


def test_closed_gate_lets_nobody_through() -> None:
    gate = Gate(1)
    gate.close()
    with pytest.raises(StoppedError):
        gate.enter(FIRST)
