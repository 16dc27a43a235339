"""When processes end, noted beside whoever waits for them: a child of another program, too."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

LOOK_SECONDS = 0.2
PROMISED_SECONDS = 10  # between a signal and the end of a process of ours (R6, R7)


class Exits:
    """A context manager: open before the signal; what has not ended when the block is left, has no time."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """Processes by name; each is there still, or nobody has waited for it yet."""
        self._watched = {os.pidfd_open(pid): name for name, pid in pids.items()}
        self._left, self._ended = threading.Event(), dict[str, float]()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()
        for descriptor in self._watched:
            os.close(descriptor)

    def _watch(self) -> None:
        waiting = set(self._watched)
        while waiting:
            over, _, _ = select.select(waiting, [], [], LOOK_SECONDS)
            self._ended |= {self._watched[descriptor]: time.monotonic() for descriptor in over}
            waiting -= set(over)
            if self._left.is_set() and not over:
                return

    def seconds_since(self, moment: float) -> dict[str, float]:
        """By name, behind the block: from a moment of `time.monotonic` to the end; infinite for one that did not end."""
        return {name: self._ended.get(name, float("inf")) - moment for name in self._watched.values()}
