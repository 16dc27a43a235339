"""Shell: the SQLite database of the HubSpot half: its tables, its one connection, its transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from case_sync_sandbox.hubspot.metadata import OBJECT_TYPE_IDS

_RECORDS = """
CREATE TABLE IF NOT EXISTS {object_type} (
  id INTEGER PRIMARY KEY, archived INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, archived_at TEXT, properties TEXT NOT NULL);
"""

_TABLES = """
CREATE TABLE IF NOT EXISTS unique_values (
  object_type TEXT, property TEXT, value TEXT, id INTEGER, PRIMARY KEY (object_type, property, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS archived_unique_values (
  object_type TEXT, property TEXT, value TEXT, id INTEGER, PRIMARY KEY (object_type, property, value, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merged (object_type TEXT, id INTEGER, into_id INTEGER, PRIMARY KEY (object_type, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS associations (
  from_type TEXT, from_id INTEGER, to_type TEXT, to_id INTEGER, category TEXT, type_id INTEGER,
  PRIMARY KEY (from_type, from_id, to_type, to_id, category, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS association_labels (
  from_type TEXT, to_type TEXT, category TEXT, type_id INTEGER, inverse INTEGER, label TEXT, name TEXT,
  PRIMARY KEY (from_type, to_type, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metadata (
  kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS writes (
  seq INTEGER PRIMARY KEY, time TEXT, object_type TEXT, id INTEGER, key TEXT, op TEXT, version TEXT, run_id TEXT, detail TEXT);
CREATE TABLE IF NOT EXISTS search_index_lag (
  object_type TEXT, id INTEGER, properties TEXT, visible_at TEXT, PRIMARY KEY (object_type, id)) WITHOUT ROWID;
"""

# Look-ups that clients make by search: an index each, over the same expression that the search uses.
INDEXED = {
    "companies": ("salesforceaccountid", "domain", "name"),
    "contacts": ("salesforcecontactid", "email"),
}
_ROW_TABLES = (
    *OBJECT_TYPE_IDS,
    "unique_values",
    "archived_unique_values",
    "merged",
    "associations",
    "association_labels",
    "metadata",
    "writes",
    "search_index_lag",
)


def lowered(object_type: str, property_name: str) -> str:
    """The SQL of a property's lower-case text; an index over it serves searches that use the same words."""
    return f"lower(json_extract({object_type}.properties, '$.{property_name}'))"


class Database:
    """One connection that all threads share under one lock; each `transaction` is all or nothing."""

    def __init__(self, path: str) -> None:
        """Open `path`, or ":memory:"."""
        self._lock = threading.RLock()
        self.connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, cached_statements=512
        )
        # The sandbox may lose the last writes when the machine dies; it must not wait for the disk.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=OFF",
            "temp_store=MEMORY",
            "cache_size=-200000",
            "mmap_size=268435456",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self._create()

    def _create(self) -> None:
        for object_type in OBJECT_TYPE_IDS:
            self.connection.executescript(_RECORDS.format(object_type=object_type))
        self.connection.executescript(_TABLES)
        for object_type, names in INDEXED.items():
            for name in names:
                expression = lowered(object_type, name).replace(f"{object_type}.", "", 1)
                self.connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {object_type}_{name} ON {object_type} ({expression})"
                )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is written, or nothing; nested uses join the outer one."""
        with self._lock:
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Reads that no other thread's transaction cuts into."""
        with self._lock:
            yield self.connection

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction() as connection:
            for table in _ROW_TABLES:
                connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self.connection.close()
