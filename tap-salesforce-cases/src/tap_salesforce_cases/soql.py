"""Core: the SOQL that is sent. Names come from describe, literals are made here: nothing of a user's text is pasted in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tap_salesforce_cases.windows import Window

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
CASE_STATUSES = "SELECT ApiName, IsClosed, SortOrder FROM CaseStatus"
SUPPORT_PROCESSES = "SELECT Id, Name, IsActive FROM BusinessProcess WHERE TableEnumOrId = 'Case'"
IDS_IN_ONE_QUERY = 300  # 24 characters each in the address, which Salesforce wants below 16,384 bytes
SEMI_JOIN = re.compile(r"\(\s*SELECT\b", re.IGNORECASE)
ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a stream reads: an object, what is fixed about its rows, and whether it keeps deleted ones.

    Attributes:
        object_name: API name.
        condition: SOQL that each row meets, "" for all. A deleted row is read whether it meets it or not: Salesforce may
            have emptied its fields, and a tombstone too many harms nobody.
        has_deleted: the object has a recycle bin (IsDeleted).
    """

    object_name: str
    condition: str = ""
    has_deleted: bool = True

    def scope(self) -> list[str]:
        """The conditions of a query that reads deleted rows too."""
        if not self.condition:
            return []
        # A semi-join stands on the top level only, not in an OR (SOQL: semi-joins and anti-joins).
        if not self.has_deleted or SEMI_JOIN.search(self.condition):
            return [self.condition]
        return [f"(({self.condition}) OR IsDeleted = true)"]

    def live_scope(self) -> list[str]:
        """The conditions of a query that reads live rows only."""
        return [self.condition] if self.condition else []


def datetime_literal(moment: datetime) -> str:
    """A SOQL datetime, unquoted, in UTC to the second: Salesforce compares no finer."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def string_literal(text: str) -> str:
    r"""A quoted SOQL string: backslash, quotes and control characters escaped (SOQL reference: quoted string escapes)."""
    return "'" + "".join(ESCAPES.get(char, char) for char in text) + "'"


def checked_name(name: str) -> str:
    """A field path that is one.

    Raises:
        ValueError: it has anything but letters, digits, underscores and dots.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"not a field name: {name!r}")
    return name


def window_conditions(window: Window) -> list[str]:
    """The conditions that a row of a window meets; safe with ties: many rows share a second."""
    conditions = [f"SystemModstamp < {datetime_literal(window.until_exclusive)}"]
    if window.after:
        stamp = datetime_literal(window.after.stamp)
        beyond = f"(SystemModstamp = {stamp} AND Id > {string_literal(window.after.record_id)})"
        conditions.append(f"({beyond} OR SystemModstamp > {stamp})")
    if window.since_inclusive:
        conditions.append(f"SystemModstamp >= {datetime_literal(window.since_inclusive)}")
    return conditions


def where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def select_rows(fields: Sequence[str], source: Source, window: Window, *, ordered: bool = True) -> str:
    """The rows of a window, in the order of (SystemModstamp, Id) unless a Bulk job reads them.

    Bulk 2.0 cuts a big query in parts by itself, but not one with ORDER BY (Bulk API 2.0: query restrictions).
    """
    columns = ", ".join(map(checked_name, fields))
    order = " ORDER BY SystemModstamp, Id" if ordered else ""
    conditions = where([*window_conditions(window), *source.scope()])
    return f"SELECT {columns} FROM {checked_name(source.object_name)}{conditions}{order}"  # noqa: S608


def count_rows(source: Source, window: Window) -> str:
    conditions = where([*window_conditions(window), *source.scope()])
    return f"SELECT COUNT() FROM {checked_name(source.object_name)}{conditions}"  # noqa: S608


def select_newest(fields: Sequence[str], source: Source, since: datetime | None, most: int) -> str:
    """The live rows that changed last, the newest first."""
    columns = ", ".join(map(checked_name, fields))
    bounds = [f"SystemModstamp >= {datetime_literal(since)}"] if since else []
    conditions = where([*bounds, *source.live_scope()])
    order = f" ORDER BY SystemModstamp DESC, Id DESC LIMIT {most}"
    return f"SELECT {columns} FROM {checked_name(source.object_name)}{conditions}{order}"  # noqa: S608


def select_all(fields: Sequence[str], source: Source) -> str:
    """A small table as a whole."""
    return f"SELECT {', '.join(map(checked_name, fields))} FROM {checked_name(source.object_name)}{where(source.live_scope())}"  # noqa: S608


def snapshot_conditions(source: Source, taken_at: datetime) -> list[str]:
    """Live rows that were there at a moment: what is made later must not make two counts differ."""
    return [*source.live_scope(), f"CreatedDate <= {datetime_literal(taken_at)}"]


def select_snapshot(
    source: Source,
    taken_at: datetime,
    after_id: str | None,
    *,
    ordered: bool = True,
    fields: Sequence[str] = ("Id",),
) -> str:
    """The live rows in the order of their ids, after one of them if given."""
    conditions = snapshot_conditions(source, taken_at)
    if after_id:
        conditions.append(f"Id > {string_literal(after_id)}")
    order = " ORDER BY Id" if ordered else ""
    columns = ", ".join(map(checked_name, fields))
    return f"SELECT {columns} FROM {checked_name(source.object_name)}{where(conditions)}{order}"  # noqa: S608


def count_snapshot(source: Source, taken_at: datetime) -> str:
    return f"SELECT COUNT() FROM {checked_name(source.object_name)}{where(snapshot_conditions(source, taken_at))}"  # noqa: S608


def select_ids_of(source: Source, ids: Sequence[str]) -> str:
    """Which of some ids are still there, in the recycle bin or out of it; at most IDS_IN_ONE_QUERY."""
    listed = ", ".join(string_literal(record_id) for record_id in ids)
    return f"SELECT Id, IsDeleted FROM {checked_name(source.object_name)} WHERE Id IN ({listed})"  # noqa: S608
