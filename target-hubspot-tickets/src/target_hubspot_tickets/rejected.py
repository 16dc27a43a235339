"""Shell: the file of rejected records: key and reason, on disk before any state says that they were read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO

from target_hubspot_tickets.errors import SettingError


class RejectedFile:
    """JSON lines, appended; made at the first one, readable by its owner only."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._file: IO[str] | None = None

    def add(self, key: str, code: str, message: str, correlation_id: str = "") -> None:
        """Put a rejected record on record; it is on disk when this returns."""
        line = {"key": key, "code": code, "message": message, "correlation_id": correlation_id}
        file = self._open()
        file.write(json.dumps({name: value for name, value in line.items() if value}) + "\n")
        file.flush()
        os.fsync(file.fileno())

    def close(self) -> None:
        """Close the file, if a record made it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[str]:
        if self._file is None:
            try:
                self._file = os.fdopen(
                    os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
                )
            except OSError as error:
                raise SettingError(
                    f"rejected_path can't be written ({error.strerror}): name a file in a folder that is there"
                ) from None
        return self._file
