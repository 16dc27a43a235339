"""Core: an upsert to the property map that is sent, with labels turned into ids; or the reason why it can't be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from target_hubspot_tickets.portal import Portal, UnknownPlaceError, find_pipeline
from target_hubspot_tickets.records import OWNER_EMAIL, Upsert
from target_hubspot_tickets.values import to_hubspot

OWNER_ID = "hubspot_owner_id"


class UnresolvedError(Exception):
    """This record can't be written as it is: rejected with this text, which names no value of the record but labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The settings that decide about values."""

    key_property: str
    empty_values: Literal["clear", "keep"]
    unknown_owner: Literal["leave", "clear"]


def properties_of(upsert: Upsert, portal: Portal, choices: Choices) -> dict[str, str]:
    """The properties of one input of batch/upsert; the key among them, so that the answer echoes it.

    Raises:
        UnresolvedError: a pipeline or stage that the portal does not have.
    """
    values: dict[str, Any] = dict(upsert.values)
    owner = owner_of(values.pop(OWNER_EMAIL, None), portal.owners, choices) if OWNER_EMAIL in values else None
    place = place_of(values, portal)
    sent = {
        name: to_hubspot(value)
        for name, value in values.items()
        if value is not None or choices.empty_values == "clear"
    }
    if owner is not None:
        sent[OWNER_ID] = owner
    return sent | place | {choices.key_property: upsert.key}


def owner_of(email: Any, owners: Mapping[str, str], choices: Choices) -> str | None:
    """The owner id of an e-mail; None leaves the property alone."""
    found = owners.get(str(email).strip().lower()) if email else None
    return found or ("" if choices.unknown_owner == "clear" else None)


def place_of(values: dict[str, Any], portal: Portal) -> dict[str, str]:
    """Pipeline and stage as ids; takes both out of `values`. They go together: a stage belongs to one pipeline."""
    named, stage = values.pop("hs_pipeline", None), values.pop("hs_pipeline_stage", None)
    if named is None and stage is None:
        return {}
    try:
        pipeline = find_pipeline(portal.pipelines, str(named))
        return {"hs_pipeline": pipeline.id, "hs_pipeline_stage": pipeline.stage_id(str(stage))}
    except UnknownPlaceError as error:
        raise UnresolvedError(str(error)) from None
