"""Shell: the lines of the input, with a look at the clock and at signals between them."""

from __future__ import annotations

import contextlib
import os
import select
from typing import IO, Any

CHUNK_BYTES = 1 << 18
PIPE_BYTES = 1 << 20  # what Linux lets anybody have; 64 KiB, its own choice, is 60 tickets


class Lines:
    """Reads a pipe, a file, or, for a file object that has no descriptor, all of it at once."""

    def __init__(self, source: IO[Any]) -> None:
        self._source = source
        self._descriptor = _descriptor(source)
        if self._descriptor is not None:
            _widen(self._descriptor)
        self._rest: list[bytes] = []  # pieces of a line that is not whole yet
        self._is_over = False

    def read(self, timeout_seconds: float) -> list[bytes] | None:
        """Whole lines that have come, none after `timeout_seconds` without any; None at the end of the input.

        A last line without a line feed is given as it is.
        """
        if self._is_over:
            return None
        if self._descriptor is None:
            self._is_over = True
            return [_encoded(line) for line in self._source]
        if not select.select([self._descriptor], [], [], timeout_seconds)[0]:
            return []
        chunk = os.read(self._descriptor, CHUNK_BYTES)
        if not chunk:
            self._is_over = True
            return [b"".join(self._rest)] if self._rest else []
        *lines, rest = chunk.split(b"\n")
        if lines and self._rest:
            lines[0], self._rest = b"".join([*self._rest, lines[0]]), []
        if rest:
            self._rest.append(rest)
        return lines


def _descriptor(source: IO[Any]) -> int | None:
    try:
        return source.fileno()
    except OSError:
        return None


def _widen(descriptor: int) -> None:
    """A larger pipe lets the source go on while this program looks at the portal, and saves the two from waking each other."""
    with contextlib.suppress(ImportError, AttributeError, OSError):  # no pipe, or another system
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _encoded(line: str | bytes) -> bytes:
    return line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
