"""Shell: commands about the sync's life: activate, pause, resume, import, resync, errors, status, schedule, run, remove, verify, repair."""

from __future__ import annotations

from typing import Annotated

import typer

from case_sync_console import (
    activating,
    error_commands,
    importing,
    removing,
    resyncing,
    running,
    schedule_commands,
    telling_status,
    verify_commands,
)
from case_sync_console.case_filter import wanted


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.command("activate")(_activate)
    app.command("pause")(_pause)
    app.command("resume")(_resume)
    app.command("run")(_run)
    app.command("import")(_import)
    app.command("resync")(_resync)
    app.command("status")(_status)
    app.command("remove")(_remove)
    error_commands.add(app)
    schedule_commands.add(app)
    verify_commands.add(app)


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


def _import(  # noqa: PLR0913 - the options of the command line
    context: typer.Context,
    *,
    where: Annotated[
        str | None,
        typer.Option(help="Only cases that fulfil this SOQL condition, such as \"Priority = 'High'\"."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only cases from this day or moment on; without a zone it is UTC.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only cases before this day or moment (not that day itself).")
    ] = None,
    by: Annotated[
        str, typer.Option(help="What --since and --until speak of: created or modified.")
    ] = "created",
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, where an interrupted import would go on.")
    ] = False,
) -> None:
    """Bring in cases that exist already, all or some. Can be stopped and goes on; makes no ticket twice."""
    raise typer.Exit(importing.run_import(context.obj, wanted(where, since, until, by), restart=restart))


def _resync(
    context: typer.Context,
    *,
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="This case, by Id or number; can be repeated."),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Only these ticket properties, or what comes from these Case fields."
        ),
    ] = None,
) -> None:
    """Read cases again and write their tickets: after a repair, or to bring a new mapping to old tickets."""
    raise typer.Exit(resyncing.resync(context.obj, case or [], fields))


def _status(
    context: typer.Context,
    *,
    for_programs: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """How the sync stands: on or off, the last runs, API calls left, what is on record, the next run."""
    telling_status.show(context.obj, for_programs=for_programs)


def _remove(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    empty_ledger: Annotated[
        bool, typer.Option("--empty-ledger", help="Also forget rejected records, waiting associations, runs.")
    ] = False,
) -> None:
    """Remove settings, schedule and bookmarks of the sync. Tickets stay."""
    removing.remove(context.obj, yes=yes, empty_ledger=empty_ledger)
