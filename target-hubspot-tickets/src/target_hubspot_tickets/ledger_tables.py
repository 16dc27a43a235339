"""Shell: the tables of the ledger. Several portals, and other programs, may share one database.

`identity` is what two spellings of a key share. Moments are texts in UTC, so that they are the same in every database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

SCHEMA_VERSION = 2
METADATA = MetaData()
# Compared by code points in every database; SQLite does so by itself.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def _key(name: str, kind: Any = _TEXT) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _columns(*names: str) -> list[Column[Any]]:
    return [Column(name, _TEXT, nullable=False) for name in names]


def _table(name: str, *columns: Column[Any], small_rows: bool = False) -> Table:
    """Small rows are kept in their primary key alone, where SQLite can."""
    return Table(
        f"hubspot_tickets_{name}", METADATA, _key("portal_id"), *columns, sqlite_with_rowid=not small_rows
    )


def _tries() -> Column[int]:
    return Column("tries", Integer, nullable=False)


SCHEMA = Table(
    "hubspot_tickets_schema", METADATA, Column("version", Integer, primary_key=True, autoincrement=False)
)
REJECTED = _table(
    "rejected",
    _key("identity"),
    *_columns("key", "code", "message", "correlation_id", "stream"),
    Column("record", Text),
    *_columns("first_at", "last_at"),
    _tries(),
)
PENDING = _table(
    "pending",
    _key("identity"),
    _key("wish_digest", LargeBinary),
    *_columns("to_object", "key", "ticket_id", "reason", "wish", "first_at", "last_at"),
    _tries(),
    small_rows=True,
)
HELD = _table("held", _key("identity"), *_columns("key"), Column("source", Text), small_rows=True)
MADE = _table(
    "made",
    *(_key(name) for name in ("identity", "to_object", "to_id", "type_id")),
    *_columns("key", "ticket_id"),
    small_rows=True,
)
DIGESTS = _table("digests", _key("identity"), Column("digest", LargeBinary, nullable=False), small_rows=True)
SEEN = _table("seen", _key("snapshot_id"), _key("digest", LargeBinary), small_rows=True)
STREAMS = _table("streams", _key("stream"), *_columns("message"))
FACTS = _table("facts", _key("name"), *_columns("value"))
RUNS = Table(
    "hubspot_tickets_runs",
    METADATA,
    Column("number", Integer, primary_key=True),
    *_columns("portal_id", "started_at", "ended_at", "status", "summary"),
    Column("exit_code", Integer, nullable=False),
    *(Column(name, _TEXT) for name in ("run_name", "state")),
)
# Version -> columns that tables of the version before lack; each may be NULL, so that rows need no change.
ADDED: dict[int, tuple[Column[Any], ...]] = {2: (RUNS.c.run_name, RUNS.c.state)}
OF_KEYS = (REJECTED, PENDING, HELD, MADE, DIGESTS)  # have an `identity`
OF_PORTALS = (*OF_KEYS, SEEN, STREAMS, FACTS, RUNS)
