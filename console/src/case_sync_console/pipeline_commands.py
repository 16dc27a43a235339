"""Shell: `case-sync pipelines`: which support process goes to which pipeline, which status to which stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from case_sync_console.editing import edit
from case_sync_console.looking import look
from case_sync_console.mapping_edits import Known
from case_sync_console.pipeline_edits import (
    PipelineWish,
    never_there,
    pipeline_deleted,
    pipeline_set,
    process_named,
)
from case_sync_console.preview_screen import pipelines_screen
from case_sync_console.showing import AsJson, pairs, show, show_edit
from case_sync_console.workplace import Workplace
from case_sync_console.yaml_splicing import Splice

app = typer.Typer(
    help="Which support process goes to which ticket pipeline, and which status to which stage.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Process = Annotated[
    str, typer.Argument(metavar="PROCESS", help='Support process; "default" for cases without one.')
]


@app.command("list")
def _list(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Every active support process and status with its pipeline and stage, and what HubSpot has."""
    workplace: Workplace = context.obj
    with look(workplace) as found:
        places = found.found.places
    there = {p.label: list(p.stages) for p in found.sides.pipelines}
    show(
        workplace,
        pipelines_screen(places, there),
        {"places": list(places), "pipelines": there},
        as_json=as_json,
    )


@app.command("set")
def _set(  # noqa: PLR0913 - its options
    context: typer.Context,
    process: Process,
    pipeline: Annotated[
        str | None,
        typer.Argument(metavar="PIPELINE", help="Ticket pipeline, as HubSpot shows it, or its id."),
    ] = None,
    *,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS=STAGE", help='Stage of a case status; "STATUS=" takes it away; can be repeated.'
        ),
    ] = None,
    closed_stage: Annotated[
        str | None, typer.Option(metavar="STAGE", help="For closed cases whose status has no stage.")
    ] = None,
    default_stage: Annotated[
        str | None, typer.Option(metavar="STAGE", help="For others, with unmapped_status default_stage.")
    ] = None,
) -> None:
    """Point a support process to another pipeline, or a status to another stage."""
    wish = PipelineWish(
        pipeline=pipeline,
        stages=pairs(stage, "--stage"),
        closed_stage=closed_stage,
        default_stage=default_stage,
    )
    if wish == PipelineWish():
        raise typer.BadParameter(
            "say what is to change: a PIPELINE, or --stage, --closed-stage, --default-stage"
        )

    never: list[str] = []

    def wanted(known: Known, _block: Mapping[str, Any]) -> Sequence[Splice]:
        name = process_named(process, known.rules, known.sides)
        never.extend(never_there(name, wish, known.sides))
        return pipeline_set(name, wish, known.rules, known.sides)

    workplace: Workplace = context.obj
    show_edit(workplace, edit(workplace, wanted))
    if never:
        told = f"'{process}' does not allow these statuses, so that no case has one: {', '.join(never)}"
        workplace.screen.print(told, markup=False)


@app.command("delete")
def _delete(context: typer.Context, process: Process) -> None:
    """Take a support process out of the rules: its cases go as unmapped_process says."""

    def wanted(known: Known, _block: Mapping[str, Any]) -> Sequence[Splice]:
        return pipeline_deleted(process_named(process, known.rules, known.sides), known.rules)

    show_edit(context.obj, edit(context.obj, wanted))
