"""Shell: reads what is new in a stream: by REST or by Bulk 2.0, chosen by how much there is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tap_salesforce_cases.bookmarks import Bookmark
from tap_salesforce_cases.bulk_jobs import BulkJobs
from tap_salesforce_cases.bulk_query import BulkReader
from tap_salesforce_cases.describe import Columns
from tap_salesforce_cases.moments import whole_second
from tap_salesforce_cases.rest_query import RestReader, count_window
from tap_salesforce_cases.rows import RowMaker
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import Source
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import Counted, Window, split_by_rows

logger = logging.getLogger("tap-salesforce-cases")


@dataclass(slots=True, kw_only=True)
class Reading:
    """One run through one stream.

    Attributes:
        bulk: Bulk 2.0 can read the object.
        total: rows that were counted, for progress; None until then.
    """

    session: SalesforceSession
    settings: Mapping[str, Any]
    source: Source
    columns: Columns
    maker: RowMaker
    bulk: bool
    total: int | None = None

    def steps(self, bookmark: Bookmark, window: Window) -> Iterator[Step]:
        """Every row that is new since the bookmark, up to the window's end; first what earlier Bulk jobs left."""
        yield from self._resumed(bookmark)
        if bookmark.since and (window.since_inclusive is None or bookmark.since > window.since_inclusive):
            window = replace(window, since_inclusive=whole_second(bookmark.since), after=bookmark.after)
        if window.since_inclusive and window.since_inclusive >= window.until_exclusive:
            return
        self.total = count_window(self.session, self.source, window)
        if self.total == 0:
            return
        if self._by_bulk(self.total):
            yield from self._in_bulk(bookmark, Counted(window=window, rows=self.total or 0))
        else:
            yield from self._rest().read(window)

    def _by_bulk(self, rows: int | None) -> bool:
        mode = self.settings["api_mode"]
        return (
            self.bulk
            and mode != "rest"
            and (mode == "bulk" or rows is None or rows > self.settings["bulk_threshold"])
        )

    def _resumed(self, bookmark: Bookmark) -> Iterator[Step]:
        jobs = bookmark.jobs
        if not jobs:
            return
        if any(job.columns != self.columns.fingerprint() for job in jobs):
            logger.info(
                "The columns are others than in the Bulk jobs of the last run; reading their windows again"
            )
            for job in jobs:
                BulkJobs(self.session, self.settings).delete(job.id)
            yield Step(jobs=())
            return
        logger.info("Going on with %d Bulk job(s) of the last run", len(jobs))
        reader = self._reader()
        for place, job in enumerate(jobs):
            yield from reader.resume(job, jobs[place + 1 :])

    def _in_bulk(self, bookmark: Bookmark, whole: Counted) -> Iterator[Step]:
        """History in windows that a later run may go on with; the newest rows, which may still be joined by late ones, apart."""
        ceiling = whole_second(bookmark.ceiling)
        low = whole.window.since_inclusive
        recent = whole.window
        if low is None or low < ceiling < recent.until_exclusive:
            history = replace(recent, until_exclusive=ceiling)
            recent = Window(since_inclusive=ceiling, until_exclusive=recent.until_exclusive)
            rows = count_window(self.session, self.source, history)
            if rows != 0:
                windows = self._split(Counted(window=history, rows=whole.rows if rows is None else rows))
                yield from self._reader().read(windows, resumable=True)
        rows = count_window(self.session, self.source, recent)
        if rows == 0:
            return
        if self._by_bulk(rows):
            windows = self._split(Counted(window=recent, rows=rows or 0))
            yield from self._reader().read(windows, resumable=False)
        else:
            yield from self._rest().read(recent)

    def _split(self, counted: Counted) -> list[Window]:
        most = self.settings["bulk_window_rows"]
        parts = split_by_rows(
            counted, most, lambda window: count_window(self.session, self.source, window) or 0
        )
        return [part.window for part in parts]

    def _rest(self) -> RestReader:
        return RestReader(
            self.session, self.source, self.columns.paths, self.maker, self.settings["page_size"]
        )

    def _reader(self) -> BulkReader:
        return BulkReader(
            jobs=BulkJobs(self.session, self.settings),
            rest=self._rest(),
            source=self.source,
            paths=self.columns.paths,
            maker=self.maker,
            columns=self.columns.fingerprint(),
            in_flight=self.settings["bulk_jobs_in_flight"],
        )
