"""Shell: commands about the sync's life: activate, pause, resume, import, resync, errors, status, schedule, run, remove."""

from __future__ import annotations

import typer


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    del app
