"""Shell: what commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from case_sync_console.editing import Edited
from case_sync_console.workplace import Workplace

MAP_ONE = 'Map one: case-sync pipelines set PROCESS --stage "STATUS=STAGE"'
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def show(workplace: Workplace, screen: RenderableType, values: Any, *, as_json: bool) -> None:
    """One of the two."""
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2))
    else:
        workplace.screen.print(screen, soft_wrap=False)


def show_edit(workplace: Workplace, edited: Edited) -> None:
    """What an edit changed, and what is still to be mended."""
    say = workplace.screen.print
    if not edited.changes:
        say("Nothing to change: it is so already.", markup=False)
        return
    for change in edited.changes:
        say(f"Changed  {change}", markup=False)
    say(
        f"Written to {edited.file}. It holds from the next run on, for cases that change; see it: case-sync plan",
        markup=False,
    )
    if edited.unmapped:
        say(
            f"Without a stage now: {', '.join(edited.unmapped)}. Cases that have one get no ticket. {MAP_ONE}",
            markup=False,
        )
    if count := len(edited.problems):
        say(
            f"The sync would not run yet: {count} problem{'s' if count > 1 else ''}; see them: case-sync plan",
            markup=False,
        )


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """`--stage "New=Open"` as New -> Open.

    Raises:
        typer.BadParameter: one has no equals sign.
    """
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"'{text}' is not NAME=VALUE", param_hint=option)
        found[name.strip()] = value.strip()
    return found
