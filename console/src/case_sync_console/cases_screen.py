"""Core: the screen of real cases (W03): what would become of each, property by property."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.text import Text

from case_sync_console.case_rows import LEAVE_OUT, NOTHING, WOULD, CaseRow
from case_sync_console.tables import NARROW_COLUMNS, table

NONE = "none: Salesforce has no case that the sync reads, or the rules leave it out"
EMPTY = "(empty)"
SHOWN_CHARACTERS = 60
LONGEST_NAME = 40  # characters of a property's name that are kept together
INDENT = 2


@dataclass(frozen=True, slots=True)
class CasesTable:
    """A line for each property; on a narrow terminal a block for each case, since columns would break names and moments."""

    cases: Sequence[CaseRow]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if not self.cases:
            yield Text(NONE)
        elif options.max_width < NARROW_COLUMNS:
            for case in self.cases:
                yield from _block(case)
        else:
            yield _wide(self.cases)


def _block(case: CaseRow) -> Iterator[RenderableType]:
    name = f"{case.number} ({case.key})" if case.number else case.key
    if case.would in (LEAVE_OUT, NOTHING):
        yield Text(f"{name}: {case.reason}", style="bold")
        return
    yield Text(f"{name} would be {_would(case)}", style="bold")
    if case.reason:
        yield Padding(Text(case.reason), (0, 0, 0, INDENT))
    for property_, (before, after) in case.changes.items():
        now = f"{_short(before)} -> " if before else ""
        yield Padding(Text(f"{property_}: {now}{_short(after) or EMPTY}"), (0, 0, 0, INDENT))


def _wide(cases: Sequence[CaseRow]) -> RenderableType:
    made = table("case", "would be", "ticket property", "now", "then")
    names = [len(name) for case in cases for name in case.changes]
    for column, longest in ((0, max(len(case.key) for case in cases)), (2, max(names, default=0))):
        made.columns[column].min_width = min(longest, LONGEST_NAME)
    for case in cases:
        rows = [(name, _short(before), _short(after)) for name, (before, after) in case.changes.items()]
        first, *rest = [*([("", "", case.reason)] if case.reason else []), *rows] or [("", "", "")]
        made.add_row(f"{case.number}\n{case.key}".strip(), _would(case), *first)
        for row in rest:
            made.add_row("", "", *row)
        made.add_section()
    return made


def _would(case: CaseRow) -> str:
    return WOULD.get(case.would, case.would)


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
