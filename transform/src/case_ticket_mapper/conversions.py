"""Core: the table of conversions: a value of Salesforce's in, a value for a ticket property out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

MAX_TEXT = 65_536  # characters that a HubSpot string property holds
CUT_MARK = "\n[cut]"
# HubSpot refuses what JSON can carry and a text should not: control characters but for tab and line ends, lone surrogates.
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Conversion = Callable[[Any], Any]


class UnconvertibleError(ValueError):
    """This value can't be converted; the message names the rule, never the value."""


def as_is(value: Any) -> Any:
    return value


def text(value: Any) -> str:
    """A text without control characters, cut at HubSpot's limit with a mark where it was cut."""
    clean = UNWANTED.sub("", str(value))
    return clean if len(clean) <= MAX_TEXT else clean[: MAX_TEXT - len(CUT_MARK)] + CUT_MARK


def lower(value: Any) -> str:
    return str(value).strip().lower()


def number(value: Any) -> Decimal | float | int:
    """A number; a whole one without a fraction. Singer readers may give decimals for what was written with a point."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnconvertibleError("not a number")
    return int(value) if value == int(value) else value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnconvertibleError("not a checkbox value")
    return value


def day(value: Any) -> str:
    """The calendar day of a date, or of a moment in UTC."""
    found = re.match(r"\d{4}-\d{2}-\d{2}", str(value))
    if not found:
        raise UnconvertibleError("not a date")
    return found[0]


def domain(value: Any) -> str | None:
    """The host of a website without `www.`; None where it has none. A company's `domain` in HubSpot is written so."""
    address = str(value).strip()
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return None
    return (host or "").removeprefix("www.") or None


def multi_option(value: Any) -> str:
    """A multi-select picklist as HubSpot's checkboxes take it: both part values by semicolons."""
    return ";".join(part.strip() for part in str(value).split(";") if part.strip())


CONVERSIONS: dict[str, Conversion] = {
    "as_is": as_is,
    "text": text,
    "lower": lower,
    "number": number,
    "boolean": boolean,
    "date": day,
    "domain": domain,
    "multi_option": multi_option,
}
# "option" is a conversion, too, made of the mapping's own table.
NAMES = (*CONVERSIONS, "option")
# What a property of each conversion is in the schema of `tickets`; the others are texts.
JSON_TYPES = {"number": "number", "boolean": "boolean"}


def option(options: Mapping[str, str]) -> Conversion:
    """Picklist value -> option value, whatever the case of letters; a value that is not in the table can't be converted."""
    table = {key.lower(): value for key, value in options.items()}

    def convert(value: Any) -> str:
        found = table.get(str(value).lower())
        if found is None:
            raise UnconvertibleError("the picklist value is not in the mapping's options")
        return found

    return convert
