"""Shell: what a run does before its first write: reads the portal, makes the target's own properties, refuses what can't work."""

from __future__ import annotations

import logging
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, PreflightError
from target_hubspot_tickets.portal import Portal, Property, read_owners, read_pipelines, read_properties
from target_hubspot_tickets.preflight import plan, wrong_places
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import OWNER_EMAIL

logger = logging.getLogger("target-hubspot-tickets")
CONFLICT = 409


def open_portal(
    client: HubSpotClient,
    api: Api,
    columns: dict[str, dict[str, Any]],
    key_property: str,
    *,
    may_create: bool,
) -> Portal:
    """The portal, ready for a stream with these columns.

    Raises:
        PreflightError: all that does not fit; nothing was written.
    """
    client.send(api.account())
    properties = read_properties(client.send(api.properties("tickets")))
    pipelines = read_pipelines(client.send(api.pipelines()))
    planned = plan(columns, properties, key_property, may_create=may_create)
    if problems := [*planned.problems, *wrong_places(columns, pipelines)]:
        raise PreflightError(problems)
    for body in planned.create:
        create(client, api, body)
    if planned.create:
        properties = wait_for(client, api, {str(body["name"]) for body in planned.create})
    owners = read_owners(all_owners(client, api)) if OWNER_EMAIL in columns else {}
    return Portal(properties=properties, pipelines=pipelines, owners=owners)


def create(client: HubSpotClient, api: Api, body: dict[str, Any]) -> None:
    """One of the target's own properties; that it is there already is no error."""
    try:
        client.send(api.create_property(body))
        logger.info("Created the ticket property %s in HubSpot", body["name"])
    except HubSpotAnswerError as error:
        if error.status != CONFLICT:
            raise


def wait_for(client: HubSpotClient, api: Api, names: set[str]) -> dict[str, Property]:
    """The properties once the new ones are listed: HubSpot may take a moment."""
    retrying = Retrying(
        retry=retry_if_result(lambda found: not names <= set(found)),
        stop=stop_after_attempt(5),
        wait=wait_exponential(multiplier=0.5, max=8),
    )
    found: dict[str, Property] = retrying(lambda: read_properties(client.send(api.properties("tickets"))))
    return found


def all_owners(client: HubSpotClient, api: Api) -> list[dict[str, Any]]:
    """Every active owner, over all pages."""
    owners: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        body = client.send(api.owners(after))
        owners += body.get("results", [])
        after = ((body.get("paging") or {}).get("next") or {}).get("after")
        if not after:
            return owners
