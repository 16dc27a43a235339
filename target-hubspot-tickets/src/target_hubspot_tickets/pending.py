"""Shell: tries associations again that waited in the ledger: their tickets are confirmed first, by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from target_hubspot_tickets.associations import Associator, Ticket
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import reading
from target_hubspot_tickets.halving import ask
from target_hubspot_tickets.outcomes import PendingAssociation, RoundOutcome
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, chunks
from target_hubspot_tickets.records import Wish, identity

NOT_FOUND = "OBJECT_NOT_FOUND"


def retry_page(
    client: HubSpotClient,
    api: Api,
    associator: Associator,
    key_property: str,
    page: Sequence[PendingAssociation],
) -> RoundOutcome:
    """Try a page of waiting associations; it holds all rows of each of its keys, because they are replaced together.

    A ticket that is gone waits for nothing any more; one that was made anew is associated under its new id.

    Raises:
        TargetError: the run can't go on.
    """
    wishes: dict[str, list[Wish]] = {}
    for row in page:
        wishes.setdefault(row.key, []).append(row.wish)
    ids = _tickets(client, api, key_property, list(wishes))
    tickets = {
        key: Ticket(key=key, ticket_id=found, is_new=False, wishes=tuple(wishes[key]))
        for key, found in ids.items()
        if found is not None
    }
    associations = associator.associate_waiting(tickets)
    associations.settled |= ids.keys()
    return RoundOutcome(associations=associations)


def _tickets(
    client: HubSpotClient, api: Api, key_property: str, keys: Sequence[str]
) -> Mapping[str, str | None]:
    """Ticket id by key, None where HubSpot says that the ticket is gone; a key of which it says nothing is missing."""
    parts = ask(
        client.send_all,
        chunks(keys, MAX_INPUTS),
        lambda items: api.read_by("tickets", key_property, items),
    )
    found: dict[str, str | None] = {}
    for part in parts:
        if isinstance(part.answer, Exception):
            continue
        known = _known(part.answer, key_property)
        found |= {key: known[identity(key)] for key in part.items if identity(key) in known}
    return found


@reading("tickets by their keys")
def _known(answer: Mapping[str, Any], key_property: str) -> dict[str, str | None]:
    """Ticket ids by the identity of their key, None of those that are gone."""
    ids: dict[str, str | None] = {
        identity(str((result.get("properties") or {}).get(key_property) or "")): str(result["id"])
        for result in answer.get("results") or ()
    }
    return dict.fromkeys(_gone(answer)) | ids


def _gone(answer: Mapping[str, Any]) -> set[str]:
    """Identities of keys without a ticket, as a batch read names them (207, OBJECT_NOT_FOUND: `context.ids`)."""
    errors = [one for one in answer.get("errors") or () if one.get("category") == NOT_FOUND]
    return {identity(str(key)) for one in errors for key in (one.get("context") or {}).get("ids") or ()}
