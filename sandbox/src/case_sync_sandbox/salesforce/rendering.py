"""Core: rows of SQLite as Salesforce shows them, in REST's JSON and in Bulk 2.0's CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from case_sync_sandbox.salesforce.soql_sql import Column

Show = Callable[[Any], Any]


def rest_datetime(value: Any) -> Any:
    """`2024-09-24T03:26:07.000+0000` in REST (the sandbox's facts: Salesforce REST query)."""
    return None if value is None else f"{value}.000+0000"


def rest_boolean(value: Any) -> Any:
    return None if value is None else bool(value)


REST: dict[str, Show] = {"datetime": rest_datetime, "boolean": rest_boolean}


def records(
    columns: Sequence[Column], rows: Iterable[Sequence[Any]], entity: str, version: str
) -> list[dict[str, Any]]:
    """JSON records: parents nested under their relationship, null where there is none (SOQL: relationship queries)."""
    shows = [REST.get(c.type) for c in columns]
    plain = [len(c.path) == 1 for c in columns]
    names = [c.path[0] for c in columns]
    id_at = next((i for i, c in enumerate(columns) if c.path == ("Id",)), None)
    out = []
    for row in rows:
        values = [show(value) if show else value for show, value in zip(shows, row, strict=True)]
        record: dict[str, Any] = {
            "attributes": attributes(entity, version, values[id_at] if id_at is not None else None)
        }
        for place, value in enumerate(values):
            if plain[place]:
                record[names[place]] = value
            else:
                nest(record, columns[place].path, value)
        out.append(drop_empty_parents(record) if not all(plain) else record)
    return out


def attributes(entity: str, version: str, record_id: Any) -> dict[str, str]:
    url = f"/services/data/{version}/sobjects/{entity}" + (f"/{record_id}" if record_id else "")
    return {"type": entity, "url": url}


def nest(record: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for hop in path[:-1]:
        record = record.setdefault(hop, {"attributes": {"type": hop}})
    record[path[-1]] = value


def drop_empty_parents(record: dict[str, Any]) -> dict[str, Any]:
    """A parent of which nothing is there is null. A parent whose selected fields are all empty can't be told apart here."""
    for name, value in record.items():
        if name != "attributes" and isinstance(value, dict):
            drop_empty_parents(value)
            if all(inner is None for key, inner in value.items() if key != "attributes"):
                record[name] = None
    return record


def csv_datetime(value: Any) -> Any:
    """`2024-09-24T03:26:07.000Z` in Bulk 2.0's CSV: another form than REST's."""
    return None if value is None else f"{value}.000Z"


def csv_boolean(value: Any) -> Any:
    return None if value is None else ("true" if value else "false")


CSV: dict[str, Show] = {"datetime": csv_datetime, "boolean": csv_boolean}


def csv_header(columns: Sequence[Column]) -> list[str]:
    """The columns in the order asked for, parents flat with a dot."""
    return [".".join(c.path) for c in columns]


def csv_rows(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    changed = [(place, CSV[c.type]) for place, c in enumerate(columns) if c.type in CSV]
    out = []
    for row in rows:
        values = list(row)
        for place, show in changed:
            values[place] = show(values[place])
        out.append(values)
    return out
