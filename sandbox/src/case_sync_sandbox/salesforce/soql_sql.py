"""Core: a SOQL tree to one SQLite statement with bound parameters; unknown columns are answered as Salesforce does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.schema import UNSORTABLE
from case_sync_sandbox.salesforce.soql import Ordering, Query
from case_sync_sandbox.salesforce.soql_filters import condition_sql
from case_sync_sandbox.salesforce.soql_scope import Column, Parent, Scope, Visible, find_object

MAX_OFFSET = 2000  # SOQL reference: OFFSET, maximum 2,000 rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What SQLite runs, and what the answer is made of: the values of `columns`, then the ids of `parents`."""

    parameters: tuple[object, ...]
    columns: tuple[Column, ...]
    parents: tuple[Parent, ...]
    entity: str
    joins: str
    tail: str  # WHERE, ORDER BY, LIMIT

    @property
    def selected(self) -> str:
        """COUNT() when no column is asked for."""
        return ", ".join([c.sql for c in self.columns] + [p.sql for p in self.parents]) or "COUNT(*)"

    @property
    def sql(self) -> str:
        return f'SELECT {self.selected} FROM "{self.entity}" t {self.joins} {self.tail}'

    def ids_sql(self) -> str:
        """The ids of the same rows in the same order, for a cursor."""
        return f'SELECT t."Id" FROM "{self.entity}" t {self.joins} {self.tail}'

    def page_sql(self, cursor: str, selected: str = "") -> str:
        """The columns of the rows whose place in the cursor is in (?, ?], as they are now; or another selection of them."""
        return (
            f'SELECT {selected or self.selected} FROM "{cursor}" c CROSS JOIN "{self.entity}" t ON t."Id" = c.id {self.joins} '
            "WHERE c.place > ? AND c.place <= ? ORDER BY c.place"
        )

    def joined_sql(self, cursor: str, text: str) -> str:
        """A text of each of these rows, joined into one, and how many bytes each has, with commas between."""
        page = self.page_sql(cursor, f"{text} AS text")
        return f"SELECT group_concat(text, ''), group_concat(length(CAST(text AS BLOB))) FROM ({page})"


def translate(query: Query, *, now: datetime, include_deleted: bool, visible: Visible) -> Statement:
    """One SELECT for a query.

    Args:
        query: the parsed SOQL.
        now: aware, for date literals such as TODAY.
        include_deleted: queryAll, or ALL ROWS; else rows in the recycle bin are left out.
        visible: whether the user may read a field (field-level security) or an object.

    Raises:
        SalesforceError: INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR, MALFORMED_QUERY.
    """
    if query.offset > MAX_OFFSET:
        raise SalesforceError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    entity = find_object(query.entity, visible)
    scope = Scope(entity=entity, now=now, visible=visible)
    columns = tuple(scope.column(path) for path in query.fields)
    parents = tuple(scope.parents.values())
    conditions = [condition_sql(query.where, scope)] if query.where else []
    if entity.deletable and not (include_deleted or query.all_rows):
        conditions.append('t."IsDeleted" = 0')
    return Statement(
        tail=tail_sql(query, conditions, [ordering_sql(o, scope) for o in query.order]),
        parameters=tuple(scope.parameters),
        columns=columns,
        parents=parents,
        entity=entity.name,
        joins=" ".join(scope.join_sql),
    )


def tail_sql(query: Query, conditions: list[str], order: list[str]) -> str:
    parts = []
    if conditions:
        parts.append("WHERE " + " AND ".join(conditions))
    if order:
        parts.append("ORDER BY " + ", ".join(order))
    if query.limit is not None or query.offset:
        parts.append(f"LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}")
    return " ".join(parts)


def ordering_sql(ordering: Ordering, scope: Scope) -> str:
    column = scope.column(ordering.path)
    if column.type in UNSORTABLE:
        raise SalesforceError(
            400, "MALFORMED_QUERY", f"field '{ordering.path}' can not be sorted in a query call"
        )
    direction = " DESC" if ordering.descending else ""
    # Ids and stamps are never null: no NULLS term, so that the index gives the order.
    never_null = column.type == "id" or column.path == ("SystemModstamp",)
    nulls = "" if never_null else f" NULLS {'LAST' if ordering.nulls_last else 'FIRST'}"
    return f"{column.sql}{direction}{nulls}"
