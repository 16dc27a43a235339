"""Core: one step of reading a stream: rows to emit, and what is covered once they are out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tap_salesforce_cases.bookmarks import OpenJob
from tap_salesforce_cases.rows import Row
from tap_salesforce_cases.windows import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Rows, and what may be written to the state when all of them are out.

    Attributes:
        rows: read lazily, once.
        position: all rows up to this one, in the order of (SystemModstamp, Id), are out; None changes nothing.
        finished: all rows below this moment are out.
        jobs: the Bulk jobs that are open then; None changes nothing.
    """

    rows: Iterable[Row] = ()
    position: Position | None = None
    finished: datetime | None = None
    jobs: tuple[OpenJob, ...] | None = None
