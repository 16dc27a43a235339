"""Core: a line of the input to a Singer message, or what is wrong with it; and a message to a line.

A line is never quoted: it holds what customers wrote. Source: Singer specification, message types.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from case_ticket_mapper.errors import MapperError

# The members that each type of message needs, and what they are.
MEMBERS: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": dict},
    "BATCH": {"stream": str},
    "ACTIVATE_VERSION": {"stream": str, "version": int},
}
WORDS = {str: "text", int: "whole number", dict: "object"}
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def read_message(line: bytes | str) -> dict[str, Any]:
    """The message of a line; numbers with a point become decimals, so that no digit is lost.

    Raises:
        MapperError: it is none that a mapper understands.
    """
    message = _decoded(line)
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise MapperError(f"the input has a message of no known type; known are {', '.join(MEMBERS)}")
    for name, wanted in MEMBERS[kind].items():
        if not isinstance(message.get(name), wanted):
            raise MapperError(
                f"the input has a {kind} message whose '{name}' is missing or no {WORDS[wanted]}"
            )
    if kind == "SCHEMA" and not isinstance(message["schema"].get("properties") or {}, dict):
        raise MapperError("the input has a SCHEMA message whose 'properties' are no object")
    found: dict[str, Any] = message
    return found


def _decoded(line: bytes | str) -> Any:
    """What msgspec refuses and JSON allows (half a surrogate pair) goes the slower way."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise MapperError("the input has a message that is nested too deeply") from None
    try:
        return json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise MapperError(
            "the input has a line that is no Singer message: it was cut off, or the tap prints to stdout"
        ) from None


def line_of(message: dict[str, Any]) -> bytes:
    """A message as a line, with its end."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(message, default=float).encode("ascii") + b"\n"
