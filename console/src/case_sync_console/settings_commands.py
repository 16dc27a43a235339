"""Shell: commands about what the sync does: setup, plan, mappings, pipelines, rules."""

from __future__ import annotations

from typing import Annotated

import typer

from case_sync_console import mapping_commands, pipeline_commands, planning, preview_screen, rule_commands
from case_sync_console.errors import CONFIGURATION
from case_sync_console.preview_json import as_json
from case_sync_console.sampling import Asked, checked_cases
from case_sync_console.showing import AsJson, show
from case_sync_console.workplace import Workplace


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("plan")(_plan)
    app.add_typer(mapping_commands.app, name="mappings")
    app.add_typer(pipeline_commands.app, name="pipelines")
    app.add_typer(rule_commands.app, name="rules")


def _plan(
    context: typer.Context,
    *,
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Try it on the N cases that changed last.")
    ] = 0,
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Try it on this case, by Id or number; can be repeated."),
    ] = None,
    as_json_: AsJson = False,
) -> None:
    """Show what the sync would do. Nothing is written. Exit code 0: it would run; 3: it would not."""
    workplace: Workplace = context.obj
    found = planning.plan(workplace, Asked(sample=sample, cases=checked_cases(case or [])))
    show(workplace, preview_screen.whole(found), as_json(found), as_json=as_json_)
    if not found.would_run:
        raise typer.Exit(CONFIGURATION)
