"""Shell: Bulk API 2.0 query jobs: their five states, and their results as slices of one CSV file.

Source: Salesforce Bulk API 2.0, Query: create a job, get job info, get results, get parallel results (resultPages). The texts of
refusals are those that public connectors match (Airbyte, Estuary); where a code is our guess, its line says so.
"""

from __future__ import annotations

import base64
import itertools
import os
import tempfile
from array import array
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO, Any

from case_sync_sandbox.salesforce.errors import SalesforceError, not_found
from case_sync_sandbox.salesforce.ids import to_18
from case_sync_sandbox.salesforce.querying import Queries, invalid_locator
from case_sync_sandbox.salesforce.rendering import csv_header, csv_line_sql, rest_datetime
from case_sync_sandbox.salesforce.schema import OBJECTS
from case_sync_sandbox.salesforce.soql_scope import STAMP
from case_sync_sandbox.salesforce.soql_sql import Statement
from case_sync_sandbox.salesforce.store import INTEGRATION_USER_ID, SalesforceStore

PAGES_AT_ONCE = 5  # resultPages names at most five
DONE = {"JobComplete", "Failed", "Aborted"}  # before: UploadComplete, InProgress (get job info: state)
KEPT = timedelta(days=7)  # jobs and their results (Bulk API 2.0 limits)
PATIENCE_SECONDS = (
    0.02  # a poll that is to find the job complete waits this long for its file, then says InProgress
)
BATCH = 1_000


