"""Core: the objects and columns that one SOQL query reaches, and the SQL that joins them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from case_sync_sandbox.salesforce.errors import SalesforceError, invalid_field, invalid_type
from case_sync_sandbox.salesforce.schema import OBJECTS, OBJECTS_BY_LOWER_NAME, Field, SObject
from case_sync_sandbox.salesforce.soql import Path

STAMP = "%Y-%m-%dT%H:%M:%S"  # one second: Salesforce ignores milliseconds when it compares
MAX_LEVELS = 5  # SOQL reference: child-to-parent relationships go up at most five levels

Visible = Callable[[str, Field | None], bool]  # object and field; None asks for the object itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One selected column: its path in the vendor's spelling, the SQL that gives it, and its field's type."""

    path: tuple[str, ...]
    sql: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A relationship that selected columns go through: the SQL of the parent's id (null: there is none) and its object."""

    path: tuple[str, ...]
    sql: str
    entity: str


def find_object(name: str, visible: Visible) -> SObject:
    """The object of that name in any case.

    Raises:
        SalesforceError: INVALID_TYPE when there is none, or the user may not read it: Salesforce does not tell them apart.
    """
    found = OBJECTS_BY_LOWER_NAME.get(name.lower())
    if found is None or not visible(found.name, None):
        raise invalid_type(name)
    return found


@dataclass(slots=True)
class Scope:
    """The FROM part as it grows: one LEFT JOIN per relationship that a path goes through."""

    entity: SObject
    now: datetime
    visible: Visible
    alias: str = "t"
    joins: dict[tuple[str, ...], str] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)
    parents: dict[tuple[str, ...], Parent] = field(default_factory=dict)
    parameters: list[object] = field(default_factory=list)

    def bind(self, value: object) -> str:
        self.parameters.append(value)
        return "?"

    def column(self, path: Path) -> Column:
        """The column of a field path: through joins for parents, over both targets for a polymorphic Owner."""
        if len(path.hops) > MAX_LEVELS + 1:
            raise SalesforceError(
                400, "INVALID_FIELD", f"Relationship depth is limited to {MAX_LEVELS}: {path}"
            )
        entity, alias = self.entity, self.alias
        spelled: tuple[str, ...] = ()
        for depth, hop in enumerate(path.hops[:-1]):
            link = self._link(entity, hop, path)
            spelled = (*spelled, str(link.relationship))
            if len(link.reference_to) > 1:
                return self._polymorphic(path, link, alias, spelled, depth)
            target = link.reference_to[0]
            alias = self._join(spelled, link, target, alias)
            entity = OBJECTS[target]
            self.parents[spelled] = Parent(path=spelled, sql=f'{alias}."Id"', entity=target)
        found = entity.find(path.hops[-1])
        if found is None or not self.visible(entity.name, found):
            raise invalid_field(path.hops[-1], entity.name, path.column)
        return Column(path=(*spelled, found.name), sql=f'{alias}."{found.name}"', type=found.type)

    def _link(self, entity: SObject, hop: str, path: Path) -> Field:
        link = entity.relationship(hop)
        if link is None or not self.visible(entity.name, link):
            raise _no_relation(hop, path)
        if not any(self.visible(target, None) for target in link.reference_to):
            raise _no_relation(hop, path)
        return link

    def _join(self, key: tuple[str, ...], link: Field, target: str, parent: str) -> str:
        key = (*key, target)
        if key not in self.joins:
            alias = self.joins[key] = f"{self.alias}{len(self.joins)}"
            self.join_sql.append(f'LEFT JOIN "{target}" {alias} ON {alias}."Id" = {parent}."{link.name}"')
        return self.joins[key]

    def _polymorphic(
        self, path: Path, link: Field, alias: str, spelled: tuple[str, ...], depth: int
    ) -> Column:
        """A field of whichever record the reference means; its object shows as Name (SOQL: polymorphic relationships)."""
        name = path.hops[depth + 1]
        if depth + 2 != len(path.hops):
            raise _no_relation(name, path)
        joined = {target: self._join(spelled, link, target, alias) for target in link.reference_to}
        self.parents[spelled] = Parent(path=spelled, sql=f'{alias}."{link.name}"', entity="Name")
        if name.lower() == "type":  # Owner.Type is User, or the kind of group: Queue
            kinds = (
                f'CASE WHEN {a}."Id" IS NOT NULL THEN '
                + ("'User'" if target == "User" else f'{a}."Type"')
                + " END"
                for target, a in joined.items()
            )
            return Column(path=(*spelled, "Type"), sql=f"COALESCE({', '.join(kinds)}, NULL)", type="string")
        found = {
            a: f
            for target, a in joined.items()
            if (f := OBJECTS[target].find(name)) and self.visible(target, f)
        }
        if not found:
            raise invalid_field(name, "Name", path.column)
        first = next(iter(found.values()))
        parts = ", ".join(f'{a}."{f.name}"' for a, f in found.items())
        return Column(path=(*spelled, first.name), sql=f"COALESCE({parts}, NULL)", type=first.type)


def _no_relation(hop: str, path: Path) -> SalesforceError:
    return SalesforceError(
        400,
        "INVALID_FIELD",
        f"\nERROR at Row:1:Column:{path.column}\nDidn't understand relationship '{hop}' in field path. If you are "
        "attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. "
        "Please reference your WSDL or the describe call for the appropriate names.",
    )
