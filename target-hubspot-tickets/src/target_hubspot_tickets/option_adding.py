"""Shell: adds options to ticket properties; HubSpot takes only the whole list of them.

Source: HubSpot, properties: PATCH with options replaces the list.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import reading
from target_hubspot_tickets.portal import Property, read_property
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.ticket_properties import new_option

MOST_ADDED = 1_000  # to one property in a run: more means that what comes is no choice of a list


class OptionAdder:
    """Adds options; threads that add to one property at once do not lose each other's."""

    def __init__(self, client: HubSpotClient, api: Api) -> None:
        self._client, self._api = client, api
        self._lock = threading.Lock()
        self._added: Counter[str] = Counter()

    def add(self, name: str, values: Sequence[str]) -> Property | None:
        """The property with these options, which become their own labels; None where it takes none, or no more.

        Raises:
            HubSpotAnswerError: HubSpot refuses them.
        """
        with self._lock:
            body = self._read(name)
            definition = read_property(body) if body else None
            if definition is None or body is None or not definition.takes_options:
                return None
            spellings = definition.spellings()
            new = [v for v in dict.fromkeys(values) if v not in spellings and v.lower() not in spellings]
            if self._added[name] + len(new) > MOST_ADDED:
                return None
            if not new:
                return definition
            self._added[name] += len(new)
            options = [*(body.get("options") or ()), *_options(new, len(body.get("options") or ()))]
            return read_property(self._client.send(self._api.change_property(name, {"options": options})))

    def _read(self, name: str) -> Mapping[str, Any] | None:
        """As it is now: somebody may have added options meanwhile."""
        answer = self._client.send(self._api.properties("tickets"))
        with reading("properties"):
            return next((body for body in answer["results"] if body["name"] == name), None)


def _options(values: Sequence[str], place: int) -> list[dict[str, Any]]:
    return [new_option(value, value, place + number) for number, value in enumerate(values)]
