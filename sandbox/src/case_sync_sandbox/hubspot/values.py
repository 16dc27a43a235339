"""Core: which values HubSpot takes for which property, and in what form it keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from case_sync_sandbox.hubspot.errors import ValueProblem
from case_sync_sandbox.hubspot.metadata import Property

# HubSpot "Properties": text properties hold up to 65,536 characters.
MAX_CHARACTERS = 65_536

# A check takes the text and answers the form to keep, or None for a bad value. "" clears and never reaches a check.
Check = Callable[[str], str | None]
Checked = Callable[[str], "str | ValueProblem"]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"-?\d+")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def text_of(value: Any) -> str | None:
    """The text of a JSON value of `properties`; None when the schema has no place for it (null, list, object).

    HubSpot's schema has strings only; its samples show numbers and booleans as well.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return None


def iso(moment: datetime) -> str:
    """HubSpot's form of a time: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_milliseconds(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def parse_datetime(text: str) -> datetime | None:
    """Read ISO 8601 with a zone, `YYYY-MM-DD` (midnight UTC) or epoch milliseconds; None when it is none of them."""
    if _INTEGER.fullmatch(text):
        return _from_milliseconds(text)
    try:
        if _DATETIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
        return (
            datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) if len(text) == 10 else None
        )
    except (ValueError, OverflowError):
        return None


def _keep_datetime(text: str) -> str | None:
    moment = parse_datetime(text)
    return iso(moment) if moment else None


def _keep_date(text: str) -> str | None:
    """`YYYY-MM-DD`, or epoch milliseconds or a time that is midnight in UTC."""
    moment = parse_datetime(text)
    if moment is None or moment.time() != datetime.min.time():
        return None
    return moment.date().isoformat()


def _keep_bool(text: str) -> str | None:
    return text.lower() if text.lower() in {"true", "false"} else None


def _keep_number(text: str) -> str | None:
    return text if _NUMBER.fullmatch(text) else None


# type -> (check, code, what the message calls it). Codes: "Error handling"; the exact wording of dates is not documented.
_SIMPLE: dict[str, tuple[Check, str, str]] = {
    "number": (_keep_number, "INVALID_INTEGER", "number"),
    "bool": (_keep_bool, "INVALID_BOOLEAN", "boolean"),
    "datetime": (_keep_datetime, "INVALID_DATE", "datetime"),
    "date": (_keep_date, "INVALID_DATE", "date"),
}


def _simple(definition: Property) -> Checked:
    check, code, kind = _SIMPLE[definition.type]
    name = definition.name

    def checked(text: str) -> str | ValueProblem:
        kept = check(text)
        if kept is not None:
            return kept
        return ValueProblem(property_name=name, code=code, message=f"{text} was not a valid {kind}.")

    return checked


def _string(definition: Property) -> Checked:
    name = definition.name

    def checked(text: str) -> str | ValueProblem:
        if len(text) <= MAX_CHARACTERS:
            return text
        return ValueProblem(
            property_name=name,
            code="PROPERTY_VALUE_TOO_LONG",
            message=f'Property "{name}" exceeds the limit of {MAX_CHARACTERS} characters.',
        )

    return checked


def _email(definition: Property) -> Checked:
    def checked(text: str) -> str | ValueProblem:
        if _EMAIL.fullmatch(text):
            return text.lower()
        return ValueProblem(
            property_name=definition.name, code="INVALID_EMAIL", message=f"Email address {text} is invalid"
        )

    return checked


def _enumeration(definition: Property) -> Checked:
    allowed = frozenset(option.value for option in definition.options)
    several = definition.field_type == "checkbox"
    listing = ", ".join(f"label: {option.label} value: {option.value}" for option in definition.options)

    def checked(text: str) -> str | ValueProblem:
        # Several values are joined by ";"; a leading ";" appends ("Properties": multiple checkboxes).
        parts = [part for part in text.split(";") if part] if several else [text]
        wrong = [part for part in parts if part not in allowed]
        if not wrong:
            return text
        return ValueProblem(
            property_name=definition.name,
            code="INVALID_OPTION",
            message=f"{wrong[0]} was not one of the allowed options: [{listing}]",
        )

    return checked


def _owner(definition: Property, owner_ids: frozenset[str]) -> Checked:
    def checked(text: str) -> str | ValueProblem:
        if text in owner_ids:
            return text
        return ValueProblem(
            property_name=definition.name, code="INVALID_OWNER_ID", message=f"{text} was not a valid owner ID"
        )

    return checked


def _read_only(definition: Property) -> Checked:
    problem = ValueProblem(
        property_name=definition.name,
        code="READ_ONLY_VALUE",
        message=f'"{definition.name}" is a read only property; its value cannot be set.',
    )
    return lambda _text: problem


def _any(text: str) -> str:
    return text


def check_for(object_type: str, definition: Property, owner_ids: frozenset[str]) -> Checked:
    """The check of one property's values; pipeline and stage are checked together elsewhere (ticket_rules)."""
    if definition.read_only or definition.calculated:
        return _read_only(definition)
    if definition.referenced_object_type == "OWNER":
        return _owner(definition, owner_ids)
    if object_type == "tickets" and definition.name in {"hs_pipeline", "hs_pipeline_stage"}:
        return _any
    if object_type == "contacts" and definition.name == "email":
        return _email(definition)
    if definition.type in _SIMPLE:
        return _simple(definition)
    return _enumeration(definition) if definition.type == "enumeration" else _string(definition)


def _unknown(name: str) -> ValueProblem:
    return ValueProblem(
        property_name=name, code="PROPERTY_DOESNT_EXIST", message=f'Property "{name}" does not exist'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The checks of an object type's properties by name; `read_only` names refuse even ""."""

    by_name: Mapping[str, Checked]
    read_only: frozenset[str]


def checks_for(object_type: str, definitions: Iterable[Property], owner_ids: frozenset[str]) -> Checks:
    """Build the checks of an object type once; they hold until its properties or the owners change."""
    known = [definition for definition in definitions if not definition.archived]
    return Checks(
        by_name={definition.name: check_for(object_type, definition, owner_ids) for definition in known},
        read_only=frozenset(d.name for d in known if d.read_only or d.calculated),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedValues:
    """What a check of one input found: the values to keep ("" clears), and the problems."""

    kept: dict[str, str]
    problems: list[ValueProblem]


def check_values(checks: Checks, properties: Mapping[str, Any]) -> CheckedValues:
    """Check one input's properties."""
    kept: dict[str, str] = {}
    problems: list[ValueProblem] = []
    for name, value in properties.items():
        check = checks.by_name.get(name)
        text = value if type(value) is str else text_of(value)
        if check is None or text is None:
            problems.append(_unknown(name) if check is None else _not_text(name))
            continue
        outcome = check(text) if text or name in checks.read_only else text
        if isinstance(outcome, str):
            kept[name] = outcome
        else:
            problems.append(outcome)
    return CheckedValues(kept=kept, problems=problems)


def _not_text(name: str) -> ValueProblem:
    return ValueProblem(
        property_name=name, code="INVALID_JSON", message=f'Property "{name}" must be a string'
    )
