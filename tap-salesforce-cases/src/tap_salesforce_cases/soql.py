"""Core: the SOQL that is sent. Names come from describe, literals are made here: nothing of a user's text is pasted in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
IDS_IN_ONE_QUERY = 300  # 24 characters each in the address, which Salesforce wants below 16,384 bytes
CASE_STATUSES = "SELECT ApiName, IsClosed, SortOrder FROM CaseStatus"
SUPPORT_PROCESSES = "SELECT Id, Name, IsActive FROM BusinessProcess WHERE TableEnumOrId = 'Case'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last row that was read, in the order of (SystemModstamp, Id): the moment to the second, and an 18-character id."""

    stamp: datetime
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows whose SystemModstamp is in [since, until], both inclusive; None means from the first."""

    since: datetime | None
    until: datetime


def datetime_literal(moment: datetime) -> str:
    """A SOQL datetime, unquoted, in UTC to the second: Salesforce compares no finer."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def string_literal(text: str) -> str:
    r"""A quoted SOQL string: backslash, quotes and control characters escaped (SOQL reference: quoted string escapes)."""
    escapes = {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
    return "'" + "".join(escapes.get(char, char) for char in text) + "'"


def checked_name(name: str) -> str:
    """A field path that is one.

    Raises:
        ValueError: it has anything but letters, digits, underscores and dots.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"not a field name: {name!r}")
    return name


def select_cases(fields: Sequence[str], window: Window, after: Position | None = None) -> str:
    """The cases of a window in the order of (SystemModstamp, Id), after a position if there is one.

    The order and the position are safe with ties: many rows share a second.
    """
    columns = ", ".join(map(checked_name, fields))
    conditions = [f"SystemModstamp <= {datetime_literal(window.until)}"]
    if after:
        stamp = datetime_literal(after.stamp)
        conditions.append(
            f"((SystemModstamp = {stamp} AND Id > {string_literal(after.record_id)}) OR SystemModstamp > {stamp})"
        )
    elif window.since:
        conditions.append(f"SystemModstamp >= {datetime_literal(window.since)}")
    # Names are checked and literals escaped above.
    return f"SELECT {columns} FROM Case WHERE {' AND '.join(conditions)} ORDER BY SystemModstamp, Id"  # noqa: S608


def select_case_ids(ids: Sequence[str]) -> str:
    """Which of some cases are still there, in the recycle bin or out of it; at most IDS_IN_ONE_QUERY."""
    listed = ", ".join(map(string_literal, ids))
    return f"SELECT Id FROM Case WHERE Id IN ({listed})"  # noqa: S608 - literals are escaped
