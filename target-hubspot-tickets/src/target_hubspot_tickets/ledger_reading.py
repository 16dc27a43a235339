"""Shell: rows of the ledger back to values, by pages: between two of them no transaction is open, so rows may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Row, Select, Table, exists, select

from target_hubspot_tickets.ledger_database import Database
from target_hubspot_tickets.ledger_rows import (
    PendingRow,
    RejectedRow,
    kept_identity,
    read_held,
    read_made,
    read_pending,
    read_rejected,
)
from target_hubspot_tickets.ledger_statements import IN_LIST, among
from target_hubspot_tickets.ledger_tables import DIGESTS, HELD, MADE, PENDING, REJECTED
from target_hubspot_tickets.outcomes import HeldDelete, MadeAssociation
from target_hubspot_tickets.protocol import chunks

PAGE_ROWS = 1_000
PAGE_RECORDS = 100  # of rejected ones, which may be long


class Reader:
    """Reads pages of the rows of one portal, in the order of their keys."""

    def __init__(self, database: Database, portal_id: str) -> None:
        self._database, self._portal_id = database, portal_id

    def rejected(self, keys: Iterable[str] | None = None) -> Iterator[RejectedRow]:
        """All, or those of the keys."""
        for page in self._pages(REJECTED, PAGE_RECORDS, keys):
            yield from map(read_rejected, page)

    def held(self) -> Iterator[list[HeldDelete]]:
        for page in self._pages(HELD, PAGE_ROWS, None):
            yield [read_held(row) for row in page]

    def pending(
        self, to: str | None = None, keys: Iterable[str] | None = None, after: str | None = None
    ) -> Iterator[list[PendingRow]]:
        """Pages of whole keys, and so of more rows than PAGE_ROWS only where one key has more.

        Args:
            to: only keys that wait for such an object; what else they wait for is in their page, too.
            keys: only these.
            after: only keys behind this one.
        """
        for page in self._pages(PENDING, PAGE_ROWS, keys, to=to, after=after):
            yield [read_pending(row) for row in page]

    def made(self, keys: Iterable[str]) -> dict[str, list[MadeAssociation]]:
        """By key as given; keys without any are missing."""
        spelled = {kept_identity(key): key for key in keys}
        found: dict[str, list[MadeAssociation]] = {}
        for page in self._pages(MADE, PAGE_ROWS, spelled.values()):
            for row in page:
                found.setdefault(spelled[row.identity], []).append(read_made(row))
        return found

    def digests(self, keys: Iterable[str]) -> dict[str, bytes]:
        """By key as given; keys without one are missing."""
        spelled = {kept_identity(key): key for key in keys}
        found = select(DIGESTS.c.identity, DIGESTS.c.digest).where(DIGESTS.c.portal_id == self._portal_id)
        with self._database.reading() as connection:
            rows = among(connection, found, DIGESTS.c.identity, spelled)
            return {spelled[row.identity]: bytes(row.digest) for row in rows}

    # -- pages

    def _pages(
        self,
        table: Table,
        size: int,
        keys: Iterable[str] | None,
        *,
        to: str | None = None,
        after: str | None = None,
    ) -> Iterator[list[Row[Any]]]:
        rows = select(table).where(table.c.portal_id == self._portal_id).order_by(*table.primary_key)
        if to is not None:
            same = table.alias()
            waiting = (
                same.c.portal_id == self._portal_id,
                same.c.identity == table.c.identity,
                same.c.to_object == to,
            )
            rows = rows.where(exists().where(*waiting))
        last = None if after is None else kept_identity(after)
        if keys is None:
            yield from self._whole_keys(rows, table, size, last)
            return
        for part in chunks(sorted({kept_identity(key) for key in keys}), IN_LIST):
            yield from self._whole_keys(rows.where(table.c.identity.in_(part)), table, size, last)

    def _whole_keys(
        self, rows: Select[Any], table: Table, size: int, last: str | None
    ) -> Iterator[list[Row[Any]]]:
        """Pages that no key is parted by; `last` is the identity that they begin behind."""
        is_more = True
        while is_more:
            behind = rows if last is None else rows.where(table.c.identity > last)
            page = self._fetch(behind.limit(size + 1))
            if not page:
                return
            is_more = len(page) > size
            if is_more:
                cut = page[-1].identity
                page = [row for row in page if row.identity != cut] or self._fetch(
                    rows.where(table.c.identity == cut)
                )
            last = page[-1].identity
            yield page

    def _fetch(self, rows: Select[Any]) -> list[Row[Any]]:
        with self._database.reading() as connection:
            return list(connection.execute(rows))
