"""Shell: files that only their owner reads, whatever the umask: what is in them is customers'."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from case_sync_console.errors import CommandLineError

OWNER_ONLY = 0o600


def check_is_new(path: Path) -> None:
    """Before the work, not behind it.

    Raises:
        CommandLineError: the file is there already.
    """
    if path.exists():
        raise CommandLineError(f"{path} is there already: name a new file")


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[str]]:
    """A file of mode 0600.

    Raises:
        CommandLineError: it is there already, or can't be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        raise CommandLineError(f"{path} is there already: name a new file") from None
    except OSError as error:
        raise CommandLineError(f"{path} can't be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file


def write_privately(path: Path, text: str) -> None:
    """All or nothing, with the mode 0600, also where a file of another mode was.

    Raises:
        OSError: it can't be written; what was there is as it was.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, OWNER_ONLY)
        file.write(text)
    new.replace(path)
