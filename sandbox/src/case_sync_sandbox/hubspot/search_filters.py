"""Core: the search body as one SQL condition with bound parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from case_sync_sandbox.hubspot.errors import HubSpotError, invalid_json, validation_error
from case_sync_sandbox.hubspot.metadata import Property
from case_sync_sandbox.hubspot.values import iso, parse_datetime

# "Search the CRM": limits of one search.
MAX_GROUPS, MAX_FILTERS_PER_GROUP, MAX_FILTERS = 5, 6, 18
MAX_LIMIT = 200
MAX_RESULTS = 10_000
MAX_BODY_CHARACTERS = 3_000
MAX_SORTS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A piece of SQL and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search asks for. `order_by` is SQL; `properties` None means the usual ones."""

    where: Condition
    order_by: str
    limit: int
    offset: int
    properties: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A property as the SQL sees it; `text` is lower case."""

    definition: Property
    raw: str

    @property
    def text(self) -> str:
        """The lower-case text, over which look-up indexes are."""
        return f"lower({self.raw})"

    @property
    def ordered(self) -> str:
        """What sorts and compares: a number for numbers, else the text."""
        return f"CAST({self.raw} AS REAL)" if self.definition.type == "number" else self.text


def read_search(
    body: Mapping[str, Any], size: int, properties: Mapping[str, Property], raw_sql: Callable[[str], str]
) -> Search:
    """Read a search body of the Search shape and of `size` characters; `raw_sql` says the SQL of a property's value by its name.

    Raises:
        HubSpotError: 400 for what the API doesn't take.
    """
    if size > MAX_BODY_CHARACTERS:
        raise validation_error(
            f"The request body must be at most {MAX_BODY_CHARACTERS} characters; it has {size}"
        )
    columns = _Columns(properties=properties, raw_sql=raw_sql)
    offset, limit = _number(body.get("after") or 0, "after"), _number(body.get("limit") or 10, "limit")
    if not 0 < limit <= MAX_LIMIT:
        raise validation_error(f"limit must be between 1 and {MAX_LIMIT}", limit=[str(limit)])
    if offset + limit > MAX_RESULTS:
        raise validation_error(
            f"Paging past {MAX_RESULTS} results of a query is not possible", after=[str(offset)]
        )
    conditions = [_groups(body.get("filterGroups") or [], columns)]
    if body.get("query"):
        conditions.append(_free_text(str(body["query"]), properties, columns))
    asked = body.get("properties")
    return Search(
        where=_join(" AND ", [c for c in conditions if c.sql] or [Condition(sql="1")]),
        order_by=_order(body.get("sorts") or [], columns),
        limit=limit,
        offset=offset,
        properties=tuple(asked) if asked else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    properties: Mapping[str, Property]
    raw_sql: Callable[[str], str] = field(repr=False)

    def find(self, name: Any) -> Column:
        definition = self.properties.get(str(name))
        if definition is None:
            raise validation_error(f"There was a problem with the request: property {name} does not exist")
        return Column(definition=definition, raw=self.raw_sql(definition.name))


def _number(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise validation_error(f"{name} must be a number") from None


def _groups(groups: Sequence[Mapping[str, Any]], columns: _Columns) -> Condition:
    filters = [group.get("filters") or [] for group in groups]
    if len(groups) > MAX_GROUPS:
        raise validation_error(f"At most {MAX_GROUPS} filterGroups are allowed")
    if any(len(one) > MAX_FILTERS_PER_GROUP for one in filters):
        raise validation_error(f"At most {MAX_FILTERS_PER_GROUP} filters are allowed in a filterGroup")
    if sum(len(one) for one in filters) > MAX_FILTERS:
        raise validation_error(f"At most {MAX_FILTERS} filters are allowed")
    joined = [_join(" AND ", [_filter(one, columns) for one in group]) for group in filters if group]
    return _join(" OR ", joined)


def _join(word: str, conditions: Sequence[Condition]) -> Condition:
    if not conditions:
        return Condition(sql="")
    sql = "(" + word.join(condition.sql for condition in conditions) + ")"
    return Condition(sql=sql, parameters=tuple(p for condition in conditions for p in condition.parameters))


def _filter(given: Mapping[str, Any], columns: _Columns) -> Condition:
    operator = str(given.get("operator"))
    build = OPERATORS.get(operator)
    if build is None:
        raise invalid_json(f"Enum type must be one of: [{', '.join(OPERATORS)}]; got {operator}")
    return build(columns.find(given.get("propertyName")), given)


def _required(given: Mapping[str, Any], name: str) -> Any:
    value = given.get(name)
    if value is None or value == []:
        raise validation_error(f"operator {given['operator']} requires {name}")
    return value


def _comparable(column: Column, value: Any) -> Any:
    """A filter's value in the form of the stored one: times as ISO text, numbers as numbers, text in lower case."""
    text = str(value)
    if column.definition.type in ("datetime", "date"):
        moment = parse_datetime(text)
        if moment is None:
            raise _invalid_value(column, text)
        return (iso(moment) if column.definition.type == "datetime" else moment.date().isoformat()).lower()
    if column.definition.type == "number":
        try:
            return float(text)
        except ValueError:
            raise _invalid_value(column, text) from None
    return text.lower()


