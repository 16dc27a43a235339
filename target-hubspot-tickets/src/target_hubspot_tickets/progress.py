"""Shell: how far a run is, in a small file that is replaced about every second (progress_path), for who shows it meanwhile."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from target_hubspot_tickets.errors import SettingError
from target_hubspot_tickets.private_files import write_privately

logger = logging.getLogger("target-hubspot-tickets")
EVERY_SECONDS = 1.0


class Progress:
    """Writes what `values` gives; without a path it does nothing."""

    def __init__(self, path: str | None, values: Callable[[], Mapping[str, Any]]) -> None:
        self._path, self._values = Path(path) if path else None, values
        self._last = float("-inf")

    def start(self) -> None:
        """The first time: whether it can be written is told here, not when the run is half done.

        Raises:
            SettingError: it can't.
        """
        try:
            self._write()
        except OSError as error:
            self._path = None
            raise SettingError(f"progress_path can't be written: {error.strerror}") from None

    def tick(self) -> None:
        """Write, if the last time is long enough ago."""
        if self._path and time.monotonic() - self._last >= EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        """Write now; a disk that fails meanwhile ends no run."""
        try:
            self._write()
        except OSError as error:
            self._path = None
            logger.warning("progress_path can't be written any more: %s", error.strerror)

    def _write(self) -> None:
        """Readers see the old file or the new one, never half of it."""
        if not self._path:
            return
        self._last = time.monotonic()
        write_privately(self._path, json.dumps(self._values()) + "\n")
