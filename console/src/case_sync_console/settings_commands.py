"""Shell: commands about what the sync does: setup, plan, mappings, pipelines, rules."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from case_sync_console import planning, preview_screen
from case_sync_console.errors import CONFIGURATION
from case_sync_console.preview_json import as_json
from case_sync_console.sampling import Asked, checked_cases
from case_sync_console.workplace import Workplace

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("plan")(_plan)


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
    _show(workplace, preview_screen.whole(found), as_json(found), as_json_=as_json_)
    if not found.would_run:
        raise typer.Exit(CONFIGURATION)


def _show(workplace: Workplace, screen: Any, values: Any, *, as_json_: bool) -> None:
    if as_json_:
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2))
    else:
        workplace.screen.print(screen, soft_wrap=False)
