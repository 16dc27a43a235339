"""Shell: the gate that every call passes: no more in flight, and no more in a window, than HubSpot bears."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque

from target_hubspot_tickets.concurrency import Concurrency
from target_hubspot_tickets.errors import StoppedError
from target_hubspot_tickets.protocol import Call
from target_hubspot_tickets.rate_limits import Window, first_windows

LONGEST_WAIT_SECONDS = 0.5  # between two looks at whether the run was stopped
BEHIND_WAIT_SECONDS = 30.0  # of those who are not the first of their bucket
TOO_FAST = frozenset({423, 429})


class Gate:
    """Lets calls through one by one, those of one bucket in the order in which they came, but some first; any thread may use it."""

    def __init__(self, most_in_flight: int) -> None:
        self._concurrency = Concurrency(most=most_in_flight)
        self._windows = first_windows()
        self._in_flight = 0
        self._lock = threading.Lock()
        # Who waits, by bucket: a condition each, so that only the first of a bucket is woken.
        self._waiting: dict[str, deque[threading.Condition]] = {bucket: deque() for bucket in self._windows}
        self._is_closed = False
        self.calls: Counter[str] = Counter()
        self.refusals: Counter[int] = Counter()

    def enter(self, call: Call) -> float:
        """Wait until the call may start; the time of its start.

        Raises:
            StoppedError: the gate was closed.
        """
        window, queue = self._windows[call.bucket], self._waiting[call.bucket]
        with self._lock:
            mine = threading.Condition(self._lock)
            if call.goes_first:
                queue.appendleft(mine)
            else:
                queue.append(mine)
            try:
                while (wait := self._wait_seconds(window, mine, queue)) > 0:
                    mine.wait(wait)
            finally:
                queue.remove(mine)
                self._wake(queue)
            window.start()
            self._in_flight += 1
            self.calls[call.bucket] += 1
            return time.monotonic()

    def _wait_seconds(
        self, window: Window, mine: threading.Condition, queue: deque[threading.Condition]
    ) -> float:
        if self._is_closed:
            raise StoppedError("the run was stopped")
        if queue[0] is not mine:  # it is woken when it comes first, and when the gate is closed
            return BEHIND_WAIT_SECONDS
        if self._in_flight >= self._concurrency.limit:
            return LONGEST_WAIT_SECONDS
        return min(window.wait_seconds(time.monotonic()), LONGEST_WAIT_SECONDS)

    def _wake(self, *queues: deque[threading.Condition]) -> None:
        for queue in queues:
            if queue:
                queue[0].notify()

    def leave(self, call: Call, started: float, *, status: int | None, limit: str, remaining: str) -> None:
        """The call is over: with this status (None: no answer), and with what HubSpot told of the window."""
        now = time.monotonic()
        with self._lock:
            self._in_flight -= 1
            window = self._windows[call.bucket]
            window.end(started, now)
            if limit.isdigit() and call.bucket != "search":
                window.learn(int(limit), int(remaining) if remaining.isdigit() else None, now)
            if status in TOO_FAST:
                self._concurrency.pressed(now)
                self.refusals[status] += 1
            elif status is not None:
                self._concurrency.answered(call.path, now - started)
            self._wake(*self._waiting.values())

    def refused(self, call: Call, wait_seconds: float) -> None:
        """The call's whole bucket is over its rate: nobody sends into it for so long."""
        with self._lock:
            self._windows[call.bucket].refused(time.monotonic(), wait_seconds)

    def close(self) -> None:
        """Let nothing through any more; those who wait are told."""
        with self._lock:
            self._is_closed = True
            for queue in self._waiting.values():
                for waiting in queue:
                    waiting.notify()
