"""Shell: the portal's tickets by the marks that say whose they are: read by key or id, walked, counted, archived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.deletion_guard import Marked, Marks, marked
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, Call, chunks


@dataclass(slots=True, kw_only=True)
class Archived:
    """Ids that HubSpot confirmed, and the error of the first call that it refused."""

    ids: set[str] = field(default_factory=set)
    error: HubSpotAnswerError | None = None


class MarkedTickets:
    """Reads and archives; what is archived already is not seen by any of the reads."""

    def __init__(self, client: HubSpotClient, api: Api, marks: Marks) -> None:
        self._client, self._api = client, api
        self.marks = marks

    def by_keys(self, keys: Sequence[str]) -> list[Marked]:
        """Active tickets of these keys; a key without one is missing."""
        return self._read(self.marks.key, keys)

    def by_ids(self, ids: Sequence[str]) -> dict[str, Marked]:
        """Active tickets of these ids, by id."""
        return {ticket.ticket_id: ticket for ticket in self._read(None, ids)}

    def _read(self, by: str | None, values: Sequence[str]) -> list[Marked]:
        calls = [
            self._api.read_by("tickets", by, part, self.marks.names()) for part in chunks(values, MAX_INPUTS)
        ]
        found: list[Marked] = []
        for answer in self._client.send_all(calls):
            if isinstance(answer, HubSpotAnswerError):
                raise answer
            found += self._listed(answer)
        return found

    @reading("tickets")
    def _listed(self, body: Mapping[str, Any]) -> list[Marked]:
        return [marked(ticket, self.marks) for ticket in body.get("results") or ()]

    def pages(self) -> Iterator[list[Marked]]:
        """All active tickets, at most 100 at a time, in the order of their ids."""
        after: str | None = None
        while True:
            body = self._client.send(self._api.list_tickets(self.marks.names(), after))
            yield self._listed(body)
            with reading("a page of tickets"):
                after = ((body.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return

    def count(self, sources: Iterable[str]) -> int:
        """Active tickets with a key, and with one of these orgs' marks, if there are any.

        By search, which lags by moments: good enough for a share, not for more.
        """
        filters: list[dict[str, Any]] = [{"propertyName": self.marks.key, "operator": "HAS_PROPERTY"}]
        values = sorted(source.lower() for source in sources)
        if values:
            filters.append({"propertyName": self.marks.source, "operator": "IN", "values": values})
        call = self._api.search("tickets", self.marks.key, [])
        body = self._client.send(replace(call, body={"filterGroups": [{"filters": filters}], "limit": 1}))
        with reading("a number of tickets"):
            return int(body["total"])

    def archive(self, ids: Sequence[str]) -> Archived:
        """Into HubSpot's recycle bin; an id that is there already is confirmed, too."""
        parts = list(chunks(ids, MAX_INPUTS))
        calls: list[Call] = [self._api.archive(part) for part in parts]
        archived = Archived()
        for part, answer in zip(parts, self._client.send_all(calls), strict=True):
            if isinstance(answer, HubSpotAnswerError):
                archived.error = archived.error or answer
            elif not answer.get("errors"):
                archived.ids.update(part)
        return archived
