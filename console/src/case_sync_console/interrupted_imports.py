"""Shell: remembers which command an import was, so that `status` can say how to go on with one that was cut off."""

from __future__ import annotations

import json
from pathlib import Path

from case_sync_console.private_files import write_privately
from case_sync_console.workplace import Workplace

OWNER_ONLY = 0o600  # a condition may name customers


def commands(workplace: Workplace) -> dict[str, str]:
    """Command by suffix of the state; empty where nothing is remembered, or it can't be read."""
    try:
        found = json.loads(_path(workplace).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def remember(workplace: Workplace, suffix: str, command: str) -> None:
    """Only a convenience: where it can't be written, nothing is said."""
    _write(workplace, {**commands(workplace), suffix: command})


def forget(workplace: Workplace, suffix: str) -> None:
    """The import came to its end."""
    kept = commands(workplace)
    if kept.pop(suffix, None) is not None:
        _write(workplace, kept)


def _write(workplace: Workplace, kept: dict[str, str]) -> None:
    path = _path(workplace)
    try:
        path.parent.mkdir(exist_ok=True)
        write_privately(path, json.dumps(kept))
    except OSError:
        return


def _path(workplace: Workplace) -> Path:
    return workplace.folder / ".meltano" / f"case-sync-imports-{workplace.environment}.json"
