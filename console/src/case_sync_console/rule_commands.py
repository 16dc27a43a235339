"""Shell: `case-sync rules`: the deletion rule, the associations, and what becomes of what has no stage or pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from case_sync_console.editing import edit
from case_sync_console.looking import shown_rules
from case_sync_console.mapping_edits import Known
from case_sync_console.preview import settings_of
from case_sync_console.preview_screen import settings_table
from case_sync_console.rule_edits import rule_set
from case_sync_console.showing import AsJson, show, show_edit
from case_sync_console.workplace import Workplace
from case_sync_console.yaml_splicing import Splice

app = typer.Typer(
    help="What becomes of deleted cases, which associations are made, which cases become tickets.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("show")
def _show(context: typer.Context, *, as_json: AsJson = False) -> None:
    """All rules but mappings and pipelines, and what they mean."""
    workplace: Workplace = context.obj
    settings = settings_of(shown_rules(workplace.meltano, workplace.rules_file().path))
    show(workplace, settings_table(settings), [asdict(one) for one in settings], as_json=as_json)


@app.command("set")
def _set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `case-sync rules show` lists them.")],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
) -> None:
    """Set a rule, such as: on_case_deleted delete_ticket, or: account off."""

    def wanted(known: Known, _block: Mapping[str, Any]) -> Sequence[Splice]:
        return rule_set(name, value, known.rules)

    show_edit(context.obj, edit(context.obj, wanted))
