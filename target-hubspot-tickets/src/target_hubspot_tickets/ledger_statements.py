"""Shell: rows of the ledger by their keys, in batches that every database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, bindparam, delete, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from target_hubspot_tickets.ledger_rows import Values
from target_hubspot_tickets.ledger_tables import REJECTED
from target_hubspot_tickets.protocol import chunks

IN_LIST = 500  # SQLite took at most 999 parameters up to version 3.32
# Columns that don't just get the new value where the row is there already.
AGAIN: dict[Table, dict[str, Any]] = {
    REJECTED: {"first_at": REJECTED.c.first_at, "tries": REJECTED.c.tries + literal_column("1")}
}


def upsert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Put rows in; one with the same primary key is replaced."""
    _execute_many(connection, _upsert(connection.dialect, table), rows)


def add_missing(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Put rows in; one with the same primary key is left as it is."""
    _execute_many(connection, _add_missing(connection.dialect, table), rows)


@lru_cache
def _upsert(dialect: Dialect, table: Table) -> SQLCompiler:
    statement = _insert(dialect, table)
    replaced = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
    replaced |= AGAIN.get(table, {})
    return _compiled(
        dialect, statement.on_conflict_do_update(index_elements=table.primary_key, set_=replaced)
    )


@lru_cache
def _add_missing(dialect: Dialect, table: Table) -> SQLCompiler:
    return _compiled(
        dialect, _insert(dialect, table).on_conflict_do_nothing(index_elements=table.primary_key)
    )


def _insert(dialect: Dialect, table: Table) -> Any:
    """Both have on_conflict_do_update, alike; SQLAlchemy has no common insert with it."""
    if dialect.name == "postgresql":
        # Imported where it is needed: most ledgers are files, and each start of the program would take 20 ms longer.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)
    return sqlite.insert(table)


def _compiled(dialect: Dialect, statement: Any) -> SQLCompiler:
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    return compiled


def _execute_many(connection: Connection, compiled: SQLCompiler, rows: Sequence[Values]) -> int:
    """Past SQLAlchemy's work on each value, which takes five times as long as SQLite: the rows hold what drivers take.

    Returns:
        How many rows of the table it has changed.
    """
    if not rows:
        return 0
    names = compiled.positiontup
    values = list(map(itemgetter(*names), rows)) if names else list(rows)
    return connection.exec_driver_sql(str(compiled), values).rowcount


def remove(connection: Connection, table: Table, portal_id: str, identities: Iterable[str]) -> int:
    """Take rows out by their keys; the number of rows."""
    rows = [{"portal_id": portal_id, "identity": one} for one in identities]
    return _execute_many(connection, _remove(connection.dialect, table), rows)


@lru_cache
def _remove(dialect: Dialect, table: Table) -> SQLCompiler:
    columns = (table.c.portal_id, table.c.identity)
    return _compiled(dialect, delete(table).where(*(column == bindparam(column.name) for column in columns)))


def among(
    connection: Connection, statement: Select[Any], column: Column[Any], values: Iterable[Any]
) -> Iterator[Row[Any]]:
    """Rows whose column has one of the values; in the statement's order within each 500 of them."""
    for part in chunks(values, IN_LIST):
        yield from connection.execute(statement.where(column.in_(part)))
