"""Core: a stream's columns against the portal's ticket properties: what is wrong, and what can be created.

Source: HubSpot, properties: creation, unique values, options.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from target_hubspot_tickets.column_types import created_type, fits, kinds_of
from target_hubspot_tickets.needs import announced_options, property_columns
from target_hubspot_tickets.owners import OWNER_ID
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.records import OWNER_EMAIL
from target_hubspot_tickets.values import ValueProblemError, option_converter

OWN_PREFIX = "salesforce_"  # of properties that are the sync's own, so that it may create them
TITLES = {
    "salesforce_case_id": "Salesforce Case ID",
    "salesforce_case_number": "Salesforce Case Number",
    "salesforce_case_url": "Salesforce Case URL",
    "salesforce_org_id": "Salesforce Org ID",
    "salesforce_system_modstamp": "Salesforce System Modstamp",
}
MAX_UNIQUE = 10  # properties with unique values per object; HubSpot's own do not count
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
MOST_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """The settings that decide what may be created."""

    properties: bool
    options: bool
    group: str


def creatable(
    columns: Mapping[str, Any], key: str, properties: Collection[str], creation: Creation
) -> list[dict[str, Any]]:
    """The bodies of the properties that are missing and may be created."""
    return [
        definition(name, columns[name], group=creation.group, unique=name == key)
        for name in property_columns(columns)
        if creation.properties
        and name not in properties
        and NAME.fullmatch(name)
        and (name == key or name.startswith(OWN_PREFIX))
    ]


def definition(name: str, schema: Any, *, group: str, unique: bool) -> dict[str, Any]:
    """The body that creates a property for a column; a key is a text."""
    kind, field_type = ("string", "text") if unique else created_type(schema)
    body: dict[str, Any] = {
        "groupName": group, "name": name, "label": TITLES.get(name, name.replace("_", " ").title()), "type": kind, "fieldType": field_type,
        "formField": False, "description": "Written by target-hubspot-tickets. Do not edit.",
    }  # fmt: skip
    if kind == "bool":
        answers = (("Yes", "true"), ("No", "false"))
        body["options"] = [new_option(label, value, place) for place, (label, value) in enumerate(answers)]
    return body | ({"hasUniqueValue": True} if unique else {})


def new_option(label: str, value: str, place: int) -> dict[str, Any]:
    """An option with all members that 2026-09 wants."""
    return {"label": label, "value": value, "displayOrder": place, "hidden": False}


def key_problems(key: str, properties: Mapping[str, Property], created: Collection[str]) -> Iterator[str]:
    """What is wrong with the property that tickets are found by."""
    known = properties.get(key)
    if known is not None and not known.is_unique:
        yield f"the ticket property '{key}' does not require unique values, and HubSpot can't change that: name another key_property"
    if known is not None:
        return
    if key not in created:
        yield _no_key(key)
        return
    unique = [p.name for p in properties.values() if p.is_unique and not p.is_hubspots]
    if len(unique) >= MAX_UNIQUE:
        yield (
            f"the ticket property '{key}' can't be created: tickets have {len(unique)} properties with unique values already ({listed(unique)}), "
            f"and {MAX_UNIQUE} is HubSpot's limit; delete one of them in HubSpot, or name one of them as key_property"
        )


def _no_key(key: str) -> str:
    if not NAME.fullmatch(key):
        return f"key_property '{key}' is no name of a HubSpot property: lower-case letters, digits and underscores, a letter first"
    return f"HubSpot has no ticket property '{key}', the key: set create_properties, or create it as a single-line text with unique values"


def unknown_columns(unknown: Sequence[str], properties: Mapping[str, Property]) -> str:
    """One message for all columns without a property."""
    shown = []
    for name in unknown:
        near = get_close_matches(name.lower(), properties, n=1, cutoff=0.85)
        shown.append(f"'{name}' (is it '{near[0]}'?)" if near else f"'{name}'")
    own = [name for name in unknown if name.startswith(OWN_PREFIX) and NAME.fullmatch(name)]
    return (
        f"HubSpot has no ticket property for {len(unknown)} of the stream's columns: {', '.join(shown)}: create them, take them out of the stream, "
        "or set unknown_columns to 'ignore'"
        + ("; create_properties creates those that start with salesforce_" if own else "")
    )


def column_problems(columns: Mapping[str, Any], properties: Mapping[str, Property]) -> Iterator[str]:
    """What is wrong with the columns that have a property."""
    for name in property_columns(columns):
        known = properties.get(name)
        if known is None:
            continue
        if known.is_read_only:
            yield f"the ticket property '{name}' is read only in HubSpot: take it out of the stream"
        elif not fits(columns[name], known.type, is_multiple=known.is_multiple):
            kinds = " or ".join(sorted(kinds_of(columns[name])))
            yield f"the column '{name}' is of type {kinds}, and the ticket property is of type {known.type}: map it to another property, or convert it"
    if {OWNER_EMAIL, OWNER_ID} <= columns.keys():
        yield f"the stream has both {OWNER_EMAIL} and {OWNER_ID}, which could contradict each other: leave one out"


# -- options


def missing_options(
    columns: Mapping[str, Any], properties: Mapping[str, Property]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Options that the stream announces and the property does not have."""
    for name in property_columns(columns):
        known = properties.get(name)
        if known is None or not known.has_known_options:
            continue
        convert, missing = option_converter(known), list[str]()
        for value in announced_options(columns[name], is_multiple=known.is_multiple):
            try:
                convert(value)
            except ValueProblemError:
                missing.append(value)
        if missing:
            yield name, tuple(missing)


def option_problems(
    missing: Mapping[str, Sequence[str]], properties: Mapping[str, Property]
) -> Iterator[str]:
    """What to do about options that can't be created, or may not."""
    for name, values in missing.items():
        known = properties[name]
        remedy = (
            "HubSpot lets nobody add options to it: correct the mapping"
            if not known.takes_options
            else f"correct the mapping, add {'it' if len(values) == 1 else 'them'} in HubSpot, or set create_options"
        )
        there = listed(list(known.options.values())) or "none"
        yield f"the ticket property '{name}' has no option {listed(values)}; it has {there}: {remedy}"


def listed(names: Sequence[str]) -> str:
    """Names in quotes; of very many the first."""
    shown = ", ".join(f"'{name}'" for name in names[:MOST_LISTED])
    return shown if len(names) <= MOST_LISTED else f"{shown} and {len(names) - MOST_LISTED} more"
