"""SOQL: parsing, and SQL that finds what a plain reading of the condition finds."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.querying import Queries
from case_sync_sandbox.salesforce.soql import (
    Compare,
    Condition,
    Logic,
    Membership,
    Path,
    Query,
    Value,
    parse,
)

from .stores import ACCOUNT_NAMES, a_store, ids
from .trees import ACCOUNTS, conditions, print_condition, print_query, queries, rows, without_columns


def fold(v: Any) -> Any:
    return v.lower() if isinstance(v, str) else v


def got(row: dict, p: Path) -> Any:
    if str(p) == "Account.Name":
        return ACCOUNT_NAMES.get(row["AccountId"])
    found = row[str(p)]
    return bool(found) if str(p).startswith("Is") else found


def literal(p: Path, v: Value) -> Any:
    if v.kind == "datetime":
        return datetime.fromisoformat(v.value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return next(a for a in ACCOUNTS if a and a[:15] == v.value[:15]) if str(p) == "AccountId" else v.value


def like(pattern: str, text: str) -> bool:
    regex = re.sub(
        r"\\\\([%_])|(%)|(_)",
        lambda m: re.escape(m[1]) if m[1] else (".*" if m[2] else "."),
        re.escape(pattern),
    )
    return re.fullmatch(regex, text, re.IGNORECASE | re.DOTALL) is not None


def holds(c: Condition, row: dict) -> bool:
    if isinstance(c, Logic):
        results = [holds(t, row) for t in c.terms]
        return {"AND": all(results), "OR": any(results), "NOT": not results[0]}[c.kind]
    found = got(row, c.path)
    if isinstance(c, Membership):
        return member_holds(c, found)
    if c.value.kind == "null":
        return (found is None) == (c.operator == "=")
    if found is None:
        return c.operator == "!="
    if c.operator == "LIKE":
        return like(c.value.value, found)
    a, b = fold(found), fold(literal(c.path, c.value))
    return {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[c.operator]


def member_holds(c: Membership, found: Any) -> bool:
    if c.kind in {"IN", "NOT IN"}:
        if found is None:
            return False
        return (fold(found) in [fold(v.value) for v in c.values]) == (c.kind == "IN")
    has = set((found or "").split(";"))
    return any(set(v.value.split(";")) <= has for v in c.values) == (c.kind == "INCLUDES")


@given(queries)
def test_a_printed_query_parses_to_the_same_tree(query: Query) -> None:
    """parse(print(tree)) == tree."""
    assert without_columns(query) == without_columns(parse(print_query(query)))


@settings(deadline=None, max_examples=150)
@example(
    [
        dict.fromkeys(("Status", "AccountId", "Units_Affected__c", "Topics__c"))
        | {"Status": "50%", "IsClosed": 0, "IsDeleted": 0, "SystemModstamp": "2026-05-03T11:59:59"}
    ],
    Compare(
        path=Path(hops=("Status",), column=0),
        operator="LIKE",
        value=Value(kind="string", value="50\\%", count=0),
    ),
)
@given(st.lists(rows, max_size=8), conditions)
def test_sql_finds_what_the_condition_says(found: list[dict], condition: Condition) -> None:
    """SQLite finds the rows for which the condition holds when it is read plainly, row by row."""
    store = a_store(found)
    expected = [make_id("Case", n) for n, row in enumerate(found) if holds(condition, row)]
    assert expected == ids(store, f"SELECT Id FROM Case WHERE {print_condition(condition)} ORDER BY Id")
    store.close()


@settings(deadline=None)
@given(
    st.lists(rows, max_size=12),
    st.integers(0, 12),
    st.sampled_from(["2026-05-03T11:59:59Z", "2026-05-03T12:00:00Z"]),
)
def test_the_keyset_condition_skips_no_tie(found: list[dict], number: int, moment: str) -> None:
    """Rows after (stamp, id) are those with a later stamp, or the same one and a greater id."""
    store, last = a_store(found), make_id("Case", number)
    keyed = sorted((r["SystemModstamp"], make_id("Case", n)) for n, r in enumerate(found))
    where = f"((SystemModstamp = {moment} AND Id > '{last}') OR SystemModstamp > {moment}) AND SystemModstamp < 2027-01-01T00:00:00Z"
    assert [i for s, i in keyed if (s, i) > (moment[:-1], last)] == ids(
        store, f"SELECT Id FROM Case WHERE {where} ORDER BY SystemModstamp, Id"
    )
    store.close()


@pytest.mark.parametrize("every", [True, False])
def test_the_keyset_condition_is_served_by_the_index(every: bool) -> None:
    """SQLite searches (never scans) for a page after (stamp, id), and sorts nothing."""
    soql = (
        "SELECT Id, Subject, Account.Name, Owner.Name FROM Case WHERE (SystemModstamp = 2026-01-01T00:00:00Z AND Id > '500000000000000') "
        "OR SystemModstamp > 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id LIMIT 2000"
    )
    store = a_store()
    _, statement = Queries(store).prepare(soql, include_deleted=every)
    plan = [r[3] for r in store.rows("EXPLAIN QUERY PLAN " + statement.sql, statement.parameters)]
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan
