"""Shell: query and queryAll: the first page, cursors (query locators) and their further pages."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.rendering import records
from case_sync_sandbox.salesforce.soql import Query, parse
from case_sync_sandbox.salesforce.soql_sql import Statement, translate
from case_sync_sandbox.salesforce.store import SalesforceStore

MIN_PAGE, MAX_PAGE = 200, 2000  # Salesforce REST: Sforce-Query-Options, batchSize
# "No guarantee": the page shrinks when long texts are selected (same page). To 200 rows with two or more custom long texts:
# a vendor's note (webMethods, tech.forums.softwareag.com/t/237347).
NARROW_PAGE = 200
LOCATOR_LASTS = timedelta(days=2)  # Salesforce limits, API query cursors; no bound on open ones since v56


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A result that is read page by page: the ids in order stay in a table of its own."""

    table: str
    statement: Statement
    total: int
    page: int
    opened: datetime


def invalid_locator() -> SalesforceError:
    """Salesforce KB 000384958 names the code; the text is known by use only."""
    return SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


class Queries:
    """Runs SOQL for one org and keeps the cursors that are open."""

    def __init__(self, store: SalesforceStore) -> None:
        self.store = store
        self._numbers = itertools.count(1)
        self._cursors: dict[str, Cursor] = {}

    def prepare(self, soql: str, *, include_deleted: bool) -> tuple[Query, Statement]:
        query = parse(soql)
        statement = translate(
            query, now=self.store.clock.now(), include_deleted=include_deleted, visible=self.store.visible
        )
        return query, statement

    def first_page(
        self, soql: str, *, include_deleted: bool, version: str, batch_size: int | None
    ) -> dict[str, Any]:
        query, statement = self.prepare(soql, include_deleted=include_deleted)
        if query.is_count:
            return {"totalSize": int(self.store.select(statement)[0][0]), "done": True, "records": []}
        self._refuse_too_many(statement)
        page = self._page_rows(query, statement, batch_size)
        if len(rows := self._head(statement, page + 1)) <= page:
            return {
                "totalSize": len(rows),
                "done": True,
                "records": records(statement, rows, version),
            }
        cursor = self.open(statement, page)
        self._cursors[cursor.table] = cursor
        return self.page(cursor.table, 0, version)

    def _head(self, statement: Statement, count: int) -> list[tuple[Any, ...]]:
        return self.store.rows(f"SELECT * FROM ({statement.sql}) LIMIT {count}", statement.parameters)

    def _refuse_too_many(self, statement: Statement) -> None:
        above = self.store.switches.query_timeout_above_rows
        if above is None:
            return
        count = self.store.rows(f"SELECT COUNT(*) FROM ({statement.ids_sql()})", statement.parameters)
        if count[0][0] > above:
            raise SalesforceError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")

    def _page_rows(self, query: Query, statement: Statement, batch_size: int | None) -> int:
        wanted = min(
            max(batch_size or MAX_PAGE, MIN_PAGE), MAX_PAGE, max(self.store.switches.max_page_rows, 1)
        )
        entity_texts = sum(c.path[-1].endswith("__c") and c.type == "textarea" for c in statement.columns)
        return min(wanted, NARROW_PAGE) if entity_texts >= 2 and query.fields else wanted

    def open(self, statement: Statement, page: int) -> Cursor:
        """Keep the ids of a result in order, so that no page runs the query again."""
        name = f"01g5g{next(self._numbers):010d}AAA"
        with self.store.transaction() as db:
            db.execute(f'CREATE TEMP TABLE "{name}" (place INTEGER PRIMARY KEY, id TEXT)')
            total = db.execute(
                f'INSERT INTO "{name}" (id) {statement.ids_sql()}', statement.parameters
            ).rowcount
        return Cursor(table=name, statement=statement, total=total, page=page, opened=self.store.clock.now())

    def rows(self, cursor: Cursor, start: int, end: int) -> list[tuple[Any, ...]]:
        """The rows of a cursor from place start (exclusive, from 0) to end (inclusive), with their values of now."""
        return self.store.rows(cursor.statement.page_sql(cursor.table), (start, end))

    def joined(self, cursor: Cursor, start: int, end: int, text: str) -> tuple[bytes, list[int]]:
        """Of the same rows the text that some SQL makes of each, joined, and the bytes that each has."""
        ((joined, sizes),) = self.store.rows(cursor.statement.joined_sql(cursor.table, text), (start, end))
        return (joined or "").encode(), [int(size) for size in (sizes or "").split(",") if size]

    def close(self, cursor: Cursor) -> None:
        with self.store.transaction() as db:
            db.execute(f'DROP TABLE IF EXISTS temp."{cursor.table}"')

    def page(self, name: str, start: int, version: str) -> dict[str, Any]:
        """The page of a cursor after `start` rows; its URL is below /query, for a queryAll too (REST: query more results).

        Raises:
            SalesforceError: INVALID_QUERY_LOCATOR when there is no such cursor or page, or it has expired.
        """
        cursor = self._cursors.get(name)
        if cursor is None or (self.store.switches.expire_locators and start):
            raise invalid_locator()
        if (start and start >= cursor.total) or self.store.clock.now() - cursor.opened > LOCATOR_LASTS:
            raise invalid_locator()
        end = min(start + cursor.page, cursor.total)
        rows = self.rows(cursor, start, end)
        answer: dict[str, Any] = {"totalSize": cursor.total, "done": end >= cursor.total}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        answer["records"] = records(cursor.statement, rows, version)
        return answer

    def forget(self) -> None:
        """Every cursor is gone."""
        for cursor in self._cursors.values():
            self.close(cursor)
        self._cursors.clear()
