"""Core: SOQL conditions as SQL: comparisons, lists, semi-joins, multi-select picklists and date literals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from case_sync_sandbox.salesforce.errors import SalesforceError, malformed
from case_sync_sandbox.salesforce.ids import to_18
from case_sync_sandbox.salesforce.schema import UNFILTERABLE
from case_sync_sandbox.salesforce.soql import Compare, Condition, Logic, Membership, Path, Query, Value
from case_sync_sandbox.salesforce.soql_scope import STAMP, Column, Scope, find_object


def condition_sql(condition: Condition, scope: Scope) -> str:
    if isinstance(condition, Compare):
        return compare_sql(condition, scope)
    if isinstance(condition, Membership):
        return membership_sql(condition, scope)
    if (keyset := keyset_sql(condition, scope)) is not None:
        return keyset
    terms = [condition_sql(term, scope) for term in condition.terms]
    if condition.kind == "NOT":
        return f"NOT COALESCE({terms[0]}, 0)"
    return "(" + f" {condition.kind} ".join(terms) + ")"


def keyset_sql(condition: Logic, scope: Scope) -> str | None:
    """`(a = x AND b > y) OR a > x` as one row comparison, which SQLite's index serves; None for any other condition.

    It is how a reader goes on after a row without skipping ties; as an OR it would scan the table at each page.
    """
    match condition.terms:
        case (
            Logic(kind="AND", terms=(Compare(operator="=") as tie, Compare(operator=">") as rest)),
            Compare(operator=">") as after,
        ) if condition.kind == "OR" and (tie.path.hops, tie.value) == (after.path.hops, after.value):
            pair = (tie, rest)
        case _:
            return None
    columns = [scope.column(term.path) for term in pair]
    if any(c.type not in {"id", "datetime"} for c in columns) or any(
        t.value.kind not in {"string", "datetime"} for t in pair
    ):
        return None
    marks = [scope.bind(literal(c, t.value, t.path)) for c, t in zip(columns, pair, strict=True)]
    return f"({', '.join(c.sql for c in columns)}) > ({', '.join(marks)})"


def compare_sql(condition: Compare, scope: Scope) -> str:
    column = filtered(condition.path, scope)
    operator, value = condition.operator, condition.value
    if value.kind == "null":
        return null_sql(column, operator, condition.path)
    if operator == "LIKE":
        return like_sql(column, condition, scope)
    if column.type in UNORDERED and operator not in {"=", "!="}:
        raise invalid_operator(column, condition.path)
    if value.kind == "date_literal":
        return date_literal_sql(column, operator, value, scope, condition.path)
    bound = scope.bind(literal(column, value, condition.path))
    if operator == "!=":  # SOQL's != finds rows without a value, too
        return f"({column.sql} IS NULL OR {column.sql} <> {bound})"
    return f"{column.sql} {operator} {bound}"


# SOQL reference: comparison operators. A checkbox and a multi-select picklist have no order.
UNORDERED = {"boolean", "multipicklist"}


def filtered(path: Path, scope: Scope) -> Column:
    """The column of a condition.

    Raises:
        SalesforceError: INVALID_FIELD for a long text, which SOQL filters by no operator, not even for null.
    """
    column = scope.column(path)
    if column.type in UNFILTERABLE:
        raise SalesforceError(400, "INVALID_FIELD", f"field '{path}' can not be filtered in a query call")
    return column


def invalid_operator(column: Column, path: Path) -> SalesforceError:
    return SalesforceError(
        400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {column.type} field '{path}'"
    )


def like_sql(column: Column, condition: Compare, scope: Scope) -> str:
    """LIKE is for texts; a backslash before % or _ takes its meaning away (SOQL reference: LIKE)."""
    if column.type in {*ACCEPTS, "id", "reference", "multipicklist"}:
        raise invalid_operator(column, condition.path)
    return f"{column.sql} LIKE {scope.bind(condition.value.value)} ESCAPE '\\'"


def null_sql(column: Column, operator: str, path: Path) -> str:
    if operator not in {"=", "!="}:
        raise SalesforceError(
            400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on null value for '{path}'"
        )
    return f"{column.sql} IS {'NOT ' if operator == '!=' else ''}NULL"


ACCEPTS = {  # field type -> kinds of literal that SOQL takes for it; others take strings
    "boolean": {"boolean"},
    "int": {"number"},
    "double": {"number"},
    "currency": {"number"},
    "percent": {"number"},
    "date": {"date"},
    "datetime": {"datetime"},
}


def literal(column: Column, value: Value, path: Path) -> object:
    """The value as SQLite compares it; a literal of another kind is refused as SOQL refuses it."""
    if value.kind not in ACCEPTS.get(column.type, {"string"}):
        wanted = (
            "should not be enclosed in quotes" if value.kind == "string" else "must be of the field's type"
        )
        raise SalesforceError(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{path}' must be of type {column.type} and {wanted}",
        )
    if value.kind == "datetime":
        return stamp(value.value)
    if column.type in {"id", "reference"}:
        return record_id(str(value.value))
    return int(value.value) if value.kind == "boolean" else value.value


def record_id(text: str) -> str:
    """An id in its 18-character form; the empty string finds nothing, as in Salesforce.

    Raises:
        SalesforceError: INVALID_QUERY_FILTER_OPERATOR, the code that Salesforce gives for what is no id.
    """
    if text and not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text):
        raise SalesforceError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
    return to_18(text)


def stamp(text: str) -> str:
    """A datetime literal in UTC, to the second.

    Raises:
        SalesforceError: MALFORMED_QUERY when there is no such date.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime(STAMP)
    except ValueError as error:
        raise malformed(f"invalid date time: {text}") from error


