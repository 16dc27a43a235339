"""Core: which input of a batch became what, by key and trace id, never by place: HubSpot keeps no order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from target_hubspot_tickets.outcomes import Rejected, Written
from target_hubspot_tickets.records import identity
from target_hubspot_tickets.verdicts import PASSING_CATEGORIES

# Codes stand inside a JSON list in the message, or in `errors[].code` (HubSpot: error handling).
EMBEDDED = re.compile(r"Property values were not valid: (\[.*\])", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Answered:
    """What became of a batch; each of its keys is in exactly one of the four.

    Attributes:
        written: key -> ticket.
        rejected: HubSpot says what is wrong with them.
        passing: HubSpot failed in passing; a repeat may write them.
        silent: the answer says nothing of them.
    """

    written: dict[str, Written] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    passing: dict[str, Rejected] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


def reader_of(key_property: str) -> Callable[[bytes], dict[str, Any]]:
    """Reads of an upsert's answer what `match` looks at; HubSpot echoes all properties of 100 tickets, and most are not looked at.

    The function raises ValueError on bytes that are no such answer.
    """
    properties: Any = msgspec.defstruct(
        "Properties", [("key", str | None, None)], rename={"key": key_property}
    )
    result: Any = msgspec.defstruct(
        "Result", [("id", str), ("new", bool, False), ("properties", properties | None, None)]
    )
    answer: Any = msgspec.defstruct(
        "Answer", [("results", list[result], []), ("errors", list[Any] | None, None)]
    )
    decode = msgspec.json.Decoder(answer).decode

    def read(content: bytes) -> dict[str, Any]:
        try:
            found: Any = decode(content)
        except msgspec.MsgspecError as error:
            raise ValueError(str(type(error))) from None
        results = [
            {
                "id": one.id,
                "new": one.new,
                "properties": {key_property: one.properties and one.properties.key},
            }
            for one in found.results
        ]
        return {"results": results, "errors": found.errors or ()}

    return read


def match(keys: Sequence[str], body: Mapping[str, Any], key_property: str) -> Answered:
    """Every key of a batch to its outcome."""
    answered = Answered()
    waiting = {identity(key): key for key in keys}
    written, call_id = answered.written, str(body.get("correlationId") or "")
    for result in body.get("results") or ():
        key = waiting.pop(str((result.get("properties") or {}).get(key_property) or "").strip().lower(), None)
        if key is not None:
            written[key] = Written(ticket_id=str(result["id"]), is_new=bool(result.get("new")))
    for error in body.get("errors") or ():
        if not isinstance(error, Mapping):
            continue
        context = error.get("context")
        for named in (*_listed(context, "objectWriteTraceId"), *_listed(context, "ids")):
            key = waiting.pop(identity(str(named)), None)
            if key is None:
                continue
            passes = str(error.get("category")) in PASSING_CATEGORIES
            (answered.passing if passes else answered.rejected)[key] = rejected(key, error, call_id)
    answered.silent = list(waiting.values())
    return answered


def rejected(key: str, error: Mapping[str, Any], correlation_id: str = "") -> Rejected:
    """Why, in codes and property names; HubSpot's own message quotes values, so it is not kept."""
    found = problems(error)
    correlation_id = str(error.get("correlationId") or "") or correlation_id
    if not found:
        category = str(error.get("category") or "UNKNOWN")
        return Rejected(
            key=key,
            code=category,
            message=MEANINGS.get(category, "HubSpot refused the record"),
            correlation_id=correlation_id,
        )
    return Rejected(
        key=key,
        code=found[0][0] or "UNKNOWN",
        message="; ".join(f"{name or 'the record'}: {code}" for code, name in found),
        correlation_id=correlation_id,
    )


# Categories that come without a property's name.
MEANINGS = {
    "CONFLICT": "HubSpot has another ticket with a value that must be unique, or one that was archived or merged holds the key",
    "OBJECT_NOT_FOUND": "HubSpot does not find the ticket: it was deleted or merged meanwhile",
    "NO_ANSWER": "HubSpot's answer neither confirms nor refuses the record",
}


def problems(error: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(code, property) pairs of an error."""
    details = [
        (str(d.get("code") or ""), ", ".join(map(str, _listed(d.get("context"), "propertyName"))))
        for d in _listed(error, "errors")
        if isinstance(d, Mapping)
    ]
    if any(code for code, _ in details):
        return details
    embedded = EMBEDDED.search(str(error.get("message", "")))
    try:
        listed = json.loads(embedded[1]) if embedded else []
    except ValueError:
        listed = []
    return [(str(p.get("error", "")), str(p.get("name", ""))) for p in listed if isinstance(p, Mapping)]


def _listed(holder: Any, name: str) -> list[Any]:
    """The list of this name; empty where there is none, or something else."""
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, list) else []
