"""Core: what every portal has from the start: default properties, the default pipeline, the property groups."""

from __future__ import annotations

from dataclasses import replace

from case_sync_sandbox.hubspot.metadata import Group, Option, Pipeline, Property, Stage

PORTAL_ID = 44556677


def _options(*values: str) -> tuple[Option, ...]:
    return tuple(
        Option(label=value.replace("_", " ").capitalize(), value=value, display_order=number)
        for number, value in enumerate(values)
    )


def _text(name: str, label: str) -> Property:
    return Property(name=name, label=label)


def _choice(name: str, label: str, *values: str, field_type: str = "select") -> Property:
    return Property(
        name=name, label=label, type="enumeration", field_type=field_type, options=_options(*values)
    )


def _moment(name: str, label: str, *, read_only: bool = False) -> Property:
    return Property(name=name, label=label, type="datetime", field_type="date", read_only=read_only)


def _number(name: str, label: str, *, read_only: bool = False, calculated: bool = False) -> Property:
    return Property(
        name=name, label=label, type="number", field_type="number", read_only=read_only, calculated=calculated
    )


def _flag(name: str, label: str, *, read_only: bool = False) -> Property:
    return Property(
        name=name,
        label=label,
        type="bool",
        field_type="booleancheckbox",
        options=(Option(label="True", value="true"), Option(label="False", value="false")),
        read_only=read_only,
    )


def _owner() -> Property:
    """Owner ids are no options: the property refers to owners ("Properties": referencedObjectType)."""
    return Property(
        name="hubspot_owner_id",
        label="Owner",
        type="enumeration",
        field_type="select",
        external_options=True,
        referenced_object_type="OWNER",
    )


_RECORD = (
    _number("hs_object_id", "Record ID", read_only=True),
    _moment("createdate", "Create date"),
    _moment("hs_lastmodifieddate", "Last modified date", read_only=True),
    _owner(),
)

# "HubSpot's default ticket properties". hs_pipeline and hs_pipeline_stage get their options from the pipelines.
# Whether createdate and closed_date can be written is not documented; they are writable here, no referee can confirm it.
_TICKETS = (
    *_RECORD,
    _text("subject", "Ticket name"),
    Property(name="content", label="Ticket description", field_type="textarea"),
    _choice("hs_pipeline", "Pipeline"),
    _choice("hs_pipeline_stage", "Ticket status"),
    _choice("hs_ticket_priority", "Priority", "LOW", "MEDIUM", "HIGH", "URGENT"),
    _choice(
        "hs_ticket_category",
        "Category",
        "PRODUCT_ISSUE",
        "BILLING_ISSUE",
        "FEATURE_REQUEST",
        "GENERAL_INQUIRY",
        field_type="checkbox",
    ),
    _choice("source_type", "Source", "CHAT", "EMAIL", "FORM", "PHONE"),
    _text("source_ref", "Reference to source-specific object"),
    _moment("closed_date", "Close date"),
    _choice("hs_resolution", "Resolution", "ISSUE_FIXED", "NO_RESPONSE", "DUPLICATE", field_type="radio"),
    _number("created_by", "Created by"),
    _number("time_to_close", "Time to close", read_only=True, calculated=True),
    _number("hs_ticket_id", "Ticket ID", read_only=True, calculated=True),
    _number("hs_primary_company_id", "Primary company id", read_only=True, calculated=True),
    _number("hs_num_associated_companies", "Number of associated companies", read_only=True, calculated=True),
    _flag("hs_is_closed", "Is closed", read_only=True),
    Property(
        name="hs_unique_creation_key", label="Unique creation key", has_unique_value=True, read_only=True
    ),
)

_COMPANIES = (
    *_RECORD,
    _text("name", "Company name"),
    _text("domain", "Company domain name"),
    _text("phone", "Phone number"),
    _text("city", "City"),
    _text("country", "Country"),
    Property(name="website", label="Website URL"),
    Property(name="description", label="Description", field_type="textarea"),
)

_CONTACTS = (
    *_RECORD,
    # The contact's own key: HubSpot answers 409 for a second contact with the same address.
    Property(name="email", label="Email", has_unique_value=True),
    _text("firstname", "First name"),
    _text("lastname", "Last name"),
    _text("phone", "Phone number"),
    _moment("lastmodifieddate", "Last modified date", read_only=True),
)

GROUPS: dict[str, Group] = {
    "tickets": Group(name="ticketinformation", label="Ticket information", display_order=0),
    "companies": Group(name="companyinformation", label="Company information", display_order=0),
    "contacts": Group(name="contactinformation", label="Contact information", display_order=0),
}

PROPERTIES: dict[str, tuple[Property, ...]] = {
    object_type: tuple(
        replace(definition, hubspot_defined=True, group_name=GROUPS[object_type].name)
        for definition in definitions
    )
    for object_type, definitions in (
        ("tickets", _TICKETS),
        ("companies", _COMPANIES),
        ("contacts", _CONTACTS),
    )
}

# Properties that an answer shows when the request names none.
SHOWN: dict[str, tuple[str, ...]] = {
    "tickets": (
        "content",
        "createdate",
        "hs_lastmodifieddate",
        "hs_object_id",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_ticket_priority",
        "subject",
    ),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
}
# Properties that every answer shows besides those asked for.
ALWAYS_SHOWN = ("createdate", "hs_lastmodifieddate", "hs_object_id")

# "Set up and customize ticket pipelines": the pipeline that each portal has.
DEFAULT_PIPELINE = Pipeline(
    id="0",
    label="Support Pipeline",
    stages=(
        Stage(id="1", label="New", display_order=0),
        Stage(id="2", label="Waiting on contact", display_order=1),
        Stage(id="3", label="Waiting on us", display_order=2),
        Stage(id="4", label="Closed", display_order=3, ticket_state="CLOSED"),
    ),
)
