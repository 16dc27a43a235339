"""Core: the screen of `status`, and the same for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from case_sync_console.counts_words import counted
from case_sync_console.import_screen import span
from case_sync_console.sync_status import SHOWN_RUNS, Budget, RunShown, Status
from case_sync_console.tables import NARROW_COLUMNS

NOT_SET_UP = "not set up"
WORDS_OF_SYNC = {
    NOT_SET_UP: "not set up: case-sync setup",
    "active": "on",
    "paused": "paused; to go on: case-sync resume",
    "saved": "saved for later; to switch it on: case-sync activate",
    "new": "not switched on yet: case-sync setup, or case-sync activate",
}
# What the runs are called, by the name that they have in the ledger.
RUN_NAMES = {
    "sync": "sync",
    "activate": "activation",
    "import": "import",
    "resync": "resync",
    "retry": "retry",
}
# Name, head of the column, words behind the number.
HEADS = (
    ("new", "New", "new"), ("updated", "Updated", "updated"), ("unchanged", "Unchanged", "unchanged"), ("deleted", "Deleted", "deleted"),
    ("rejected", "Rejected", "rejected"), ("waiting", "Waiting", "waiting"), ("salesforce_calls", "Salesforce\ncalls", "Salesforce calls"),
    ("hubspot_calls", "HubSpot\ncalls", "HubSpot calls"),
)  # fmt: skip


def screen(found: Status) -> RenderableType:
    """All of it."""
    lines = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, words in _facts(found):
        lines.add_row(Text(name, style="bold"), Text(words))
    return Group(
        lines, Text(), RunsTable(found.runs[:SHOWN_RUNS]) if found.runs else Text("There was no run yet.")
    )


def _facts(found: Status) -> list[tuple[str, str]]:
    facts = [
        ("Sync", f"{WORDS_OF_SYNC[found.sync]} (environment {found.environment})"),
        ("Read until", _read_until(found)),
        ("Next run", _next_run(found)),
        ("On record", _on_record(found)),
    ]
    if found.deletions:
        facts.append(
            (
                "Deletions",
                f"{counted(found.deletions, 'ticket')} would be deleted, more than allowed at once; see: meltano invoke target-hubspot-tickets:deletes",
            )
        )
    facts += [("Interrupted", _interrupted(one.suffix, one.command)) for one in found.interrupted]
    return [
        *facts,
        ("Salesforce API", _budget(found.salesforce, "in 24 hours")),
        ("HubSpot API", _budget(found.hubspot, "today")),
    ]


def _read_until(found: Status) -> str:
    if found.read_until is None:
        return "nothing yet"
    behind = max((found.now - found.read_until).total_seconds(), 0.0)
    bookmark = f"; the next run looks from {_clock(found.bookmark)} on" if found.bookmark else ""
    return f"{_clock(found.read_until)}, {span(behind)} ago{bookmark}"


def _next_run(found: Status) -> str:
    if found.sync != "active":
        return "none while it is off"
    if found.next_run is None:
        return "no interval in meltano.yml: case-sync schedule install --every 15m"
    away = span(max((found.next_run - found.now).total_seconds(), 0.0))
    when = f"{found.next_run:%H:%M %Z}, in {away} ('{found.interval}')"
    if found.installed:
        return f"{when}, by {found.installed}"
    return f"{when}, if something runs it: nothing is installed on this machine (case-sync schedule install)"


def _on_record(found: Status) -> str:
    if not found.on_record:
        return "nothing rejected, nothing waiting"
    told = ", ".join(f"{name} {number:,}" for name, number in found.on_record.items())
    return f"cases by category: {told}; why, and what to do: case-sync errors"


def _interrupted(suffix: str, command: str | None) -> str:
    how = f"to go on: {command}" if command else "to go on, give the same command as before"
    return f"an import ({suffix.removeprefix('import-')}); {how}"


def _budget(budget: Budget, period: str) -> str:
    if budget.allowed is None or budget.used is None or budget.left is None:
        return "not told yet"
    return f"{budget.used:,} of {budget.allowed:,} calls used {period}, {budget.left:,} left"


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}" if moment else ""


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The last runs, a column for each number; on a narrow terminal the numbers that are not 0, in words."""

    runs: Sequence[RunShown]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        is_narrow = options.max_width < NARROW_COLUMNS
        table = _runs_table(
            ("What came of it",) if is_narrow else tuple(head for _name, head, _words in HEADS)
        )
        for run in self.runs:
            cells = (
                [_in_words(run)]
                if is_narrow
                else [_number(getattr(run, name)) for name, _head, _words in HEADS]
            )
            table.add_row(
                f"{run.started_at:%m-%d %H:%M:%S}",
                RUN_NAMES.get(run.name, run.name),
                *cells,
                f"{run.seconds:.0f}",
                run.result,
            )
        yield table


def _runs_table(heads: Sequence[str]) -> Table:
    table = Table(
        title="The last runs (UTC)", title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0)
    )
    table.add_column("Started", no_wrap=True)
    table.add_column("Run", overflow="fold")
    for head in heads:
        table.add_column(head, justify="left" if len(heads) == 1 else "right", overflow="fold")
    table.add_column("Seconds", justify="right", no_wrap=True)
    table.add_column("Result")
    return table


def _in_words(run: RunShown) -> str:
    return ", ".join(f"{number:,} {words}" for name, _head, words in HEADS if (number := getattr(run, name)))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def as_json(found: Status) -> dict[str, Any]:
    """For programs; times are ISO 8601."""
    told = _plain(asdict(found))
    behind = (found.now - found.read_until).total_seconds() if found.read_until else None
    runs = [_plain(asdict(run)) | {"result": run.result} for run in found.runs]
    return {**told, "runs": runs, "behind_seconds": behind}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
