"""Core: what kind of error a code on record is, and what to do about it: HubSpot's codes, this target's, and the mapper's.

Sources: HubSpot, error handling; properties; associations; "CRM API write validation enforcement".
"""

from __future__ import annotations

from typing import NamedTuple

ASSOCIATION, DUPLICATE, PERMISSION = "association", "duplicate", "permission"
VALUE, MAPPING, RATE, RULE, OTHER = "property value", "field mapping", "rate limit", "rule", "other"


class Remedy(NamedTuple):
    """The category of a code, and what to do."""

    category: str
    remedy: str


_RETRIED = "the next run tries it again"
_READ_AGAIN = "then let the case be read again: with its next change, or by a full refresh"
_NUMBER = Remedy(VALUE, "correct the field in Salesforce, or map a field that holds a number")
_DATE = Remedy(
    VALUE,
    "correct the field in Salesforce, or convert it with `convert: date` or `convert: datetime` in the rules",
)
_TEXT = Remedy(VALUE, "correct the field in Salesforce, or map it to a property that takes such values")
_OWNER = Remedy(
    VALUE,
    "make the owner a user of HubSpot with the same e-mail, or set unknown_owner to leave, clear or default",
)
_OPTION = Remedy(
    VALUE,
    "add the option to the property in HubSpot, translate it in the rules (`options`), or switch create_options on",
)
_REQUIRED = Remedy(
    MAPPING,
    "map a field to the property that HubSpot requires, or give it a `constant` in the rules; or make it optional in HubSpot",
)
_TAKEN = Remedy(
    DUPLICATE, "find the other ticket that holds the value: merge the two, or empty the value there"
)
_PASSING = Remedy(RATE, f"nothing: HubSpot was busy, and {_RETRIED}")
_GONE = Remedy(OTHER, f"nothing, if the ticket was deleted or merged on purpose; else {_RETRIED}")
_ARCHIVED_TARGET = Remedy(
    ASSOCIATION, f"nothing, if the record was deleted in HubSpot; once it is there again, {_RETRIED}"
)
_PERMITTED = Remedy(
    PERMISSION, "give the service key or app the scopes that target-hubspot-tickets/README.md lists"
)
_UNKNOWN = Remedy(OTHER, "read the reason; HubSpot's support finds the call by its correlation id")

