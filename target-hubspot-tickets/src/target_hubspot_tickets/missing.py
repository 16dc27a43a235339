"""Shell: which keys have no ticket (--missing): read from a stream, a few thousand at a time, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import StreamError
from target_hubspot_tickets.portal import read_properties
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, chunks
from target_hubspot_tickets.records import identity
from target_hubspot_tickets.tickets_by_key import read_by_key

CALLS_AT_ONCE = 24
MEMBER = "Id"  # of a line that is JSON


def missing(settings: Mapping[str, Any], lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """`{"key"}` for each key without an active ticket, as they come; at the end how many have one, and how many have none.

    Raises:
        StreamError: a line holds no key.
        TargetError: HubSpot gives no answer.
    """
    api, key_property = Api(settings["api_version"]), settings["key_property"]
    tickets = without = 0
    with HubSpotClient(settings) as client:
        is_there = key_property in read_properties(client.send(api.properties("tickets")))
        for some in chunks(_keys(lines), CALLS_AT_ONCE * MAX_INPUTS):
            wanted = {identity(key): key for key in some}
            found = read_by_key(client, api, key_property, wanted.values()) if is_there else {}
            gone = [key for spelled, key in wanted.items() if spelled not in found]
            tickets, without = tickets + len(wanted) - len(gone), without + len(gone)
            yield from ({"key": key} for key in gone)
    yield {"tickets": tickets, "missing": without}


def _keys(lines: Iterable[str]) -> Iterator[str]:
    """A key a line, or a JSON object a line with the member Id; empty lines are passed over."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        key = _member(text) if text.startswith("{") else text
        if not key:
            raise StreamError(f"line {number} holds no key: give one a line, or JSON objects with '{MEMBER}'")
        yield key


def _member(text: str) -> str:
    try:
        return str(json.loads(text).get(MEMBER) or "").strip()
    except ValueError:
        return ""
