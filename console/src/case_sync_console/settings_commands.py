"""Shell: commands about what the sync does: setup, plan, mappings, pipelines, rules."""

from __future__ import annotations

import typer


def add(app: typer.Typer) -> None:
    """Add them to the program."""
    del app