OF_RECORDS: dict[str, Remedy] = {
    # HubSpot's, about values
    "INVALID_OPTION": _OPTION,
    "INVALID_INTEGER": _NUMBER,
    "INVALID_LONG": _NUMBER,
    "INVALID_NUMERIC": _NUMBER,
    "INVALID_BOOLEAN": Remedy(VALUE, "map a checkbox, or convert the field with `convert: boolean` in the rules"),
    "INVALID_DATE": _DATE,
    "INVALID_DATE_TIME": _DATE,
    "INVALID_EMAIL": _TEXT,
    "INVALID_JSON": _TEXT,
    "INVALID_OWNER_ID": _OWNER,
    "PROPERTY_VALUE_TOO_LONG": Remedy(VALUE, "shorten the text in Salesforce, or set long_text to cut"),
    # HubSpot's, about properties
    "PROPERTY_DOESNT_EXIST": Remedy(MAPPING, "create the property in HubSpot, or take it out of the rules"),
    "READ_ONLY_VALUE": Remedy(MAPPING, "map the field to a property that can be edited: this one is HubSpot's own"),
    "MISSING_REQUIRED_PROPERTY": _REQUIRED,
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": _REQUIRED,
    # HubSpot's, about other records
    "CONFLICTING_UNIQUE_VALUE": _TAKEN,
    "CONFLICT": _TAKEN,
    "OBJECT_ALREADY_EXISTS": _TAKEN,
    "OBJECT_NOT_FOUND": _GONE,
    "MISSING_SCOPES": _PERMITTED,
    # HubSpot's, in passing
    "RATE_LIMITS": _PASSING,
    "LOCKED": _PASSING,
    "TIMEOUT": _PASSING,
    "INTERNAL_ERROR": _PASSING,
    "SERVICE_UNAVAILABLE": _PASSING,
    # HubSpot's categories that say little
    "VALIDATION_ERROR": Remedy(VALUE, "compare the record with its properties in HubSpot; their support finds the call by its correlation id"),
    "BAD_REQUEST": _UNKNOWN,
    "UNKNOWN": _UNKNOWN,
    # of this target
    "NO_ANSWER": Remedy(OTHER, f"nothing: {_RETRIED}"),
    "INVALID_VALUE": Remedy(MAPPING, "map a field that holds a single value: this one is a list or an object"),
    "INVALID_KEY": Remedy(MAPPING, "name a key_property whose values HubSpot keeps as they are: no spaces around them, no control characters"),
    "UNRESOLVED": Remedy(RULE, "correct the pipeline, the stage or the owner that the reason names: in the rules, or create it in HubSpot"),
    "UNKNOWN_COLUMN": Remedy(MAPPING, "announce the column in the stream's schema, or set unknown_columns to ignore"),
    "UNREADABLE": Remedy(MAPPING, f"correct what sends the record (its key, or its associations), {_READ_AGAIN}"),
    # of the mapper
    "UNMAPPED_STATUS": Remedy(RULE, f"add a stage for the status to rules.pipelines, or set rules.unmapped_status, {_READ_AGAIN}"),
    "UNMAPPED_PROCESS": Remedy(RULE, f"add the support process to rules.pipelines, or set rules.unmapped_process, {_READ_AGAIN}"),
    "UNKNOWN_VALUE": Remedy(RULE, f"add the value to `options` of the field's rule, or change its `when_unknown`, {_READ_AGAIN}"),
}  # fmt: skip
OF_ASSOCIATIONS: dict[str, Remedy] = {
    "NOT_FOUND": Remedy(ASSOCIATION, f"create the company, contact or ticket in HubSpot, or give it the value that it is looked up by; {_RETRIED}"),
    "UNKNOWN_LABEL": Remedy(ASSOCIATION, f"create the association label in HubSpot, or correct it in the rules; {_RETRIED}"),
    "ASSOCIATION_LIMIT_EXCEEDED": Remedy(ASSOCIATION, "raise the limit of associations in HubSpot, or remove others of the record: it has as many as it may"),
    "INVALID_ASSOCIATION_TYPE": Remedy(ASSOCIATION, "correct the label in the rules: HubSpot has none of this kind between the two"),
    "INVALID_IDENTIFIER": _ARCHIVED_TARGET,
    "INVALID_OBJECT_IDS": _ARCHIVED_TARGET,
    "TO_OBJECT_NOT_FOUND": _ARCHIVED_TARGET,
    "FROM_OBJECT_NOT_FOUND": _ARCHIVED_TARGET,
    "OBJECT_NOT_FOUND": _ARCHIVED_TARGET,
    "REFUSED": Remedy(ASSOCIATION, "try to associate the two by hand in HubSpot: it says why it does not"),
}  # fmt: skip
# For codes that HubSpot adds: what their name holds -> category; the first that fits counts.
_BY_NAME = (
    ("ASSOCIATION", ASSOCIATION),
    ("SCOPE", PERMISSION),
    ("PERMISSION", PERMISSION),
    ("LIMIT", RATE),
    ("UNIQUE", DUPLICATE),
    ("DUPLICATE", DUPLICATE),
    ("INVALID", VALUE),
    ("PROPERTY", MAPPING),
)


def remedy_of_record(code: str) -> Remedy:
    """Of the code of a rejected record."""
    return OF_RECORDS.get(code) or OF_ASSOCIATIONS.get(code) or _of_a_new_code(code)


def remedy_of_association(reason: str) -> Remedy:
    """Of the reason for which an association waits."""
    known = OF_ASSOCIATIONS.get(reason) or OF_RECORDS.get(reason)
    if known and known.category in {ASSOCIATION, PERMISSION, RATE}:
        return known
    return OF_ASSOCIATIONS["REFUSED"]


def _of_a_new_code(code: str) -> Remedy:
    category = next((category for word, category in _BY_NAME if word in code), OTHER)
    return Remedy(category, _UNKNOWN.remedy)
