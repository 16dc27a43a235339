"""Shell: commands about what did not arrive: errors list, show, export, retry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from case_sync_console import erring

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
errors = typer.Typer(
    help="Cases that did not arrive whole: why, and what to do.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.add_typer(errors, name="errors")


@errors.callback()
def _by_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        erring.show_all(context.obj, as_json=False)


@errors.command("list")
def _list(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Rejected cases and waiting associations by category, with reason and remedy."""
    erring.show_all(context.obj, as_json=as_json)


@errors.command("show")
def _show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="CASE", help="The case, by Id or number.")],
) -> None:
    """All that is on record of one case."""
    erring.show(context.obj, key)


@errors.command("export")
def _export(
    context: typer.Context,
    *,
    kind: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl; without it, as the file's name ends.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file; without it, standard output.")
    ] = None,
) -> None:
    """Write the list to a file. No text of a case is in it."""
    erring.export(context.obj, kind, output)


@errors.command("retry")
def _retry(
    context: typer.Context,
    keys: Annotated[list[str] | None, typer.Argument(metavar="CASE", help="Cases, by Id or number.")] = None,
    *,
    category: Annotated[str | None, typer.Option(help="All of this category.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is on record.")] = False,
) -> None:
    """Try again, after the cause was mended. Exit code 7: some are still on record."""
    raise typer.Exit(erring.retry(context.obj, keys or [], category, everything=everything))
