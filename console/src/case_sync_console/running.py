"""Shell: one sync, as the schedule calls it: a line of result, an exit code, the hook."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from case_sync_console import hook
from case_sync_console.counts_words import count, result_line
from case_sync_console.definition import PAUSED, SAVED, setting, sync_status
from case_sync_console.end_words import last_words
from case_sync_console.errors import OK, PARTIAL, ConsoleError
from case_sync_console.hook_events import Ending, Memory, body, events_of, kept, read_memory, remembered
from case_sync_console.meltano import TAP
from case_sync_console.own_settings import read_hook
from case_sync_console.private_files import write_privately
from case_sync_console.run_ends import failure_of
from case_sync_console.switching import NEW
from case_sync_console.target_progress import progress_file
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

OFF = {
    PAUSED: "The sync is paused: nothing was read. Switch it on again with: case-sync resume",
    SAVED: "The sync was saved for later: nothing was read. Switch it on with: case-sync activate",
    NEW: "The sync is not switched on yet: nothing was read. Switch it on, for cases that change from now on: case-sync activate",
}


def run(workplace: Workplace) -> int:
    """One sync; returns the exit code. A hook that fails is said, and never changes it."""
    status = _status(workplace)
    if status in OFF:
        workplace.screen.print(OFF[status])
        return OK
    started = datetime.now(UTC)
    code, words = _sync(workplace)
    _say(workplace, code, words)
    end = Ending(exit_code=code, message=words, started_at=started, ended_at=datetime.now(UTC))
    for problem in _tell(workplace, end):
        print(f"The hook can't be called: {problem}", file=sys.stderr)  # noqa: T201 - beside the result
    return code


def _status(workplace: Workplace) -> str:
    """A sync that was never switched on, and has no place to go on from, would bring in all cases."""
    document = workplace.definition().document
    is_switched = setting(document, workplace.environment, TAP, "sync_status") is not None
    if is_switched or workplace.meltano.state() is not None:
        return sync_status(document, workplace.environment)
    return NEW


def _sync(workplace: Workplace) -> tuple[int, str]:
    """Exit code, and the one line of result or the reason."""
    try:
        with waiting(workplace.screen, "Syncing ..."), progress_file() as file:
            end = workplace.meltano.given(file.variables).run()
            counts = file.counts()
    except ConsoleError as error:
        return error.exit_code, str(error)
    except KeyboardInterrupt:
        return 130, "stopped; what was written stays, and the next run goes on from there"
    if problem := failure_of(end):
        return problem.exit_code, str(problem)
    line = result_line(counts, end.seconds)
    if rejected := count(counts, "newly_rejected"):
        return PARTIAL, f"{line}. What was rejected ({rejected:,}), why, and what to do: case-sync errors"
    return OK, line


def _say(workplace: Workplace, code: int, words: str) -> None:
    if code in (OK, PARTIAL):
        workplace.screen.print(words, markup=False)
    else:
        print(f"Error: {last_words(words)}", file=sys.stderr)  # noqa: T201 - as every failure of the program


# -- the hook and what it remembers


def _tell(workplace: Workplace, end: Ending) -> list[str]:
    path = workplace.folder / ".meltano" / f"case-sync-{workplace.environment}.json"
    before = _remembered(path)
    after = remembered(before, end)
    problems = _keep(path, after)
    try:
        chosen = read_hook(workplace)
    except ConsoleError as error:
        return [*problems, str(error)]
    events = events_of(before, end)
    if not events:  # whoever has to be told of a failure finds out before there is one that the hook is none
        problems += hook.flaws(chosen, workplace.folder)
    for event in events:
        problems += hook.call(
            chosen, body(event, workplace.environment, end, after, before), workplace.folder
        )
    return problems


def _remembered(path: Path) -> Memory:
    try:
        return read_memory(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Memory()


def _keep(path: Path, memory: Memory) -> list[str]:
    try:
        path.parent.mkdir(exist_ok=True)
        write_privately(path, json.dumps(kept(memory)))
    except OSError as error:
        return [f"what it has to remember can't be written to .meltano ({error.strerror})"]
    return []
