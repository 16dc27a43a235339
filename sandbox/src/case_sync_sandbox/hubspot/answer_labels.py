"""Shell: the calls on association labels, which are the types of a direction."""

from __future__ import annotations

from typing import Any

from case_sync_sandbox.hubspot.answer_associations import sides_of
from case_sync_sandbox.hubspot.association_types import AssociationType
from case_sync_sandbox.hubspot.errors import validation_error
from case_sync_sandbox.hubspot.hub import Answer, Call


def list_labels(call: Call) -> Answer:
    """GET the types of a direction."""
    types = call.hub.associations.types(sides_of(call))
    return Answer(body={"results": [_type_json(kind) for kind in types]})


def _type_json(kind: AssociationType) -> dict[str, Any]:
    return {"category": kind.category, "typeId": kind.type_id, "label": kind.label}


def create_label(call: Call) -> Answer:
    """POST a label: both directions are made, each with a type of its own."""
    sides = sides_of(call)
    body = call.body
    if absent := [name for name in ("name", "label") if not body.get(name)]:
        raise validation_error(f"Some required fields were not set: [{', '.join(absent)}]")
    if any(kind.label == body["label"] for kind in call.hub.associations.types(sides)):
        raise validation_error(f"The label {body['label']} already exists", label=[body["label"]])
    made = call.hub.associations.add_label(
        sides, label=body["label"], name=body["name"], inverse_label=body.get("inverseLabel")
    )
    return Answer(body={"results": [_type_json(kind) for kind in made]})
