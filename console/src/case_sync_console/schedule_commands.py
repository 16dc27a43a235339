"""Shell: commands about what runs the sync by itself: schedule show, install, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from case_sync_console import scheduling

Every = Annotated[
    str | None, typer.Option(help="How often: 5m, 15m, 1h, 1d. Without it, as meltano.yml says.")
]
schedule = typer.Typer(
    help="What runs the sync by itself: cron or systemd.", no_args_is_help=True, rich_markup_mode=None
)


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    app.add_typer(schedule, name="schedule")


@schedule.command("show")
def _show(context: typer.Context, *, every: Every = None) -> None:
    """The line for cron and the units for systemd, to copy. Nothing is changed."""
    scheduling.show(context.obj, every)


@schedule.command("install")
def _install(
    context: typer.Context,
    *,
    kind: Annotated[
        str | None, typer.Option("--as", help="cron or systemd; without it, what this machine has.")
    ] = None,
    every: Every = None,
) -> None:
    """Let cron or systemd run the sync, as this user."""
    scheduling.install(context.obj, kind, every)


@schedule.command("remove")
def _remove(context: typer.Context) -> None:
    """Take it out of cron and systemd again; the settings and tickets stay."""
    done = scheduling.remove(context.obj)
    context.obj.screen.print(f"Removed: {', '.join(done)}." if done else "It was not installed here.")
