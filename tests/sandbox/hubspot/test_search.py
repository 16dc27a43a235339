"""Search: filters against a plain reading of the same records, limits, paging, and the lag of the index."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.hubspot.answer_search import contains_token
from case_sync_sandbox.hubspot.errors import HubSpotError
from case_sync_sandbox.hubspot.metadata import Property
from case_sync_sandbox.hubspot.search_filters import OPERATORS, read_search

SEARCH = "/crm/objects/2026-09/companies/search"
TICKETS = "/crm/objects/2026-09/tickets/search"
COMPANIES = [
    {"name": "Alpha Pumps", "domain": "Alpha.example", "founded": "1999"},
    {"name": "Beta Valves", "domain": "beta.example", "founded": "2005"},
    {"name": "Gamma", "founded": "20050"},
    {"name": "alpha", "domain": "x.example"},
]


@pytest.fixture
def filled(portal: Any) -> Any:
    """A portal with four companies, of which one has no domain and one no year."""
    portal.add_property("founded", "companies", type="number", fieldType="number")
    portal.load(companies=COMPANIES)
    return portal


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(r["properties"]["name"] for r in answer.json()["results"])


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({"propertyName": "name", "operator": "EQ", "value": "ALPHA"}, ["alpha"]),
    (
        {"propertyName": "name", "operator": "NEQ", "value": "alpha"},
        ["Alpha Pumps", "Beta Valves", "Gamma"],
    ),
    ({"propertyName": "founded", "operator": "GT", "value": "2005"}, ["Gamma"]),
    ({"propertyName": "founded", "operator": "GTE", "value": "2005"}, ["Beta Valves", "Gamma"]),
    ({"propertyName": "founded", "operator": "LT", "value": "2005"}, ["Alpha Pumps"]),
    ({"propertyName": "founded", "operator": "LTE", "value": "2005.0"}, ["Alpha Pumps", "Beta Valves"]),
    (
        {"propertyName": "founded", "operator": "BETWEEN", "value": "1999", "highValue": "2010"},
        ["Alpha Pumps", "Beta Valves"],
    ),
    (
        {"propertyName": "domain", "operator": "IN", "values": ["alpha.example", "beta.example"]},
        ["Alpha Pumps", "Beta Valves"],
    ),
    (
        {"propertyName": "domain", "operator": "NOT_IN", "values": ["alpha.example"]},
        ["Beta Valves", "alpha"],
    ),
    ({"propertyName": "domain", "operator": "NOT_HAS_PROPERTY"}, ["Gamma"]),
    ({"propertyName": "founded", "operator": "HAS_PROPERTY"}, ["Alpha Pumps", "Beta Valves", "Gamma"]),
    ({"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "alpha"}, ["Alpha Pumps", "alpha"]),
    ({"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "*alve*"}, ["Beta Valves"]),
    (
        {"propertyName": "name", "operator": "NOT_CONTAINS_TOKEN", "value": "alpha"},
        ["Beta Valves", "Gamma"],
    ),
]


@pytest.mark.parametrize(("given_filter", "expected"), FOUND)
def test_each_operator_finds_what_it_says(filled: Any, given_filter: Any, expected: list[str]) -> None:
    """All thirteen operators over text and numbers; text is compared in lower case."""
    assert names(filled.post(SEARCH, {"filterGroups": [{"filters": [given_filter]}]})) == expected


def test_the_operators_above_are_all() -> None:
    """A new operator needs a line in the table above."""
    assert set(OPERATORS) == {one["operator"] for one, _ in FOUND}


def test_in_finds_nothing_by_upper_case_values(filled: Any) -> None:
    """IN on text wants lower-case values: the stored "Alpha.example" is found by "alpha.example" only."""
    for value, expected in (("Alpha.example", []), ("alpha.example", ["Alpha Pumps"])):
        one = {"propertyName": "domain", "operator": "IN", "values": [value]}
        assert names(filled.post(SEARCH, {"filterGroups": [{"filters": [one]}]})) == expected


def test_filters_are_joined_by_and_groups_by_or(filled: Any) -> None:
    """(domain set and founded before 2000) or name = gamma."""
    groups = [
        {
            "filters": [
                {"propertyName": "domain", "operator": "HAS_PROPERTY"},
                {"propertyName": "founded", "operator": "LT", "value": "2000"},
            ]
        },
        {"filters": [{"propertyName": "name", "operator": "EQ", "value": "gamma"}]},
    ]
    assert names(filled.post(SEARCH, {"filterGroups": groups})) == ["Alpha Pumps", "Gamma"]


def test_sorting_numbers_and_paging_show_each_once(filled: Any) -> None:
    """Numbers sort as numbers; pages of one give all in that order with the same total."""
    found, after = [], "0"
    while after:
        body = filled.post(
            SEARCH,
            {
                "filterGroups": [{"filters": [{"propertyName": "founded", "operator": "HAS_PROPERTY"}]}],
                "sorts": [{"propertyName": "founded", "direction": "DESCENDING"}],
                "limit": 1,
                "after": after,
            },
        ).json()
        assert body["total"] == 3
        found.append(body["results"][0]["properties"]["name"])
        after = body.get("paging", {}).get("next", {}).get("after")
    assert found == ["Gamma", "Beta Valves", "Alpha Pumps"]


def test_times_compare_as_times(portal: Any) -> None:
    """A filter in epoch milliseconds and one in ISO text cut at the same moment."""
    portal.load(
        tickets=[{"subject": str(n), "closed_date": f"2026-01-0{n}T00:00:00.000Z"} for n in range(1, 6)]
    )
    for value in ("1767398400000", "2026-01-03T00:00:00Z"):
        body = {
            "filterGroups": [
                {"filters": [{"propertyName": "closed_date", "operator": "GTE", "value": value}]}
            ]
        }
        assert portal.post(TICKETS, body).json()["total"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9999", "limit": 2},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 6}] * 4},
        {"filterGroups": [{"filters": [{"propertyName": "nope", "operator": "HAS_PROPERTY"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "EQ"}]}]},
        {"query": "x" * 3000},
    ],
)
def test_a_search_beyond_the_limits_is_refused(filled: Any, body: Any) -> None:
    """200 per page, 10,000 results, 5 groups, 6 filters in each, 18 in all, 3,000 characters, known names and operators."""
    assert filled.post(SEARCH, body).status_code == 400


def test_a_hundred_salesforce_ids_fit_into_one_search(portal: Any) -> None:
    """The body of a hundred 18-character ids is below 3,000 characters, and finds their companies."""
    portal.add_property("salesforceaccountid", "companies")
    ids = [f"001{n:012d}AAA" for n in range(100)]
    portal.load(companies=[{"name": one, "salesforceaccountid": one} for one in ids])
    wanted = {"propertyName": "salesforceaccountid", "operator": "IN", "values": [one.lower() for one in ids]}
    body = {
        "filterGroups": [{"filters": [wanted]}],
        "properties": ["salesforceaccountid", "name"],
        "limit": 200,
    }
    assert names(portal.post(SEARCH, body)) == ids


def test_the_index_lags_as_long_as_the_switch_says(portal: Any) -> None:
    """For so many seconds search sees a new ticket not at all and a changed one as it was; then it sees both."""
    portal.sandbox.admin("POST", "clock", {"freeze": "2026-01-31T12:00:00Z"})
    portal.upsert("old", subject="before")
    portal.sandbox.settings(search_lag_seconds=10)
    portal.upsert("old", subject="after")
    portal.upsert("new", subject="after")

    def found(subject: str) -> int:
        one = {"propertyName": "subject", "operator": "EQ", "value": subject}
        return int(portal.post(TICKETS, {"filterGroups": [{"filters": [one]}]}).json()["total"])

    assert (found("before"), found("after")) == (1, 0)
    portal.sandbox.admin("POST", "clock", {"advance": 9})
    assert (found("before"), found("after")) == (1, 0)
    portal.sandbox.admin("POST", "clock", {"advance": 1})
    assert (found("before"), found("after")) == (0, 2)


def test_archived_tickets_are_not_found(portal: Any) -> None:
    """Search never returns what is in the recycle bin."""
    portal.upsert("A1", subject="x")
    portal.call("DELETE", f"/crm/v3/objects/tickets/{portal.ticket('A1')['id']}")
    assert portal.post(TICKETS, {"query": "x"}).json()["total"] == 0


@given(st.text(), st.sampled_from(sorted(OPERATORS)), st.lists(st.text(), min_size=1, max_size=3))
def test_no_value_reaches_the_sql_text(value: str, operator: str, values: list[str]) -> None:
    """Whatever the values, they are bound parameters: the SQL is made of known words only."""
    properties = {"name": Property(name="name", label="Name")}
    one = {"propertyName": "name", "operator": operator, "value": value, "highValue": value, "values": values}
    try:
        search = read_search({"filterGroups": [{"filters": [one]}]}, 10, properties, lambda name: f"[{name}]")
    except HubSpotError as error:
        pytest.fail(f"a text value was refused: {error}")
    assert search.where.sql.count("?") == len(search.where.parameters)
    assert re.fullmatch(r"[\[\]a-zA-Z_ (),?<>=!]*", search.where.sql)


@given(st.text(), st.text(min_size=1))
def test_looking_for_a_word_never_fails(text: str, wanted: str) -> None:
    """Any text and any pattern, * included, end in yes or no; a text of one word contains itself."""
    assert contains_token(text, wanted) in (True, False)
    assert contains_token("pump", "pump")
    assert not contains_token(None, wanted)
