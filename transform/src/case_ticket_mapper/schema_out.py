"""Core: the schemas of the streams that go out, made from the rules."""

from __future__ import annotations

from typing import Any

from case_ticket_mapper.conversions import JSON_TYPES
from case_ticket_mapper.rules import KEY, Rules

TEXT: dict[str, Any] = {"type": ["string", "null"]}
MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_WAY: dict[str, Any] = {"by": {"type": "string"}, "value": {"type": "string"}}
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
    for rule in rules.fields:
        properties[rule.property] = {"type": [JSON_TYPES.get(rule.convert, "string"), "null"]}
    properties |= {
        "hs_pipeline": TEXT,
        "hs_pipeline_stage": TEXT,
        "salesforce_org_id": TEXT,
        "salesforce_system_modstamp": MOMENT,
        "associations": ASSOCIATIONS,
        "_sdc_deleted_at": MOMENT,
    }
    return {"type": "object", "properties": properties, "required": [KEY]}


def rejected_schema() -> dict[str, Any]:
    """The JSON Schema of a record of `rejected_cases`."""
    names = ("code", "field", "message", "salesforce_org_id", "rejected_by")
    properties = {KEY: {"type": "string"}, **dict.fromkeys(names, TEXT), "salesforce_system_modstamp": MOMENT}
    return {"type": "object", "properties": properties, "required": [KEY]}
