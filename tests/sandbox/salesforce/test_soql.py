"""SOQL: parsing, and SQL that finds what a plain reading of the condition finds."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.querying import Queries
from case_sync_sandbox.salesforce.soql import (
    Compare,
    Condition,
    Logic,
    Membership,
    Ordering,
    Path,
    Query,
    Value,
    parse,
)
from case_sync_sandbox.salesforce.store import SalesforceStore

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TEXTS = ["New", "new", "50%", "5_0", "50", "it's", 'say "x"', "a\\b", "line\nbreak", "zürich", ""]
ACCOUNTS = [None, *(make_id("Account", n) for n in (1, 2, 3))]
names = st.sampled_from(
    [
        "Id",
        "Status",
        "Subject",
        "AccountId",
        "Account.Name",
        "IsClosed",
        "Units_Affected__c",
        "SystemModstamp",
    ]
)


# -- printing a tree as SOQL


def text_of(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def print_value(value: Value) -> str:
    if value.kind == "string":
        return text_of(value.value)
    if value.kind == "date_literal":
        return value.value + (f":{value.count}" if value.count else "")
    return (
        {True: "true", False: "false", None: "null"}.get(value.value, str(value.value))
        if value.kind in {"boolean", "null"}
        else str(value.value)
    )


def print_condition(c: Condition) -> str:
    if isinstance(c, Compare):
        right = (
            "'" + c.value.value.replace("'", "\\'") + "'" if c.operator == "LIKE" else print_value(c.value)
        )
        return f"{c.path} {c.operator} {right}"
    if isinstance(c, Membership):
        inner = print_query(c.query) if c.query else ", ".join(map(print_value, c.values))
        return f"{c.path} {c.kind} ({inner})"
    terms = [f"({print_condition(t)})" for t in c.terms]
    return f"NOT {terms[0]}" if c.kind == "NOT" else f" {c.kind} ".join(terms)


def print_query(q: Query) -> str:
    parts = [f"SELECT {', '.join(map(str, q.fields)) or 'COUNT()'} FROM {q.entity}"]
    if q.where:
        parts.append("WHERE " + print_condition(q.where))
    if q.order:
        parts.append(
            "ORDER BY "
            + ", ".join(
                f"{o.path} {'DESC' if o.descending else 'ASC'} NULLS {'LAST' if o.nulls_last else 'FIRST'}"
                for o in q.order
            )
        )
    if q.limit is not None:
        parts.append(f"LIMIT {q.limit}")
    if q.offset:
        parts.append(f"OFFSET {q.offset}")
    return " ".join(parts)


def path(text: str) -> Path:
    return Path(hops=tuple(text.split(".")), column=0)


def without_columns(tree: Any) -> str:
    """A tree without the places of its names in the text."""
    return re.sub(r"column=\d+", "", repr(tree))


# -- trees


def value(kind: str, inner: Any) -> st.SearchStrategy[Value]:
    return inner.map(lambda v: Value(kind=kind, value=v))


texts = value("string", st.sampled_from(TEXTS))
numbers = value("number", st.integers(-3, 3))
moments = value(
    "datetime",
    st.sampled_from(["2026-05-03T12:00:00Z", "2026-05-03T12:00:00.000Z", "2026-05-04T02:00:00+02:00"]),
)
null = st.just(Value(kind="null", value=None))
equality, order = st.sampled_from(["=", "!="]), st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def compare(
    fields: list[str], operators: st.SearchStrategy[str], values: st.SearchStrategy[Value]
) -> st.SearchStrategy[Condition]:
    return st.builds(
        lambda f, o, v: Compare(path=path(f), operator=o, value=v), st.sampled_from(fields), operators, values
    )


def member(
    fields: list[str], kinds: list[str], values: st.SearchStrategy[Value]
) -> st.SearchStrategy[Condition]:
    return st.builds(
        lambda f, k, v: Membership(path=path(f), kind=k, values=tuple(v)),
        st.sampled_from(fields),
        st.sampled_from(kinds),
        st.lists(values, min_size=1, max_size=3),
    )


account_ids = value("string", st.sampled_from([a for a in ACCOUNTS if a]))
leaves = st.one_of(
    compare(["Status", "Account.Name"], order, texts),
    compare(["Status", "Account.Name", "Units_Affected__c", "AccountId"], equality, null),
    compare(["Units_Affected__c"], order, numbers),
    compare(["IsClosed"], equality, value("boolean", st.booleans())),
    compare(["SystemModstamp"], order, moments),
    compare(
        ["AccountId"],
        equality,
        account_ids | account_ids.map(lambda v: Value(kind="string", value=v.value[:15])),
    ),
    compare(
        ["Status"],
        st.just("LIKE"),
        value("string", st.sampled_from(["50\\%", "5%", "5\\_0", "_ew", "%", "N%w", "z_rich"])),
    ),
    member(["Status", "Account.Name"], ["IN", "NOT IN"], texts),
    member(["Topics__c"], ["INCLUDES", "EXCLUDES"], value("string", st.sampled_from(["A", "B", "A;B", "C"]))),
)
conditions = st.recursive(
    leaves,
    lambda inner: (
        st.builds(
            lambda k, t: Logic(kind=k, terms=tuple(t)),
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=3),
        )
        | st.builds(lambda t: Logic(kind="NOT", terms=(t,)), inner)
    ),
    max_leaves=5,
)
queries = st.builds(
    lambda f, w, o, limit, offset: Query(
        fields=tuple(map(path, f)), entity="Case", where=w, order=tuple(o), limit=limit, offset=offset
    ),
    st.lists(names, max_size=3),
    st.none() | conditions,
    st.lists(
        st.builds(
            lambda n, d, last: Ordering(path=path(n), descending=d, nulls_last=last),
            names,
            st.booleans(),
            st.booleans(),
        ),
        max_size=2,
    ),
    st.none() | st.integers(1, 50),
    st.integers(0, 20),
)
rows = st.fixed_dictionaries(
    {
        "Status": st.none() | st.sampled_from([t for t in TEXTS if t]),
        "AccountId": st.sampled_from(ACCOUNTS),
        "Units_Affected__c": st.none() | st.integers(-3, 3).map(float),
        "IsClosed": st.integers(0, 1),
        "IsDeleted": st.integers(0, 1),
        "Topics__c": st.sampled_from([None, "A", "B", "A;B", "C;A"]),
        "SystemModstamp": st.sampled_from(
            ["2026-05-03T11:59:59", "2026-05-03T12:00:00", "2026-05-04T00:00:00"]
        ),
    }
)


# -- what a condition means, read plainly

ACCOUNT_NAMES = {make_id("Account", 1): "new", make_id("Account", 2): "zürich", make_id("Account", 3): None}


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
        re.escape(pattern).replace("\\%", "%"),
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


@given(queries)
def test_a_printed_query_parses_to_the_same_tree(query: Query) -> None:
    """parse(print(tree)) == tree."""
    assert without_columns(query) == without_columns(parse(print_query(query)))


@settings(deadline=None, max_examples=150)
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
