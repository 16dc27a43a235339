"""Shell: the calls on properties and their groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from case_sync_sandbox.hubspot.answer_batches import batch_answer, object_type_of
from case_sync_sandbox.hubspot.drafts import inputs_of
from case_sync_sandbox.hubspot.errors import (
    HubSpotError,
    InputError,
    invalid_json,
    not_found,
    validation_error,
)
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.metadata import Group, Property, option_from_json, property_from_json

# "Properties": at most 10 properties with unique values per object type.
MAX_UNIQUE = 10
# "Properties": which field types go with which type.
FIELD_TYPES: dict[str, frozenset[str]] = {
    "bool": frozenset({"booleancheckbox", "calculation_equation"}),
    "enumeration": frozenset({"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
    "string": frozenset({"file", "text", "textarea", "calculation_equation", "html", "phonenumber"}),
    "number": frozenset({"number", "calculation_equation"}),
    "phone_number": frozenset({"phonenumber"}),
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
_OPTION_MEMBERS = {True: ("displayOrder", "hidden", "label", "value"), False: ("label", "value")}


def _missing(name: str) -> HubSpotError:
    return HubSpotError(
        status=404,
        category="OBJECT_NOT_FOUND",
        sub_category="Properties.PROPERTY_NOT_FOUND",
        message=f"Property {name} does not exist",
    )


def _find(call: Call, object_type: str) -> Property:
    definition = call.hub.portal.properties[object_type].get(call.path["name"])
    if definition is None or definition.archived != (call.query.get("archived") == "true"):
        raise _missing(call.path["name"])
    return definition


def list_properties(call: Call) -> Answer:
    """GET all of a type in one answer; archived ones only when asked for."""
    object_type, portal = object_type_of(call), call.hub.portal
    archived = call.query.get("archived") == "true"
    chosen = [p for p in portal.properties[object_type].values() if p.archived == archived]
    return Answer(body={"results": [portal.described(object_type, p).as_json() for p in chosen]})


def read(call: Call) -> Answer:
    """GET one; 404 when there is none."""
    object_type = object_type_of(call)
    return Answer(body=call.hub.portal.described(object_type, _find(call, object_type)).as_json())


def create(call: Call) -> Answer:
    """POST one: 409 when the name is taken; an archived name comes back (seen live by a public client)."""
    object_type = object_type_of(call)
    definition = _new(call, object_type, call.body)
    call.hub.portal.put_property(object_type, definition)
    return Answer(body=definition.as_json(), status=201)


def _new(call: Call, object_type: str, body: Any) -> Property:
    portal = call.hub.portal
    if absent := [name for name in _REQUIRED if not body.get(name)]:
        raise validation_error(f"Some required fields were not set: [{', '.join(absent)}]")
    _check_form(call, body)
    existing = portal.properties[object_type].get(body["name"])
    if existing is not None and not existing.archived:
        raise HubSpotError(
            status=409,
            category="OBJECT_ALREADY_EXISTS",
            sub_category="Properties.PROPERTY_WITH_NAME_EXISTS",
            message=f'A property named "{body["name"]}" already exists.',
        )
    if body["groupName"] not in portal.groups[object_type]:
        raise validation_error(
            f"The property group {body['groupName']} does not exist", groupName=[body["groupName"]]
        )
    now = call.hub.now()
    definition = replace(
        property_from_json(body), archived=False, hubspot_defined=False, created_at=now, updated_at=now
    )
    own_unique = [
        n
        for n in portal.unique_properties(object_type)
        if not portal.properties[object_type][n].hubspot_defined
    ]
    if definition.has_unique_value and len(own_unique) >= MAX_UNIQUE:
        raise validation_error(f"Only {MAX_UNIQUE} unique properties are allowed per object type")
    return definition


def _check_form(call: Call, body: Mapping[str, Any]) -> None:
    name, kind, field_type = str(body["name"]), str(body["type"]), str(body["fieldType"])
    if not _NAME.fullmatch(name):
        raise validation_error(
            f"Property name {name} is invalid: lower-case letters, digits and underscores, starting with a letter",
            propertyName=[name],
        )
    if kind not in FIELD_TYPES:
        raise invalid_json(f"Enum type must be one of: [{', '.join(FIELD_TYPES)}]")
    if field_type not in FIELD_TYPES[kind]:
        raise validation_error(f"fieldType {field_type} is not valid for type {kind}", fieldType=[field_type])
    _check_options(call, body.get("options") or [])


def _check_options(call: Call, options: Any) -> None:
    """2026-09 wants four members of each option, the older versions label and value ("Spec differences")."""
    required = _OPTION_MEMBERS[call.version == "2026-09"]
    for option in options:
        if absent := [name for name in required if option.get(name) is None]:
            raise validation_error(
                f"Some required fields were not set: [{', '.join(absent)}]", options=[str(absent)]
            )
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        raise validation_error("Property option values must be unique")


_CHANGES = {
    "label": "label",
    "description": "description",
    "groupName": "group_name",
    "fieldType": "field_type",
    "displayOrder": "display_order",
    "hidden": "hidden",
    "formField": "form_field",
}


def update(call: Call) -> Answer:
    """PATCH one: `options` replaces the whole list; whether values are unique can't be changed."""
    object_type = object_type_of(call)
    definition = _find(call, object_type)
    body = call.body
    if body.get("hasUniqueValue") not in (None, definition.has_unique_value):
        raise validation_error("hasUniqueValue can't be changed once the property exists")
    changes: dict[str, Any] = {ours: body[theirs] for theirs, ours in _CHANGES.items() if theirs in body}
    if "options" in body:
        _check_options(call, body["options"])
        changes["options"] = tuple(option_from_json(option) for option in body["options"])
    changed = replace(definition, **changes, updated_at=call.hub.now())
    call.hub.portal.put_property(object_type, changed)
    return Answer(body=call.hub.portal.described(object_type, changed).as_json())


