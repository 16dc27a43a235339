"""Core: typed values to the strings that HubSpot's properties take.

Source: HubSpot, properties: every value is a string, "" clears, 65,536 characters at most; error handling.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

MAX_TEXT = 65_536
CUT_MARK = "\n[cut]"
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def to_hubspot(value: Any) -> str:
    """The string of a value: "true"/"false", plain digits, texts without what HubSpot refuses, cut at its limit with a mark."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return number(value)
    if isinstance(value, list):
        return ";".join(to_hubspot(item) for item in value)
    return text(str(value))


def number(value: float | Decimal) -> str:
    """Digits and at most one point: no exponent."""
    digits = format(Decimal(str(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def text(value: str) -> str:
    clean = UNWANTED.sub("", value)
    return clean if len(clean) <= MAX_TEXT else clean[: MAX_TEXT - len(CUT_MARK)] + CUT_MARK
