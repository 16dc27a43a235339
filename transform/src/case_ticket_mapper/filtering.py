"""Core: whether a case becomes a ticket at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from case_ticket_mapper.rules import NO_RECORD_TYPE, Condition, FilterRule

Case = Mapping[str, Any]
Test = Callable[[Case], bool]
RECORD_TYPE_COLUMNS = ("RecordType__Name", "RecordType__DeveloperName")


def plain(value: Any) -> Any:
    """A value as it is compared: texts without regard to the case of letters, as Salesforce compares them."""
    return value.lower() if isinstance(value, str) else value


def same(value: Any, operand: Any) -> bool:
    """Equal, and of one kind: true is not 1."""
    return isinstance(value, bool) == isinstance(operand, bool) and plain(value) == plain(operand)


def in_order(first: Any, second: Any) -> bool:
    """First <= second: numbers as numbers, texts (and so dates and moments, in ISO 8601) as texts; nothing across kinds."""
    numbers = all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in (first, second))
    texts = isinstance(first, str) and isinstance(second, str)
    return (numbers or texts) and bool(first <= second)


# Operator -> what has to be true of the value and what the rule compares it with. An empty value fits `is_not` and `none_of`.
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is": same,
    "is_not": lambda value, operand: not same(value, operand),
    "one_of": lambda value, operand: any(same(value, one) for one in operand),
    "none_of": lambda value, operand: not any(same(value, one) for one in operand),
    "contains": lambda value, operand: plain(operand) in plain(str(value or "")),
    "starts_with": lambda value, operand: plain(str(value or "")).startswith(plain(operand)),
    "at_least": lambda value, operand: in_order(operand, value),
    "at_most": in_order,
    "filled": lambda value, operand: (value not in (None, "")) is operand,
}


def holds(condition: Condition, case: Case) -> bool:
    return OPERATORS[condition.operator](case.get(condition.source), condition.operand)


def fits(rule: FilterRule, case: Case) -> bool:
    """Whether a case fits: its record type, every one of `every`, and one group of `some` where there are any."""
    names = {str(case[c]).lower() for c in RECORD_TYPE_COLUMNS if case.get(c)} or {NO_RECORD_TYPE}
    if rule.exclude & names or (rule.include and not rule.include & names):
        return False
    if not all(holds(condition, case) for condition in rule.every):
        return False
    return not rule.some or any(all(holds(c, case) for c in group) for group in rule.some)
