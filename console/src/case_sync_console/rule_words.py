"""Core: the single rules in an admin's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from case_sync_console.type_words import joined_in_words

# Rule -> value -> what it means. The names and values are those of the rules block.
MEANINGS: dict[str, dict[str, str]] = {
    "on_case_deleted": {
        "do_nothing": "When a case is deleted in Salesforce, its ticket stays as it is",
        "delete_ticket": "When a case is deleted in Salesforce, its ticket is deleted",
    },
    "on_case_merged": {
        "as_deleted": "A case that was merged into another counts as deleted",
        "follow_merge": "When a case is merged into another, its ticket is deleted",
    },
    "unmapped_status": {
        "reject": "A case whose status has no stage gets no ticket, and is listed as an error",
        "skip": "A case whose status has no stage is left out",
        "default_stage": "A case whose status has no stage goes to the pipeline's default stage",
        "same_name": "A case whose status has no stage goes to the stage of the same name",
    },
    "unmapped_process": {
        "reject": "A case whose support process has no pipeline gets no ticket, and is listed as an error",
        "skip": "A case whose support process has no pipeline is left out",
        "default_stage": "A case whose support process has no pipeline goes where cases without one go",
    },
}
SWITCHES = {
    "account": "company of the account",
    "contact": "contact",
    "parent_case": "ticket of the parent case",
}
OPERATORS = {
    "is": "is", "is_not": "is not", "one_of": "is one of", "none_of": "is none of", "contains": "contains",
    "starts_with": "starts with", "at_least": "is at least", "at_most": "is at most",
}  # fmt: skip
Told = Iterator[tuple[str, str, str]]


def rules_in_words(rules: Mapping[str, Any]) -> Told:
    """Name, value and meaning of each single rule."""
    for name, meanings in MEANINGS.items():
        yield name, rules[name], meanings[rules[name]]


def associations_in_words(switches: Mapping[str, bool], associations: Sequence[Mapping[str, Any]]) -> Told:
    """Name, on or off, and how the other record is found, of each association."""
    by_path = {rule["path"]: rule for rule in associations}
    for name, is_on in switches.items():
        rule = by_path.get(f"associations.{name}")
        meaning = f"Tickets are associated with the {SWITCHES[name]}, {found_by(rule)}" if rule else ""
        yield (
            name,
            "on" if is_on else "off",
            meaning or f"Tickets are not associated with the {SWITCHES[name]}",
        )
    for rule in associations:
        if rule["path"].startswith("associations.more"):
            meaning = f"Tickets are associated with the {rule['to']}, {found_by(rule)}"
            yield rule["path"].removeprefix("associations."), "on", meaning


def found_by(rule: Mapping[str, Any]) -> str:
    return "found by " + ", else ".join(f"{m['by']} = {joined_in_words(m['from'])}" for m in rule["matches"])


def filter_in_words(rule: Mapping[str, Any] | None) -> str:
    """Which cases become tickets."""
    if not rule:
        return "Every case becomes a ticket"
    types = rule["record_types"]
    words = []
    if types["include"]:
        words.append(f"record type is one of {', '.join(types['include'])}")
    if types["exclude"]:
        words.append(f"record type is none of {', '.join(types['exclude'])}")
    words += [_condition(c) for c in rule["all"]]
    if rule["any"]:
        words.append(f"({' or '.join(_condition(c) for c in rule['any'])})")
    other = {"leave": "is left as it is", "delete_ticket": "is deleted"}[rule["otherwise"]]
    return f"Only cases whose {' and '.join(words)}; the ticket of any other case {other}"


def _condition(condition: Mapping[str, Any]) -> str:
    field = condition["field"]
    parts = [
        f"{field} is {'filled' if value else 'empty'}"
        if name == "filled"
        else f"{field} {OPERATORS[name]} {_value(value)}"
        for name, value in condition.items()
        if name != "field"
    ]
    return " and ".join(parts)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
