"""Shell: commands that compare both systems: verify, repair."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from case_sync_console import repairing, verifying


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("verify")(_verify)
    app.command("repair")(_repair)


def _verify(
    context: typer.Context,
    *,
    for_programs: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A new file for all differences with their values, a JSON line each."
        ),
    ] = None,
) -> None:
    """Compare all cases with their tickets; nothing is written. Exit code 0: equal, 7: they differ."""
    raise typer.Exit(verifying.verify(context.obj, for_programs=for_programs, output=output))


def _repair(
    context: typer.Context, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Compare, mend what differs and nothing else, and compare again."""
    raise typer.Exit(repairing.repair(context.obj, yes=yes))
