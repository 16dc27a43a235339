"""Shell: reads windows page by page with REST's queryAll, in the order of (SystemModstamp, Id)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from tap_salesforce_cases.composite import Part, ask_together
from tap_salesforce_cases.errors import (
    CursorLostError,
    FieldGoneError,
    QueryTooLongError,
    SalesforceAnswerError,
    UnreachableError,
)
from tap_salesforce_cases.moments import from_wire, wire_datetime
from tap_salesforce_cases.rows import RowMaker
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import Source, count_rows, select_rows
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import Position, Window, halve

logger = logging.getLogger("tap-salesforce-cases")
# A cursor that is lost again and again before it gave one row is no accident.
MAX_LOST_CURSORS = 5
# Address and headers together have 16,384 bytes (414 and 431 beyond); a longer query goes into the body of a composite call.
LONGEST_ADDRESS = 12_000
# Answers to a query for an object that this org does not have, or this user may not read.
NOT_THERE = {"INVALID_TYPE", "INSUFFICIENT_ACCESS"}
Records = list[dict[str, Any]]


def pages(session: SalesforceSession, soql: str, *, all_rows: bool, page_size: int) -> Iterator[Records]:
    """The pages of a query, deleted rows too if `all_rows`; how many rows a page has is Salesforce's choice."""
    headers = {"Sforce-Query-Options": f"batchSize={page_size}"}
    answer = _first_page(session, soql, "queryAll" if all_rows else "query", headers)
    while True:
        yield answer["records"]
        if answer["done"]:
            return
        answer = session.get(answer["nextRecordsUrl"], headers=headers).json


def _first_page(session: SalesforceSession, soql: str, resource: str, headers: dict[str, str]) -> Any:
    path = f"{session.base_path}/{resource}"
    if len(quote(soql)) <= LONGEST_ADDRESS:
        return session.get(path, {"q": soql}, headers).json
    (part,) = ask_together(session, [f"{path}?q={quote(soql)}"])
    return part.body()


def count(session: SalesforceSession, soql: str, *, all_rows: bool) -> int:
    """The answer of a SELECT COUNT(), deleted rows too if `all_rows`."""
    return int(_first_page(session, soql, "queryAll" if all_rows else "query", {})["totalSize"])


def count_window(session: SalesforceSession, source: Source, window: Window) -> int | None:
    """How many rows a window has; None when even counting takes too long."""
    try:
        return count(session, count_rows(source, window), all_rows=source.has_deleted)
    except QueryTooLongError:
        return None


def small_tables(session: SalesforceSession, queries: Sequence[str]) -> list[Records]:
    """All live rows of small queries, in one call; none where the org has no such object or the user may not read it."""
    urls = [f"{session.base_path}/query?q={quote(soql)}" for soql in queries]
    return [
        _small_table(session, soql, part)
        for soql, part in zip(queries, ask_together(session, urls), strict=True)
    ]


def _small_table(session: SalesforceSession, soql: str, part: Part) -> Records:
    try:
        answer = part.body()
    except (SalesforceAnswerError, FieldGoneError) as error:
        if isinstance(error, SalesforceAnswerError) and error.code not in NOT_THERE:
            raise
        table = soql.split(" FROM ")[1].split(maxsplit=1)[0]
        logger.warning("Without %s: %s (is it a permission?)", table, error)
        return []
    records: Records = answer["records"]
    while not answer["done"]:
        answer = session.get(answer["nextRecordsUrl"]).json
        records += answer["records"]
    return records


class RestReader:
    """Reads windows of one source."""

    def __init__(
        self, session: SalesforceSession, source: Source, paths: list[str], maker: RowMaker, page_size: int
    ) -> None:
        self._session, self._source, self._paths = session, source, paths
        self._maker, self._page_size = maker, page_size

    def read(self, window: Window) -> Iterator[Step]:
        """Every row of a window, once, in order.

        A lost cursor goes on behind the last row read. A query that takes too long is asked again for half of what is left,
        down to one second.

        Raises:
            UnreachableError: cursors get lost again and again without one row, or one second takes too long.
        """
        waiting, lost = [window], 0
        while waiting:
            left = waiting.pop()
            try:
                for step in self._pages(left):
                    yield step
                    if step.position:
                        left, lost = left.from_position(step.position), 0
            except CursorLostError:
                lost += 1
                if lost >= MAX_LOST_CURSORS:
                    raise UnreachableError(
                        "Salesforce loses the query cursor again and again; try again later"
                    ) from None
                logger.info("The query cursor is gone; going on behind the last row read")
                waiting.append(left)
            except QueryTooLongError:
                waiting.extend(reversed(self._halves(left)))

    def first(self, window: Window) -> Iterator[Step]:
        """The first pages of a window, in order, as far as Salesforce gives them without trouble."""
        with contextlib.suppress(CursorLostError, QueryTooLongError):
            yield from self._pages(window)

    def _halves(self, window: Window) -> tuple[Window, Window]:
        halves = halve(window)
        if halves is None:
            raise UnreachableError(
                f"Salesforce takes too long for one second of {self._source.object_name} (QUERY_TIMEOUT): "
                "read fewer fields, or with api_mode=bulk"
            ) from None
        logger.info("QUERY_TIMEOUT: reading up to %s first", halves[0].until_exclusive.isoformat())
        return halves

    def _pages(self, window: Window) -> Iterator[Step]:
        soql = select_rows(self._paths, self._source, window)
        for records in pages(
            self._session, soql, all_rows=self._source.has_deleted, page_size=self._page_size
        ):
            yield Step(rows=self._maker.from_json(records), position=_last(records))


def _last(records: Records) -> Position | None:
    if not records:
        return None
    return Position(
        stamp=from_wire(wire_datetime(records[-1]["SystemModstamp"])), record_id=records[-1]["Id"]
    )
