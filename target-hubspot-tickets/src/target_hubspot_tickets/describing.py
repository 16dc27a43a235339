"""Shell: what programs ask of a portal before a sync is set up (--describe), as one value; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.portal import read_properties
from target_hubspot_tickets.protocol import Api, Call

# "CRM API, using object APIs": what a ticket can't be without, whatever the portal's own form asks for.
ALWAYS_REQUIRED = ("subject", "hs_pipeline", "hs_pipeline_stage")


def describe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The portal, its ticket properties and pipelines as HubSpot gives them, and counts.

    Raises:
        TargetError: HubSpot gives no answer, or one of another form, or the token may not read tickets.
    """
    api = Api(settings["api_version"])
    with HubSpotClient(settings) as client:
        asked = (api.account(), api.properties("tickets"), api.pipelines())
        account, properties, pipelines = map(_insisted, client.send_all(asked))
        return {
            "portal_id": str(account.get("portalId") or ""),
            "properties": properties,
            "pipelines": pipelines,
            "required_properties": _required(client, api),
            "owners": _count_owners(client, api),
            "tickets": _count_tickets(client, api, settings["key_property"], properties),
            "api_calls_used_today": client.day.used,
            "api_calls_allowed_a_day": client.day.allowed,
        }


def _insisted(answer: dict[str, Any] | HubSpotAnswerError) -> dict[str, Any]:
    if isinstance(answer, HubSpotAnswerError):
        raise answer
    return answer


def _if_allowed(client: HubSpotClient, call: Call) -> dict[str, Any] | None:
    """The answer; None where the token may not read it, or HubSpot has none."""
    try:
        return client.send(call, forbidden_is_answer=True)
    except HubSpotAnswerError:
        return None


@reading("the schema of tickets")
def _required(client: HubSpotClient, api: Api) -> list[str]:
    """Those of every ticket, then those of the portal's schema, if the token may read it."""
    schema = _if_allowed(client, api.schema("tickets")) or {}
    return list(dict.fromkeys([*ALWAYS_REQUIRED, *map(str, schema.get("requiredProperties") or ())]))


@reading("owners")
def _count_owners(client: HubSpotClient, api: Api) -> int | None:
    count, after = 0, None
    while True:
        page = _if_allowed(client, api.owners(after))
        if page is None:
            return None
        count += len(page.get("results") or ())
        after = ((page.get("paging") or {}).get("next") or {}).get("after")
        if not after:
            return count


@reading("a number of tickets")
def _count_tickets(
    client: HubSpotClient, api: Api, key_property: str, properties: Mapping[str, Any]
) -> int | None:
    """Tickets that have the key, as HubSpot's search sees them, a few moments late; None without the property."""
    if key_property not in read_properties(properties):
        return None
    return int(client.send(api.count_having("tickets", key_property)).get("total") or 0)
