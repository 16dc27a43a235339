"""Shell: what an object is made of ("Schemas": GET /crm-object-schemas/2026-09/schemas/{objectType})."""

from __future__ import annotations

from typing import Any

from case_sync_sandbox.hubspot.answer_batches import object_type_of
from case_sync_sandbox.hubspot.hub import Answer, Call

# "Using object APIs": what HubSpot wants of every new record; tickets are named by their subject.
_REQUIRED: dict[str, tuple[str, ...]] = {"tickets": ("subject",)}


def read(call: Call) -> Answer:
    """GET one: `requiredProperties` are HubSpot's own and those of the portal's form to create records."""
    object_type, portal = object_type_of(call), call.hub.portal
    form = portal.settings.required_on_create if object_type == "tickets" else ()
    required = list(dict.fromkeys([*_REQUIRED.get(object_type, ()), *form]))
    has_definitions = call.query.get("includePropertyDefinitions") != "false"
    live = [p for p in portal.properties[object_type].values() if not p.archived] if has_definitions else []
    definitions: list[Any] = [portal.described(object_type, p).as_json() for p in live]
    body = {
        "id": object_type,
        "name": object_type,
        "labels": {"singular": object_type[:-1].title(), "plural": object_type.title()},
        "requiredProperties": required,
        "searchableProperties": [],
        "secondaryDisplayProperties": [],
        "properties": definitions,
        "associations": [],
    }
    return Answer(body=body)
