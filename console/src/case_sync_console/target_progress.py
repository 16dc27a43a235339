"""Shell: the counts of a run while it is under way, and at its end: the file that the target rewrites (progress_path)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFile:
    """A file in a folder of its own."""

    path: Path

    @property
    def variables(self) -> dict[str, str]:
        """What tells the target to write it."""
        return {"TARGET_HUBSPOT_TICKETS_PROGRESS_PATH": str(self.path)}

    def counts(self) -> dict[str, Any]:
        """The counts so far; empty before the target wrote any."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@contextmanager
def progress_file() -> Iterator[ProgressFile]:
    """A place for the counts of one run; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="case-sync-") as folder:
        yield ProgressFile(path=Path(folder) / "progress.json")
