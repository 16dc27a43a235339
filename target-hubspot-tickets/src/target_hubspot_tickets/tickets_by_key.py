"""Shell: tickets by the values of the key property, many calls side by side; a read that is refused goes again in halves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.halving import ask, is_about_its_contents
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, chunks
from target_hubspot_tickets.records import identity


def read_by_key(
    client: HubSpotClient, api: Api, key_property: str, keys: Iterable[str], properties: Sequence[str] = ()
) -> dict[str, Mapping[str, Any]]:
    """Tickets by the identity of their key, with that property and `properties`; a key that HubSpot can't look for has none.

    Raises:
        HubSpotAnswerError: HubSpot refuses the reads, and no single key is at fault.
        TargetError: the run can't go on.
    """
    parts = ask(
        client.send_all,
        chunks(keys, MAX_INPUTS),
        lambda some: api.read_by("tickets", key_property, some, properties),
    )
    found: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        if isinstance(part.answer, HubSpotAnswerError):
            if len(part.items) > 1 or not is_about_its_contents(part.answer):
                raise part.answer
            continue
        with reading("tickets by their keys"):
            for ticket in part.answer.get("results") or ():
                key = str((ticket.get("properties") or {}).get(key_property))
                found[identity(key)] = {**ticket, "id": str(ticket["id"])}
    return found
