"""Core: which input of a batch became what, by key and trace id, never by place: HubSpot keeps no order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Codes stand inside a JSON list in the message, or in `errors[].code` (HubSpot: error handling).
EMBEDDED = re.compile(r"Property values were not valid: (\[.*\])", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that HubSpot refused: codes and property names, no values."""

    key: str
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """What became of a batch: ticket ids by key, new ones, refused ones, and those that the answer says nothing of."""

    written: dict[str, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


def match(keys: Sequence[str], body: Mapping[str, Any], key_property: str) -> Outcomes:
    """Every key of a batch to its outcome; each lands in exactly one of written, refused, silent."""
    outcomes = Outcomes()
    waiting = {key.lower(): key for key in keys}
    for result in body.get("results", ()):
        key = waiting.pop(str((result.get("properties") or {}).get(key_property, "")).lower(), None)
        if key is not None:
            outcomes.written[key] = str(result["id"])
            if result.get("new"):
                outcomes.created.add(key)
    for error in body.get("errors") or ():
        context = error.get("context") or {}
        for named in (*context.get("objectWriteTraceId", ()), *context.get("ids", ())):
            key = waiting.pop(str(named).lower(), None)
            if key is not None:
                outcomes.refused.append(refused(key, error))
    outcomes.silent = list(waiting.values())
    return outcomes


def refused(key: str, error: Mapping[str, Any]) -> Refused:
    """Why, in codes and property names; HubSpot's own message quotes values, so it is not kept."""
    found = problems(error)
    if not found:
        return Refused(
            key=key, code=str(error.get("category") or "UNKNOWN"), message="HubSpot refused the record"
        )
    return Refused(key=key, code=found[0][0], message="; ".join(f"{name}: {code}" for code, name in found))


def problems(error: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(code, property) pairs of an error."""
    details = [
        (str(d.get("code") or ""), ", ".join((d.get("context") or {}).get("propertyName", ())))
        for d in error.get("errors") or ()
    ]
    if any(code for code, _ in details):
        return details
    embedded = EMBEDDED.search(str(error.get("message", "")))
    try:
        listed = json.loads(embedded[1]) if embedded else []
    except ValueError:
        listed = []
    return [(str(p.get("error", "")), str(p.get("name", ""))) for p in listed]
