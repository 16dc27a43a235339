"""Core: what has to be there before the first write: every problem at once, and the properties to create."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from target_hubspot_tickets.portal import Pipeline, Property, UnknownPlaceError, find_pipeline
from target_hubspot_tickets.records import ASSOCIATIONS, DELETED_AT, OWNER_EMAIL

GROUP = "ticketinformation"  # the group that every portal has for tickets (HubSpot: properties)
STAGES_BY_PIPELINE = "stages_by_pipeline"
OWN_PREFIX = "salesforce_"
LABELS = {
    "salesforce_case_id": "Salesforce Case ID",
    "salesforce_case_number": "Salesforce Case Number",
    "salesforce_case_url": "Salesforce Case URL",
    "salesforce_org_id": "Salesforce Org ID",
    "salesforce_system_modstamp": "Salesforce System Modstamp",
}
MAX_UNIQUE = 10  # unique properties per object (HubSpot: properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What preflight found: bodies of properties to create, and problems that forbid the run."""

    create: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]


def property_columns(columns: Collection[str]) -> list[str]:
    """The columns of the stream that are ticket properties."""
    special = {DELETED_AT, ASSOCIATIONS, OWNER_EMAIL}
    return [c for c in columns if c not in special and not c.startswith("_sdc_")]


def plan(
    columns: dict[str, dict[str, Any]],
    properties: dict[str, Property],
    key_property: str,
    *,
    may_create: bool,
) -> Plan:
    """Compare the stream's columns (name -> JSON Schema) with the portal's ticket properties."""
    problems: list[str] = []
    create: list[dict[str, Any]] = []
    if key_property not in columns:
        problems.append(
            f"the stream has no column '{key_property}': set key_property to the column that tells records apart"
        )
    for name in property_columns(columns):
        known = properties.get(name)
        if known is None and may_create and (name.startswith(OWN_PREFIX) or name == key_property):
            create.append(definition(name, columns[name], unique=name == key_property))
        elif known is None:
            problems.append(
                f"HubSpot has no ticket property '{name}': create it, or take it out of the stream"
            )
        elif known.is_read_only:
            problems.append(
                f"the ticket property '{name}' is read only in HubSpot: take it out of the stream"
            )
        elif name == key_property and not known.is_unique:
            problems.append(
                f"the ticket property '{name}' does not require unique values, and HubSpot can't change that: name another key_property"
            )
    if (
        any(body.get("hasUniqueValue") for body in create)
        and sum(p.is_unique for p in properties.values()) > MAX_UNIQUE
    ):
        problems.append(
            f"tickets have {MAX_UNIQUE} properties with unique values already, HubSpot's limit: '{key_property}' can't be created"
        )
    return Plan(create=tuple(create), problems=tuple(problems))


def wrong_places(columns: Mapping[str, Mapping[str, Any]], pipelines: Mapping[str, Pipeline]) -> list[str]:
    """What is wrong with the pipelines and stages that the stream's schema announces; a stream need not announce any.

    The annotation stands in the schema of `hs_pipeline_stage`: `{"stages_by_pipeline": {"Billing": ["New", ...]}}`.
    """
    announced = columns.get("hs_pipeline_stage", {}).get(STAGES_BY_PIPELINE)
    problems = []
    for name, stages in announced.items() if isinstance(announced, dict) else ():
        try:
            pipeline = find_pipeline(pipelines, name)
        except UnknownPlaceError as error:
            problems.append(str(error))
            continue
        for stage in stages:
            try:
                pipeline.stage_id(stage)
            except UnknownPlaceError as error:
                problems.append(str(error))
    return problems


def definition(name: str, schema: dict[str, Any], *, unique: bool) -> dict[str, Any]:
    """The body that creates one of the target's own properties."""
    kind, field_type = ("datetime", "date") if schema.get("format") == "date-time" else ("string", "text")
    body = {
        "groupName": GROUP, "name": name, "label": LABELS.get(name, name.replace("_", " ").title()), "type": kind, "fieldType": field_type,
        "formField": False, "description": "Written by target-hubspot-tickets. Do not edit.",
    }  # fmt: skip
    return body | ({"hasUniqueValue": True} if unique else {})
