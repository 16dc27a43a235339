"""SOQL: what its words mean, and what it does not take."""

from datetime import timedelta

import pytest

from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.querying import Queries

from .stores import NOW, a_store, ids
from .trees import ACCOUNTS


@pytest.mark.parametrize(
    ("literal_text", "days"),
    [
        ("TODAY", [0]),
        ("YESTERDAY", [1]),
        ("LAST_N_DAYS:2", [0, 1, 2]),
        ("LAST_WEEK", [2, 3, 4, 5, 6, 7, 8]),
        ("THIS_MONTH", [0, 1, 2, 3]),
    ],
)
def test_date_literals_are_whole_days_in_utc(literal_text: str, days: list[int]) -> None:
    """On Monday 2026-05-04 each literal means these days before it."""
    stamps = [(NOW - timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%S") for n in range(40)]
    store = a_store([{"SystemModstamp": s} for s in stamps])
    assert [make_id("Case", n) for n in days] == ids(
        store, f"SELECT Id FROM Case WHERE SystemModstamp = {literal_text} ORDER BY Id"
    )
    store.close()


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FRO Case", "MALFORMED_QUERY", "unexpected token: 'FRO'"),
        ("SELECT Id FROM Case WHERE", "MALFORMED_QUERY", "'<EOF>'"),
        (
            "SELECT Id FROM Case WHERE Status = 'a' AND Status = 'b' OR Status = 'c'",
            "MALFORMED_QUERY",
            "unexpected token",
        ),
        ("SELECT Status, COUNT(Id) FROM Case GROUP BY Status", "MALFORMED_QUERY", "unexpected token"),
        ('SELECT Id FROM Case WHERE Subject = "x"', "MALFORMED_QUERY", "no viable alternative at character"),
        ("SELECT Nope FROM Case", "INVALID_FIELD", "No such column 'Nope' on entity 'Case'"),
        ("SELECT Id, Account.Nope FROM Case", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Nope.Name FROM Case", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Id FROM Case WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Case WHERE Description = null", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Case ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT Id FROM Case WHERE Id = '12'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: 12"),
        ("SELECT Id FROM Case WHERE IsClosed > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        (
            "SELECT Id FROM Case WHERE CreatedDate LIKE 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator",
        ),
        (
            "SELECT Id FROM Case WHERE Status INCLUDES ('x')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Case WHERE Status = TODAY", "INVALID_FIELD", "must be of type picklist"),
        ("SELECT Id FROM Case OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-13-01T00:00:00Z",
            "MALFORMED_QUERY",
            "invalid date time",
        ),
        ("SELECT Parent.Parent.Parent.Parent.Parent.Parent.Id FROM Case", "INVALID_FIELD", "depth"),
    ],
)
def test_what_soql_does_not_take_is_named(soql: str, code: str, words: str) -> None:
    """Each mistake is answered 400 with Salesforce's error code."""
    with pytest.raises(SalesforceError) as caught:
        Queries(a_store()).first_page(soql, include_deleted=True, version="v67.0", batch_size=None)
    assert (400, code) == (caught.value.status, caught.value.code)
    assert words in caught.value.message


def test_keywords_and_names_take_any_case() -> None:
    """`select ID from CASE` finds the field by its own name."""
    store = a_store([{"Status": "New"}])
    answer = Queries(store).first_page(
        "select ID, sTATUS from CASE where STATUS = 'NEW'",
        include_deleted=True,
        version="v67.0",
        batch_size=None,
    )
    assert {"attributes", "Id", "Status"} == set(answer["records"][0])


def test_semi_and_anti_joins() -> None:
    """IN and NOT IN over a query of another object."""
    store = a_store([{"AccountId": a} for a in ACCOUNTS])
    inner = "SELECT Id FROM Account WHERE Name = 'NEW'"
    assert [make_id("Case", 1)] == ids(store, f"SELECT Id FROM Case WHERE AccountId IN ({inner})")
    assert [make_id("Case", 2), make_id("Case", 3)] == ids(
        store, f"SELECT Id FROM Case WHERE AccountId NOT IN ({inner}) ORDER BY Id"
    )


def test_nulls_stand_where_they_are_told() -> None:
    """NULLS FIRST is the default; NULLS LAST moves them."""
    store = a_store([{"Units_Affected__c": v} for v in (2.0, None, 1.0)])
    first = [make_id("Case", n) for n in (1, 2, 0)]
    assert first == ids(store, "SELECT Id FROM Case ORDER BY Units_Affected__c")
    assert [*first[1:], first[0]] == ids(store, "SELECT Id FROM Case ORDER BY Units_Affected__c NULLS LAST")
