"""Core: what a HubSpot portal is filled with, as values that know nothing of how the portal keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSeed:
    """Someone who can own a ticket."""

    id: str
    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSeed:
    """One stage of a pipeline; `closed` is ticketState CLOSED."""

    id: str
    label: str
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSeed:
    """One ticket pipeline with its stages in order."""

    id: str
    label: str
    stages: tuple[StageSeed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertySeed:
    """A property that the portal has beyond HubSpot's own; `object_name` is tickets, companies or contacts."""

    object_name: str
    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    unique: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSeed:
    """A whole portal: definitions, and companies and contacts as maps of property values."""

    companies: Sequence[Mapping[str, str]] = ()
    contacts: Sequence[Mapping[str, str]] = ()
    owners: Sequence[OwnerSeed] = ()
    pipelines: Sequence[PipelineSeed] = ()
    properties: Sequence[PropertySeed] = ()


# What HubSpot's own Salesforce integration adds to a portal: the Salesforce ids of companies and contacts. Whether HubSpot
# makes them unique is not documented; the sandbox takes the harder case: they are not.
INTEGRATION_PROPERTIES = (
    PropertySeed(object_name="companies", name="salesforceaccountid", label="Salesforce Account ID"),
    PropertySeed(object_name="contacts", name="salesforcecontactid", label="Salesforce Contact ID"),
)
