"""Core: the rules that are in effect, defaults included, as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from case_ticket_mapper.explaining import rule_in_words
from case_ticket_mapper.rules import (
    CLOSED_STAGE,
    DEFAULT_FIELDS,
    MARKS,
    OTHER_RECORD,
    AssociationRule,
    Condition,
    FieldRule,
    FilterRule,
    PipelineRule,
    Rules,
)
from case_ticket_mapper.schema_out import tickets_schema

NEEDED = frozenset({"subject"})  # rules.schema.json lets these not be null


def shown_rules(rules: Rules, block: Mapping[str, Any]) -> dict[str, Any]:
    """Every rule as it is in effect; `block` is what the rules were read from."""
    named: Mapping[str, Any] = block.get("fields", {})
    paths = {rule.path for rule in rules.associations}
    return {
        "on_case_deleted": rules.on_case_deleted,
        "on_case_merged": rules.on_case_merged,
        "unmapped_status": rules.unmapped_status,
        "unmapped_process": rules.unmapped_process,
        "pipeline_by": rules.pipeline_by,
        "filter": None if rules.filter is None else _filter(rules.filter),
        "associations": [_association(rule) for rule in rules.associations],
        "association_switches": {name: f"associations.{name}" in paths for name in OTHER_RECORD},
        "fields": [_field(rule, is_default=rule.property not in named) for rule in rules.fields],
        "switched_off": [name for name in DEFAULT_FIELDS if name in named and named[name] is None],
        "always_written": list(MARKS),
        "pipelines": {name: _pipeline(rule) for name, rule in rules.pipelines.items()},
        "tickets_schema": tickets_schema(rules),
    }


def _field(rule: FieldRule, *, is_default: bool) -> dict[str, Any]:
    return {
        "property": rule.property,
        "from": list(rule.sources),
        "template": rule.template,
        "constant": rule.constant,
        "convert": rule.convert,
        "rule": rule_in_words(rule),
        "options": dict(rule.options) or None,
        "write": rule.write,
        "is_default": is_default,
        "has_default": rule.property in DEFAULT_FIELDS,
        "is_removable": rule.property not in NEEDED,
    }


def _association(rule: AssociationRule) -> dict[str, Any]:
    matches = [{"by": m.by, "from": m.source, "convert": m.convert} for m in rule.matches]
    return {"to": rule.to, "path": rule.path, "on": True, "label": rule.label, "matches": matches}


def _pipeline(rule: PipelineRule) -> dict[str, Any]:
    closed = None if rule.closed_stage == CLOSED_STAGE else rule.closed_stage
    return {
        "pipeline": rule.pipeline,
        "stages": dict(rule.stages),
        "default_stage": rule.default_stage,
        "closed_stage": closed,
    }


def _filter(rule: FilterRule) -> dict[str, Any]:
    """In the form of the block, so that it can be read as one: what is empty is left out."""
    types = {"include": sorted(rule.include), "exclude": sorted(rule.exclude)}
    parts: dict[str, Any] = {
        "record_types": {kind: names for kind, names in types.items() if names},
        "all": [_conditions((condition,)) for condition in rule.every],
        "any": [_conditions(group) for group in rule.some],
    }
    otherwise = "delete_ticket" if rule.deletes else "leave"
    return {name: part for name, part in parts.items() if part} | {"otherwise": otherwise}


def _conditions(group: tuple[Condition, ...]) -> dict[str, Any]:
    return {"field": group[0].source} | {c.operator: c.operand for c in group}
