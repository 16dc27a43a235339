"""A store that a test fills with rows of its own, and the ids that SOQL finds in it."""

from datetime import UTC, datetime

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.querying import Queries
from case_sync_sandbox.salesforce.store import SalesforceStore

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ACCOUNT_NAMES = {make_id("Account", 1): "new", make_id("Account", 2): "zürich", make_id("Account", 3): None}


def a_store(found: list[dict] | None = None) -> SalesforceStore:
    clock = Clock()
    clock.freeze(NOW)
    store = SalesforceStore(":memory:", clock)
    store.insert("Account", [{"Id": i, "Name": n} for i, n in ACCOUNT_NAMES.items()])
    store.insert("Case", [{**r, "Id": make_id("Case", n)} for n, r in enumerate(found or [])])
    return store


def ids(store: SalesforceStore, soql: str, *, every: bool = True) -> list[str]:
    answer = Queries(store).first_page(soql, include_deleted=every, version="v67.0", batch_size=None)
    return [r["Id"] for r in answer["records"]]