def _invalid_value(column: Column, text: str) -> HubSpotError:
    return validation_error(f"{text} is not a valid value for {column.definition.name}")


def _comparison(sign: str) -> Callable[[Column, Mapping[str, Any]], Condition]:
    def build(column: Column, given: Mapping[str, Any]) -> Condition:
        return Condition(
            sql=f"{column.ordered} {sign} ?", parameters=(_comparable(column, _required(given, "value")),)
        )

    return build


def _not_equal(column: Column, given: Mapping[str, Any]) -> Condition:
    return Condition(
        sql=f"{column.ordered} IS NOT ?", parameters=(_comparable(column, _required(given, "value")),)
    )


def _between(column: Column, given: Mapping[str, Any]) -> Condition:
    ends = [_comparable(column, _required(given, name)) for name in ("value", "highValue")]
    return Condition(sql=f"{column.ordered} BETWEEN ? AND ?", parameters=tuple(ends))


def _in(column: Column, given: Mapping[str, Any]) -> Condition:
    """IN on a text property finds lower-case values only: the stored text is lowered, the given ones are not ("Search")."""
    values = _required(given, "values")
    lowered = column.definition.type == "string"
    parameters = tuple(str(v) if lowered else _comparable(column, v) for v in values)
    column_sql = column.text if lowered else column.ordered
    return Condition(sql=f"{column_sql} IN ({','.join('?' * len(parameters))})", parameters=parameters)


def _not_in(column: Column, given: Mapping[str, Any]) -> Condition:
    inside = _in(column, given)
    return Condition(sql=f"({column.raw} IS NOT NULL AND NOT {inside.sql})", parameters=inside.parameters)


def _has(column: Column, _given: Mapping[str, Any]) -> Condition:
    return Condition(sql=f"{column.raw} IS NOT NULL")


def _has_not(column: Column, _given: Mapping[str, Any]) -> Condition:
    return Condition(sql=f"{column.raw} IS NULL")


def _contains(column: Column, given: Mapping[str, Any]) -> Condition:
    """Whole words, with * standing for any characters; words are what spaces and punctuation part."""
    return Condition(
        sql=f"contains_token({column.text}, ?)", parameters=(str(_required(given, "value")).lower(),)
    )


def _contains_not(column: Column, given: Mapping[str, Any]) -> Condition:
    inside = _contains(column, given)
    return Condition(sql=f"NOT {inside.sql}", parameters=inside.parameters)


# "Search the CRM": the operators.
OPERATORS: dict[str, Callable[[Column, Mapping[str, Any]], Condition]] = {
    "EQ": _comparison("="),
    "NEQ": _not_equal,
    "LT": _comparison("<"),
    "LTE": _comparison("<="),
    "GT": _comparison(">"),
    "GTE": _comparison(">="),
    "BETWEEN": _between,
    "IN": _in,
    "NOT_IN": _not_in,
    "HAS_PROPERTY": _has,
    "NOT_HAS_PROPERTY": _has_not,
    "CONTAINS_TOKEN": _contains,
    "NOT_CONTAINS_TOKEN": _contains_not,
}

_SEARCHED = ("subject", "content", "name", "domain", "email", "firstname", "lastname", "phone")


def _free_text(words: str, properties: Mapping[str, Property], columns: _Columns) -> Condition:
    searched = [columns.find(name) for name in _SEARCHED if name in properties]
    parts = [Condition(sql=f"instr({column.text}, ?)", parameters=(words.lower(),)) for column in searched]
    return _join(" OR ", parts)


def _order(sorts: Sequence[Any], columns: _Columns) -> str:
    if len(sorts) > MAX_SORTS:
        raise validation_error(f"At most {MAX_SORTS} sort is allowed")
    if not sorts:
        return "id"
    sort = sorts[0] if isinstance(sorts[0], dict) else {"propertyName": str(sorts[0]).lstrip("-")}
    descending = sort.get("direction") == "DESCENDING" or str(sorts[0]).startswith("-")
    return f"{columns.find(sort.get('propertyName')).ordered} {'DESC' if descending else 'ASC'}, id"
