"""Core: a preview as tables and lines for a terminal; names of both systems, no words of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from case_sync_console.cases_screen import CasesTable
from case_sync_console.preview import FieldMapping, Preview, Required, Setting, Side
from case_sync_console.remedies import Problem
from case_sync_console.tables import NARROW_COLUMNS, table

MISSING = "NOT MAPPED"
NOTHING_WRITTEN = "Nothing was written."
SYNC = {"active": "on", "new": "not switched on yet", "paused": "paused", "saved": "saved for later"}
BECOMES = {
    "rejected": "NOT MAPPED: cases are rejected",
    "skipped": "NOT MAPPED: cases are left out",
    "no_such_stage": "NOT MAPPED: no stage of this name",
}
WITHOUT_PROCESS = "(cases without a support process)"


def whole(preview: Preview, written: str = NOTHING_WRITTEN) -> Group:
    """All of it, in the order of the setup; `written` says what becomes of it."""
    return Group(
        heading_of(preview, written),
        *section("Rules", settings_table(preview.settings)),
        *section("Required ticket properties", required_table(preview.required)),
        *section("Field mappings", MappingsTable(preview.mappings, preview.switched_off)),
        *section("Pipelines", places_table(preview.places)),
        *(
            section("Real cases: what a sync would do now", CasesTable(preview.now.cases))
            if preview.now.cases is not None
            else ()
        ),
        *(
            section(f"Changed {preview.now.changes_since}", lines(preview.now.changes))
            if preview.now.changes
            else ()
        ),
        *(section("Good to know", lines(preview.now.notes)) if preview.now.notes else ()),
        *section("Problems", problems_text(preview.now.problems)) if preview.now.problems else (),
        Text(),
        ending(preview),
    )


def heading_of(preview: Preview, written: str) -> Text:
    """Which systems, how many records, and whether the sync is on."""
    sides = preview.sides
    cases = "" if sides.cases is None else f" ({sides.cases:,} cases)"
    tickets = "" if sides.tickets is None else f" ({sides.tickets:,} tickets of cases)"
    return Text(
        f"Salesforce {sides.org}{cases} -> HubSpot account {sides.portal}{tickets}\n"
        f"Environment {preview.now.environment}; the sync is {SYNC[preview.now.sync]}. {written}"
    )


LONGEST_NAME = 32  # characters of a property's name with its brackets


def section(title: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, style="bold")
    yield Padding(body, (0, 0, 0, 2))


def settings_table(settings: Sequence[Setting]) -> Table:
    made = table("rule", "is", "that means")
    for setting in settings:
        made.add_row(setting.name, setting.value, setting.meaning)
    return made


def required_table(rows: Sequence[Required]) -> Table:
    """S12: every required property with its counterpart."""
    made = table("ticket property", "name", "comes from")
    for required in rows:
        counterpart = required.counterpart
        shown = Text(counterpart) if counterpart else Text(MISSING, style="bold red")
        made.add_row(required.property.label, required.property.name, shown)
    return made


@dataclass(frozen=True, slots=True)
class MappingsTable:
    """Both sides with label, name and type; on a narrow terminal the types stand below the names."""

    mappings: Sequence[FieldMapping]
    switched_off: Sequence[str] = ()

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        is_narrow = options.max_width < NARROW_COLUMNS
        made = self._named("ticket property", "case field", "how") if is_narrow else self._wide()
        for mapping in self.mappings:
            cells = _cells(mapping)
            if is_narrow:
                cells = [_below(cells[0], cells[1]), _below(cells[2], cells[3]), cells[4]]
            made.add_row(*cells)
        yield made
        if self.switched_off:
            yield Text(f"Switched off: {', '.join(self.switched_off)}")

    def _wide(self) -> Table:
        return self._named("ticket property", "type", "case field", "type", "how")

    def _named(self, *columns: str) -> Table:
        made = table(*columns)
        # A name that is broken can't be copied; very long ones may still be.
        names = [len(mapping.property.name) + 2 for mapping in self.mappings]
        made.columns[0].min_width = min(max(names, default=0), LONGEST_NAME)
        return made


def _cells(mapping: FieldMapping) -> list[Text]:
    """Property, its type, field, its type, how."""
    sources = Text("\n").join(map(_side, mapping.sources)) if mapping.sources else Text("(none)", style="dim")
    types = "\n".join(side.type for side in mapping.sources)
    return [_side(mapping.property), Text(mapping.property.type), sources, Text(types), Text(how(mapping))]


def _below(name: Text, kind: Text) -> Text:
    return Text("\n").join([name, Text(kind.plain, style="dim")]) if kind.plain else name


def _side(side: Side) -> Text:
    """`Ticket name (subject)`."""
    return (
        Text(side.label) if side.label == side.name else Text.assemble(side.label, (f" ({side.name})", "dim"))
    )


def how(mapping: FieldMapping) -> str:
    marks = [
        w for w, is_so in (("required", mapping.is_required), ("by default", mapping.is_default)) if is_so
    ]
    return "; ".join(filter(None, (", ".join(marks), mapping.how)))


def places_table(places: Sequence[Mapping[str, Any]]) -> Table:
    """S19: every active support process and status, unmapped ones flagged."""
    made = table("support process", "case status", "pipeline", "stage")
    for place in places:
        name = place["process"] or WITHOUT_PROCESS
        for number, status in enumerate(place["statuses"]):
            made.add_row(
                "" if number else name + ("" if place["has_rule"] else "\n  has no pipeline of its own"),
                status["status"] + (" (closed)" if status["is_closed"] else ""),
                status["pipeline"] or "",
                _stage(status),
                end_section=number == len(place["statuses"]) - 1,
            )
    return made


def pipelines_screen(places: Sequence[Mapping[str, Any]], there: Mapping[str, Sequence[str]]) -> Group:
    """The places, and the pipelines and stages that can be chosen."""
    made = table("ticket pipeline in HubSpot", "its stages")
    for label, stages in there.items():
        made.add_row(label, ", ".join(stages))
    return Group(places_table(places), Text(), made)


def _stage(status: Mapping[str, Any]) -> Text:
    if status["becomes"] != "stage":
        return Text(BECOMES[status["becomes"]], style="bold red")
    return Text(status["stage"] + ("" if status["has_rule"] else "  (by the fallback)"))


def lines(texts: Sequence[str]) -> Text:
    return Text("\n".join(texts))


def problems_text(problems: Sequence[Problem]) -> Text:
    """Numbered, each with what to do."""
    parts = [
        f"{number}. {problem.text}" + (f"\n   To do: {problem.remedy}" if problem.remedy else "")
        for number, problem in enumerate(problems, start=1)
    ]
    return Text("\n".join(parts))


def ending(preview: Preview) -> Text:
    """One line: would it run."""
    count = len(preview.now.problems)
    if count:
        return Text(
            f"The sync would not run: {count} problem{'s' if count > 1 else ''}, listed above.",
            style="bold red",
        )
    flagged = f" {unmapped_words(preview)}" if preview.unmapped else ""
    return Text(f"The sync would run.{flagged}", style="bold")


def unmapped_words(preview: Preview) -> str:
    """How many pairs have no stage, and the command that gives one."""
    pairs = "1 pair" if preview.unmapped == 1 else f"{preview.unmapped} pairs"
    return (
        f"{pairs} of support process and status have no stage (case-sync pipelines list): cases that have one get no ticket. "
        'Map one: case-sync pipelines set PROCESS --stage "STATUS=STAGE"'
    )
