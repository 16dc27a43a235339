"""Shell: the keys that a snapshot of the source holds, on disk: there may be millions of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, func, select

from target_hubspot_tickets.ledger_database import Database
from target_hubspot_tickets.ledger_rows import kept_text, seen_digest
from target_hubspot_tickets.ledger_statements import add_missing, among
from target_hubspot_tickets.ledger_tables import SEEN
from target_hubspot_tickets.protocol import chunks

KEYS_AT_ONCE = 10_000  # of one transaction; bounds memory


class SeenKeys:
    """Keys by snapshot, of one portal. Two spellings of a key are one; keys themselves are not kept, only what tells them apart."""

    def __init__(self, database: Database, portal_id: str) -> None:
        self._database, self._portal_id = database, portal_id

    def start(self, snapshot_id: str) -> None:
        """Forget what an earlier, broken off try noted under this name."""
        self._forget(SEEN.c.snapshot_id == kept_text(snapshot_id))

    def add(self, snapshot_id: str, keys: Iterable[str]) -> None:
        """Note keys; those that are noted already stay."""
        name = kept_text(snapshot_id)
        for part in chunks(keys, KEYS_AT_ONCE):
            rows = [
                {"portal_id": self._portal_id, "snapshot_id": name, "digest": seen_digest(key)}
                for key in part
            ]
            with self._database.writing() as connection:
                add_missing(connection, SEEN, rows)

    def unseen(self, snapshot_id: str, keys: Sequence[str]) -> list[str]:
        """Those of the keys that were not noted, in their order."""
        digests = {key: seen_digest(key) for key in keys}
        found = select(SEEN.c.digest).where(
            SEEN.c.portal_id == self._portal_id, SEEN.c.snapshot_id == kept_text(snapshot_id)
        )
        with self._database.reading() as connection:
            seen = {bytes(row.digest) for row in among(connection, found, SEEN.c.digest, digests.values())}
        return [key for key in keys if digests[key] not in seen]

    def count(self, snapshot_id: str) -> int:
        """How many different keys were noted."""
        counted = (
            select(func.count())
            .select_from(SEEN)
            .where(SEEN.c.portal_id == self._portal_id, SEEN.c.snapshot_id == kept_text(snapshot_id))
        )
        with self._database.reading() as connection:
            return connection.scalar(counted) or 0

    def forget(self) -> None:
        """All snapshots of the portal."""
        self._forget()

    def forget_key(self, key: str) -> int:
        """In all snapshots; the number of rows."""
        return self._forget(SEEN.c.digest == seen_digest(key))

    def _forget(self, *which: ColumnElement[bool]) -> int:
        with self._database.writing() as connection:
            return connection.execute(
                delete(SEEN).where(SEEN.c.portal_id == self._portal_id, *which)
            ).rowcount
