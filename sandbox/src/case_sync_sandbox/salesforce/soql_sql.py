"""Core: a SOQL tree to one SQLite statement with bound parameters; unknown columns are answered as Salesforce does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from case_sync_sandbox.salesforce.errors import SalesforceError, invalid_field, invalid_type, malformed
from case_sync_sandbox.salesforce.ids import to_18
from case_sync_sandbox.salesforce.schema import OBJECTS, OBJECTS_BY_LOWER_NAME, Field, SObject
from case_sync_sandbox.salesforce.soql import Compare, Condition, Membership, Ordering, Path, Query, Value

MAX_OFFSET = 2000  # SOQL reference: OFFSET, maximum 2,000 rows
STAMP = "%Y-%m-%dT%H:%M:%S"  # one second: Salesforce ignores milliseconds when it compares

Visible = Callable[[str, Field], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One selected column: its path in the vendor's spelling, the SQL that gives it, and its field's type."""

    path: tuple[str, ...]
    sql: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What SQLite runs, and what the answer is made of."""

    sql: str
    parameters: tuple[object, ...]
    columns: tuple[Column, ...]
    entity: str
    joins: str
    tail: str  # WHERE, ORDER BY, LIMIT

    def ids_sql(self) -> str:
        """The ids of the same rows in the same order, for a cursor."""
        return f'SELECT t."Id" FROM "{self.entity}" t {self.joins} {self.tail}'

    def page_sql(self, cursor: str) -> str:
        """The columns of the rows whose place in the cursor is in (?, ?], as they are now."""
        selected = ", ".join(c.sql for c in self.columns)
        return (
            f'SELECT {selected} FROM "{cursor}" c JOIN "{self.entity}" t ON t."Id" = c.id {self.joins} '
            "WHERE c.place > ? AND c.place <= ? ORDER BY c.place"
        )


@dataclass(slots=True)
class _Scope:
    """The FROM part as it grows: one LEFT JOIN per relationship that a path goes through."""

    entity: SObject
    now: datetime
    visible: Visible
    alias: str = "t"
    joins: dict[tuple[str, ...], str] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)

    def bind(self, value: object) -> str:
        self.parameters.append(value)
        return "?"

    def column(self, path: Path) -> Column:
        """The column of a field path: through joins for parents, over both targets for a polymorphic Owner."""
        entity, alias = self.entity, self.alias
        spelled: tuple[str, ...] = ()
        for depth, hop in enumerate(path.hops[:-1]):
            link = entity.relationship(hop)
            if link is None or link.relationship is None or not self.visible(entity.name, link):
                raise _no_relation(hop, entity, path)
            spelled = (*spelled, link.relationship)
            if len(link.reference_to) > 1:
                return self._polymorphic(path, link, alias, spelled, depth)
            entity, alias = (
                OBJECTS[link.reference_to[0]],
                self._join(spelled, link, link.reference_to[0], alias),
            )
        found = entity.find(path.hops[-1])
        if found is None or not self.visible(entity.name, found):
            raise invalid_field(path.hops[-1], entity.name, path.column)
        return Column(path=(*spelled, found.name), sql=f'{alias}."{found.name}"', type=found.type)

    def _join(self, key: tuple[str, ...], link: Field, target: str, parent: str) -> str:
        key = (*key, target)
        if key not in self.joins:
            alias = self.joins[key] = f"{self.alias}{len(self.joins)}"
            self.join_sql.append(f'LEFT JOIN "{target}" {alias} ON {alias}."Id" = {parent}."{link.name}"')
        return self.joins[key]

    def _polymorphic(
        self, path: Path, link: Field, alias: str, spelled: tuple[str, ...], depth: int
    ) -> Column:
        name = path.hops[depth + 1]
        parts, kind = [], "string"
        for target in link.reference_to:
            joined = self._join(spelled, link, target, alias)
            if name.lower() == "type":  # Name.Type: User, or what kind of group it is (Queue)
                parts.append(
                    f'CASE WHEN {joined}."Id" IS NOT NULL THEN '
                    + ("'User'" if target == "User" else f'{joined}."Type"')
                    + " END"
                )
            elif found := OBJECTS[target].find(name):
                parts.append(f'{joined}."{found.name}"')
                name, kind = found.name, found.type
        if not parts or depth + 2 != len(path.hops):
            raise invalid_field(name, "Name", path.column)
        spelling = "Type" if name.lower() == "type" else name
        return Column(
            path=(*spelled, spelling),
            sql=f"COALESCE({', '.join(parts)})" if len(parts) > 1 else parts[0],
            type=kind,
        )


def _no_relation(hop: str, entity: SObject, path: Path) -> SalesforceError:
    message = f"\nERROR at Row:1:Column:{path.column}\nDidn't understand relationship '{hop}' in field path. If you are "
    return SalesforceError(
        400,
        "INVALID_FIELD",
        message
        + "attempting to use a custom relationship, be sure to append the '__r' after the custom relationship "
        f"name. Please reference your WSDL or the describe call for the appropriate names. ({entity.name})",
    )


def find_object(name: str) -> SObject:
    found = OBJECTS_BY_LOWER_NAME.get(name.lower())
    if found is None:
        raise invalid_type(name)
    return found


def translate(query: Query, *, now: datetime, include_deleted: bool, visible: Visible) -> Statement:
    """One SELECT for a query.

    Args:
        query: the parsed SOQL.
        now: aware, for date literals such as TODAY.
        include_deleted: queryAll, or ALL ROWS; else rows in the recycle bin are left out.
        visible: whether the user may read a field (field-level security).

    Raises:
        SalesforceError: INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR, MALFORMED_QUERY.
    """
    entity = find_object(query.entity)
    scope = _Scope(entity=entity, now=now, visible=visible)
    columns = tuple(scope.column(path) for path in query.fields)
    conditions = [condition_sql(query.where, scope)] if query.where else []
    if entity.deletable and not (include_deleted or query.all_rows):
        conditions.append('t."IsDeleted" = 0')
    order = ", ".join(ordering_sql(o, scope) for o in query.order)
    if query.offset > MAX_OFFSET:
        raise SalesforceError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    selected = "COUNT(*)" if query.is_count else ", ".join(c.sql for c in columns)
    joins = " ".join(scope.join_sql)
    tail = " ".join(
        part
        for part in (
            "WHERE " + " AND ".join(conditions) if conditions else "",
            f"ORDER BY {order}" if order else "",
            f"LIMIT {query.limit if query.limit is not None else -1} OFFSET {query.offset}"
            if query.limit is not None or query.offset
            else "",
        )
        if part
    )
    sql = f'SELECT {selected} FROM "{entity.name}" t {joins} {tail}'
    return Statement(
        sql=sql,
        parameters=tuple(scope.parameters),
        columns=columns,
        entity=entity.name,
        joins=joins,
        tail=tail,
    )


def ordering_sql(ordering: Ordering, scope: _Scope) -> str:
    column = scope.column(ordering.path)
    if column.type == "textarea":
        raise SalesforceError(
            400, "MALFORMED_QUERY", f"field '{ordering.path}' can not be sorted in a query call"
        )
    direction = " DESC" if ordering.descending else ""
    # Ids and stamps are never null: no NULLS term, so that the index gives the order.
    nulls = (
        ""
        if column.type == "id" or ordering.path.hops[-1] == "SystemModstamp"
        else f" NULLS {'LAST' if ordering.nulls_last else 'FIRST'}"
    )
    return f"{column.sql}{direction}{nulls}"


def condition_sql(condition: Condition, scope: _Scope) -> str:
    if isinstance(condition, Compare):
        return compare_sql(condition, scope)
    if isinstance(condition, Membership):
        return membership_sql(condition, scope)
    terms = [condition_sql(term, scope) for term in condition.terms]
    if condition.kind == "NOT":
        return f"NOT COALESCE({terms[0]}, 0)"
    return "(" + f" {condition.kind} ".join(terms) + ")"


def compare_sql(condition: Compare, scope: _Scope) -> str:
    column = scope.column(condition.path)
    operator, value = condition.operator, condition.value
    if value.kind == "null":
        return null_sql(column, operator, condition.path)
    if value.kind == "date_literal":
        return date_literal_sql(column, operator, value, scope)
    if column.type == "textarea":
        raise SalesforceError(
            400, "INVALID_FIELD", f"field '{condition.path}' can not be filtered in a query call"
        )
    if operator == "LIKE":
        return f"{column.sql} LIKE {scope.bind(value.value)} ESCAPE '\\'"
    bound = scope.bind(literal(column, value, condition.path))
    if operator == "!=":  # SOQL's != finds rows without a value, too
        return f"({column.sql} IS NULL OR {column.sql} <> {bound})"
    return f"{column.sql} {operator} {bound}"


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
        return to_18(str(value.value))
    return int(value.value) if value.kind == "boolean" else value.value


def stamp(text: str) -> str:
    """A datetime literal in UTC, to the second.

    Raises:
        SalesforceError: MALFORMED_QUERY when there is no such date.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime(STAMP)
    except ValueError as error:
        raise malformed(f"invalid date time: {text}") from error


def membership_sql(condition: Membership, scope: _Scope) -> str:
    column = scope.column(condition.path)
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


def subquery_sql(query: Query, outer: _Scope) -> str:
    """A semi-join or anti-join: one field of another object (SOQL reference: filtering on ids in subqueries)."""
    entity = find_object(query.entity)
    scope = _Scope(
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


def multipicklist_sql(condition: Membership, column: Column, scope: _Scope) -> str:
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


def date_literal_sql(column: Column, operator: str, value: Value, scope: _Scope) -> str:
    """TODAY, LAST_N_DAYS:n and so on: a half-open range of whole days in UTC."""
    start, end = literal_range(value, scope.now)
    as_text = STAMP if column.type == "datetime" else "%Y-%m-%d"
    low, high = start.strftime(as_text), end.strftime(as_text)
    tests = {
        "=": (f"({column.sql} >= ? AND {column.sql} < ?)", (low, high)),
        "!=": (f"({column.sql} < ? OR {column.sql} >= ?)", (low, high)),
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
