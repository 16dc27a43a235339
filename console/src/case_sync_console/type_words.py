"""Core: the vendors' own words for types of fields, and for what is joined to a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Salesforce, Object Manager: the words of "Data Type".
CASE_TYPES = {
    "id": "Id", "string": "Text", "textarea": "Text Area", "picklist": "Picklist", "multipicklist": "Picklist (Multi-Select)",
    "combobox": "Picklist", "boolean": "Checkbox", "int": "Number", "long": "Number", "double": "Number", "currency": "Currency",
    "percent": "Percent", "date": "Date", "datetime": "Date/Time", "time": "Time", "reference": "Lookup", "email": "Email",
    "phone": "Phone", "url": "URL", "encryptedstring": "Text (Encrypted)", "address": "Address", "location": "Geolocation",
}  # fmt: skip
# HubSpot, "Property field types in HubSpot": by field type, or by type and field type.
PROPERTY_TYPES = {
    "text": "Single-line text", "textarea": "Multi-line text", "html": "Rich text", "select": "Dropdown select", "radio": "Radio select",
    "checkbox": "Multiple checkboxes", "booleancheckbox": "Single checkbox", "number": "Number", "date": "Date picker",
    "phonenumber": "Phone number", "file": "File", "calculation_equation": "Calculation", "calculation_rollup": "Rollup",
    "calculation_read_time": "Calculation",
}  # fmt: skip
OWN_COLUMNS = {"_sf_case_url": "Link to the case", "_sf_organization_id": "Organization Id"}


def case_type_in_words(field: Mapping[str, Any]) -> str:
    """`Picklist`, `Text Area`, `Formula (Number)`; a type without a word stays as it is."""
    if field.get("autoNumber"):
        return "Auto Number"
    word = CASE_TYPES.get(str(field["type"]), str(field["type"]))
    word = "Rich Text Area" if field.get("htmlFormatted") and field["type"] == "textarea" else word
    return f"Formula ({word})" if field.get("calculated") else word


def property_type_in_words(body: Mapping[str, Any]) -> str:
    """`Dropdown select`; a date picker with a time says so."""
    if body["type"] == "datetime":
        return "Date and time picker"
    return PROPERTY_TYPES.get(str(body["fieldType"]), str(body["fieldType"]))


def joined_in_words(column: str) -> str:
    """`Owner: Email` for Owner__Email."""
    if column in OWN_COLUMNS:
        return OWN_COLUMNS[column]
    return column.replace("__", ": ", 1) if "__" in column else column
