"""Shell: finds the companies, contacts and tickets that records ask for, and associates them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, PreflightError
from target_hubspot_tickets.portal import read_properties
from target_hubspot_tickets.protocol import MAX_INPUTS, MAX_PAIRS, MAX_SEARCH_VALUES, Api, chunks
from target_hubspot_tickets.records import Way, Wish
from target_hubspot_tickets.report import Report

logger = logging.getLogger("target-hubspot-tickets")


@dataclass(slots=True)
class Associator:
    """Looks up other records by their properties, remembers what it found for the run, and makes associations."""

    client: HubSpotClient
    api: Api
    report: Report
    _found: dict[tuple[str, str, str], str | None] = field(
        default_factory=dict
    )  # object, property, value in lower case -> id
    _unique: dict[tuple[str, str], bool] = field(default_factory=dict)

    def associate(self, wishes: Iterable[tuple[str, Wish]]) -> None:
        """Make the associations that (ticket id, wish) pairs ask for; what is not found yet is counted as pending."""
        asked = list(wishes)
        self._look_up(asked)
        pairs: dict[str, dict[tuple[str, str], None]] = {}
        for ticket_id, wish in asked:
            other = self._first_found(wish)
            if other is None:
                self.report.pending_associations += 1
            else:
                pairs.setdefault(wish.to, {})[ticket_id, other] = None
        for name, wanted in pairs.items():
            for chunk in chunks(wanted, MAX_PAIRS):
                self._make(name, chunk)

    def _first_found(self, wish: Wish) -> str | None:
        return next((found for way in wish.ways if (found := self._found.get(place(wish.to, way)))), None)

    def _look_up(self, asked: list[tuple[str, Wish]]) -> None:
        """Way by way: the second is looked up only for those whose first found nothing."""
        for turn in range(max((len(w.ways) for _, w in asked), default=0)):
            missing: dict[tuple[str, str], dict[str, None]] = {}
            for _, wish in asked:
                if (
                    turn < len(wish.ways)
                    and self._first_found(wish) is None
                    and place(wish.to, wish.ways[turn]) not in self._found
                ):
                    way = wish.ways[turn]
                    missing.setdefault((wish.to, way.by), {})[way.value] = None
            for (name, by), values in missing.items():
                self._find(name, by, list(values))

    def _find(self, name: str, by: str, values: list[str]) -> None:
        """Unique properties by batch read, which is exact; others by search, which lags behind writes."""
        found: dict[str, list[int]] = {}
        if self._is_unique(name, by):
            for chunk in chunks(values, MAX_INPUTS):
                collect(found, by, self.client.send(self.api.read_by(name, by, chunk)))
        else:
            for chunk in chunks(values, MAX_SEARCH_VALUES):
                collect(found, by, self.client.send(self.api.search(name, by, chunk)))
        for value in values:
            ids = sorted(found.get(value.lower(), ()))
            # Tickets are not remembered as missing: one may be written later in this run.
            if ids or name != "tickets":
                self._found[name, by, value.lower()] = str(ids[0]) if ids else None
            if len(ids) > 1:
                self.report.ambiguous_matches += 1
                logger.warning(
                    "Several %s have the same %s; the oldest (lowest id, %s) is taken", name, by, ids[0]
                )

    def _is_unique(self, name: str, by: str) -> bool:
        if (name, by) not in self._unique:
            properties = read_properties(self.client.send(self.api.properties(name)))
            if by not in properties:
                text = f"HubSpot has no property '{by}' of {name}: create it, name another one to match by, or switch the association off"
                raise PreflightError([text])
            self._unique.update({(name, p.name): p.is_unique for p in properties.values()})
        return self._unique[name, by]

    def _make(self, name: str, pairs: list[tuple[str, str]]) -> None:
        """Unlabelled associations; a pair that is associated already stays as it is. A pair that is refused alone is counted."""
        try:
            body = self.client.send(self.api.associate(name, pairs))
        except HubSpotAnswerError as error:
            if len(pairs) == 1:
                logger.warning("%s; the ticket is written, its association is not", error)
                self.report.pending_associations += 1
                return
            half = len(pairs) // 2
            self._make(name, pairs[:half])
            self._make(name, pairs[half:])
            return
        made = {(str(r["from"]["id"]), str(r["to"]["id"])) for r in body.get("results", ())}
        self.report.associations += len(made)
        self.report.pending_associations += len(set(pairs) - made)


def place(name: str, way: Way) -> tuple[str, str, str]:
    return name, way.by, way.value.lower()


def collect(found: dict[str, list[int]], by: str, body: Mapping[str, Any]) -> None:
    """Ids by the property's value, in lower case."""
    for result in body.get("results", ()):
        value = (result.get("properties") or {}).get(by)
        if value:
            found.setdefault(str(value).lower(), []).append(int(result["id"]))
