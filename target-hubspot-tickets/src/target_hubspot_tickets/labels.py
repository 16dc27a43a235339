"""Shell: the labels that associations of tickets can have in this portal, read once per run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.pairs import LinkType
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Wish
from target_hubspot_tickets.wanted import PRIMARY, PRIMARY_TYPES, LabelTypes

logger = logging.getLogger("target-hubspot-tickets")
# HubSpot's own labels, whose types are the same in every portal.
BUILT_IN: LabelTypes = {("companies", PRIMARY): PRIMARY_TYPES}


class Labels:
    """Labels by name, in lower case; any thread may ask."""

    def __init__(self, client: HubSpotClient, api: Api) -> None:
        self._client, self._api = client, api
        self._types: dict[str, Mapping[str, LinkType]] = {}
        self._lock = threading.Lock()

    def types(self, wishes: Iterable[Wish]) -> LabelTypes:
        """The types of the labels that wishes name; those that HubSpot does not have are missing."""
        asked = {(wish.to, wish.label.lower()) for wish in wishes if wish.label}
        found = {}
        for to, label in asked:
            if types := BUILT_IN.get((to, label)):
                found[to, label] = types
            elif one := self.of(to).get(label):
                found[to, label] = frozenset({one})
        return found

    def of(self, to: str) -> Mapping[str, LinkType]:
        """All labels from tickets to this object, by their name in lower case."""
        with self._lock:
            if to not in self._types:
                self._types[to] = self._read(to)
            return self._types[to]

    def _read(self, to: str) -> Mapping[str, LinkType]:
        try:
            body = self._client.send(self._api.labels(to))
        except HubSpotAnswerError as error:
            logger.warning("%s; associations with a label wait", error)
            return {}
        with reading("labels of associations"):
            return {
                str(one["label"]).lower(): LinkType(str(one["category"]), int(one["typeId"]))
                for one in reversed(body.get("results") or ())
                if one.get("label")
            }
