"""Shell: lists the live cases in scope, all of them: by REST in the order of their ids, or with Bulk 2.0 where there are many."""

from __future__ import annotations

import contextlib
import csv
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tap_salesforce_cases.bulk_csv import header_and_lines
from tap_salesforce_cases.bulk_jobs import BulkJobs, JobGoneError
from tap_salesforce_cases.errors import BulkUnavailableError, CursorLostError, UnreachableError
from tap_salesforce_cases.rest_query import MAX_LOST_CURSORS, count, pages
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import Source, count_snapshot, select_snapshot

logger = logging.getLogger("tap-salesforce-cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The live rows of a source that were there at a moment of Salesforce's clock, with a few fields; `Id` is one of them."""

    session: SalesforceSession
    settings: Mapping[str, Any]
    source: Source
    taken_at: datetime
    fields: tuple[str, ...] = ("Id",)

    def count(self) -> int:
        """COUNT() of the same rows."""
        return count(self.session, count_snapshot(self.source, self.taken_at), all_rows=False)

    def rows(self) -> Iterator[dict[str, str]]:
        """Each row once, read as they are asked for; whether all came, the counts tell."""
        mode, threshold = self.settings["api_mode"], self.settings["bulk_threshold"]
        if mode == "bulk" or (mode == "auto" and self.count() > threshold):
            rows = self._by_bulk()
            if rows is not None:
                yield from rows
                return
        yield from self._by_rest()

    def _by_bulk(self) -> Iterator[dict[str, str]] | None:
        jobs = BulkJobs(self.session, self.settings)
        try:
            job_id = jobs.create(self._soql(None, ordered=False), all_rows=False)
            jobs.wait(job_id)
        except (BulkUnavailableError, JobGoneError) as error:
            logger.warning("Listing the cases by REST: %s", error)
            return None
        return _bulk_rows(jobs, job_id)

    def _by_rest(self) -> Iterator[dict[str, str]]:
        last: str | None = None
        lost = 0
        while True:
            try:
                for page in pages(self.session, self._soql(last), all_rows=False, page_size=2000):
                    for record in page:
                        last, lost = record["Id"], 0
                        yield {name: record[name] for name in self.fields}
            except CursorLostError:
                lost += 1
                if lost >= MAX_LOST_CURSORS:
                    raise UnreachableError(
                        "Salesforce loses the query cursor again and again; try again later"
                    ) from None
            else:
                return

    def _soql(self, after_id: str | None, *, ordered: bool = True) -> str:
        return select_snapshot(self.source, self.taken_at, after_id, ordered=ordered, fields=self.fields)


def _bulk_rows(jobs: BulkJobs, job_id: str) -> Iterator[dict[str, str]]:
    """The rows of a job.

    Raises:
        UnreachableError: a page has fewer records than Salesforce says.
    """
    for page in jobs.pages(job_id):
        came = 0
        with page.download.file as file, contextlib.suppress(csv.Error):  # a cut record: the count tells
            header, lines = header_and_lines(io.TextIOWrapper(file, encoding="utf-8", newline=""))
            for came, line in enumerate(lines, start=1):  # noqa: B007 - the last number counts
                yield dict(zip(header, line, strict=False))
        if page.records not in {-1, came}:
            raise UnreachableError(f"a Bulk page has {page.records} records and {came} came: run again")
    jobs.delete(job_id)
