"""Shell: what the target remembers between runs, of one portal: rejected records, associations and deletions that wait, digests, runs.

Losing it loses no ticket and makes no duplicate. It holds personal data: records that were rejected, keys, values to look others up by.
Once a method that writes has returned, what it wrote survives the end of the process and of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, null, select, update

from target_hubspot_tickets.ledger_database import Database, is_file, read_url
from target_hubspot_tickets.ledger_reading import Reader
from target_hubspot_tickets.ledger_recording import Recorder
from target_hubspot_tickets.ledger_rows import (
    ORDINARY_RUN,
    LedgerCounts,
    PendingRow,
    RejectedRow,
    RunRow,
    kept_identity,
    kept_json,
    kept_moment,
    kept_text,
    read_json,
    read_run,
    read_text,
    run_values,
)
from target_hubspot_tickets.ledger_seen import SeenKeys
from target_hubspot_tickets.ledger_statements import remove, upsert
from target_hubspot_tickets.ledger_tables import (
    DIGESTS,
    FACTS,
    HELD,
    MADE,
    OF_KEYS,
    OF_PORTALS,
    PENDING,
    REJECTED,
    RUNS,
    STREAMS,
)
from target_hubspot_tickets.outcomes import HeldDelete, MadeAssociation, RoundOutcome

__all__ = ["Ledger", "LedgerCounts", "PendingRow", "RejectedRow", "RunRow"]

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The ledger of one portal. A context manager. Any thread may read; one thread writes, while it holds the lock (locking.py).

    Every method raises LedgerError when the database fails it; then nothing of what it was to write is there.
    Keys are found in any spelling that `records.identity` takes for the same.
    """

    def __init__(self, database: Database, portal_id: str, now: Clock) -> None:
        self._database, self._portal_id, self._now = database, portal_id, now
        self._recorder = Recorder(database, portal_id)
        self._reader = Reader(database, portal_id)
        self._seen = SeenKeys(database, portal_id)

    @classmethod
    def open(cls, url: str, portal_id: str, *, now: Clock = _now) -> Self:
        """Open it, or make it.

        Args:
            url: a file (SQLite), or a URL of SQLite or PostgreSQL.
            portal_id: HubSpot's id of the account.
            now: tells the time, aware.

        Raises:
            LedgerError: it can't be opened; the message says what to do, and has no password.
        """
        database = Database(read_url(url))
        try:
            return cls(database, portal_id, now)
        except BaseException:
            database.close()
            raise

    @staticmethod
    def only_portal(url: str) -> str | None:
        """The account whose runs are in a ledger; None where there are none, or those of several.

        Raises:
            LedgerError: it can't be opened.
        """
        database = Database(read_url(url))
        try:
            with database.reading() as connection:
                found = connection.scalars(select(RUNS.c.portal_id).distinct().limit(2)).all()
        finally:
            database.close()
        return str(found[0]) if len(found) == 1 else None

    @staticmethod
    def newest_run(url: str) -> int:
        """The number of the newest run of any account in a ledger; 0 where there is none. No file is made.

        Raises:
            LedgerError: it can't be opened.
        """
        place = read_url(url)
        if is_file(place) and not Path(str(place.database)).exists():
            return 0
        database = Database(place)
        try:
            with database.reading() as connection:
                return connection.scalar(select(func.max(RUNS.c.number))) or 0
        finally:
            database.close()

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- rounds

    def record(self, outcome: RoundOutcome) -> None:
        """Put what became of a round on record, in one transaction."""
        self._recorder.record(outcome, self._now())

    def digests(self, keys: Iterable[str]) -> dict[str, bytes]:
        """What was last written, by key as given; keys without a digest are missing."""
        return self._reader.digests(keys) if self._recorder.may_have(DIGESTS) else {}

    def forget_digests(self, keys: Iterable[str]) -> None:
        """These keys are about to be written with other values; any thread may call it."""
        gone = {kept_identity(key) for key in keys}
        if gone:
            with self._database.writing() as connection:
                remove(connection, DIGESTS, self._portal_id, gone)

    def note_made(self, made: Sequence[MadeAssociation]) -> None:
        """Put on record what is about to be made; any thread may call it."""
        self._recorder.note_made(made)

    def made(self, keys: Iterable[str]) -> dict[str, list[MadeAssociation]]:
        """Associations that this target made, by key as given; keys without any are missing."""
        return self._reader.made(keys) if self._recorder.may_have(MADE) else {}

    # -- what waits

    def rejected(self, *, keys: Iterable[str] | None = None) -> Iterator[RejectedRow]:
        """Rejected records in the order of their keys: all, or those of some keys. They may change while this is read."""
        return self._reader.rejected(keys)

    def pending(
        self, *, to: str | None = None, keys: Iterable[str] | None = None, after: str | None = None
    ) -> Iterator[list[PendingRow]]:
        """Associations that wait, by pages that no key is parted by. They may change while this is read.

        Args:
            to: only of keys that wait for such an object (`companies`); what else these wait for is among them.
            keys: only of these keys.
            after: only of keys behind this one.
        """
        return self._reader.pending(to, keys, after)

    def held(self) -> Iterator[list[HeldDelete]]:
        """Deletions that wait, by pages. They may be released while this is read."""
        return self._reader.held()

    def release_held(self, keys: Iterable[str]) -> None:
        """Forget deletions that wait, of these keys."""
        with self._database.writing() as connection:
            remove(connection, HELD, self._portal_id, {kept_identity(key) for key in keys})

    def drop_held(self) -> None:
        """Forget all deletions that wait."""
        with self._database.writing() as connection:
            self._delete(connection, HELD)

    def counts(self) -> LedgerCounts:
        with self._database.reading() as connection:
            return LedgerCounts(
                rejected=self._count(connection, REJECTED),
                pending=self._count(connection, PENDING),
                held=self._count(connection, HELD),
                associations=self._count(connection, MADE),
                digests=self._count(connection, DIGESTS),
            )

    def rejected_by_code(self) -> dict[str, int]:
        counted = (
            select(REJECTED.c.code, func.count())
            .where(REJECTED.c.portal_id == self._portal_id)
            .group_by(REJECTED.c.code)
        )
        with self._database.reading() as connection:
            return {read_text(code): count for code, count in connection.execute(counted)}

    # -- keys of snapshots

    def start_seen(self, snapshot_id: str) -> None:
        """Begin to note keys under this name; what was noted under it is forgotten."""
        self._seen.start(snapshot_id)

    def add_seen(self, snapshot_id: str, keys: Iterable[str]) -> None:
        """Note keys, any number of them."""
        self._seen.add(snapshot_id, keys)

    def unseen(self, snapshot_id: str, keys: Sequence[str]) -> list[str]:
        """Those of the keys that were not noted, in their order; all of them under a name that was never begun."""
        return self._seen.unseen(snapshot_id, keys)

    def count_seen(self, snapshot_id: str) -> int:
        """How many different keys were noted."""
        return self._seen.count(snapshot_id)

    def forget_seen(self) -> None:
        """Forget the keys of all snapshots."""
        self._seen.forget()

    # -- streams, small facts, runs

    def save_stream(self, stream: str, schema_message: Mapping[str, Any]) -> None:
        """Keep the last SCHEMA message of a stream, so that its rejected records can be exported and loaded again."""
        self._put(STREAMS, stream=kept_text(stream), message=kept_json(dict(schema_message)))

    def stream(self, stream: str) -> dict[str, Any] | None:
        """The last SCHEMA message of a stream; None if it was never loaded."""
        return next(iter(self._streams(STREAMS.c.stream == kept_text(stream))), None)

    def streams(self) -> list[dict[str, Any]]:
        """The last SCHEMA message of each stream, by name."""
        return self._streams()

    def remember(self, name: str, value: Any) -> None:
        """Keep a small JSON value; None forgets it."""
        self._put(FACTS, name=kept_text(name), value=kept_json(value))

    def recall(self, name: str) -> Any:
        """What was last kept under the name; None if nothing was."""
        kept = select(FACTS.c.value).where(
            FACTS.c.portal_id == self._portal_id, FACTS.c.name == kept_text(name)
        )
        with self._database.reading() as connection:
            value = connection.scalar(kept)
        return None if value is None else read_json(value)

    def add_run(
        self,
        summary: Mapping[str, Any],
        started_at: datetime,
        ended_at: datetime,
        *,
        run_name: str = ORDINARY_RUN,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what a run did; `summary` has its `status` and `exit_code`, `state` is the last that it acknowledged."""
        row = run_values(self._portal_id, summary, started_at, ended_at, run_name, state)
        with self._database.writing() as connection:
            connection.execute(insert(RUNS), row)

    def runs(self, limit: int = 20) -> list[RunRow]:
        """The last runs, the newest first."""
        newest = (
            select(RUNS)
            .where(RUNS.c.portal_id == self._portal_id)
            .order_by(RUNS.c.number.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [read_run(row) for row in connection.execute(newest)]

    # -- forgetting

    def forget_older_than(self, days: int) -> int:
        """Forget records that were last rejected longer ago, but not that they were; forget runs that ended longer ago.

        Returns:
            How many rows that changed.
        """
        until = kept_moment(self._now() - timedelta(days=days))
        old = (
            REJECTED.c.portal_id == self._portal_id,
            REJECTED.c.last_at < until,
            REJECTED.c.record.is_not(None),
        )
        with self._database.writing() as connection:
            emptied = connection.execute(update(REJECTED).where(*old).values(record=null())).rowcount
            return emptied + self._delete(connection, RUNS, RUNS.c.ended_at < until)

    def forget_case(self, key: str) -> int:
        """Forget all that is known of a key; the number of rows."""
        with self._database.writing() as connection:
            rows = sum(
                self._delete(connection, table, table.c.identity == kept_identity(key)) for table in OF_KEYS
            )
        self._recorder.look()
        return rows + self._seen.forget_key(key)

    def empty(self) -> None:
        """Forget all that is known of the portal."""
        with self._database.writing() as connection:
            for table in OF_PORTALS:
                self._delete(connection, table)
        self._recorder.look()

    # -- statements

    def _put(self, table: Table, **values: Any) -> None:
        with self._database.writing() as connection:
            upsert(connection, table, [{"portal_id": self._portal_id, **values}])

    def _streams(self, *which: ColumnElement[bool]) -> list[dict[str, Any]]:
        kept = select(STREAMS.c.message).where(STREAMS.c.portal_id == self._portal_id, *which)
        with self._database.reading() as connection:
            return [read_json(message) for message in connection.scalars(kept.order_by(STREAMS.c.stream))]

    def _count(self, connection: Connection, table: Table) -> int:
        rows = select(func.count()).select_from(table).where(table.c.portal_id == self._portal_id)
        return connection.scalar(rows) or 0

    def _delete(self, connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
        return connection.execute(delete(table).where(table.c.portal_id == self._portal_id, *which)).rowcount
