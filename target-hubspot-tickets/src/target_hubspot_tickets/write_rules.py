"""Core: write rules: which properties a ticket that exists keeps, whatever the record says.

The schema of a stream announces them, `{"write_rule": "if_empty"}` beside the type of a column; the setting `write_rules` says more, or
says it for a stream that announces none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_hubspot_tickets.narrowing import TOGETHER
from target_hubspot_tickets.owners import OWNER_ID
from target_hubspot_tickets.records import OWNER_EMAIL
from target_hubspot_tickets.ticket_properties import listed

WRITE_RULE = "write_rule"
ALWAYS, IF_EMPTY, CREATE_ONLY = "always", "if_empty", "create_only"
RULES = (ALWAYS, IF_EMPTY, CREATE_ONLY)
SENT_AS = {OWNER_EMAIL: OWNER_ID}  # the column, and the property that it becomes


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRules:
    """Names of ticket properties.

    Attributes:
        create_only: written with a new ticket only.
        if_empty: written while the ticket has nothing there.
    """

    create_only: frozenset[str] = frozenset()
    if_empty: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.create_only or self.if_empty)

    def written(self, properties: Mapping[str, str], there: Mapping[str, Any]) -> dict[str, str]:
        """What is sent of `properties` to a ticket that has the values `there`."""
        return {name: value for name, value in properties.items() if not self._keeps(name, there)}

    def _keeps(self, name: str, there: Mapping[str, Any]) -> bool:
        return name in self.create_only or (name in self.if_empty and bool(there.get(name)))


NO_RULES = WriteRules()


def write_rules_of(columns: Mapping[str, Any], setting: Mapping[str, Any]) -> WriteRules:
    """What the schema announces and the setting says, which counts more; pipeline and stage go together."""
    announced = {
        name: schema[WRITE_RULE]
        for name, schema in columns.items()
        if isinstance(schema, Mapping) and WRITE_RULE in schema
    }
    by_property = {SENT_AS.get(name, name): rule for name, rule in (announced | dict(setting)).items()}
    return WriteRules(create_only=_with(CREATE_ONLY, by_property), if_empty=_with(IF_EMPTY, by_property))


def _with(rule: str, by_property: Mapping[str, Any]) -> frozenset[str]:
    named = frozenset(name for name, its in by_property.items() if its == rule)
    return named.union(*(both for both in TOGETHER if both & named))


def write_rule_problems(
    columns: Mapping[str, Any], setting: Mapping[str, Any], key_property: str
) -> list[str]:
    """What is wrong with the rules for a stream with these columns."""
    problems = [
        f"{WRITE_RULE} of the column '{name}' in the stream's schema is none of {listed(list(RULES))}"
        for name, schema in columns.items()
        if isinstance(schema, Mapping) and schema.get(WRITE_RULE, ALWAYS) not in RULES
    ]
    names = columns.keys() | {SENT_AS[name] for name in columns if name in SENT_AS}
    if gone := sorted(setting.keys() - names):
        problems.append(
            f"write_rules names {listed(gone)}, which the stream does not send; it sends {listed(sorted(columns))}"
        )
    if key_property in setting:
        problems.append(f"write_rules names '{key_property}', the key: a ticket has it always")
    return problems
