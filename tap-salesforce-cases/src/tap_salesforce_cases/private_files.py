"""Shell: files that only their owner can read, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ONLY = 0o600


def write_privately(path: Path, text: str) -> None:
    """All or nothing, also where a file of another mode was.

    Raises:
        OSError: it can't be written; what was there is as it was.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, OWNER_ONLY)
        file.write(text)
    new.replace(path)
