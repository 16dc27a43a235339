"""Shell: commands about the sync's life: activate, pause, resume, import, resync, errors, status, schedule, run, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from case_sync_console import activating, running


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("activate")(_activate)
    app.command("pause")(_pause)
    app.command("resume")(_resume)
    app.command("run")(_run)


def _activate(
    context: typer.Context,
    *,
    save_for_later: Annotated[
        bool, typer.Option("--save-for-later", help="Keep the settings and sync nothing yet.")
    ] = False,
) -> None:
    """Switch the continuous sync on. Cases that exist already don't come: see import."""
    (activating.save_for_later if save_for_later else activating.activate)(context.obj)


def _pause(context: typer.Context) -> None:
    """Switch the sync off for a while. Nothing is lost."""
    activating.pause(context.obj)


def _resume(
    context: typer.Context,
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="now", help="now: leave out what changed during the pause."),
    ] = None,
) -> None:
    """Switch a paused sync on again; it catches up on what changed meanwhile."""
    if from_ not in (None, "now"):
        raise typer.BadParameter("it can only be: now", param_hint="--from")
    activating.resume(context.obj, from_now=from_ == "now")


def _run(context: typer.Context) -> None:
    """Sync once, now: what the schedule calls. The exit code tells how it went: see the README."""
    raise typer.Exit(running.run(context.obj))
