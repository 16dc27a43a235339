"""Shell: the records of the sandbox's Salesforce in SQLite, with the rules by which they change.

Stamps are kept as text to the second, as Salesforce compares them. Deleted rows stay in their table with IsDeleted = 1 (the
recycle bin) until they are purged; each deletion is in the delete log that getDeleted reads.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.schema import OBJECTS, PICKLISTS, Field, SObject, sql_type
from case_sync_sandbox.salesforce.soql_scope import STAMP
from case_sync_sandbox.salesforce.soql_sql import Statement
from case_sync_sandbox.salesforce.switches import Switches

Record = Mapping[str, Any]
ORGANIZATION_ID = make_id("Organization", 1)
INTEGRATION_USER_ID = make_id("User", 1)
# Apex: merge statements. "Up to three records of the same sObject type"; cases were added later.
MERGEABLE, MAX_LOSERS = ("Account", "Contact", "Case"), 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """Changes that are stamped already and that nobody sees until their commit (a late commit)."""

    stamp: str
    commit_at: datetime | None
    changes: tuple[tuple[str, str, Record], ...]  # object, id, values


class SalesforceStore:
    """One org: its tables, its delete log, its open transactions and its switches. Safe among threads."""

    def __init__(self, database: str, clock: Clock) -> None:
        self.clock = clock
        self.switches = Switches()
        self.switches_changed = clock.now()  # what describe's Last-Modified says
        self.open_transactions: list[OpenTransaction] = []
        self.after_reset: list[Callable[[], None]] = []  # who holds something of an org that is gone
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            database, check_same_thread=False, isolation_level=None, cached_statements=512
        )
        for pragma in (
            "journal_mode = WAL",
            "synchronous = OFF",
            "temp_store = MEMORY",
            "cache_size = -200000",
            "case_sensitive_like = OFF",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        self._create_tables()

    def _create_tables(self) -> None:
        for sobject in OBJECTS.values():
            columns = ", ".join(
                f'"{f.name}" {sql_type(f)}' + (" PRIMARY KEY" if f.name == "Id" else "")
                for f in sobject.fields
            )
            self._db.execute(f'CREATE TABLE IF NOT EXISTS "{sobject.name}" ({columns}) WITHOUT ROWID')
            self._db.execute(
                f'CREATE INDEX IF NOT EXISTS "{sobject.name}_stamp" ON "{sobject.name}" ("SystemModstamp", "Id")'
            )
        # Covers what `query` asks most: live rows by stamp, and how many there are.
        self._db.execute(
            'CREATE INDEX IF NOT EXISTS "Case_live" ON "Case" ("IsDeleted", "SystemModstamp", "Id")'
        )
        # Covers what describe asks: the values that picklists hold.
        picklists = ", ".join(f'"{f.name}"' for f in OBJECTS["Case"].fields if f.type in PICKLISTS)
        self._db.execute(f'CREATE INDEX IF NOT EXISTS "Case_picklists" ON "Case" ({picklists})')
        self._db.execute('CREATE INDEX IF NOT EXISTS "Case_account" ON "Case" ("AccountId")')
        self._db.execute('CREATE INDEX IF NOT EXISTS "Case_contact" ON "Case" ("ContactId")')
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS delete_log (object TEXT, id TEXT, deleted_date TEXT, PRIMARY KEY (object, id))"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS process_status (process_id TEXT, status TEXT, PRIMARY KEY (process_id, status))"
        )

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; one at a time."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, tuple(parameters)).fetchall()

    def select(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self.rows(statement.sql, statement.parameters)

    def record(self, object_name: str, record_id: str) -> dict[str, Any] | None:
        names = [f.name for f in OBJECTS[object_name].fields]
        found = self.rows(f'SELECT * FROM "{object_name}" WHERE "Id" = ?', (record_id,))
        return dict(zip(names, found[0], strict=True)) if found else None

    def ids(self, object_name: str, *, deleted: bool = False) -> list[str]:
        where = f'WHERE "IsDeleted" = {int(deleted)}' if OBJECTS[object_name].deletable else ""
        return [row[0] for row in self.rows(f'SELECT "Id" FROM "{object_name}" {where} ORDER BY "Id"')]

    def count(self, object_name: str) -> int:
        return int(self.rows(f'SELECT COUNT(*) FROM "{object_name}"')[0][0])

    def visible(self, object_name: str, f: Field | None) -> bool:
        """Whether the user may read a field of an object, or the object at all (None)."""
        if object_name in self.switches.hidden_objects:
            return False
        return f is None or (object_name, f.name) not in self.switches.hidden_fields

    def visible_fields(self, sobject: SObject) -> list[Field]:
        return [f for f in sobject.fields if self.visible(sobject.name, f)]

    def stamp_now(self) -> str:
        return self.clock.now().strftime(STAMP)

    # -- changes

    def allow_statuses(self, process_id: str, statuses: Iterable[str]) -> None:
        """Say which values of Case Status a support process allows (Metadata API: BusinessProcess, values)."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO process_status VALUES (?, ?)", [(process_id, s) for s in statuses]
            )

    def statuses_of(self, record_type_id: str) -> list[str]:
        """The values of Case Status that cases of a record type can have, in their order; none of one that is not there."""
        return [
            row[0]
            for row in self.rows(
                'SELECT s."ApiName" FROM "CaseStatus" s JOIN process_status p ON p.status = s."ApiName" '
                'JOIN "RecordType" r ON r."BusinessProcessId" = p.process_id WHERE r."Id" = ? ORDER BY s."SortOrder"',
                (record_type_id,),
            )
        ]

    def insert(self, object_name: str, records: Iterable[Record]) -> None:
        """Add records as they are; what they leave out is null, or 0 for a checkbox (checkboxes are never null)."""
        sobject = OBJECTS[object_name]
        names = [f.name for f in sobject.fields]
        empty = [0 if f.type == "boolean" else None for f in sobject.fields]
        marks = ", ".join("?" * len(names))
        values = ([record.get(n, e) for n, e in zip(names, empty, strict=True)] for record in records)
        with self.transaction() as db:
            db.executemany(f'INSERT OR REPLACE INTO "{object_name}" VALUES ({marks})', values)

    def update(self, object_name: str, record_id: str, values: Record, *, stamp: str | None = None) -> None:
        """Change fields; stamps the record with the sandbox's clock, unless a stamp is given."""
        moment = stamp or self.stamp_now()
        touched = {
            **values,
            "SystemModstamp": moment,
            "LastModifiedDate": values.get("LastModifiedDate", moment),
        }
        self.write(object_name, record_id, touched)

    def write(self, object_name: str, record_id: str, values: Record) -> None:
        """Change fields and nothing else: not even the stamp."""
        assignments = ", ".join(f'"{name}" = ?' for name in values)
        with self.transaction() as db:
            db.execute(
                f'UPDATE "{object_name}" SET {assignments} WHERE "Id" = ?', (*values.values(), record_id)
            )

    def delete(self, object_name: str, record_id: str, *, master: str | None = None) -> None:
        """Into the recycle bin: IsDeleted, stamped, logged; a merge's loser names its master (Apex: merge statements)."""
        moment = self.stamp_now()
        values: dict[str, Any] = {"IsDeleted": 1, "SystemModstamp": moment}
        if OBJECTS[object_name].find("MasterRecordId"):
            values["MasterRecordId"] = master
        if self.switches.null_fields_of_deleted and object_name == "Case":
            values |= {
                "Subject": None,
                "Description": None,
                "Priority": None,
                "ContactId": None,
                "AccountId": None,
            }
        self.write(object_name, record_id, values)
        self._log_deletion(object_name, record_id, moment)

    def _log_deletion(self, object_name: str, record_id: str, moment: str) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO delete_log VALUES (?, ?, ?)", (object_name, record_id, moment))

    def undelete(self, object_name: str, record_id: str) -> None:
        """Out of the recycle bin, as an ordinary update."""
        master = {"MasterRecordId": None} if OBJECTS[object_name].find("MasterRecordId") else {}
        self.update(object_name, record_id, {"IsDeleted": 0, **master})
        with self.transaction() as db:
            db.execute("DELETE FROM delete_log WHERE object = ? AND id = ?", (object_name, record_id))

    def purge(self, object_name: str, record_id: str, *, logged: bool = True) -> None:
        """Gone for good, from the recycle bin or straight away: queryAll does not show it, the delete log may.

        The log keeps the moment of the deletion: `deletedDate` is the SystemModstamp of then (SOAP: GetDeletedResult). The sandbox
        purges nothing by itself; Salesforce empties its bin after some 15 days.
        """
        is_deleted = self.rows(
            "SELECT 1 FROM delete_log WHERE object = ? AND id = ?", (object_name, record_id)
        )
        with self.transaction() as db:
            db.execute(f'DELETE FROM "{object_name}" WHERE "Id" = ?', (record_id,))
            if not logged:
                db.execute("DELETE FROM delete_log WHERE object = ? AND id = ?", (object_name, record_id))
        if logged and not is_deleted:
            self._log_deletion(object_name, record_id, self.stamp_now())

    def merge(self, object_name: str, winner: str, losers: Iterable[str]) -> None:
        """Losers are deleted with their master's id; what hung on them moves to the winner (Apex: merge statements).

        Whether a reparented record gets a new SystemModstamp is in no source we know; the sandbox takes the harder case: no.

        Raises:
            ValueError: not one or two losers: a merge takes up to three records.
        """
        lost = list(losers)
        if object_name not in MERGEABLE or not 1 <= len(lost) <= MAX_LOSERS or winner in lost:
            raise ValueError(f"a merge takes a winner and one or two losers of {', '.join(MERGEABLE)}")
        for loser in lost:
            self._reparent(object_name, loser, winner)
            self.delete(object_name, loser, master=winner)
        self.update(object_name, winner, {})

    def _reparent(self, object_name: str, loser: str, winner: str) -> None:
        """References to the loser become references to the winner, but the winner's own, which would mean itself."""
        with self.transaction() as db:
            for child in OBJECTS.values():
                for f in child.fields:
                    if object_name in f.reference_to and f.name != "MasterRecordId":
                        set_link = f'UPDATE "{child.name}" SET "{f.name}" ='
                        db.execute(
                            f'{set_link} CASE "Id" WHEN ? THEN NULL ELSE ? END WHERE "{f.name}" = ?',
                            (winner, winner, loser),
                        )

    # -- late commits

    def open_transaction(
        self, changes: Iterable[tuple[str, str, Record]], commit_at: datetime | None
    ) -> None:
        """Stamp changes now and show them at commit: a row can appear below a bookmark that newer rows have moved."""
        self.open_transactions.append(
            OpenTransaction(stamp=self.stamp_now(), commit_at=commit_at, changes=tuple(changes))
        )

    def commit_due(self, *, everything: bool = False) -> int:
        """Commit what is due by the clock; called before each read."""
        now = self.clock.now()
        due = [
            t
            for t in self.open_transactions
            if everything or (t.commit_at is not None and t.commit_at <= now)
        ]
        for transaction in due:
            self.open_transactions.remove(transaction)
            for object_name, record_id, values in transaction.changes:
                if self.record(object_name, record_id) is None:
                    self.insert(
                        object_name, [{**values, "Id": record_id, "SystemModstamp": transaction.stamp}]
                    )
                else:
                    self.update(object_name, record_id, values, stamp=transaction.stamp)
        return len(due)

    def reset(self) -> None:
        """An empty org with every switch as it was at the start."""
        with self.transaction() as db:
            for name in (*OBJECTS, "delete_log", "process_status"):
                db.execute(f'DELETE FROM "{name}"')
        self.switches = Switches()
        self.schema_changed()
        self.open_transactions.clear()
        for forget in self.after_reset:
            forget()

    def schema_changed(self) -> None:
        """Describe answers anew: its Last-Modified has whole seconds, so each change takes one of its own."""
        self.switches_changed = max(self.switches_changed + timedelta(seconds=1), self.clock.now())
