"""Core: the screens of `verify` and `repair`: what both systems hold, and where they differ. No value is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from case_sync_console.case_filter import moment_words
from case_sync_console.comparison import (
    DIFFERENT,
    KINDS,
    MISSING,
    REJECTED,
    TOO_MANY,
    Comparison,
    Difference,
    Way,
)
from case_sync_console.counts_words import counted

WORDS = {
    MISSING: "tickets missing",
    DIFFERENT: "tickets that differ",
    TOO_MANY: "tickets too many",
    REJECTED: "cases rejected",
}
SHOWN = 5
MOST_PROPERTIES = 8
LONGEST_NAME = 31  # characters of a property and its number that are kept together
NOT_COMPARED = (
    "Not compared: properties that the rules do not write, associations that others made, tickets without this org's mark, "
    "tickets that are archived."
)


def comparison_screen(
    found: Comparison, *, output: str | None = None, offers_repair: bool = True
) -> RenderableType:
    """Counts of both sides, the differences by kind, and what to do; without the offer where a repair was just refused."""
    return Group(
        Text(f"Both systems as of {moment_words(found.at)}"),
        _counts(found),
        *(Text(f"  {line}") for kind in KINDS for line in _examples(found, kind)),
        *map(Text, _notes(found)),
        Text(_verdict(found, output, offers_repair=offers_repair)),
    )


def _counts(found: Comparison) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", min_width=LONGEST_NAME)
    table.add_row("cases in Salesforce, in scope", f"{found.cases:,}", "")
    if found.left_out:
        table.add_row("  left out by the rules", f"{found.left_out:,}", "")
    tickets = "not counted" if found.tickets is None else f"{found.tickets:,}"
    table.add_row("tickets in HubSpot with this org's mark", tickets, "")
    table.add_row("tickets as the rules make them", f"{found.equal:,}", "")
    for kind in KINDS:
        table.add_row(WORDS[kind], f"{found.counts[kind]:,}", _more(found, kind))
    return table


def _more(found: Comparison, kind: str) -> str:
    if kind == DIFFERENT:
        return ", ".join([*_most(found.properties.most_common()), *_associations(found)])
    return "why, and what to do: case-sync errors" if kind == REJECTED and found.counts[kind] else ""


def _most(counts: Sequence[tuple[str, int]]) -> list[str]:
    told = [f"{name} {number:,}" for name, number in counts[:MOST_PROPERTIES]]
    more = len(counts) - MOST_PROPERTIES
    return [*told, f"{counted(more, 'other property', 'other properties')}"] if more > 0 else told


def _associations(found: Comparison) -> list[str]:
    return [f"association with {to} {number:,}" for to, number in found.associations.most_common()]


def _examples(found: Comparison, kind: str) -> Iterator[str]:
    examples = found.examples.get(kind, [])
    for one in examples[:SHOWN]:
        yield f"{_told(one)}"
    if found.counts[kind] > SHOWN and examples:
        yield f"... and {found.counts[kind] - SHOWN:,} more {WORDS[kind]}"


def _told(one: Difference) -> str:
    parts = [*one.properties[:MOST_PROPERTIES], *(f"association with {to}" for to in one.associations)]
    more = [f"{len(one.properties) - MOST_PROPERTIES} more"] if len(one.properties) > MOST_PROPERTIES else []
    why = ", ".join([*parts, *more]) or (one.reason if one.kind == TOO_MANY else "")
    return f"case {one.key}: {ONE[one.kind]}" + (f" ({why})" if why else "")


ONE = {
    MISSING: "no ticket",
    DIFFERENT: "the ticket differs",
    TOO_MANY: "a ticket too many",
    REJECTED: "rejected",
}


def _notes(found: Comparison) -> Iterator[str]:
    if not found.cases:
        yield "Salesforce shows no case in the sync's scope: is the filter right, and may the user see cases?"
    if not found.is_whole:
        yield (
            "Tickets without a case could not be looked for: the list of all ids was not complete, because cases were deleted "
            "meanwhile, or could not be read. Run it again."
        )
    told = (
        (found.meanwhile, "changed while this ran, and count for the next time", "case"),
        (found.waiting, "wait for a company, contact or ticket that is not in HubSpot yet", "association"),
        (found.on_record, "of these are on record as rejected: case-sync errors", "case"),
        (found.kept, "without a case stay, as the rules or on_delete say", "ticket"),
        (
            found.without_key,
            "with this org's mark and an empty salesforce_case_id: copies, or emptied by hand; the sync leaves them",
            "ticket",
        ),
    )
    for number, words, what in told:
        if number:
            yield f"{counted(number, what)} {words}."
    if found.ways[Way.NONE] > found.counts[REJECTED]:
        yield (
            f"{counted(found.ways[Way.NONE] - found.counts[REJECTED], 'ticket')} too many can't be told from younger ones by "
            "salesforce_system_modstamp: look at them in HubSpot."
        )
    yield NOT_COMPARED


def _verdict(found: Comparison, output: str | None, *, offers_repair: bool) -> str:
    if not found.differences:
        return "Both systems are equal." if found.is_whole else "What was compared is equal."
    head = counted(found.differences, "difference")
    where = (
        f"all, with values, are in {output}"
        if output
        else "case-sync verify -o FILE writes all of them, with values"
    )
    mends = (
        f"case-sync repair mends {found.mendable:,} of them"
        if found.mendable
        else "none of them is a repair's"
    )
    return f"{head}: {where}" + (f"; {mends}." if offers_repair else ".")


def work_words(found: Comparison) -> str:
    """What a repair would do, before it is asked for."""
    told = (
        (
            found.ways[Way.READ_AGAIN],
            "case",
            "read again, its ticket written",
            "read again, their tickets written",
        ),
        (found.ways[Way.DELETE], "ticket", "archived, as a rule says", "archived, as a rule says"),
        (found.ways[Way.RECONCILE], "ticket", "archived: it has no case", "archived: they have no case"),
    )
    lines = [
        f"  - {counted(number, what)}: {one if number == 1 else more}"
        for number, what, one, more in told
        if number
    ]
    return "The repair:\n" + "\n".join(lines)
