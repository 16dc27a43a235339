"""Shell: a signal is only noted when it comes (D1); a thread that waits for it ends the process in time, whatever hangs."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LAST_SECONDS = 9.5  # from the first signal on: what is not confirmed has no state
LOOK_SECONDS = 0.25


class StopSignal(Exception):  # noqa: N818 - not an error: somebody wants an end
    """SIGTERM or Ctrl-C came."""


class Stopping:
    """The signals of a process. A handler may not take a lock that its own thread may hold, so `note` takes none."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    def note(self, signum: int) -> None:
        """In the signal handler."""
        self.signals.append(signum)

    def check(self) -> None:
        """Between two steps.

        Raises:
            StopSignal: one came.
        """
        if self.signals:
            raise StopSignal

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See to it that the process ends; behind the block only if a signal came in it."""
        ended = threading.Event()
        threading.Thread(target=self._watch, args=(ended,), name="stop", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            if self.signals:
                _ignore_more()

    def _watch(self, ended: threading.Event) -> None:
        while not self.signals:
            if ended.wait(LOOK_SECONDS) and not self.signals:
                return
        time.sleep(LAST_SECONDS)
        os._exit(128 + self.signals[0])


def _ignore_more() -> None:
    """The process ends with the code of the first signal: another one, when Python has taken its handlers down, would kill it instead."""
    with contextlib.suppress(ValueError):  # not the main thread, which alone may say so
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
