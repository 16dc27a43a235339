"""Core: the rules by which a case becomes a ticket, as values; the defaults stand here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

KEY = "salesforce_case_id"
# Properties that the sync itself writes: the key, the mark of the source org, and the version of the case.
MARKS = (KEY, "salesforce_org_id", "salesforce_system_modstamp")
DEFAULT = "default"
NO_RECORD_TYPE = "none"
# Stands for the first stage of the pipeline whose ticketState is CLOSED; the target, which knows the portal, finds it.
CLOSED_STAGE = "@closed"

OnDeleted = Literal["do_nothing", "delete_ticket"]
OnMerged = Literal["as_deleted", "follow_merge"]
WhenUnmapped = Literal["default_stage", "reject", "skip", "same_name"]
WhenUnknown = Literal["leave_out", "reject", "create"]
WhenEmpty = Literal["clear", "keep"]
Write = Literal["always", "if_empty", "create_only"]
Object = Literal["company", "contact", "ticket"]
Plain = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One mapping: Case columns, a constant or a template, to a ticket property.

    Attributes:
        property: internal name of the ticket property.
        sources: columns of the stream `cases`, of which the first with a value counts; none for a constant or a template.
        constant: the value when there is no source.
        template: text with {Column} places: instead of a source, or, with one, where it is empty.
        convert: name of a conversion; "as_is" where there is none.
        options: picklist value -> option value, for the conversions "option" and "multi_option".
        default: stands in for an empty or unknown value.
        time_zone: IANA name, for the conversion "date" of a moment.
        max_length: characters; a longer text is cut.
        write: when the property of a ticket that exists is written; the target, which knows the ticket, sees to it.
    """

    property: str
    sources: tuple[str, ...] = ()
    constant: Plain | None = None
    template: str | None = None
    convert: str = "as_is"
    options: Mapping[str, Plain] = field(default_factory=dict)
    when_unknown: WhenUnknown = "leave_out"
    when_empty: WhenEmpty = "clear"
    default: Plain | None = None
    time_zone: str = "UTC"
    max_length: int | None = None
    write: Write = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRule:
    """Where the cases of a support process go: a ticket pipeline, and a stage per status; ids or labels."""

    pipeline: str
    stages: Mapping[str, str]
    closed_stage: str = CLOSED_STAGE
    default_stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One way to find the other record: its property, and the column whose value it holds."""

    by: str
    source: str
    convert: str = "as_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationRule:
    """An association of the ticket: to what, and how to find it, in order. `path` is where the rule stands."""

    to: Object
    matches: tuple[Match, ...]
    label: str | None = None
    path: str = "associations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A test of one column: name of the operator and what it compares with."""

    source: str
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """Which cases become tickets; record types by label or developer name, in lower case.

    Attributes:
        every: all of these must hold.
        some: one group of these must hold, when there are any; a group holds when all of it does.
        deletes: whether the ticket of a case that does not fit is deleted.
    """

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    every: tuple[Condition, ...] = ()
    some: tuple[tuple[Condition, ...], ...] = ()
    deletes: bool = False


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
    on_case_merged: OnMerged = "as_deleted"
    filter: FilterRule | None = None
    unmapped_status: WhenUnmapped = "reject"
    unmapped_process: WhenUnmapped = "default_stage"


# Our default mapping: HubSpot does not publish its own.
DEFAULT_FIELDS: dict[str, dict[str, Any]] = {
    "subject": {"from": "Subject", "or_template": "Case {CaseNumber}"},
    "content": {"from": "Description", "convert": "text"},
    "hs_ticket_priority": {"from": "Priority", "options": {"High": "HIGH", "Medium": "MEDIUM", "Low": "LOW", "Urgent": "URGENT", "Critical": "URGENT"}},
    "source_type": {"from": "Origin", "options": {"Phone": "PHONE", "Email": "EMAIL", "Web": "FORM", "Chat": "CHAT"}},
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
OTHER_RECORD: dict[str, Object] = {"account": "company", "contact": "contact", "parent_case": "ticket"}
