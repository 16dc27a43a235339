"""Shell: one org as the routes see it: its store, sessions, open queries and Bulk jobs."""

from __future__ import annotations

from starlette.requests import Request

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.bulk import BulkJobs
from case_sync_sandbox.salesforce.errors import SalesforceError, invalid_session
from case_sync_sandbox.salesforce.oauth import Sessions
from case_sync_sandbox.salesforce.querying import Queries
from case_sync_sandbox.salesforce.store import SalesforceStore


class SalesforceApi:
    """What the routes work with: the store, the sessions, the open queries and the Bulk jobs of one org."""

    def __init__(self, database: str, clock: Clock) -> None:
        self.clock = clock
        self.store = SalesforceStore(database, clock)
        self.sessions = Sessions(clock)
        self.queries = Queries(self.store)
        self.jobs = BulkJobs(self.store, self.queries)
        self.calls = 0

    def reset(self) -> None:
        self.queries.forget()
        self.store.reset()
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
            SalesforceError: INVALID_SESSION_ID, or REQUEST_LIMIT_EXCEEDED.
        """
        if not self.sessions.holds(request.headers.get("authorization", "")):
            raise invalid_session()
        self.calls += 1
        message = self.store.switches.limit_message
        if message is None and self.calls > self.store.switches.daily_limit:
            message = "TotalRequests Limit exceeded."
        if message:
            raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", message)
        self.store.commit_due()