def archive(call: Call) -> Answer:
    """DELETE one; HubSpot's own can't go."""
    object_type = object_type_of(call)
    definition = _find(call, object_type)
    if definition.hubspot_defined:
        raise validation_error(f"The property {definition.name} is defined by HubSpot and can't be archived")
    call.hub.portal.put_property(object_type, replace(definition, archived=True))
    return Answer(status=204)


def batch_read(call: Call) -> Answer:
    """POST batch/read: by name; unknown names are errors of a 207."""
    object_type, portal, now = object_type_of(call), call.hub.portal, call.hub.now()
    names = [str(one.get("name")) for one in inputs_of(call.body)]
    archived = bool(call.body.get("archived"))
    known = portal.properties[object_type]
    found = [known[name] for name in names if name in known and known[name].archived == archived]
    missing = [name for name in names if name not in known or known[name].archived != archived]
    errors = [
        InputError(
            category="OBJECT_NOT_FOUND", message=f"Property {name} does not exist", context={"name": [name]}
        ).as_json()
        for name in missing
    ]
    return batch_answer(call, [portal.described(object_type, p).as_json() for p in found], errors, now)


def batch_create(call: Call) -> Answer:
    """POST batch/create: each on its own; refused ones are errors of a 207."""
    object_type, now = object_type_of(call), call.hub.now()
    results, errors = [], []
    for one in inputs_of(call.body):
        try:
            definition = _new(call, object_type, one)
        except HubSpotError as error:
            refusal = InputError(
                category=error.category,
                message=error.message,
                sub_category=error.sub_category,
                context={"name": [str(one.get("name"))]},
            )
            errors.append(refusal.as_json())
            continue
        call.hub.portal.put_property(object_type, definition)
        results.append(definition.as_json())
    return batch_answer(call, results, errors, now, status=201)


def batch_archive(call: Call) -> Answer:
    """POST batch/archive: 204 whatever the names."""
    object_type = object_type_of(call)
    for one in inputs_of(call.body):
        definition = call.hub.portal.properties[object_type].get(str(one.get("name")))
        if definition is not None and not definition.hubspot_defined:
            call.hub.portal.put_property(object_type, replace(definition, archived=True))
    return Answer(status=204)


def list_groups(call: Call) -> Answer:
    """GET the groups."""
    groups = call.hub.portal.groups[object_type_of(call)].values()
    return Answer(body={"results": [group.as_json() for group in groups if not group.archived]})


def create_group(call: Call) -> Answer:
    """POST a group; 409 when the name is taken."""
    object_type = object_type_of(call)
    body = call.body
    if absent := [name for name in ("name", "label") if not body.get(name)]:
        raise validation_error(f"Some required fields were not set: [{', '.join(absent)}]")
    if body["name"] in call.hub.portal.groups[object_type]:
        raise HubSpotError(
            status=409,
            category="OBJECT_ALREADY_EXISTS",
            sub_category="Properties.GROUP_WITH_NAME_EXISTS",
            message=f'A property group named "{body["name"]}" already exists.',
        )
    group = Group(name=body["name"], label=body["label"], display_order=body.get("displayOrder", -1))
    call.hub.portal.put_group(object_type, group)
    return Answer(body=group.as_json(), status=201)


def read_group(call: Call) -> Answer:
    """GET one group."""
    group = call.hub.portal.groups[object_type_of(call)].get(call.path["name"])
    if group is None:
        raise not_found(f"Property group {call.path['name']} does not exist")
    return Answer(body=group.as_json())
