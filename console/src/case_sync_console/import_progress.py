"""Shell: how far an import is: a bar at a terminal, a line every half minute on a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from case_sync_console.counts_words import count
from case_sync_console.import_screen import pace_line

BAR_SECONDS, LINE_SECONDS = 0.5, 30.0
Counts = Callable[[], Mapping[str, Any]]
Total = Callable[[], int | None]


@contextmanager
def told(screen: Console, counts: Counts, total: Total, *, every: float = LINE_SECONDS) -> Iterator[None]:
    """Tell of the progress while the block runs. `counts` are the target's; `total` is None until it is known."""
    stop = threading.Event()
    work = _bar if screen.is_terminal else _lines
    thread = threading.Thread(
        target=work, args=(screen, counts, total, stop, every), name="progress", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _bar(screen: Console, counts: Counts, total: Total, stop: threading.Event, _every: float) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("Starting", total=None, rate="")
        while not stop.wait(BAR_SECONDS):
            _move(progress, task, counts(), total())


def _move(progress: Progress, task: TaskID, counts: Mapping[str, Any], total: int | None) -> None:
    done = count(counts, "records")
    speed = progress.tasks[0].speed
    progress.update(
        task,
        description="Cases" if done else "Reading cases",
        completed=done,
        total=max(total, done) if total is not None else None,
        rate=f"{speed:,.0f} a second" if speed and done else "",
    )


def _lines(screen: Console, counts: Counts, total: Total, stop: threading.Event, every: float) -> None:
    began: float | None = None
    while not stop.wait(every):
        done = count(counts(), "records")
        if done and began is None:
            began = time.monotonic() - every
        seconds = time.monotonic() - began if began is not None else 0.0
        screen.print(pace_line(done, total(), seconds), markup=False)
