"""Core: the rules by which a case becomes a ticket, as values; the defaults stand here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

KEY = "salesforce_case_id"
# Properties that the sync itself writes: the key, the mark of the source org, and the version of the case.
MARKS = (KEY, "salesforce_org_id", "salesforce_system_modstamp")
# A ticket can't be without these (HubSpot: tickets, required properties).
REQUIRED = ("subject", "hs_pipeline", "hs_pipeline_stage")

OnDeleted = Literal["do_nothing", "delete_ticket"]
WhenUnmapped = Literal["default_stage", "reject", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One mapping: a Case column, or a constant, to a ticket property.

    Attributes:
        property: internal name of the ticket property.
        source: column of the stream `cases`; None for a constant.
        constant: the value when there is no source.
        convert: name of a conversion; "as_is" where there is none.
        options: picklist value -> option value, for the conversion "option".
        template: text with {Column} places that stands in when the source is empty.
    """

    property: str
    source: str | None = None
    constant: str | None = None
    convert: str = "as_is"
    options: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRule:
    """Where the cases of a support process go: a ticket pipeline, and a stage per status; ids or labels."""

    pipeline: str
    stages: Mapping[str, str]
    closed_stage: str | None = None
    default_stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One way to find the other record: its property, and the column whose value it holds."""

    by: str
    source: str
    convert: str = "as_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationRule:
    """An association of the ticket: to what, and how to find it, in order."""

    to: Literal["company", "contact", "ticket"]
    matches: tuple[Match, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that decides how a case becomes a ticket.

    Attributes:
        pipelines: by the value of `pipeline_by`; "default" takes cases without a value and values that are not named.
        unmapped_status: what becomes of a case whose status has no stage.
    """

    on_case_deleted: OnDeleted
    fields: tuple[FieldRule, ...]
    pipeline_by: str
    pipelines: Mapping[str, PipelineRule]
    associations: tuple[AssociationRule, ...]
    unmapped_status: WhenUnmapped = "reject"
    unmapped_process: WhenUnmapped = "default_stage"


# Our default mapping: HubSpot does not publish its own.
DEFAULT_FIELDS: dict[str, dict[str, Any]] = {
    "subject": {"from": "Subject", "or_template": "Case {CaseNumber}"},
    "content": {"from": "Description", "convert": "text"},
    "hs_ticket_priority": {"from": "Priority", "convert": "option", "options": {"High": "HIGH", "Medium": "MEDIUM", "Low": "LOW", "Urgent": "URGENT", "Critical": "URGENT"}},
    "source_type": {"from": "Origin", "convert": "option", "options": {"Phone": "PHONE", "Email": "EMAIL", "Web": "FORM", "Chat": "CHAT"}},
    "hubspot_owner_email": {"from": "Owner__Email"},
    "salesforce_case_number": {"from": "CaseNumber"},
    "salesforce_case_url": {"from": "_sf_case_url"},
}  # fmt: skip
DEFAULT_MATCHES: dict[str, list[dict[str, str]]] = {
    "account": [
        {"by": "salesforceaccountid", "from": "AccountId"},
        {"by": "domain", "from": "Account__Website", "convert": "domain"},
    ],
    "contact": [
        {"by": "salesforcecontactid", "from": "ContactId"},
        {"by": "email", "from": "Contact__Email", "convert": "lower"},
    ],
    "parent_case": [{"by": KEY, "from": "ParentId"}],
}
OTHER_RECORD: dict[str, Literal["company", "contact", "ticket"]] = {
    "account": "company",
    "contact": "contact",
    "parent_case": "ticket",
}
