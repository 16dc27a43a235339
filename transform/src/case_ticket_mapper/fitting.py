"""Core: which fields of Case fit which ticket properties: one table of types, for what is checked and what is suggested.

Sources: Salesforce object reference, field types; HubSpot, properties: types and field types; the type table of HubSpot's own sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from case_ticket_mapper.metadata import CaseField, Metadata, MetadataError, TicketProperty
from case_ticket_mapper.rules import MARKS

# What a conversion gives -> the types of HubSpot's properties that take it (HubSpot: property types; native sync: field types).
TEXTS = ("string", "enumeration", "phone_number")
TAKEN_BY = {
    "number": ("number", "string"), "percent": ("number",), "currency": ("number", "string"), "boolean": ("bool", "enumeration", "string"),
    "date": ("date", "datetime", "string"), "datetime": ("datetime", "date", "string"), "option": ("enumeration", "string", "bool", "number"),
    "multi_option": ("enumeration", "string"),
}  # fmt: skip
# The same for a column that goes as it is, by Salesforce's type; a type that is not here goes anywhere.
TAKEN_AS_IS = {
    "boolean": TAKEN_BY["boolean"], "int": TAKEN_BY["number"], "double": TAKEN_BY["number"], "currency": TAKEN_BY["number"], "percent": TAKEN_BY["number"],
    "date": TAKEN_BY["date"], "datetime": TAKEN_BY["datetime"],
}  # fmt: skip
# What to suggest: Salesforce's type -> HubSpot's type -> conversion. It is the part of the above that an admin would choose.
_TEXT = {"string": "as_is"}
SUGGESTED: dict[str, dict[str, str]] = {
    "string": _TEXT, "email": _TEXT, "url": _TEXT, "id": _TEXT, "reference": _TEXT, "encryptedstring": _TEXT, "time": _TEXT,
    "phone": {"string": "as_is", "phone_number": "as_is"}, "textarea": {"string": "text"},
    "picklist": {"enumeration": "option", "string": "as_is"}, "combobox": {"enumeration": "option", "string": "as_is"},
    "multipicklist": {"enumeration": "multi_option", "string": "as_is"},
    "boolean": {"bool": "boolean", "enumeration": "boolean", "string": "boolean"},
    "int": {"number": "number", "string": "number"}, "long": {"number": "number", "string": "number"}, "double": {"number": "number", "string": "number"},
    "currency": {"number": "currency", "string": "currency"}, "percent": {"number": "percent", "string": "as_is"},
    "date": {"date": "date", "datetime": "datetime", "string": "date"}, "datetime": {"datetime": "datetime", "date": "date", "string": "datetime"},
}  # fmt: skip
# Every ticket needs these, whatever the portal says beyond them.
BUILT_IN_REQUIRED = ("subject", "hs_pipeline", "hs_pipeline_stage")
NOT_BY_FIELDS = frozenset({"hs_pipeline", "hs_pipeline_stage", "hubspot_owner_id", *MARKS})
CHECKBOX_VALUES = frozenset({"true", "false"})


def types_taking(convert: str, case_type: str | None) -> tuple[str, ...]:
    """HubSpot's types that take what a conversion gives; none where anything goes or the type is not known."""
    if convert in TAKEN_BY:
        return TAKEN_BY[convert]
    return TAKEN_AS_IS.get(case_type or "", ()) if convert == "as_is" else TEXTS


def takes_one_choice(found: TicketProperty) -> bool:
    """A dropdown or radio select: several choices of a multi-select picklist have no place there."""
    return found.type == "enumeration" and found.field_type != "checkbox"


def suggested(field: CaseField, found: TicketProperty) -> str | None:
    """The conversion that carries a field of Case into a ticket property; None where it does not fit."""
    convert = SUGGESTED.get(field.type, {}).get(found.type)
    if convert is None or found.is_read_only or found.name in NOT_BY_FIELDS or found.is_filled_elsewhere:
        return None
    if convert == "multi_option" and takes_one_choice(found):
        return None
    if convert == "boolean" and found.type == "enumeration" and set(found.options) != CHECKBOX_VALUES:
        return None
    return "html_text" if field.is_html and found.type == "string" else convert


def required_properties(known: Metadata) -> tuple[str, ...]:
    """Ticket properties that a ticket can't be without."""
    return tuple(dict.fromkeys((*BUILT_IN_REQUIRED, *known.required)))


def fit(known: Metadata) -> dict[str, Any]:
    """Each ticket property with the fields of Case that fit it, and each field with the properties.

    Raises:
        MetadataError: describe of Case or the list of ticket properties was not given.
    """
    if known.fields is None or known.properties is None:
        raise MetadataError("--fit needs describe of Case and HubSpot's list of ticket properties")
    writable = [p for p in known.properties.values() if not p.is_read_only]
    ways = {
        field.name: {p.name: convert for p in writable if (convert := suggested(field, p)) is not None}
        for field in known.fields.values()
    }
    required = required_properties(known)
    return {
        "properties": {p.name: _property(p, known.fields, ways, is_required=p.name in required) for p in writable},
        "fields": {field.name: _field(field, ways[field.name]) for field in known.fields.values()},
    }  # fmt: skip


def _property(
    found: TicketProperty,
    fields: Mapping[str, CaseField],
    ways: Mapping[str, Mapping[str, str]],
    *,
    is_required: bool,
) -> dict[str, Any]:
    fits = [name for name in fields if found.name in ways[name]]
    names = _plain_words((found.name, found.label))
    return {
        "label": found.label,
        "type": found.type,
        "field_type": found.field_type,
        "required": is_required,
        "fits": fits,
        "same_label": [n for n in fits if names & _plain_words((n, fields[n].label))],
    }


def _field(field: CaseField, ways: Mapping[str, str]) -> dict[str, Any]:
    return {"label": field.label, "type": field.type, "fits": list(ways), "convert": dict(ways)}


def _plain_words(names: Iterable[str]) -> set[str]:
    """Names as people compare them: `Case_Reason__c` and `Case reason` are one."""
    words = (name.lower().removesuffix("__c").replace("_", "").replace(" ", "") for name in names)
    return {word for word in words if word}
