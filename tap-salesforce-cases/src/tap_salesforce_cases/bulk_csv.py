"""Core: Bulk 2.0's CSV as header and lines, without ever holding more than one line.

Values are quoted and may hold newlines, quotes, NUL bytes and the text N/A; an empty value is null (Bulk API 2.0: results).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

# csv's own limit is 131,072 characters; a rich text field holds as many, and HTML may swell it.
csv.field_size_limit(16 * 1024 * 1024)


def header_and_lines(text: Iterable[str]) -> tuple[list[str], Iterator[list[str]]]:
    """The column names and an iterator over the records; `text` gives lines with their ends untouched (newline="")."""
    reader = csv.reader(text, strict=True)
    return next(reader, []), reader


class Counted:
    """Counts what passes through it."""

    def __init__(self, lines: Iterator[list[str]]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[list[str]]:
        for line in self._lines:
            self.count += 1
            yield line
