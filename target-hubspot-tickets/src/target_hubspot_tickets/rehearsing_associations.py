"""Shell: in a dry run, which of the associations that records ask for their tickets do not have."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.labels import Labels
from target_hubspot_tickets.lookups import Lookups
from target_hubspot_tickets.pairing import Pairing
from target_hubspot_tickets.pairs import Pair, Reading
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import identity
from target_hubspot_tickets.wanted import Ticket, plan, with_primary

logger = logging.getLogger("target-hubspot-tickets")


@dataclass(slots=True, kw_only=True)
class Lacking:
    """By key: pairs that are not there, or not with the label asked for; and how many wishes wait for their record."""

    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


class AssociationRehearsal:
    """Compares; makes none. Any thread may."""

    def __init__(
        self, client: HubSpotClient, api: Api, lookups: Lookups, labels: Labels, *, primary_company: bool
    ) -> None:
        self._lookups, self._labels, self._primary = lookups, labels, primary_company
        self._pairing = Pairing(client, api)

    def lacking(self, tickets: Iterable[Ticket]) -> Lacking:
        """Of tickets that exist."""
        asking = [ticket for ticket in tickets if ticket.wishes]
        asked = [
            (ticket, wish)
            for ticket in asking
            for wish in (with_primary(ticket.wishes or ()) if self._primary else ticket.wishes or ())
        ]
        known = {identity(ticket.key): ticket.ticket_id for ticket in asking}
        finds = self._lookups.find([wish for _, wish in asked], known)
        wanted = plan(asked, finds.ids, self._labels.types(wish for _, wish in asked if wish.label))
        links = self._pairing.read(dict.fromkeys(Reading(p.to, p.ticket_id) for p in wanted.links))
        found = Lacking()
        for pair, link in wanted.links.items():
            if (pair.to, pair.ticket_id) in links.unread:
                continue
            if pair not in links.types or not link.types <= links.types[pair]:
                found.pairs.setdefault(link.key, []).append(pair)
        for one in wanted.pending:
            found.waiting[one.key] = found.waiting.get(one.key, 0) + 1
        _tell_unread(links.unread)
        return found


def _tell_unread(unread: Mapping[tuple[str, str], str]) -> None:
    if unread:
        codes = ", ".join(sorted(set(unread.values())))
        logger.warning(
            "The associations of %s tickets could not be read, so not compared: %s", len(unread), codes
        )
