"""Shell: tickets, companies and contacts in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import orjson

from case_sync_sandbox.hubspot.database import Database
from case_sync_sandbox.hubspot.record import Record, UniqueClaim, WriteEntry

FIRST_IDS = {"tickets": 1_145_814_001, "companies": 20_100_001, "contacts": 30_200_001}
_CHUNK = 500
T = TypeVar("T")


def chunked(values: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most so many values that SQLite takes them as parameters."""
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def marks(values: Sequence[object]) -> str:
    """Question marks for a parameter list."""
    return ",".join("?" * len(values))


class RecordStore:
    """Reads and writes records. Every method is one transaction, or joins the caller's."""

    def __init__(self, database: Database) -> None:
        """Find where the ids stand."""
        self._database = database
        self._next_ids: dict[str, int] = {}
        self.load()

    def load(self) -> None:
        """Continue the ids after the highest in the database."""
        with self._database.reading() as connection:
            for object_type, first in FIRST_IDS.items():
                highest = connection.execute(f"SELECT max(id) FROM {object_type}").fetchone()[0]
                self._next_ids[object_type] = max(first, (highest or 0) + 1)

    def new_id(self, object_type: str) -> int:
        """Take the next record id of a type."""
        self._next_ids[object_type] += 1
        return self._next_ids[object_type] - 1

    def holders(
        self, object_type: str, property_name: str, values: Iterable[str], *, archived: bool = False
    ) -> dict[str, int]:
        """Which record holds which of the normalised unique values; of archived ones the newest."""
        table = "archived_unique_values" if archived else "unique_values"
        found: dict[str, int] = {}
        with self._database.reading() as connection:
            for chunk in chunked(values):
                rows = connection.execute(
                    f"SELECT value, id FROM {table} WHERE object_type = ? AND property = ? AND value IN ({marks(chunk)})"
                    " ORDER BY id",
                    (object_type, property_name, *chunk),
                )
                found.update(rows.fetchall())
        return found

    def get(self, object_type: str, ids: Iterable[int]) -> dict[int, Record]:
        """The records with these ids, archived ones too; unknown ids are missing."""
        found: dict[int, Record] = {}
        with self._database.reading() as connection:
            for chunk in chunked(ids):
                rows = connection.execute(
                    f"SELECT id, properties, created_at, updated_at, archived, archived_at FROM {object_type}"
                    f" WHERE id IN ({marks(chunk)})",
                    chunk,
                )
                found.update((row[0], _record(row)) for row in rows)
        return found

    def live(self, object_type: str, ids: Iterable[int]) -> set[int]:
        """Which of the ids are those of records that are not archived."""
        found: set[int] = set()
        with self._database.reading() as connection:
            for chunk in chunked(ids):
                statement = f"SELECT id FROM {object_type} WHERE archived = 0 AND id IN ({marks(chunk)})"
                found.update(row[0] for row in connection.execute(statement, chunk))
        return found

    def page(self, object_type: str, *, after: int, limit: int, archived: bool) -> list[Record]:
        """Records with id > `after` in order of id."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT id, properties, created_at, updated_at, archived, archived_at FROM {object_type}"
                " WHERE id > ? AND archived = ? ORDER BY id LIMIT ?",
                (after, int(archived), limit),
            ).fetchall()
        return [_record(row) for row in rows]

    def latest(self, object_type: str, *, limit: int) -> list[Record]:
        """The live records written last, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT id, properties, created_at, updated_at, archived, archived_at FROM {object_type}"
                " WHERE archived = 0 ORDER BY updated_at DESC, id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [_record(row) for row in rows]

    def count(self, object_type: str, *, archived: bool = False) -> int:
        """How many there are."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT count(*) FROM {object_type} WHERE archived = ?",
                (int(archived),),
            ).fetchone()
        return int(row[0])

    def put(self, object_type: str, records: Iterable[Record]) -> None:
        """Insert or replace records."""
        with self._database.transaction() as connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO {object_type} VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        r.id,
                        int(r.archived),
                        r.created_at,
                        r.updated_at,
                        r.archived_at,
                        orjson.dumps(r.properties).decode(),
                    )
                    for r in records
                ),
            )

    def claim(self, object_type: str, claims: Iterable[UniqueClaim]) -> None:
        """Let records hold unique values."""
        self._change_unique("INSERT OR REPLACE INTO unique_values VALUES (?, ?, ?, ?)", object_type, claims)

    def release(self, object_type: str, claims: Iterable[UniqueClaim]) -> None:
        """Free unique values that records hold."""
        self._change_unique(
            "DELETE FROM unique_values WHERE object_type = ? AND property = ? AND value = ? AND id = ?",
            object_type,
            claims,
        )

    def remember_archived(self, object_type: str, claims: Iterable[UniqueClaim]) -> None:
        """Note what archived records held."""
        self._change_unique(
            "INSERT OR REPLACE INTO archived_unique_values VALUES (?, ?, ?, ?)", object_type, claims
        )

    def _change_unique(self, statement: str, object_type: str, claims: Iterable[UniqueClaim]) -> None:
        rows = [(object_type, claim.property_name, claim.value, claim.id) for claim in claims]
        if rows:
            with self._database.transaction() as connection:
                connection.executemany(statement, rows)

    def delay_search(
        self, object_type: str, before: Iterable[tuple[int, Record | None]], visible_at: str
    ) -> None:
        """Let search see these records as they were (None: not at all) until `visible_at`."""
        rows = [
            (object_type, record_id, orjson.dumps(record.properties).decode() if record else None, visible_at)
            for record_id, record in before
        ]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO search_index_lag VALUES (?, ?, ?, ?)", rows)

    def remember_merge(self, object_type: str, merged_id: int, into_id: int) -> None:
        """Note that one record went into another; earlier ones that went into it follow."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE merged SET into_id = ? WHERE object_type = ? AND into_id = ?",
                (into_id, object_type, merged_id),
            )
            connection.execute(
                "INSERT OR REPLACE INTO merged VALUES (?, ?, ?)", (object_type, merged_id, into_id)
            )

    def merged_into(self, object_type: str, record_id: int) -> int | None:
        """Where a merged record went, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT into_id FROM merged WHERE object_type = ? AND id = ?", (object_type, record_id)
            ).fetchone()
        return row[0] if row else None

    def log(self, entries: Iterable[WriteEntry]) -> None:
        """Append to the write log."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO writes (time, object_type, id, key, op, version, run_id, detail) VALUES (?,?,?,?,?,?,?,?)",
                ((e.time, e.object_type, e.id, e.key, e.op, e.version, e.run_id, e.detail) for e in entries),
            )


def _record(row: tuple[int, str, str, str, int, str | None]) -> Record:
    return Record(
        id=row[0],
        properties=orjson.loads(row[1]),
        created_at=row[2],
        updated_at=row[3],
        archived=bool(row[4]),
        archived_at=row[5],
    )
