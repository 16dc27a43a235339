"""Core: what the target's bench loads: a stream of tickets with 20 columns, and the portal that takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from case_sync_sandbox.hubspot.metadata import Option, Property

KEY = "salesforce_case_id"
COMPANIES, CONTACTS = 2_000, 5_000  # that the tickets of an associated stream refer to, in turns
OWNER_ID, OWNER_EMAIL = "910901", "ada.park@example.com"
STATE_EVERY = 10_000  # records
_NUMBER = "@__NUMBER__@"  # stands in the pattern of a line for the ticket's own number
_COMPANY, _CONTACT = "@_COMPANY__@", "@_CONTACT__@"

# HubSpot's own properties that the stream writes; names of pipeline and stage, an owner's address.
_STANDARD: dict[str, Any] = {
    "subject": f"Pump {_NUMBER} loses pressure at the second valve",
    "content": "Since Monday the unit in the north hall stays below 2 bar; größer wird es nicht.\nSeen by two shifts. " * 3,
    "hs_pipeline": "Support Pipeline", "hs_pipeline_stage": "Waiting on us", "hs_ticket_priority": "HIGH",
    "hs_ticket_category": "PRODUCT_ISSUE", "source_type": "PHONE", "hubspot_owner_email": OWNER_EMAIL, "createdate": "2026-01-05T09:00:00.000Z",
}  # fmt: skip
# The portal's own: value, HubSpot's type and fieldType, JSON Schema.
_OWN: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
    KEY: (f"500{_NUMBER}AAA", "string", "text", {"type": "string"}),
    "salesforce_case_number": (_NUMBER, "string", "text", {"type": ["string", "null"]}),
    "salesforce_case_url": (f"https://example.my.salesforce.com/500{_NUMBER}AAA", "string", "text", {"type": ["string", "null"]}),
    "salesforce_org_id": ("00D5g00000SandBEAA", "string", "text", {"type": ["string", "null"]}),
    "salesforce_system_modstamp": ("2026-01-07T11:30:00.000Z", "datetime", "date", {"type": ["string", "null"], "format": "date-time"}),
    "salesforce_product": ("Harbour pump P-7", "string", "text", {"type": ["string", "null"]}),
    "salesforce_reason": ("Performance", "enumeration", "select", {"type": ["string", "null"]}),
    "salesforce_quantity": (12.5, "number", "number", {"type": ["number", "null"]}),
    "salesforce_is_escalated": (False, "bool", "booleancheckbox", {"type": ["boolean", "null"]}),
    "salesforce_due_on": ("2026-01-31", "date", "date", {"type": ["string", "null"], "format": "date"}),
    "salesforce_comments": ("Spare part ordered; the customer knows. " * 3, "string", "textarea", {"type": ["string", "null"]}),
}  # fmt: skip
_OPTIONS = {
    "enumeration": (Option(label="Performance", value="Performance"),),
    "bool": (Option(label="True", value="true"), Option(label="False", value="false")),
}
# What a stream for other targets has instead: they know no names. Its schema has no formats: some write other values for these.
_BY_ID = {"hs_pipeline": "0", "hs_pipeline_stage": "3", "hubspot_owner_id": OWNER_ID}
_ASSOCIATIONS = [
    {"to": "company", "by": "salesforceaccountid", "value": f"001{_COMPANY}AAA"},
    {"to": "contact", "by": "salesforcecontactid", "value": f"003{_CONTACT}AAA"},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A stream of `tickets` tickets: each with a company and a contact, or none; by names, or by HubSpot's ids only."""

    tickets: int
    associated: bool = False
    by_id: bool = False

    def record(self) -> dict[str, Any]:
        """A ticket with marks for its numbers."""
        record = _STANDARD | {name: value for name, (value, *_) in _OWN.items()}
        if self.by_id:
            record = {n: v for n, v in record.items() if n != "hubspot_owner_email"} | _BY_ID
        return record | ({"associations": _ASSOCIATIONS} if self.associated else {})

    def schema(self) -> dict[str, Any]:
        columns: dict[str, Any] = {name: {"type": ["string", "null"]} for name in self.record()}
        for name, (*_, schema) in _OWN.items():
            columns[name] = {"type": schema["type"]} if self.by_id else schema
        if self.associated:
            columns["associations"] = {"type": ["array", "null"], "items": {"type": "object"}}
        return {
            "type": "SCHEMA",
            "stream": "tickets",
            "schema": {"type": "object", "properties": columns},
            "key_properties": [KEY],
        }

    def last_state(self) -> dict[str, Any]:
        """The value of the last STATE line."""
        return _state(self.tickets)

    def lines(self) -> Iterator[bytes]:
        """The stream, with a STATE every 10,000 records and at the end."""
        yield _line(self.schema())
        pattern = _line({"type": "RECORD", "stream": "tickets", "record": self.record()}).decode()
        for number in range(self.tickets):
            if number and number % STATE_EVERY == 0:
                yield _line({"type": "STATE", "value": _state(number)})
            line = pattern.replace(_NUMBER, f"{number:012d}")
            if self.associated:
                company, contact = f"{number % COMPANIES:012d}", f"{number % CONTACTS:012d}"
                line = line.replace(_COMPANY, company).replace(_CONTACT, contact)
            yield line.encode()
        yield _line({"type": "STATE", "value": self.last_state()})


def _state(records: int) -> dict[str, Any]:
    return {"bookmarks": {"tickets": {"records": records}}}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def own_properties() -> list[Property]:
    """The ticket properties that the stream needs and that no portal has from the start."""
    return [
        Property(
            name=name,
            label=name.replace("_", " ").capitalize(),
            type=kind,
            field_type=field_type,
            options=_OPTIONS.get(kind, ()),
            has_unique_value=name == KEY,
        )
        for name, (_, kind, field_type, _) in _OWN.items()
    ]


def lookup_property(object_type: str) -> Property:
    """The property by which tickets refer to companies and contacts; HubSpot's own integration makes it, not unique."""
    name = {"companies": "salesforceaccountid", "contacts": "salesforcecontactid"}[object_type]
    return Property(name=name, label=name, group_name=f"{object_type[:-1]}information")


def portal() -> dict[str, Any]:
    """Body of the sandbox's `hubspot/load`."""
    others = ("companies", "contacts")
    return {
        "properties": [p.as_json() | {"objectType": "tickets"} for p in own_properties()]
        + [lookup_property(name).as_json() | {"objectType": name} for name in others],
        "owners": [{"id": OWNER_ID, "email": OWNER_EMAIL}],
        "companies": [
            {"name": f"Company {n}", "salesforceaccountid": f"001{n:012d}AAA"} for n in range(COMPANIES)
        ],
        "contacts": [
            {"email": f"c{n}@example.com", "salesforcecontactid": f"003{n:012d}AAA"} for n in range(CONTACTS)
        ],
    }
