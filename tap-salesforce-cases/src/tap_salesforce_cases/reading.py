"""Shell: reads what is new in a stream: by REST or by Bulk 2.0, chosen by how much there is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_cases.bookmarks import MAX_REMEMBERED, Bookmark
from tap_salesforce_cases.bulk_jobs import BulkJobs
from tap_salesforce_cases.bulk_query import BulkReader
from tap_salesforce_cases.describe import Columns
from tap_salesforce_cases.errors import ReplicationGapError
from tap_salesforce_cases.head_start import HeadStart
from tap_salesforce_cases.moments import from_wire, whole_second
from tap_salesforce_cases.rest_query import RestReader, count_window, pages
from tap_salesforce_cases.rows import RowMaker
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.soql import Source, select_all, select_newest
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import Counted, Window, split_by_rows, up_to

logger = logging.getLogger("tap-salesforce-cases")
UPDATED_CALL = timedelta(minutes=5)  # getUpdated wants more than a minute


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

    def whole(self) -> Iterator[Step]:
        """A small table, all of it."""
        soql = select_all(self.columns.paths, self.source)
        for page in pages(self.session, soql, all_rows=False, page_size=2_000):
            yield Step(rows=self.maker.from_json(page))

    def newest(self, since: datetime | None, most: int) -> Iterator[Step]:
        """A sample: the live rows that changed last."""
        soql = select_newest(self.columns.paths, self.source, since, most)
        for page in pages(self.session, soql, all_rows=False, page_size=self.settings["page_size"]):
            yield Step(rows=self.maker.from_json(page))

    def begin(self, bookmark: Bookmark, server_time: datetime) -> None:
        """Put a bookmark behind all that is there, and yet before what may be committed late.

        The rows of the overlap count as emitted. If they are too many to remember, late commits are given up.
        """
        overlap = replace(up_to(None, None, server_time), since_inclusive=bookmark.ceiling)
        rows = count_window(self.session, self.source, overlap)
        if rows is None or rows > MAX_REMEMBERED:
            bookmark.start_at(server_time)
            return
        for step in self._rest().read(overlap):
            for row in step.rows:
                bookmark.remember(row)
        bookmark.finished(bookmark.ceiling)

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
        reader = self._reader(HeadStart.behind(bookmark))
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
                yield from self._reader(self._head_start()).read(windows, resumable=True)
        rows = count_window(self.session, self.source, recent)
        if rows == 0:
            return
        if self._by_bulk(rows):
            windows = self._split(Counted(window=recent, rows=rows or 0))
            yield from self._reader(HeadStart()).read(windows, resumable=False)
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

    def _head_start(self) -> HeadStart:
        """Who asks for Bulk alone has none."""
        return HeadStart(rest=self._rest() if self.settings["api_mode"] == "auto" else None)

    def _reader(self, head: HeadStart) -> BulkReader:
        return BulkReader(
            jobs=BulkJobs(self.session, self.settings),
            rest=self._rest(),
            source=self.source,
            paths=self.columns.paths,
            maker=self.maker,
            columns=self.columns.fingerprint(),
            in_flight=self.settings["bulk_jobs_in_flight"],
            head=head,
        )


def ceiling(
    session: SalesforceSession, settings: Mapping[str, Any], object_name: str, server_time: datetime
) -> datetime:
    """The highest bookmark of a run: the lookback behind the clock, and behind open transactions if asked for."""
    lookback = server_time - timedelta(seconds=settings["lookback_seconds"])
    if not settings["use_get_updated"] or object_name != "Case":
        return lookback
    start = server_time - UPDATED_CALL
    parameters = {
        "start": f"{start:%Y-%m-%dT%H:%M:%S}+00:00",
        "end": f"{server_time:%Y-%m-%dT%H:%M:%S}+00:00",
    }
    try:
        answer = session.get(f"{session.base_path}/sobjects/{object_name}/updated/", parameters)
    except ReplicationGapError:
        return lookback
    covered = from_wire(answer.json["latestDateCovered"])
    floor = server_time - timedelta(seconds=settings["max_lookback_seconds"])
    return min(lookback, max(covered, floor))
