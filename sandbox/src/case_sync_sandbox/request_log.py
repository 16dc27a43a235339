"""Core: the append-only log of requests that tests read. It never holds a header, so never a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request as it was answered. `time` is ISO 8601 UTC at arrival; `status` is None when the connection was dropped."""

    seq: int
    time: str
    half: str
    method: str
    path: str
    query: str
    status: int | None
    bytes_in: int
    bytes_out: int
    duration_ms: float
    fault: str | None
    body: str | None

    def as_json(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


class RequestLog:
    """Entries in the order of completion; `seq` only grows, also over a clear."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._next = 1
        self.keep_bodies = False

    def next_seq(self) -> int:
        """Take the next number."""
        self._next += 1
        return self._next - 1

    def append(self, entry: LoggedRequest) -> None:
        """Add one."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def select(
        self, *, since: int = 0, path: str = "", half: str | None = None, method: str | None = None
    ) -> Iterator[LoggedRequest]:
        """Entries with `seq` > since whose path matches the regular expression `path`."""
        pattern = re.compile(path)
        return (
            entry
            for entry in self._entries
            if entry.seq > since
            and half in (None, entry.half)
            and method in (None, entry.method)
            and pattern.search(entry.path)
        )
