"""Core: the portal's metadata as values: properties, groups, pipelines with stages, owners, and their JSON forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EPOCH = "2019-10-30T03:30:17.883Z"

# HubSpot "Object type IDs"; the singular stands in messages and association names.
OBJECT_TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "tickets": "0-5"}
SINGULAR = {"contacts": "contact", "companies": "company", "tickets": "ticket"}
OBJECT_TYPES: dict[str, str] = {
    spelling: name
    for name, type_id in OBJECT_TYPE_IDS.items()
    for spelling in (name, type_id, SINGULAR[name])
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice of an enumeration. `value` is the internal, case-sensitive name."""

    label: str
    value: str
    display_order: int = -1
    hidden: bool = False
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """HubSpot's Option."""
        return {
            "label": self.label,
            "value": self.value,
            "displayOrder": self.display_order,
            "hidden": self.hidden,
            "description": self.description,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of an object type."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group_name: str = "ticketinformation"
    description: str = ""
    options: tuple[Option, ...] = ()
    has_unique_value: bool = False
    read_only: bool = False
    calculated: bool = False
    hidden: bool = False
    form_field: bool = False
    display_order: int = -1
    external_options: bool = False
    referenced_object_type: str | None = None
    hubspot_defined: bool = False
    archived: bool = False
    created_at: str = EPOCH
    updated_at: str = EPOCH

    def as_json(self) -> dict[str, Any]:
        """HubSpot's Property."""
        body: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group_name,
            "options": [option.as_json() for option in self.options],
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": self.archived,
            "hasUniqueValue": self.has_unique_value,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined and self.read_only,
                "readOnlyValue": self.read_only,
            },
        }
        if self.referenced_object_type:
            body["referencedObjectType"] = self.referenced_object_type
        return body


def option_from_json(value: Mapping[str, Any]) -> Option:
    """Read an Option; label and value must be there."""
    return Option(
        label=value["label"],
        value=value["value"],
        display_order=value.get("displayOrder", -1),
        hidden=value.get("hidden", False),
        description=value.get("description") or "",
    )


def property_from_json(value: Mapping[str, Any]) -> Property:
    """Read a Property (or PropertyCreate) body; name and label must be there."""
    marks = value.get("modificationMetadata") or {}
    return Property(
        name=value["name"],
        label=value["label"],
        type=value.get("type", "string"),
        field_type=value.get("fieldType", "text"),
        group_name=value.get("groupName", "ticketinformation"),
        description=value.get("description") or "",
        options=tuple(option_from_json(option) for option in value.get("options") or ()),
        has_unique_value=value.get("hasUniqueValue", False),
        read_only=marks.get("readOnlyValue", value.get("readOnly", False)),
        calculated=value.get("calculated", False),
        hidden=value.get("hidden", False),
        form_field=value.get("formField", False),
        display_order=value.get("displayOrder", -1),
        external_options=value.get("externalOptions", False),
        referenced_object_type=value.get("referencedObjectType"),
        hubspot_defined=value.get("hubspotDefined", False),
        archived=value.get("archived", False),
        created_at=value.get("createdAt", EPOCH),
        updated_at=value.get("updatedAt", EPOCH),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A property group."""

    name: str
    label: str
    display_order: int = -1
    archived: bool = False

    def as_json(self) -> dict[str, Any]:
        """HubSpot's PropertyGroup."""
        return {
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a pipeline; `ticket_state` is OPEN or CLOSED."""

    id: str
    label: str
    display_order: int = 0
    ticket_state: str = "OPEN"
    archived: bool = False
    created_at: str = EPOCH
    updated_at: str = EPOCH

    @property
    def is_closed(self) -> bool:
        """Whether tickets in it are closed."""
        return self.ticket_state == "CLOSED"

    def as_json(self) -> dict[str, Any]:
        """HubSpot's PipelineStage."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "metadata": {"ticketState": self.ticket_state, "isClosed": str(self.is_closed).lower()},
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "archived": self.archived,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One ticket pipeline. Stages stand in display order."""

    id: str
    label: str
    display_order: int = 0
    stages: tuple[Stage, ...] = ()
    archived: bool = False
    created_at: str = EPOCH
    updated_at: str = EPOCH

    def stage(self, stage_id: str) -> Stage | None:
        """The stage with that id, or None."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    def as_json(self) -> dict[str, Any]:
        """HubSpot's Pipeline."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "stages": [stage.as_json() for stage in self.stages if not stage.archived],
        }


def stage_from_json(value: Mapping[str, Any], *, stage_id: str) -> Stage:
    """Read a PipelineStage (or its input) body; `stage_id` serves where the body names none."""
    metadata = value.get("metadata") or {}
    return Stage(
        id=str(value.get("id") or value.get("stageId") or stage_id),
        label=value["label"],
        display_order=value.get("displayOrder", 0),
        ticket_state=str(metadata.get("ticketState", "OPEN")).upper(),
        archived=value.get("archived", False),
        created_at=value.get("createdAt", EPOCH),
        updated_at=value.get("updatedAt", EPOCH),
    )


def pipeline_from_json(value: Mapping[str, Any], *, pipeline_id: str) -> Pipeline:
    """Read a Pipeline (or PipelineInput) body; stages without an id get one made from the pipeline's."""
    own_id = str(value.get("id") or value.get("pipelineId") or pipeline_id)
    stages = [
        stage_from_json(stage, stage_id=f"{own_id}{number:02d}")
        for number, stage in enumerate(value.get("stages") or [], 1)
    ]
    return Pipeline(
        id=own_id,
        label=value["label"],
        display_order=value.get("displayOrder", 0),
        stages=tuple(sorted(stages, key=lambda stage: stage.display_order)),
        archived=value.get("archived", False),
        created_at=value.get("createdAt", EPOCH),
        updated_at=value.get("updatedAt", EPOCH),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody who can own a ticket. The value of `hubspot_owner_id` is `id`, not `user_id`."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    type: str = "PERSON"
    user_id: int | None = None
    archived: bool = False
    created_at: str = EPOCH
    updated_at: str = EPOCH
    teams: tuple[Mapping[str, Any], ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """HubSpot's PublicOwner; an archived owner has no `userId`, only `userIdIncludingInactive`."""
        body: dict[str, Any] = {
            "id": self.id,
            "email": self.email,
            "type": self.type,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userIdIncludingInactive": self.user_id,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "archived": self.archived,
        }
        if not self.archived:
            body["userId"] = self.user_id
        if self.teams:
            body["teams"] = [dict(team) for team in self.teams]
        return body


def owner_from_json(value: Mapping[str, Any]) -> Owner:
    """Read an owner; id and email must be there."""
    return Owner(
        id=str(value["id"]),
        email=value["email"],
        first_name=value.get("firstName") or "",
        last_name=value.get("lastName") or "",
        type=value.get("type", "PERSON"),
        user_id=value.get("userId") or value.get("userIdIncludingInactive"),
        archived=value.get("archived", False),
        teams=tuple(value.get("teams") or ()),
    )
