"""Shell: one org as the routes see it: its store, sessions, open queries and Bulk jobs."""

from __future__ import annotations

from starlette.requests import Request

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.bulk import BulkJobs
from case_sync_sandbox.salesforce.errors import SalesforceError, invalid_session
from case_sync_sandbox.salesforce.oauth import Sessions
from case_sync_sandbox.salesforce.querying import Queries
from case_sync_sandbox.salesforce.store import SalesforceStore

MAX_URI_AND_HEADERS = 16_384


class SalesforceApi:
    """What the routes work with: the store, the sessions, the open queries and the Bulk jobs of one org."""

    def __init__(self, database: str, clock: Clock) -> None:
        self.clock = clock
        self.store = SalesforceStore(database, clock)
        self.sessions = Sessions(clock)
        self.queries = Queries(self.store)
        self.jobs = BulkJobs(self.store, self.queries)
        self.calls = 0
        self.store.after_reset.append(self.forget)

    def forget(self) -> None:
        """No session, cursor or job outlives the org's data; the keys of JWT logins stay."""
        self.queries.forget()
        self.jobs.close()
        public_keys = self.sessions.public_keys
        self.sessions = Sessions(self.clock, public_keys=public_keys)
        self.jobs = BulkJobs(self.store, self.queries)
        self.calls = 0

    def limit_info(self) -> str:
        """`Sforce-Limit-Info`: used/allowed of the day, with or without the part of the one app (REST: limit info header)."""
        usage = f"api-usage={self.calls}/{self.store.switches.daily_limit}"
        return usage + (
            "; per-app-api-usage=17/250(appName=sandbox-client)" if self.store.switches.per_app_usage else ""
        )

    def admit(self, request: Request) -> None:
        """Session and quota, before anything else.

        Raises:
            SalesforceError: URI_TOO_LONG, INVALID_SESSION_ID, or REQUEST_LIMIT_EXCEEDED.
        """
        refuse_long(request)
        if not self.sessions.holds(request.headers.get("authorization", "")):
            raise invalid_session()
        self.calls += 1
        message = self.store.switches.limit_message
        if message is None and self.calls > self.store.switches.daily_limit:
            message = "TotalRequests Limit exceeded."
        if message:
            raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", message)
        self.store.commit_due()


def refuse_long(request: Request) -> None:
    """URI and headers together take at most 16,384 bytes (Salesforce KB 000386264); longer SOQL goes into Composite."""
    uri = len(request.url.path) + len(request.url.query)
    if uri + sum(len(name) + len(value) for name, value in request.headers.raw) > MAX_URI_AND_HEADERS:
        raise SalesforceError(414, "URI_TOO_LONG", "The length of the URI exceeds the 16,384 byte limit")
