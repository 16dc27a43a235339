"""Shell: `case-sync mappings`: which Case field goes into which ticket property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from case_sync_console.both_sides import field_named, property_named
from case_sync_console.editing import edit
from case_sync_console.looking import look
from case_sync_console.mapping_edits import Known, Wish, added, deleted, edited
from case_sync_console.preview import mappings_of
from case_sync_console.preview_screen import MappingsTable
from case_sync_console.showing import AsJson, pairs, show, show_edit
from case_sync_console.workplace import Workplace
from case_sync_console.yaml_splicing import Splice

app = typer.Typer(
    help="Which Case field goes into which ticket property.", no_args_is_help=True, rich_markup_mode=None
)


class WriteRule(StrEnum):
    """When the property of a ticket that exists is written."""

    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    CREATE_ONLY = "create_only"


Property = Annotated[str, typer.Argument(metavar="PROPERTY", help="Ticket property, by name or label.")]
Field = Annotated[
    str | None,
    typer.Argument(
        metavar="FIELD", help="Case field, by name or label; of a related record: Account__Website."
    ),
]
Convert = Annotated[
    str | None,
    typer.Option(metavar="WAY", help="How the value is converted; without it, as the types ask for."),
]
Option = Annotated[
    list[str] | None,
    typer.Option(metavar="VALUE=OPTION", help="Which picklist value is which option; can be repeated."),
]
Write = Annotated[
    WriteRule | None,
    typer.Option(
        help="Of a ticket that exists: write the property always, only if it is empty there, or never (create_only)."
    ),
]
Value = Annotated[str | None, typer.Option(metavar="TEXT", help="In place of a field: always this value.")]


@app.command("list")
def _list(context: typer.Context, *, as_json: AsJson = False) -> None:
    """All mappings, with names, labels and types of both sides."""
    workplace: Workplace = context.obj
    with look(workplace) as found:
        mappings = mappings_of(found.rules, found.sides)
    off = found.rules["switched_off"]
    values = {"mappings": [asdict(one) for one in mappings], "switched_off": list(off)}
    show(workplace, MappingsTable(mappings, off), values, as_json=as_json)


@app.command("add")
def _add(  # noqa: PLR0913 - its options
    context: typer.Context,
    property_: Property,
    field: Field = None,
    *,
    value: Value = None,
    convert: Convert = None,
    option: Option = None,
    write: Write = None,
) -> None:
    """Map a Case field to a ticket property that has no mapping yet."""
    options = pairs(option, "--option")

    def wanted(known: Known, _block: Mapping[str, Any]) -> Sequence[Splice]:
        return added(_property(property_, known), _wish(field, value, convert, options, write, known), known)

    show_edit(context.obj, edit(context.obj, wanted))


@app.command("edit")
def _edit(  # noqa: PLR0913 - its options
    context: typer.Context,
    property_: Property,
    field: Field = None,
    *,
    to_property: Annotated[
        str | None,
        typer.Option("--property", metavar="PROPERTY", help="Another ticket property for the same field."),
    ] = None,
    value: Value = None,
    convert: Convert = None,
    option: Option = None,
    write: Write = None,
) -> None:
    """Give a ticket property another Case field, or a Case field another ticket property."""
    options = pairs(option, "--option")
    if not any((field, to_property, value, convert, options, write)):
        raise typer.BadParameter(
            "say what is to change: another FIELD, or --property, --value, --convert, --option, --write"
        )

    def wanted(known: Known, block: Mapping[str, Any]) -> Sequence[Splice]:
        target = _property(to_property, known) if to_property else None
        wish = _wish(field, value, convert, options, write, known)
        return edited(_property(property_, known), target, wish, known, block)

    show_edit(context.obj, edit(context.obj, wanted))


@app.command("delete")
def _delete(context: typer.Context, property_: Property) -> None:
    """Take a mapping away: the ticket property keeps its value and gets none any more."""

    def wanted(known: Known, _block: Mapping[str, Any]) -> Sequence[Splice]:
        return deleted(_property(property_, known), known)

    show_edit(context.obj, edit(context.obj, wanted))


def _property(typed: str, known: Known) -> str:
    mapped = {one["property"] for one in known.rules["fields"]} | set(known.rules["switched_off"])
    return property_named(typed, known.sides, mapped)


def _wish(  # noqa: PLR0913 - what a mapping is made of
    field: str | None,
    value: str | None,
    convert: str | None,
    options: Mapping[str, str],
    write: WriteRule | None,
    known: Known,
) -> Wish:
    source = field_named(field, known.sides) if field else None
    return Wish(
        source=source, value=value, convert=convert, options=options, write=write.value if write else None
    )
