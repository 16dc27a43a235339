"""Referee: simple-salesforce, a public client that we did not write, reads the sandbox as it reads Salesforce.

It insists on the vendor's hosts and on https: its requests are sent to the sandbox at the transport.
"""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceOperationError as JobError

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Org, as_csv, as_rest, fields_of

# What our tap reads of the records around a case.
PARENTS = [
    "RecordType.Name",
    "Owner.Name",
    "Owner.Type",
    "Account.Name",
    "Contact.Email",
    "Parent.CaseNumber",
]


class ToSandbox(HTTPAdapter):
    """Sends each request to the sandbox, whatever host it names."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._sandbox = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        path = urlsplit(request.url or "")
        request.url = urlunsplit(path._replace(scheme="http", netloc=self._sandbox.netloc))
        return super().send(request, *args, **options)


def to_sandbox(sandbox: RunningSandbox) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", ToSandbox(sandbox.salesforce_url))
    return session


@pytest.fixture
def client(org: Org) -> Salesforce:
    """simple-salesforce, logged in with client credentials, which it sends as a Basic header."""
    org.sandbox.mutate(edits=5, deletes=7, merges=2)
    return Salesforce(
        consumer_key="sandbox-client",
        consumer_secret="sandbox-secret",
        domain="firm.my",
        version="67.0",
        session=to_sandbox(org.sandbox),
    )


def select(names: list[str]) -> str:
    return f"SELECT {', '.join(names)} FROM Case"


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in rows}


def test_simple_salesforce_reads_every_field_that_describe_lists(org: Org, client: Salesforce) -> None:
    """describe, then query_all over pages of 200: each stored case, deleted ones too, with each of its values."""
    types = {f["name"]: f["type"] for f in client.Case.describe()["fields"]}
    pages = {"Sforce-Query-Options": "batchSize=200"}
    found = client.query_all(select(list(types)), include_deleted=True, headers=pages)
    assert (found["totalSize"], found["done"]) == (300, True)
    assert by_id([as_rest(r, types) for r in org.stored()]) == by_id([fields_of(r) for r in found["records"]])
    live = client.query_all("SELECT Id FROM Case")["records"]
    assert {r["Id"] for r in org.stored() if not r["IsDeleted"]} == {r["Id"] for r in live}


def test_simple_salesforce_reads_parents_nested(org: Org, client: Salesforce) -> None:
    """Account, contact, owner, record type and parent hang below their relationships, null where there is none."""
    accounts, contacts = by_id(org.stored("Account")), by_id(org.stored("Contact"))
    found = by_id(client.query_all(select(["Id", *PARENTS]), include_deleted=True)["records"])
    assert len(found) == 300
    for case in org.stored():
        seen = found[case["Id"]]
        assert (accounts[case["AccountId"]]["Name"] if case["AccountId"] else None) == (
            seen["Account"] and seen["Account"]["Name"]
        )
        assert (contacts[case["ContactId"]]["Email"] if case["ContactId"] else None) == (
            seen["Contact"] and seen["Contact"]["Email"]
        )
        assert (case["ParentId"] is None) == (seen["Parent"] is None)


def test_simple_salesforce_reads_the_same_with_bulk_2(org: Org, client: Salesforce) -> None:
    """bulk2 over several result pages gives the same rows as CSV, newlines, quotes and unicode whole."""
    types = org.types()
    pages = list(client.bulk2.Case.query_all(select([*types, *PARENTS]), max_records=70, wait=0.01))
    assert len(pages) == 5
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    assert {"Account.Name", "Parent.CaseNumber"} <= set(rows[0])
    assert len(rows) == 300
    assert by_id([as_csv(r, types) for r in org.stored()]) == by_id(
        [{name: r[name] for name in types} for r in rows]
    )


def test_simple_salesforce_asks_for_deleted_and_updated_cases(org: Org, client: Salesforce) -> None:
    """Get Deleted names the deleted ids, Get Updated the changed live ones."""
    start, end = org.now() - timedelta(hours=1), org.now() + timedelta(minutes=2)
    deleted = client.Case.deleted(start, end)
    assert {r["Id"] for r in org.stored() if r["IsDeleted"]} == {r["id"] for r in deleted["deletedRecords"]}
    assert len(client.Case.updated(start, end)["ids"]) >= 5 + 2


def test_simple_salesforce_understands_the_refusals(org: Org, client: Salesforce) -> None:
    """A hidden field, a failed job and a wrong secret are the client's own errors; an expired session is renewed."""
    assert client.query("SELECT COUNT() FROM Case")["totalSize"] == 300 - 7 - 2
    assert client.api_usage["api-usage"].total == 100_000
    org.act("expire-tokens")
    assert client.query("SELECT Priority FROM Case LIMIT 1")["totalSize"] == 1
    org.switch(hidden_fields=[["Case", "Priority"]], bulk_outcome="Failed")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Priority FROM Case")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(JobError, match="Retried more than 15 times"):
        list(client.bulk2.Case.query("SELECT Id FROM Case", wait=0.01))
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        Salesforce(
            consumer_key="sandbox-client",
            consumer_secret="wrong",
            domain="firm.my",
            session=to_sandbox(org.sandbox),
        )


def test_simple_salesforce_logs_in_with_a_key(org: Org) -> None:
    """The client's JWT, whose exp is a text, opens a session."""
    key = org.act("jwt-key")
    client = Salesforce(
        username=key["username"],
        consumer_key=key["client_id"],
        privatekey=key["private_key"],
        session=to_sandbox(org.sandbox),
    )
    assert client.query("SELECT Id FROM Case LIMIT 3")["totalSize"] == 3
