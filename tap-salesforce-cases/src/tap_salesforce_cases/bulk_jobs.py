"""Shell: Bulk API 2.0 query jobs: made, waited for, downloaded in parallel, deleted.

Source: Salesforce Bulk API 2.0, Query: create a job, get information, get results, get parallel results, delete.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tap_salesforce_cases.api_errors import bulk_refusal
from tap_salesforce_cases.errors import BulkUnavailableError, CursorLostError, SalesforceAnswerError, TapError
from tap_salesforce_cases.session import Download, SalesforceSession

logger = logging.getLogger("tap-salesforce-cases")
FIRST_POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 10.0
LONGER = (
    1.3  # each pause than the one before: a job is done for a quarter of its time at most before that is seen
)
DONE = frozenset({"JobComplete", "Failed", "Aborted"})
NO_MORE = {"", "null"}  # the last page's Sforce-Locator is the word null


class JobGoneError(TapError):
    """The job failed, was aborted, or is not there any more: make a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """One page: its file, how many records Salesforce says it has, where it is, and where the next one starts ("" = the end)."""

    url: str
    download: Download
    records: int
    next_locator: str


class BulkJobs:
    """The query jobs of one session."""

    def __init__(self, session: SalesforceSession, settings: Mapping[str, Any]) -> None:
        self._session, self._settings = session, settings
        self._path = f"{session.base_path}/jobs/query"

    def create(self, soql: str, *, all_rows: bool) -> str:
        """The id of a new job.

        Raises:
            BulkUnavailableError: Bulk 2.0 can't give this query, or none at all.
        """
        body = {
            "operation": "queryAll" if all_rows else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            return str(self._session.call("POST", self._path, json=body).json["id"])
        except SalesforceAnswerError as error:
            for_run = bulk_refusal(error.code, error.message)
            if for_run is None:
                raise
            raise BulkUnavailableError(error.message or error.code, for_run=for_run) from None

    def wait(self, job_id: str) -> int:
        """Wait until a job is complete, and say how many records it has.

        Raises:
            JobGoneError: it failed, was aborted by somebody, or took longer than bulk_timeout_seconds.
        """
        pause, deadline = FIRST_POLL_SECONDS, time.monotonic() + self._settings["bulk_timeout_seconds"]
        while True:
            job = self._status(job_id)
            if job["state"] == "JobComplete":
                return int(job.get("numberRecordsProcessed", 0))
            if job["state"] in DONE:
                raise JobGoneError(
                    f"Bulk job {job_id} is {job['state']}: {job.get('errorMessage', 'no reason given')}"
                )
            if time.monotonic() > deadline:
                self.abandon(job_id)
                raise JobGoneError(f"Bulk job {job_id} was still {job['state']} after bulk_timeout_seconds")
            time.sleep(pause)
            pause = min(pause * LONGER, LONGEST_POLL_SECONDS)

    def is_complete(self, job_id: str) -> bool:
        """Whether `wait` would not have to wait, to see it complete or to see that it will never be."""
        return self._status(job_id)["state"] in DONE

    def _status(self, job_id: str) -> Any:
        try:
            return self._session.get(f"{self._path}/{job_id}").json
        except SalesforceAnswerError as error:
            if error.status in {404, 409}:  # gone after 7 days, or made with another API version
                raise JobGoneError(f"Bulk job {job_id} is not there any more ({error.code})") from None
            raise

    def abandon(self, job_id: str) -> None:
        """Abort and delete; a job that can't be is left to Salesforce, which drops it after 7 days."""
        with contextlib.suppress(TapError):
            self._session.call("PATCH", f"{self._path}/{job_id}", json={"state": "Aborted"})
        self.delete(job_id)

    def delete(self, job_id: str) -> None:
        """Delete; one that can't be is left to Salesforce."""
        with contextlib.suppress(TapError):
            self._session.call("DELETE", f"{self._path}/{job_id}")

    def pages(self, job_id: str, locator: str = "") -> Iterator[ResultPage]:
        """The result pages in order: downloaded in parallel from the start, one after another from a locator."""
        if not locator and (listed := self._listed(job_id)) is not None:
            yield from self._parallel(listed)
            return
        while True:
            page = self.page(f"{self._path}/{job_id}/results" + (f"?locator={locator}" if locator else ""))
            yield page
            locator = page.next_locator
            if not locator:
                return

    def page(self, url: str) -> ResultPage:
        """Download a page.

        Raises:
            JobGoneError: the job or its result is not there any more.
        """
        try:
            download = self._session.download(url)
        except (CursorLostError, SalesforceAnswerError) as error:
            if isinstance(error, SalesforceAnswerError) and error.status not in {404, 409}:
                raise
            raise JobGoneError(f"a Bulk job's result is not there any more: {error}") from None
        locator = download.headers.get("Sforce-Locator", "null")
        return ResultPage(
            url=url,
            download=download,
            records=int(download.headers.get("Sforce-NumberOfRecords", -1)),
            next_locator="" if locator in NO_MORE else locator,
        )

    def _listed(self, job_id: str) -> Iterator[str] | None:
        """The result URLs by fives (resultPages, v58 and newer), or None where there is no such call."""
        try:
            first = self._session.get(f"{self._path}/{job_id}/resultPages").json
        except SalesforceAnswerError:
            return None
        return self._urls(first)

    def _urls(self, answer: Any) -> Iterator[str]:
        while True:
            for page in answer["resultPages"]:
                yield page["resultUrl"]
            following = answer.get("nextRecordsUrl") or answer.get("nextRecordUrl")
            if answer.get("done") or not following:
                return
            answer = self._session.get(following).json

    def _parallel(self, urls: Iterator[str]) -> Iterator[ResultPage]:
        """At most bulk_downloads pages are under way or waiting, so that disk and memory stay bounded."""
        most = self._settings["bulk_downloads"]
        pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="bulk-page")
        waiting: deque[Future[ResultPage]] = deque()
        try:
            for url in urls:
                waiting.append(pool.submit(self.page, url))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
