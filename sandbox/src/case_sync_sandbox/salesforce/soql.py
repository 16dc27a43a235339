"""Core: SOQL text to a syntax tree; what does not parse is answered as Salesforce words it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, v_args

from case_sync_sandbox.salesforce.errors import malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """`Account.Name`: the hops of a field path, and the column of the query text where it stands (from 1)."""

    hops: tuple[str, ...]
    column: int

    def __str__(self) -> str:
        return ".".join(self.hops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A literal: its kind (string, number, boolean, null, date, datetime, date_literal) and its text or value."""

    kind: str
    value: Any
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """`path operator value`; the operators include LIKE."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`path [NOT] IN (...)` over values or a subquery, and INCLUDES / EXCLUDES of a multi-select picklist."""

    path: Path
    kind: str
    values: tuple[Value, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """AND, OR over conditions, or NOT over one."""

    kind: str
    terms: tuple[Condition, ...]


Condition = Compare | Membership | Logic


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """One term of ORDER BY; nulls come first unless NULLS LAST is said (SOQL reference: ORDER BY)."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole SELECT; no fields at all means COUNT()."""

    fields: tuple[Path, ...]
    entity: str
    where: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False

    @property
    def is_count(self) -> bool:
        return not self.fields


ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def unescape(literal: str, keep: str = "") -> str:
    """The text of a quoted SOQL string (SOQL reference: reserved characters); escapes of `keep` stay, for LIKE."""
    out, chars = [], iter(literal[1:-1])
    for char in chars:
        if char == "\\":
            escaped = next(chars)
            out.append("\\" + escaped if escaped in keep else ESCAPES.get(escaped.lower(), escaped))
        else:
            out.append(char)
    return "".join(out)


@v_args(inline=True)
class _Tree(Transformer[Token, Query]):
    def path(self, *names: Token) -> Path:
        return Path(hops=tuple(map(str, names)), column=names[0].column or 1)

    def count(self) -> tuple[Path, ...]:
        return ()

    def paths(self, *paths: Path) -> tuple[Path, ...]:
        return paths

    def where(self, condition: Condition) -> Condition:
        return condition

    def all_of(self, *terms: Condition) -> Logic:
        return Logic(kind="AND", terms=terms)

    def any_of(self, *terms: Condition) -> Logic:
        return Logic(kind="OR", terms=terms)

    def negation(self, term: Condition) -> Logic:
        return Logic(kind="NOT", terms=(term,))

    def compare(self, path: Path, operator: Token, value: Value) -> Compare:
        return Compare(path=path, operator="!=" if operator == "<>" else str(operator), value=value)

    def like(self, path: Path, pattern: Token) -> Compare:
        return Compare(
            path=path, operator="LIKE", value=Value(kind="string", value=unescape(pattern, keep="%_\\"))
        )

    def members(self, inner: tuple[Value, ...] | Query) -> tuple[Value, ...] | Query:
        return inner

    def values(self, *values: Value) -> tuple[Value, ...]:
        return values

    def is_in(self, path: Path, inner: tuple[Value, ...] | Query) -> Membership:
        return _membership(path, "IN", inner)

    def not_in(self, path: Path, inner: tuple[Value, ...] | Query) -> Membership:
        return _membership(path, "NOT IN", inner)

    def includes(self, path: Path, inner: tuple[Value, ...]) -> Membership:
        return _membership(path, "INCLUDES", inner)

    def excludes(self, path: Path, inner: tuple[Value, ...]) -> Membership:
        return _membership(path, "EXCLUDES", inner)

    def subquery(self, path: Path, entity: Token, where: Condition | None) -> Query:
        return Query(fields=(path,), entity=str(entity), where=where)

    def string(self, token: Token) -> Value:
        return Value(kind="string", value=unescape(token))

    def datetime(self, token: Token) -> Value:
        return Value(kind="datetime", value=str(token))

    def date(self, token: Token) -> Value:
        return Value(kind="date", value=str(token))

    def number(self, token: Token) -> Value:
        return Value(kind="number", value=float(token) if "." in token else int(token))

    def true(self, _: Token) -> Value:
        return Value(kind="boolean", value=True)

    def false(self, _: Token) -> Value:
        return Value(kind="boolean", value=False)

    def null(self, _: Token) -> Value:
        return Value(kind="null", value=None)

    def date_literal(self, token: Token, count: Token | None) -> Value:
        return Value(kind="date_literal", value=token.upper(), count=int(count or 0))

    def ordering(self, path: Path, direction: Token | None, nulls: Token | None) -> Ordering:
        descending = (direction or "").lower() == "desc"
        return Ordering(path=path, descending=descending, nulls_last=(nulls or "").lower() == "last")

    def order(self, *orderings: Ordering) -> tuple[Ordering, ...]:
        return orderings

    def limit(self, count: Token) -> int:
        return int(count)

    def offset(self, count: Token) -> int:
        return int(count)

    def all_rows(self) -> bool:
        return True

    def start(  # noqa: PLR0913 - one per part of the grammar's SELECT
        self, fields: Any, entity: Any, where: Any, order: Any, limit: Any, offset: Any, all_rows: Any
    ) -> Query:
        return Query(
            fields=fields, entity=str(entity), where=where, order=order or (), limit=limit, offset=offset or 0,
            all_rows=bool(all_rows),
        )  # fmt: skip


def _membership(path: Path, kind: str, inner: tuple[Value, ...] | Query) -> Membership:
    if isinstance(inner, Query):
        return Membership(path=path, kind=kind, query=inner)
    return Membership(path=path, kind=kind, values=inner)


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("soql.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Tree(), maybe_placeholders=True)


@lru_cache(maxsize=512)
def parse(soql: str) -> Query:
    """The tree of a SELECT.

    Raises:
        SalesforceError: 400 MALFORMED_QUERY, in the words Salesforce uses.
    """
    try:
        tree: Any = _parser().parse(soql)
    except UnexpectedEOF as error:
        raise malformed("unexpected token: '<EOF>'") from error
    except UnexpectedInput as error:
        raise malformed(_wording(soql, error)) from error
    return tree  # type: ignore[no-any-return]


def _wording(soql: str, error: UnexpectedInput) -> str:
    token = getattr(error, "token", None)
    if isinstance(error, UnexpectedCharacters):
        return f"line {error.line}:{error.column - 1} no viable alternative at character '{soql[error.pos_in_stream or 0]}'"
    if token is not None and token.type == "$END":
        return "unexpected token: '<EOF>'"
    return f"unexpected token: '{token}'"