@dataclass(slots=True, kw_only=True)
class Job:
    """One query job and, once it is complete, its result: a file and the place where each record starts."""

    id: str
    operation: str
    soql: str
    version: str
    statement: Statement
    created: str
    state: str = "UploadComplete"
    polls: int = 0
    error: str | None = None
    file: IO[bytes] | None = None
    header: bytes = b""
    spooled: Future[None] | None = None
    starts: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def records(self) -> int:
        return max(len(self.starts) - 1, 0)

    def close(self) -> None:
        if self.spooled:
            self.spooled.cancel()
        if self.file:
            self.file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A page of a result: the CSV, how many records, and where the next page starts (the word null at the end)."""

    body: bytes
    records: int
    locator: str


def bad_request(message: str) -> SalesforceError:
    return SalesforceError(400, "API_ERROR", message)


def locator(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode().rstrip("=")


def start_of(text: str | None) -> int:
    """The first record that a locator means.

    Raises:
        SalesforceError: INVALID_QUERY_LOCATOR.
    """
    if not text:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise invalid_locator() from error
    if start < 0:
        raise invalid_locator()
    return start


class BulkJobs:
    """The query jobs of one org."""

    def __init__(self, store: SalesforceStore, queries: Queries) -> None:
        self.store, self.queries = store, queries
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._spoolers = ThreadPoolExecutor(1, thread_name_prefix="bulk")

    def close(self) -> None:
        """Forget every job and its file."""
        self._spoolers.shutdown(cancel_futures=True)
        for job in self._jobs.values():
            job.close()

    def create(self, request: dict[str, Any], version: str) -> dict[str, Any]:
        """A new job for `{"operation": "query"|"queryAll", "query": SOQL}`.

        Raises:
            SalesforceError: what Bulk 2.0 does not support, or the SOQL's own error.
        """
        operation = request.get("operation")
        if operation not in {"query", "queryAll"}:
            raise SalesforceError(400, "INVALIDOPERATION", f"Invalid operation: {operation}")
        if (
            request.get("contentType", "CSV") != "CSV"
            or request.get("columnDelimiter", "COMMA") != "COMMA"
            or request.get("lineEnding", "LF") != "LF"
        ):
            raise bad_request("the sandbox gives CSV with commas and LF")
        soql = str(request.get("query", ""))
        query, statement = self.queries.prepare(soql, include_deleted=operation == "queryAll")
        if query.is_count or query.offset:
            raise bad_request("Aggregate queries, GROUP BY and OFFSET are not supported in Bulk Query")
        if not OBJECTS[statement.entity].bulk:
            raise SalesforceError(
                400, "INVALIDENTITY", f"Entity '{statement.entity}' is not supported by the Bulk API."
            )
        if any(column.type == "address" for column in statement.columns):
            raise bad_request("Selecting compound data not supported in Bulk Query")
        job_id = to_18(f"7505g{next(self._numbers):010d}")
        job = self._jobs[job_id] = Job(
            id=job_id,
            operation=operation,
            soql=soql,
            version=version,
            statement=statement,
            created=self.store.stamp_now(),
        )
        job.spooled = self._spoolers.submit(self._spool, job)
        return self.describe(job)

    def describe(self, job: Job) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": job.id,
            "operation": job.operation,
            "object": job.statement.entity,
            "createdById": INTEGRATION_USER_ID,
            "createdDate": rest_datetime(job.created),
            "systemModstamp": rest_datetime(self.store.stamp_now()),
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version.removeprefix("v")),
            "jobType": "V2Query",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if job.state in DONE:
            answer |= {
                "numberRecordsProcessed": job.records,
                "retries": 0,
                "totalProcessingTime": 1,
                "isPkChunkingSupported": True,
            }
        return answer | ({"errorMessage": job.error} if job.error else {})

    def get(self, job_id: str, version: str) -> Job:
        """The job.

        Raises:
            SalesforceError: 404, or 409 for another API version than it was made with (get results; the code is our guess).
        """
        job = self._jobs.get(to_18(job_id))
        if job is None or job.created < (self.store.clock.now() - KEPT).strftime(STAMP):
            raise not_found()
        if job.version != version:
            raise SalesforceError(
                409, "INVALIDVERSION", f"the job was created with API version {job.version}"
            )
        return job

    def poll(self, job_id: str, version: str) -> dict[str, Any]:
        """The job's status; each call moves it on: InProgress for some polls, then the outcome that is switched on."""
        job, switches = self.get(job_id, version), self.store.switches
        if job.state not in DONE:
            job.polls += 1
            job.state = "InProgress" if job.polls <= switches.bulk_polls else switches.bulk_outcome
            if job.state == "JobComplete" and not self._is_spooled(job):
                job.state = "InProgress"
            elif job.state == "Failed":
                job.error = "InternalServerError : Retried more than 15 times"
        return self.describe(job)

    def _is_spooled(self, job: Job) -> bool:
        if job.spooled is None:
            return False
        try:
            job.spooled.result(PATIENCE_SECONDS)
        except TimeoutError:
            return False
        return True

    def _spool(self, job: Job) -> None:
        """Write the whole result once, batch by batch, so that other calls are served meanwhile."""
        columns = job.statement.columns
        job.header = (",".join(f'"{name}"' for name in csv_header(columns)) + "\n").encode()
        job.file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the job
        job.starts.append(0)
        cursor, line = self.queries.open(job.statement, BATCH), csv_line_sql(columns)
        for start in range(0, cursor.total, BATCH):
            lines, sizes = self.queries.joined(cursor, start, start + BATCH, line)
            job.file.write(lines)
            job.starts.extend(itertools.accumulate(sizes, initial=job.starts.pop()))
        self.queries.close(cursor)
        job.file.flush()

    def results(self, job_id: str, version: str, at: str | None, max_records: int | None) -> Slice:
        """A page of the CSV, as often as it is asked for: locators stay while the job does (get results)."""
        job = self._complete(job_id, version)
        start = start_of(at)
        end = min(start + (max_records or self.store.switches.bulk_page_records), job.records)
        file = job.file
        if file is None or start > job.records:
            raise invalid_locator()
        low, high = job.starts[start], job.starts[end]
        body = os.pread(file.fileno(), high - low, low)  # several readers: none moves the file's position
        return Slice(
            body=job.header + body, records=end - start, locator=locator(end) if end < job.records else "null"
        )

    def result_pages(self, job_id: str, version: str, at: str | None) -> dict[str, Any]:
        """Up to five result URLs that may be read in parallel, and where the next five are."""
        job = self._complete(job_id, version)
        base = f"/services/data/{version}/jobs/query/{job.id}"
        size = self.store.switches.bulk_page_records
        starts = list(range(start_of(at), max(job.records, 1), size))
        pages = [
            {"resultUrl": f"{base}/results?locator={locator(s)}&maxRecords={size}"}
            for s in starts[:PAGES_AT_ONCE]
        ]
        answer: dict[str, Any] = {"resultPages": pages, "done": len(starts) <= PAGES_AT_ONCE}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{base}/resultPages?locator={locator(starts[PAGES_AT_ONCE])}"
        return answer

    def _complete(self, job_id: str, version: str) -> Job:
        job = self.get(job_id, version)
        if job.state != "JobComplete":
            raise SalesforceError(
                400, "INVALIDJOBSTATE", f"the job is {job.state}: results are there once it is JobComplete"
            )
        return job

    def abort(self, job_id: str, version: str) -> dict[str, Any]:
        """PATCH {"state": "Aborted"}, while it is not done (abort a query job; the code INVALIDJOBSTATE is our guess)."""
        job = self.get(job_id, version)
        if job.state in DONE:
            raise SalesforceError(
                400, "INVALIDJOBSTATE", f"the job is {job.state}: it can't be aborted any more"
            )
        job.state = "Aborted"
        return self.describe(job)

    def delete(self, job_id: str, version: str) -> None:
        """Job and results are gone; a job that still runs is refused (delete a query job)."""
        job = self.get(job_id, version)
        if job.state not in DONE:
            raise SalesforceError(400, "INVALIDJOBSTATE", "abort the job before you delete it")
        del self._jobs[job.id]
        job.close()

    def all(self) -> list[dict[str, Any]]:
        return [self.describe(job) for job in self._jobs.values()]
