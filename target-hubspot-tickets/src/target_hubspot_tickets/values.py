"""Core: values of a stream to the strings that HubSpot's properties take, by the type of the property.

Sources: HubSpot, properties: every value is a string and "" clears; property types; error handling: codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from target_hubspot_tickets.portal import Property

# Characters of a text property. HubSpot does not say what it counts as one: UTF-16 units are the most that it could be.
MAX_TEXT = 65_536
_SURELY_SHORT = MAX_TEXT // 2  # even if each of its characters is two units
CUT_MARK = "\n[cut]"
# What JSON can carry and a text should not: control characters but for tab and line ends, lone surrogates.
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_IS_CLEAN = re.compile(r"[\t\n\r -~\x80-\ud7ff\ue000-\U0010ffff]*+").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
# Milliseconds since 1970 as text. Fewer digits may be a day (20260131), so they are none.
_EPOCH_TEXT = re.compile(r"-?[0-9]{11,15}")
_IS_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 400  # before or after the point; more than any number that HubSpot could hold
BOOLEANS: dict[Any, str] = {
    True: "true", "true": "true", "yes": "true", "1": "true", False: "false", "false": "false", "no": "false", "0": "false", "": "",
}  # fmt: skip

LongText = Literal["cut", "reject"]
# Takes any value but None; "" is what clears a property.
Converter = Callable[[Any], str]


class ValueProblemError(Exception):
    """The property can't hold this value; `str` is the rule that it breaks and holds no value.

    Attributes:
        code: HubSpot's code for the same fault.
        option: the option that the property does not have, if that is what is wrong.
    """

    def __init__(self, code: str, rule: str, option: str | None = None) -> None:
        super().__init__(rule)
        self.code, self.option = code, option


def converter_of(definition: Property, long_text: LongText) -> Converter:
    """How values become what this property takes."""
    if definition.has_known_options:
        return option_converter(definition)
    return _BY_TYPE.get(definition.type) or text_converter(long_text)


# -- texts


def text_converter(long_text: LongText) -> Converter:
    """Texts without what HubSpot refuses; a longer one than its limit is cut with a mark, or refused."""
    shorten = _cut if long_text == "cut" else _refuse_long

    def convert(value: Any) -> str:
        text: str = value if type(value) is str else plain(value)
        if not (text.isprintable() or _IS_CLEAN(text)):
            text = UNWANTED.sub("", text)
        return text if len(text) <= _SURELY_SHORT else shorten(text)

    return convert


def plain(value: Any) -> str:
    """A value in a text: numbers in digits, lists with semicolons."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, list):
        return ";".join(part for item in value if item is not None and (part := plain(item)))
    raise ValueProblemError("INVALID_VALUE", "an object can't be a value")


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    """Within the limit, mark included; the second half of a character that would be parted goes with the first."""
    if _units(text) <= MAX_TEXT:
        return text
    kept = text.encode("utf-16-le")[: 2 * (MAX_TEXT - len(CUT_MARK))]
    return kept.decode("utf-16-le", "ignore") + CUT_MARK


def _refuse_long(text: str) -> str:
    if _units(text) > MAX_TEXT:
        raise ValueProblemError("PROPERTY_VALUE_TOO_LONG", f"longer than {MAX_TEXT:,} characters")
    return text


# -- numbers and checkboxes


def number(value: Any) -> str:
    """Digits and at most one point: no exponent, no plus, no zeros at the end."""
    if isinstance(value, str):
        return _number_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _no_number()
    if isinstance(value, int):
        if value.bit_length() > 3 * _MOST_DIGITS:
            raise _no_number()
        return str(value)
    return _digits(Decimal(repr(value)) if isinstance(value, float) else value)


def _number_text(text: str) -> str:
    if text and not _NUMBER.fullmatch(text):
        raise _no_number()
    return _digits(Decimal(text)) if text else ""


def _digits(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise _no_number()
    if not value:
        return "0"
    digits = format(value, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _no_number() -> ValueProblemError:
    return ValueProblemError("INVALID_INTEGER", "not a number that HubSpot can hold")


def boolean(value: Any) -> str:
    """True and false, as such, as 1 and 0, or in words."""
    known = value.strip().lower() if isinstance(value, str) else value
    found = None if isinstance(known, list | dict) else BOOLEANS.get(known)
    if found is None:
        raise ValueProblemError("INVALID_BOOLEAN", "neither true nor false")
    return found


# -- days and moments


def moment_of(value: Any) -> datetime:
    """A moment in UTC, of ISO 8601 or milliseconds since 1970; one without a zone is in UTC, a day is its midnight.

    Raises:
        ValueProblemError: it is none, or not in the years 1 to 9999 in UTC.
    """
    try:
        if type(value) is int or (
            type(value) is str and "-" not in value[1:] and _EPOCH_TEXT.fullmatch(value)
        ):
            return _EPOCH + timedelta(milliseconds=int(value))
        found = datetime.fromisoformat(value)
        if found.tzinfo is UTC:
            return found
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueProblemError("INVALID_DATE", "not a date or a moment (ISO 8601)") from None


def moment(value: Any) -> str:
    """UTC with milliseconds; what is finer is left out."""
    if type(value) is str and _IS_CANONICAL(value):
        moment_of(value)
        return value
    text = value.strip() if isinstance(value, str) else value
    return "" if text == "" else moment_of(text).isoformat(timespec="milliseconds")[:23] + "Z"


def day(value: Any) -> str:
    """A day stays that day; a moment becomes the day that it is in UTC."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and len(text) <= 10:
        return _day_text(text)
    return moment_of(text).date().isoformat()


def _day_text(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueProblemError("INVALID_DATE", "not a day of the calendar (YYYY-MM-DD)") from None


# -- options


def option_converter(definition: Property) -> Converter:
    """Options by value or label, whatever their letters; of several, each, where the property takes several."""
    spellings, is_multiple = definition.spellings(), definition.is_multiple

    def convert(value: Any) -> str:
        found = spellings.get(value) if type(value) is str else None
        if found is not None:
            return found
        if isinstance(value, list) and not is_multiple:
            raise ValueProblemError("INVALID_OPTION", "a list, and the property takes one option only")
        # Without the leading semicolon, which would add to what is there instead of replacing it.
        parts = plain(value).split(";") if is_multiple else [plain(value)]
        chosen = [_option(part.strip(), spellings) for part in parts if part.strip()]
        return ";".join(dict.fromkeys(chosen))

    return convert


def _option(written: str, spellings: Mapping[str, str]) -> str:
    found = spellings.get(written) or spellings.get(written.lower())
    if found is None:
        raise ValueProblemError("INVALID_OPTION", "not one of its options", written)
    return found


_BY_TYPE: dict[str, Converter] = {"number": number, "bool": boolean, "date": day, "datetime": moment}
