"""Shell: reads windows with Bulk 2.0, several jobs in flight, rows in the order of the windows."""

from __future__ import annotations

import csv
import io
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tap_salesforce_cases.bookmarks import OpenJob
from tap_salesforce_cases.bulk_csv import Counted, header_and_lines
from tap_salesforce_cases.bulk_jobs import BulkJobs, JobGoneError, ResultPage
from tap_salesforce_cases.errors import BulkUnavailableError, UnreachableError
from tap_salesforce_cases.head_start import HeadStart
from tap_salesforce_cases.moments import from_wire, to_wire
from tap_salesforce_cases.rest_query import RestReader
from tap_salesforce_cases.rows import Row, RowMaker
from tap_salesforce_cases.soql import Source, select_rows
from tap_salesforce_cases.steps import Step
from tap_salesforce_cases.windows import Position, Window

logger = logging.getLogger("tap-salesforce-cases")
MAX_DOWNLOADS = 3  # of one page whose records don't add up


@dataclass(slots=True)
class _Newest:
    """The highest (SystemModstamp, Id) of the rows that pass: Bulk gives them in no order."""

    stamp: str = ""
    record_id: str = ""

    def watch(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            stamp = row["SystemModstamp"]
            if stamp >= self.stamp and (stamp, row["Id"]) > (self.stamp, self.record_id):
                self.stamp, self.record_id = stamp, row["Id"]
            yield row

    def position(self) -> Position | None:
        return Position(stamp=from_wire(self.stamp), record_id=self.record_id) if self.stamp else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A job whose rows are being read."""

    job: OpenJob
    window: Window
    newest: _Newest = field(default_factory=_Newest)


@dataclass(slots=True, kw_only=True)
class BulkReader:
    """Reads windows of one source; a window that Bulk can't give is read by REST.

    Attributes:
        columns: fingerprint of what is selected, which a job to go on with must have.
        in_flight: how many jobs Salesforce works on at a time.
        head: what is out before a job gives it.
    """

    jobs: BulkJobs
    rest: RestReader
    source: Source
    paths: list[str]
    maker: RowMaker
    columns: str
    in_flight: int
    head: HeadStart = field(default_factory=HeadStart)
    _refused: bool = False

    def read(self, windows: Sequence[Window], *, resumable: bool) -> Iterator[Step]:
        """All rows of the windows, which lie in order; `resumable` tells whether a later run may go on with the jobs."""
        waiting = deque(windows)
        ahead: deque[_Reading] = deque()
        while waiting or ahead:
            while waiting and len(ahead) < self.in_flight and not self._refused:
                try:
                    ahead.append(self._start(waiting[0]))
                except BulkUnavailableError as error:
                    self._note(error)
                    break
                waiting.popleft()
            if not ahead:
                yield from self.rest.read(waiting.popleft())
                continue
            reading = ahead.popleft()
            following = tuple(r.job for r in ahead) if resumable else ()
            yield from self._window(reading, following, resumable=resumable)

    def resume(self, job: OpenJob, following: tuple[OpenJob, ...]) -> Iterator[Step]:
        """What is left of a job of an earlier run."""
        window = Window(
            since_inclusive=from_wire(job.since) if job.since else None, until_exclusive=from_wire(job.until)
        )
        yield from self._window(_Reading(job=job, window=window), following, resumable=True)

    def _start(self, window: Window) -> _Reading:
        soql = select_rows(self.paths, self.source, window, ordered=False)
        job = OpenJob(
            id=self.jobs.create(soql, all_rows=self.source.has_deleted),
            since=to_wire(window.since_inclusive) if window.since_inclusive else "",
            until=to_wire(window.until_exclusive),
            columns=self.columns,
        )
        return _Reading(job=job, window=window)

    def _note(self, error: BulkUnavailableError) -> None:
        logger.warning(
            "Bulk 2.0 is not available (%s); reading %s by REST",
            error,
            "all" if error.for_run else "this window",
        )
        self._refused = error.for_run

    def _window(
        self, reading: _Reading, following: tuple[OpenJob, ...], *, resumable: bool
    ) -> Iterator[Step]:
        """The rows of one window; a job that is gone is made anew, once, and then the window is read by REST."""
        for attempt in (1, 2):
            try:
                yield from self._rows(reading, following, resumable=resumable)
            except JobGoneError as error:
                logger.warning("%s", error)
                self.jobs.delete(reading.job.id)
                if attempt == 1:
                    try:
                        reading = self._start(reading.window)
                    except BulkUnavailableError as refused:
                        self._note(refused)
                        break
            else:
                return
        logger.warning("Reading this window by REST")
        yield Step(jobs=following)
        yield from self.rest.read(self.head.left_of(reading.window))

    def _rows(self, reading: _Reading, following: tuple[OpenJob, ...], *, resumable: bool) -> Iterator[Step]:
        job = reading.job
        if resumable:
            yield Step(jobs=(job, *following))
            yield from self.head.steps(reading.window, lambda: self.jobs.is_complete(job.id))
        expected = self.jobs.wait(job.id)
        rows = job.rows
        for page in self.jobs.pages(job.id, job.locator):
            parts = _PageParts(self.jobs, page, self.maker)
            job = replace(job, locator=page.next_locator, rows=rows + max(page.records, 0))
            done = not page.next_locator
            yield Step(
                rows=self.head.without(reading.newest.watch(parts.rows())),
                jobs=(job, *following) if resumable and not done else None,
            )
            rows += parts.count
        if rows != expected:
            yield Step(jobs=following)
            raise UnreachableError(
                f"Bulk job {job.id} has {expected} records and {rows} came: its window stays unread; run again"
            )
        # Of a job that was begun by an earlier run, the newest row may have been out before.
        position, finished = (
            (None, reading.window.until_exclusive) if reading.job.rows else (reading.newest.position(), None)
        )
        yield Step(position=position, finished=finished, jobs=following if resumable else None)
        self.jobs.delete(job.id)


class _PageParts:
    """The rows of a page, checked against Sforce-NumberOfRecords; what a cut page lacks comes from another download of it."""

    def __init__(self, jobs: BulkJobs, page: ResultPage, maker: RowMaker) -> None:
        self._jobs, self._page, self._maker = jobs, page, maker
        self.count = 0

    def rows(self) -> Iterator[Row]:
        page = self._page
        for _ in range(MAX_DOWNLOADS):
            yield from self._unread(page)
            if page.records in {-1, self.count}:
                return
            logger.warning(
                "A Bulk page has %d records and %d came; reading it again", page.records, self.count
            )
            page = self._jobs.page(page.url)
        raise UnreachableError(
            f"a Bulk page has {page.records} records and {self.count} came, {MAX_DOWNLOADS} times: run again"
        )

    def _unread(self, page: ResultPage) -> Iterator[Row]:
        """The rows behind those that came before: a job's pages stay as they are."""
        with page.download.file as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            counted = Counted(iter(()))
            try:
                header, lines = header_and_lines(text)
                for _ in range(self.count):
                    next(lines, None)
                counted = Counted(lines)
                yield from self._maker.from_csv(header, counted)
            except (csv.Error, UnicodeDecodeError) as error:
                # A record or a character that is cut in its middle: the count tells how many came whole.
                logger.warning("A Bulk page ends in the middle of a record (%s)", type(error).__name__)
            finally:
                self.count += counted.count
