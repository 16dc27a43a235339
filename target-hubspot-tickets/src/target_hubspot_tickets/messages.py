"""Core: a line of the input to a Singer message, or what is wrong with it; a line is never quoted, it holds what customers wrote.

Source: Singer specification, message types.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from target_hubspot_tickets.errors import StreamError

# The members that each type of message needs, and what they are.
MEMBERS: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": dict},
    "BATCH": {"stream": str},
    "ACTIVATE_VERSION": {"stream": str},
}
# Numbers with a point become decimals, so that no digit is lost.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def read_message(line: bytes) -> dict[str, Any]:
    """The message of a line.

    Raises:
        StreamError: it is none that a target understands.
    """
    try:
        message = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = _read_leniently(line)
    except RecursionError:
        raise StreamError("the input has a message that is nested too deeply") from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise StreamError(f"the input has a message of no known type; known are {', '.join(MEMBERS)}")
    for name, wanted in MEMBERS[kind].items():
        if not isinstance(message.get(name), wanted):
            raise StreamError(
                f"the input has a {kind} message whose '{name}' is missing or no {'text' if wanted is str else 'object'}"
            )
    if kind == "SCHEMA" and not isinstance(message["schema"].get("properties") or {}, dict):
        raise StreamError("the input has a SCHEMA message whose 'properties' are no object")
    found: dict[str, Any] = message
    return found


def _read_leniently(line: bytes) -> Any:
    """What other programs write and strict JSON does not allow: lone surrogates, NaN."""
    try:
        return json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise StreamError(
            "the input has a line that is no Singer message: it was cut off, or a tap or mapper prints to stdout"
        ) from None
