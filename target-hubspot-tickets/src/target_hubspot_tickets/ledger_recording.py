"""Shell: the outcome of a round into the ledger, in one transaction; tables without a row of the portal cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from threading import Lock

from sqlalchemy import Connection, Table, bindparam, delete, literal, select

from target_hubspot_tickets.ledger_database import Database
from target_hubspot_tickets.ledger_rows import (
    Values,
    digest_values,
    held_values,
    kept_identity,
    kept_moment,
    made_values,
    pending_values,
    rejected_values,
)
from target_hubspot_tickets.ledger_statements import among, remove, upsert
from target_hubspot_tickets.ledger_tables import DIGESTS, HELD, MADE, OF_KEYS, PENDING, REJECTED
from target_hubspot_tickets.outcomes import MadeAssociation, RoundOutcome


def _rejected_keys(outcome: RoundOutcome) -> Iterable[str]:
    return (one.key for one in outcome.rejected)


def _held_keys(outcome: RoundOutcome) -> Iterable[str]:
    return (one.key for one in outcome.held)


def _written_without_digest(outcome: RoundOutcome) -> Iterable[str]:
    return (key for key, one in outcome.written.items() if one.digest is None)


# Table -> keys whose rows leave it. What the ledger has of a key is the last that the stream said: an upsert that was rejected
# takes back a held deletion, and a held deletion a rejected upsert. A digest that is not known any more must not stay either.
LEAVING: Mapping[Table, Callable[[RoundOutcome], Iterable[str]]] = {
    REJECTED: lambda outcome: chain(
        outcome.written.keys() - outcome.narrowed,
        outcome.unchanged - outcome.narrowed,
        outcome.stale,
        outcome.archived,
        outcome.ignored,
        _held_keys(outcome),
    ),
    HELD: lambda outcome: chain(
        outcome.written, outcome.unchanged, outcome.archived, _rejected_keys(outcome)
    ),
    PENDING: lambda outcome: chain(outcome.archived, outcome.associations.settled),
    MADE: lambda outcome: outcome.archived,
    DIGESTS: lambda outcome: chain(
        outcome.archived, _rejected_keys(outcome), _written_without_digest(outcome)
    ),
}


class Recorder:
    """Writes outcomes of one portal; nobody else may write to its rows meanwhile."""

    def __init__(self, database: Database, portal_id: str) -> None:
        self._database, self._portal_id = database, portal_id
        self._filled: set[Table] = set()
        self._turn = (
            Lock()
        )  # what is noted by a thread of a round, and what is put on record, one after the other
        self.look()

    def look(self) -> None:
        """Find out which tables have rows of the portal."""
        with self._database.reading() as connection:
            self._filled = {table for table in OF_KEYS if self._has_rows(connection, table)}

    def may_have(self, table: Table) -> bool:
        """Whether the portal may have a row there; False is certain."""
        return table in self._filled

    def note_made(self, made: Sequence[MadeAssociation]) -> None:
        """Associations that are about to be made; any thread may call it. When this returns they are durable."""
        if made:
            with self._turn, self._database.writing() as connection:
                upsert(connection, MADE, [made_values(self._portal_id, one) for one in made])
                self._filled.add(MADE)

    def record(self, outcome: RoundOutcome, now: datetime) -> None:
        """Put it on record, or raise LedgerError; when this returns, all of it is durable."""
        with self._turn:
            self._record(outcome, now)

    def _record(self, outcome: RoundOutcome, now: datetime) -> None:
        coming = {table: rows for table, rows in self._coming(outcome, now).items() if rows}
        leaving = {table: keys for table in LEAVING if (keys := self._leaving(table, outcome))}
        removed = outcome.associations.removed if MADE in self._filled else []
        if not (coming or leaving or removed):
            return
        may_have_waited = coming.get(PENDING, ()) if PENDING in self._filled else ()
        self._filled |= coming.keys()
        with self._database.writing() as connection:
            waited = self._waited(connection, may_have_waited)
            for table, identities in leaving.items():
                remove(connection, table, self._portal_id, identities)
            self._unmake(connection, removed)
            for table, rows in coming.items():
                upsert(connection, table, _tried_again(rows, waited) if table is PENDING else rows)
            emptied = {table for table in leaving if not self._has_rows(connection, table)}
        self._filled -= emptied

    def _has_rows(self, connection: Connection, table: Table) -> bool:
        one = select(literal(1)).where(table.c.portal_id == self._portal_id).limit(1)
        return connection.scalar(one) is not None

    def _leaving(self, table: Table, outcome: RoundOutcome) -> set[str]:
        return {kept_identity(key) for key in LEAVING[table](outcome)} if table in self._filled else set()

    def _unmake(self, connection: Connection, removed: Sequence[MadeAssociation]) -> None:
        if removed:
            names = [column.name for column in MADE.primary_key]
            rows = [
                {f"old_{name}": row[name] for name in names}
                for row in (made_values(self._portal_id, one) for one in removed)
            ]
            same = [MADE.c[name] == bindparam(f"old_{name}") for name in names]
            connection.execute(delete(MADE).where(*same), rows)

    def _waited(
        self, connection: Connection, rows: Sequence[Values]
    ) -> dict[tuple[str, bytes], tuple[str, int]]:
        """When associations that wait again waited first, and how often, by key and wish."""
        identities = {row["identity"] for row in rows}
        columns = (PENDING.c.identity, PENDING.c.wish_digest, PENDING.c.first_at, PENDING.c.tries)
        found = select(*columns).where(PENDING.c.portal_id == self._portal_id)
        return {
            (row.identity, row.wish_digest): (row.first_at, row.tries)
            for row in among(connection, found, PENDING.c.identity, identities)
        }

    def _coming(self, outcome: RoundOutcome, now: datetime) -> dict[Table, list[Values]]:
        portal_id, at = self._portal_id, kept_moment(now)
        digests = [(key, one.digest) for key, one in outcome.written.items() if one.digest is not None]
        return {
            REJECTED: [rejected_values(portal_id, one, at) for one in outcome.rejected],
            PENDING: [pending_values(portal_id, one, at) for one in outcome.associations.pending],
            HELD: [held_values(portal_id, one) for one in outcome.held],
            MADE: [made_values(portal_id, one) for one in outcome.associations.made],
            DIGESTS: [digest_values(portal_id, key, digest) for key, digest in digests],
        }


def _tried_again(rows: Sequence[Values], waited: Mapping[tuple[str, bytes], tuple[str, int]]) -> list[Values]:
    """The rows with the time of their first try, and one try more than before."""
    if not waited:
        return list(rows)
    again = []
    for row in rows:
        first_at, tries = waited.get((row["identity"], row["wish_digest"]), (row["first_at"], 0))
        again.append(row | {"first_at": first_at, "tries": tries + 1})
    return again
