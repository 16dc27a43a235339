"""Core: the table of conversions: a value of Salesforce's in, a value for a ticket property out.

Sources: Salesforce object reference, field types; HubSpot, properties: property types and their values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from case_ticket_mapper.html_text import text_of_html
from case_ticket_mapper.rules import FieldRule, Plain

MAX_TEXT = 65_536  # characters that a HubSpot string property holds
CUT_MARK = "\n[cut]"
# HubSpot refuses what JSON can carry and a text should not: control characters but for tab and line ends, lone surrogates.
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SHORT_ID, LONG_ID = re.compile(r"[A-Za-z0-9]{15}"), re.compile(r"[A-Za-z0-9]{18}")
WEBSITES = 10_000  # whose domain is kept
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

Conversion = Callable[[Any], Any]


class UnconvertibleError(ValueError):
    """This value can't be converted; the message names the rule, never the value."""


def as_is(value: Any) -> Any:
    return value


def cut(value: str, max_length: int) -> str:
    """A text of at most so many characters; where it was cut, it says so if there is room."""
    if len(value) <= max_length:
        return value
    mark = CUT_MARK if max_length > len(CUT_MARK) else ""
    return value[: max_length - len(mark)] + mark


def text(value: Any) -> str:
    """A text without control characters, cut at HubSpot's limit with a mark where it was cut."""
    return cut(UNWANTED.sub("", str(value)), MAX_TEXT)


def trim(value: Any) -> str | None:
    """A text without blanks around it; None for one that is nothing else."""
    return text(value).strip() or None


def html_text(value: Any) -> str | None:
    """The words of a rich text area (HTML): a line per paragraph and list item, no tags."""
    return trim(text_of_html(str(value)))


def lower(value: Any) -> str:
    return str(value).strip().lower()


def number(value: Any) -> Decimal | float | int:
    """A number; a whole one without a fraction. Singer readers may give decimals for what was written with a point."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnconvertibleError("not a number")
    try:
        return int(value) if value == int(value) else value
    except (OverflowError, ValueError):
        raise UnconvertibleError("not a finite number") from None


def percent(value: Any) -> Decimal | float | int:
    """Salesforce holds 12.5 for 12.5 %, a number property of HubSpot's that is shown as percentage holds 0.125."""
    return number(Decimal(str(number(value))) / 100)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnconvertibleError("not a checkbox value")
    return value


def moment_of(value: Any) -> datetime | None:
    """An aware datetime; None for a day without a time."""
    written = str(value)
    if DAY.fullmatch(written):
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UnconvertibleError("not a date or a moment") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day(time_zone: str) -> Conversion:
    """A date stays that date in every zone; a moment becomes the day that it has in this one."""
    zone = ZoneInfo(time_zone)

    def convert(value: Any) -> str:
        moment = moment_of(value)
        written = str(value) if moment is None else moment.astimezone(zone).date().isoformat()
        try:
            return datetime.fromisoformat(written).date().isoformat()
        except ValueError:
            raise UnconvertibleError("not a day of the calendar") from None

    return convert


def moment(value: Any) -> str:
    """A moment in UTC with milliseconds and Z; a date is its midnight in UTC, as HubSpot's date picker has it."""
    found = moment_of(value)
    utc = found.astimezone(UTC) if found else datetime.fromisoformat(day("UTC")(value)).replace(tzinfo=UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def domain(value: Any) -> str | None:
    """The host of a website without `www.`; None where it has none. A company's `domain` in HubSpot is written so."""
    return _host(str(value).strip())


@lru_cache(WEBSITES)
def _host(address: str) -> str | None:
    """Kept, because the cases of an account have one website."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return None
    return (host or "").removeprefix("www.") or None


def id18(value: Any) -> str:
    """The case-safe form of a Salesforce id: each five characters give one letter that says which are capitals."""
    written = str(value)
    if LONG_ID.fullmatch(written):
        return written
    if not SHORT_ID.fullmatch(written):
        raise UnconvertibleError("not a Salesforce id")
    chunks = (written[start : start + 5] for start in (0, 5, 10))
    return written + "".join(
        CHECK_LETTERS[sum(c.isupper() << place for place, c in enumerate(chunk))] for chunk in chunks
    )


def choices(value: Any) -> list[str]:
    """The choices of a multi-select picklist, which stand between semicolons."""
    return [part.strip() for part in str(value).split(";") if part.strip()]


def multi_option(value: Any) -> str:
    """A multi-select picklist as HubSpot's checkboxes take it: both part values by semicolons."""
    return ";".join(choices(value))


CONVERSIONS: dict[str, Conversion] = {
    "as_is": as_is,
    "text": text,
    "trim": trim,
    "html_text": html_text,
    "lower": lower,
    "number": number,
    "percent": percent,
    "currency": number,
    "boolean": boolean,
    "date": day("UTC"),
    "datetime": moment,
    "domain": domain,
    "id18": id18,
    "multi_option": multi_option,
}
# "option" is a conversion, too, made of the mapping's own table.
NAMES = (*CONVERSIONS, "option")
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
# What a property of each conversion is in the schema of `tickets`; the others are texts.
JSON_SCHEMAS: dict[str, dict[str, Any]] = {
    "number": _NUMBER,
    "percent": _NUMBER,
    "currency": _NUMBER,
    "boolean": {"type": ["boolean", "null"]},
    "date": _TEXT | {"format": "date"},
    "datetime": _TEXT | {"format": "date-time"},
}


def option(options: Mapping[str, Plain], *, passes_unknown: bool = False) -> Conversion:
    """Picklist value -> option value, whatever the case of letters; an unknown one passes or can't be converted."""
    table = {str(key).lower(): value for key, value in options.items()}

    def convert(value: Any) -> Plain:
        found = table.get(str(value).lower())
        if found is not None:
            return found
        if passes_unknown:
            return str(value)
        raise UnconvertibleError("the picklist value is not in the mapping's options")

    return convert


def conversion_of(rule: FieldRule) -> Conversion:
    """The conversion of a field mapping, with its table, zone and length."""
    convert = CONVERSIONS.get(rule.convert, as_is)
    if rule.options:
        single = option(rule.options, passes_unknown=rule.when_unknown == "create")
        convert = (
            single
            if rule.convert == "option"
            else lambda value: ";".join(str(single(c)) for c in choices(value))
        )
    elif rule.convert == "date":
        convert = day(rule.time_zone)
    limit = rule.max_length
    return convert if limit is None else lambda value: _cut(convert(value), limit)


def _cut(value: Any, max_length: int) -> Any:
    return cut(value, max_length) if isinstance(value, str) else value
