"""Shell: reads what the tap needs: describe, the small tables that rows are joined with, and the pages of a window."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tap_salesforce_cases.describe import CaseColumns, read_describe
from tap_salesforce_cases.errors import CursorLostError, SalesforceAnswerError, UnreachableError
from tap_salesforce_cases.moments import from_wire
from tap_salesforce_cases.rows import CaseStatus, Joins, SupportProcess
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import CASE_STATUSES, SUPPORT_PROCESSES, Position, Window, select_cases

logger = logging.getLogger("tap-salesforce-cases")
# A cursor that is lost again before it gave one row is no accident.
MAX_LOST_CURSORS = 5
# Answers to a query for an object that this org does not have, or this user may not read.
NOT_THERE = {"INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS"}


def read_columns(session: SalesforceSession, excluded: list[str]) -> tuple[CaseColumns, datetime]:
    """What the user may read of Case, and Salesforce's clock."""
    answer = session.get(f"{session.base_path}/sobjects/Case/describe")
    return read_describe(answer.json, excluded=excluded), answer.server_time


def read_joins(session: SalesforceSession) -> Joins:
    """Support processes and statuses: two small calls a run; an org or a user without them gets none."""
    processes = {
        r["Id"]: SupportProcess(name=r["Name"], is_active=r["IsActive"])
        for r in small_table(session, SUPPORT_PROCESSES)
    }
    statuses = {
        r["ApiName"]: CaseStatus(is_closed=r["IsClosed"], sort_order=r["SortOrder"])
        for r in small_table(session, CASE_STATUSES)
    }
    return Joins(
        organization_id=session.session.organization_id,
        instance_url=session.session.instance_url,
        processes=processes,
        statuses=statuses,
    )


def small_table(session: SalesforceSession, soql: str) -> list[dict[str, Any]]:
    try:
        return [record for page in pages(session, soql, all_rows=False, page_size=2000) for record in page]
    except SalesforceAnswerError as error:
        if error.code not in NOT_THERE:
            raise
        logger.warning(
            "Without %s: %s %s (is it a permission?)",
            soql.split(" FROM ")[1].split(maxsplit=1)[0],
            error.code,
            error.message.strip().split("\n")[-1],
        )
        return []


def pages(
    session: SalesforceSession, soql: str, *, all_rows: bool, page_size: int
) -> Iterator[list[dict[str, Any]]]:
    """The pages of a query, deleted rows too if `all_rows`; how many rows a page has is Salesforce's choice."""
    options = {"Sforce-Query-Options": f"batchSize={page_size}"}
    resource = "queryAll" if all_rows else "query"
    answer = session.get(f"{session.base_path}/{resource}", {"q": soql}, options).json
    while True:
        yield answer["records"]
        if answer["done"]:
            return
        answer = session.get(answer["nextRecordsUrl"], headers=options).json


def read_window(
    session: SalesforceSession, columns: CaseColumns, window: Window, page_size: int
) -> Iterator[dict[str, Any]]:
    """Every case of a window, once, in order, deleted ones too; a lost cursor goes on from the last row read.

    Raises:
        UnreachableError: cursors get lost again and again without one row.
    """
    fields = [*columns.fields, *columns.related]
    position: Position | None = None
    lost = 0
    while True:
        try:
            for page in pages(
                session, select_cases(fields, window, position), all_rows=True, page_size=page_size
            ):
                for record in page:
                    yield record
                    position = Position(stamp=from_wire(record["SystemModstamp"]), record_id=record["Id"])
                    lost = 0
        except CursorLostError:
            lost += 1
            if lost >= MAX_LOST_CURSORS:
                raise UnreachableError(
                    "Salesforce loses the query cursor again and again; try again later"
                ) from None
            logger.info("The query cursor is gone; going on from the last row read")
        else:
            return
