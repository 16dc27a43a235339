"""Core: rows of SQLite as Salesforce shows them, in REST's JSON and in Bulk 2.0's CSV.

Sources: REST API, Query (records, attributes); SOQL reference, relationship queries; Bulk API 2.0, get results (every value quoted, an
empty one for null). estuary/connectors PR 2519 quotes the two forms of a datetime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from case_sync_sandbox.salesforce.soql_scope import Column, Parent
from case_sync_sandbox.salesforce.soql_sql import Statement

Show = Callable[[Any], Any]


def rest_datetime(value: Any) -> Any:
    """`2024-09-24T03:26:07.000+0000` in REST (REST: Query)."""
    return None if value is None else f"{value}.000+0000"


def rest_boolean(value: Any) -> Any:
    return None if value is None else bool(value)


def rest_address(value: Any) -> Any:
    """A compound address is an object in REST, and can't be read with Bulk 2.0 at all."""
    return None if value is None else orjson.loads(value)


REST: dict[str, Show] = {"datetime": rest_datetime, "boolean": rest_boolean, "address": rest_address}


def records(statement: Statement, rows: Iterable[Sequence[Any]], version: str) -> list[dict[str, Any]]:
    """JSON records: parents nested under their relationship, null where there is none (SOQL: relationship queries)."""
    columns, width = statement.columns, len(statement.columns)
    changed = [(place, REST[c.type]) for place, c in enumerate(columns) if c.type in REST]
    own = [(place, c.path[0]) for place, c in enumerate(columns) if len(c.path) == 1]
    nested = [(place, c.path) for place, c in enumerate(columns) if len(c.path) > 1]
    id_at = next((place for place, c in enumerate(columns) if c.path == ("Id",)), None)
    out = []
    for row in rows:
        values = list(row)
        for place, show in changed:
            values[place] = show(values[place])
        record = {
            "attributes": attributes(statement.entity, version, None if id_at is None else values[id_at])
        }
        record.update((name, values[place]) for place, name in own)
        for parent, parent_id in zip(statement.parents, values[width:], strict=True):
            open_parent(record, parent, parent_id, version)
        for place, path in nested:
            fill_parent(record, path, values[place])
        out.append(record)
    return out


def attributes(entity: str, version: str, record_id: Any) -> dict[str, str]:
    url = f"/services/data/{version}/sobjects/{entity}" + (f"/{record_id}" if record_id else "")
    return {"type": entity, "url": url}


def open_parent(record: dict[str, Any], parent: Parent, parent_id: Any, version: str) -> None:
    """Put an object with its attributes where a parent is, null where none is; a child's parents come before its own."""
    holder: Any = record
    for hop in parent.path[:-1]:
        holder = holder.get(hop) if holder else None
    if holder is not None:
        name = parent.path[-1]
        holder[name] = (
            None if parent_id is None else {"attributes": attributes(parent.entity, version, parent_id)}
        )


def fill_parent(record: dict[str, Any], path: Sequence[str], value: Any) -> None:
    holder: Any = record
    for hop in path[:-1]:
        holder = holder[hop]
        if holder is None:
            return
    holder[path[-1]] = value


# Bulk 2.0's CSV has other forms than REST: `2024-09-24T03:26:07.000Z`, and words for a boolean.
UNQUOTED = frozenset(
    {"id", "reference", "datetime", "date", "boolean", "int", "double", "currency", "percent"}
)  # no quotes in them
CSV = {"datetime": "{} || '.000Z'", "boolean": "CASE {} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"}


def csv_header(columns: Sequence[Column]) -> list[str]:
    """The columns in the order asked for, parents flat with a dot; their header is known by use, no page shows one."""
    return [".".join(c.path) for c in columns]


def csv_line_sql(columns: Sequence[Column]) -> str:
    """A record as a line of the CSV, in SQL: SQLite writes it while Python serves other calls."""
    return f"{_joined_sql([_csv_value_sql(c) for c in columns])} || char(10)"


def _joined_sql(values: Sequence[str]) -> str:
    """Values with commas between, halves first: SQLite copies all that is to the left of a `||`. Its printf would end at a zero byte."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return f"({_joined_sql(values[:middle])} || ',' || {_joined_sql(values[middle:])})"


def _csv_value_sql(column: Column) -> str:
    value = CSV.get(column.type, "{}").format(column.sql)
    if column.type not in UNQUOTED:
        value = f"replace({value}, '\"', '\"\"')"
    return f"('\"' || ifnull({value}, '') || '\"')"
