"""Core: the schemas of the streams that go out, made from the rules."""

from __future__ import annotations

from typing import Any

from case_ticket_mapper.conversions import JSON_SCHEMAS
from case_ticket_mapper.rules import CLOSED_STAGE, KEY, FieldRule, Plain, Rules

TEXT: dict[str, Any] = {"type": ["string", "null"]}
MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
CONSTANTS: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string"}
_WAY: dict[str, Any] = {"by": {"type": "string"}, "value": {"type": "string"}}
# Annotations, which JSON Schema lets everybody pass over: a target can tell a wrong name before the first record.
STAGES_BY_PIPELINE = "stages_by_pipeline"
OPTION_VALUES = "option_values"  # not `enum`, which would forbid what a target is to judge
LOOKED_UP_BY = "looked_up_by"
LABELS = "labels"
WRITE_RULE = "write_rule"  # what a ticket that exists keeps
ASSOCIATIONS: dict[str, Any] = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "required": ["to", "by", "value"],
        "properties": {
            "to": {"type": "string", "enum": ["company", "contact", "ticket"]},
            **_WAY,
            "label": TEXT,
            "otherwise": {
                "type": "array",
                "items": {"type": "object", "required": ["by", "value"], "properties": _WAY},
            },
        },
    },
}


def tickets_schema(rules: Rules) -> dict[str, Any]:
    """The JSON Schema of a record of `tickets` under these rules."""
    properties: dict[str, Any] = {KEY: {"type": "string"}}
    properties |= {rule.property: property_schema(rule) for rule in rules.fields}
    properties |= {
        "hs_pipeline": TEXT,
        "hs_pipeline_stage": TEXT | {STAGES_BY_PIPELINE: stages_by_pipeline(rules)},
        "salesforce_org_id": TEXT,
        "salesforce_system_modstamp": MOMENT,
        "associations": ASSOCIATIONS | association_names(rules),
        "_sdc_deleted_at": MOMENT,
    }
    return {"type": "object", "properties": properties, "required": [KEY]}


def stages_by_pipeline(rules: Rules) -> dict[str, list[str]]:
    """Every pipeline and stage that the rules name, as they name them; not the closed stage that nobody named."""
    named: dict[str, dict[str, None]] = {}
    for rule in rules.pipelines.values():
        stages = [*rule.stages.values(), rule.closed_stage]
        if rules.unmapped_status == "default_stage" and rule.default_stage:
            stages.append(rule.default_stage)
        named.setdefault(rule.pipeline, {}).update(dict.fromkeys(s for s in stages if s != CLOSED_STAGE))
    return {pipeline: list(stages) for pipeline, stages in named.items()}


def association_names(rules: Rules) -> dict[str, Any]:
    """By which properties the rules look for each kind of record, and the labels that they name, if any."""
    looked_up_by: dict[str, dict[str, None]] = {}
    labels: dict[str, dict[str, None]] = {}
    for rule in rules.associations:
        looked_up_by.setdefault(rule.to, {}).update(dict.fromkeys(match.by for match in rule.matches))
        if rule.label:
            labels.setdefault(rule.to, {})[rule.label] = None
    named = {LOOKED_UP_BY: {to: list(by) for to, by in looked_up_by.items()}}
    return named | ({LABELS: {to: list(those) for to, those in labels.items()}} if labels else {})


def option_values(rule: FieldRule) -> list[Plain]:
    """All values that a mapping can give besides nothing; empty where it lets through what comes."""
    is_closed = bool(rule.options) and rule.when_unknown != "create"
    is_constant = not rule.sources and rule.template is None
    if not is_closed and not is_constant:
        return []
    given = [*rule.options.values(), rule.default] if rule.options else [rule.constant]
    return list(dict.fromkeys(value for value in given if value is not None))


def property_schema(rule: FieldRule) -> dict[str, Any]:
    """What a mapping gives: by its conversion; a constant, a default and the values of a table add their own types."""
    schema = dict(JSON_SCHEMAS.get(rule.convert, TEXT))
    kinds = dict.fromkeys(schema["type"])
    if (
        rule.convert == "as_is" and rule.sources
    ):  # a column goes through as it comes: text, number or checkbox
        kinds |= dict.fromkeys(("number", "boolean"))
    given: list[Plain | None] = [
        rule.constant,
        rule.default,
        *(rule.options.values() if rule.convert == "option" else ()),
    ]
    kinds |= {CONSTANTS[type(value)]: None for value in given if value is not None}
    values = option_values(rule)
    announced: dict[str, Any] = {OPTION_VALUES: values} if values else {}
    if rule.write != "always":
        announced[WRITE_RULE] = rule.write
    return schema | {"type": [k for k in kinds if k != "null"] + ["null"]} | announced


def rejected_schema() -> dict[str, Any]:
    """The JSON Schema of a record of `rejected_cases`."""
    names = ("code", "field", "message", "salesforce_org_id", "rejected_by")
    properties = {KEY: {"type": "string"}, **dict.fromkeys(names, TEXT), "salesforce_system_modstamp": MOMENT}
    return {"type": "object", "properties": properties, "required": [KEY]}