def membership_sql(condition: Membership, scope: Scope) -> str:
    column = filtered(condition.path, scope)
    if condition.kind in {"INCLUDES", "EXCLUDES"}:
        return multipicklist_sql(condition, column, scope)
    negation = "NOT " if condition.kind == "NOT IN" else ""
    if condition.query is not None:
        return f"{column.sql} {negation}IN ({subquery_sql(condition.query, scope)})"
    members = [literal(column, v, condition.path) for v in condition.values if v.kind != "null"]
    tests = [f"{column.sql} {negation}IN ({', '.join(scope.bind(m) for m in members)})"] if members else []
    if len(members) < len(condition.values):
        tests.append(f"{column.sql} IS {negation}NULL")
    return "(" + (" AND " if negation else " OR ").join(tests) + ")"


def subquery_sql(query: Query, outer: Scope) -> str:
    """A semi-join or anti-join: one field of another object (SOQL reference: filtering on ids in subqueries)."""
    entity = find_object(query.entity, outer.visible)
    scope = Scope(
        entity=entity,
        now=outer.now,
        visible=outer.visible,
        alias=f"s{len(outer.parameters)}_",
        parameters=outer.parameters,
    )
    column = scope.column(query.fields[0])
    where = [f"{column.sql} IS NOT NULL"] + ([condition_sql(query.where, scope)] if query.where else [])
    if entity.deletable:
        where.append(f'{scope.alias}."IsDeleted" = 0')
    return f'SELECT {column.sql} FROM "{entity.name}" {scope.alias} {" ".join(scope.join_sql)} WHERE {" AND ".join(where)}'


def multipicklist_sql(condition: Membership, column: Column, scope: Scope) -> str:
    """INCLUDES('A;B', 'C'): has A and B, or has C."""
    if column.type != "multipicklist":
        raise SalesforceError(
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
            f"invalid operator on {column.type} field '{condition.path}'",
        )
    padded = f"';' || COALESCE({column.sql}, '') || ';'"

    def has_all(parts: Iterable[str]) -> str:
        return "(" + " AND ".join(f"instr({padded}, {scope.bind(f';{part};')}) > 0" for part in parts) + ")"

    found = "(" + " OR ".join(has_all(str(v.value).split(";")) for v in condition.values) + ")"
    return found if condition.kind == "INCLUDES" else f"NOT {found}"


def date_literal_sql(column: Column, operator: str, value: Value, scope: Scope, path: Path) -> str:
    """TODAY, LAST_N_DAYS:n and so on: a half-open range of whole days in UTC."""
    if column.type not in {"date", "datetime"}:
        raise SalesforceError(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{path}' must be of type {column.type}",
        )
    start, end = literal_range(value, scope.now)
    as_text = STAMP if column.type == "datetime" else "%Y-%m-%d"
    low, high = start.strftime(as_text), end.strftime(as_text)
    tests = {
        "=": (f"({column.sql} >= ? AND {column.sql} < ?)", (low, high)),
        "!=": (f"({column.sql} IS NULL OR {column.sql} < ? OR {column.sql} >= ?)", (low, high)),
        "<": (f"{column.sql} < ?", (low,)),
        ">=": (f"{column.sql} >= ?", (low,)),
        ">": (f"{column.sql} >= ?", (high,)),
        "<=": (f"{column.sql} < ?", (high,)),
    }
    sql, bound = tests[operator]
    scope.parameters.extend(bound)
    return sql


def literal_range(value: Value, now: datetime) -> tuple[datetime, datetime]:
    """The first moment of a date literal's range and the first after it (SOQL reference: date literals)."""
    day = timedelta(days=1)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - day * ((today.weekday() + 1) % 7)
    month = today.replace(day=1)
    previous_month = (month - day).replace(day=1)
    next_month = (month + 32 * day).replace(day=1)
    return {
        "YESTERDAY": (today - day, today),
        "TODAY": (today, today + day),
        "TOMORROW": (today + day, today + 2 * day),
        "THIS_WEEK": (week, week + 7 * day),
        "LAST_WEEK": (week - 7 * day, week),
        "THIS_MONTH": (month, next_month),
        "LAST_MONTH": (previous_month, month),
        "LAST_90_DAYS": (today - 90 * day, today + day),
        "LAST_N_DAYS": (today - value.count * day, today + day),
        "NEXT_N_DAYS": (today + day, today + (value.count + 1) * day),
    }[str(value.value)]
