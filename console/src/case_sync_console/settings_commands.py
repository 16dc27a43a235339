"""Shell: commands about what the sync does: setup, plan, mappings, pipelines, rules."""

from __future__ import annotations

from typing import Annotated

import typer

from case_sync_console import (
    mapping_commands,
    pipeline_commands,
    planning,
    preview_screen,
    rule_commands,
    setting_up,
)
from case_sync_console.case_rows import NOT_THERE, NOTHING
from case_sync_console.errors import CONFIGURATION, CommandLineError
from case_sync_console.preview_json import as_json
from case_sync_console.sampling import Asked, checked_cases
from case_sync_console.setup_answers import Answers, stages_by_process
from case_sync_console.showing import AsJson, pairs, show
from case_sync_console.workplace import Workplace


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("setup")(_setup)
    app.command("plan")(_plan)
    app.add_typer(mapping_commands.app, name="mappings")
    app.add_typer(pipeline_commands.app, name="pipelines")
    app.add_typer(rule_commands.app, name="rules")


def _setup(  # noqa: PLR0913 - every answer can be given as an option
    context: typer.Context,
    *,
    on_case_deleted: Annotated[
        str | None,
        typer.Option(
            metavar="RULE", help="do_nothing or delete_ticket: when a case is deleted in Salesforce."
        ),
    ] = None,
    account: Annotated[
        bool | None, typer.Option("--account/--no-account", help="Sync account association.")
    ] = None,
    contact: Annotated[
        bool | None, typer.Option("--contact/--no-contact", help="Sync contact association.")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="PROPERTY=FIELD", help="Map a Case field to a ticket property; can be repeated."
        ),
    ] = None,
    unmap: Annotated[
        list[str] | None, typer.Option(metavar="PROPERTY", help="Take a mapping away; can be repeated.")
    ] = None,
    suggested: Annotated[
        bool | None,
        typer.Option("--suggested/--no-suggested", help="Map what is called the same in both systems."),
    ] = None,
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROCESS=PIPELINE", help="Ticket pipeline of a support process; can be repeated."
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(metavar="PROCESS/STATUS=STAGE", help="Stage of a case status; can be repeated."),
    ] = None,
    drop_unknown: Annotated[
        bool | None,
        typer.Option(
            "--drop-unknown/--keep-unknown",
            help="Support processes in the settings that Salesforce does not have.",
        ),
    ] = None,
    activate: Annotated[
        bool | None,
        typer.Option("--activate/--save-for-later", help="Start continuous sync, or only keep the settings."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is suggested.")] = False,
) -> None:
    """Set up the sync, step by step; or without a question, by options."""
    answers = Answers(
        on_case_deleted=on_case_deleted,
        account=account,
        contact=contact,
        maps=pairs(map_, "--map"),
        unmaps=unmap or (),
        takes_suggested=suggested,
        pipelines=pairs(pipeline, "--pipeline"),
        stages=stages_by_process(pairs(stage, "--stage")),
        drops_unknown=drop_unknown,
        activates=activate,
    )
    setting_up.set_up(context.obj, answers, accepts=yes)


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
    """Show what the sync would do. Nothing is written. Exit code 0: it would run; 3: it would not; 2: there is no such case."""
    workplace: Workplace = context.obj
    found = planning.plan(workplace, Asked(sample=sample, cases=checked_cases(case or [])))
    show(workplace, preview_screen.whole(found), as_json(found), as_json=as_json_)
    if not found.would_run:
        raise typer.Exit(CONFIGURATION)
    if missing := [one.key for one in found.now.cases or () if one.would == NOTHING]:
        raise CommandLineError(f"--case {', '.join(missing)}: {NOT_THERE}")
