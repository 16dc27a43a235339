"""SOQL trees to test with: how one is printed, and Hypothesis strategies that make them and rows for them."""

import re
from typing import Any

from hypothesis import strategies as st

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.soql import (
    Compare,
    Condition,
    Logic,
    Membership,
    Ordering,
    Path,
    Query,
    Value,
)

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
