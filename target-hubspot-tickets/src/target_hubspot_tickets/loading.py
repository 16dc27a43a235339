"""Shell: a batch of items into HubSpot: upserts, associations, deletions; what is refused is put on record before it returns."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from target_hubspot_tickets.associations import Associator
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.correlation import Outcomes, Refused, match, refused
from target_hubspot_tickets.errors import HubSpotAnswerError
from target_hubspot_tickets.portal import Portal
from target_hubspot_tickets.protocol import MAX_INPUTS, Api, Input, batches, chunks
from target_hubspot_tickets.records import Delete, Item, Upsert
from target_hubspot_tickets.rejected import RejectedFile
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.tickets import Choices, UnresolvedError, properties_of

logger = logging.getLogger("target-hubspot-tickets")


class Loader:
    """Writes items to one portal. When `load` returns, each is confirmed or on record as rejected."""

    def __init__(  # noqa: PLR0913 - the parts that it is made of
        self,
        client: HubSpotClient,
        api: Api,
        portal: Portal,
        choices: Choices,
        rejected: RejectedFile,
        report: Report,
    ) -> None:
        self._client, self._api, self._portal, self._choices = client, api, portal, choices
        self._rejected, self._report = rejected, report
        self._associator = Associator(client, api, report)

    def load(self, items: Sequence[Item], *, archive: bool) -> None:
        """Write items that have each another key."""
        upserts = {i.key: i for i in items if isinstance(i, Upsert)}
        deletes = [i.key for i in items if isinstance(i, Delete)]
        written = self._upsert(upserts)
        self._associator.associate(
            (written[key], wish)
            for key, upsert in upserts.items()
            if key in written
            for wish in upsert.wishes
        )
        if archive:
            for keys in chunks(deletes, MAX_INPUTS):
                self._archive(keys)
        else:
            self._report.ignored_deletes += len(deletes)

    def _upsert(self, upserts: dict[str, Upsert]) -> dict[str, str]:
        """Ticket ids by key of what was written."""
        inputs = []
        for key, upsert in upserts.items():
            try:
                inputs.append(Input(key=key, properties=properties_of(upsert, self._portal, self._choices)))
            except UnresolvedError as error:
                self._reject(Refused(key=key, code="UNRESOLVED", message=str(error)))
        written: dict[str, str] = {}
        for batch in batches(inputs):
            written |= self._send(batch)
        return written

    def _send(self, batch: list[Input], *, again: bool = True) -> dict[str, str]:
        """One call; a call refused as a whole is sent in halves, down to the record at fault."""
        try:
            body = self._client.send(self._api.upsert(batch, self._choices.key_property))
        except HubSpotAnswerError as error:
            if len(batch) == 1:
                self._reject(
                    refused(batch[0].key, {"category": error.category, "message": error.message}),
                    error.correlation_id,
                )
                return {}
            half = len(batch) // 2
            return self._send(batch[:half]) | self._send(batch[half:])
        outcomes = match([i.key for i in batch], body, self._choices.key_property)
        self._count(outcomes)
        for one in outcomes.refused:
            self._reject(one)
        return outcomes.written | self._send_silent(batch, outcomes, again=again)

    def _send_silent(self, batch: list[Input], outcomes: Outcomes, *, again: bool) -> dict[str, str]:
        """Inputs that the answer says nothing of: once more, each alone; after that they are rejected, not forgotten."""
        silent = [i for i in batch if i.key in set(outcomes.silent)]
        if not again:
            for one in silent:
                self._reject(
                    Refused(
                        key=one.key,
                        code="NO_ANSWER",
                        message="HubSpot's answer neither confirms nor refuses the record",
                    )
                )
            return {}
        written: dict[str, str] = {}
        for one in silent:
            written |= self._send([one], again=False)
        return written

    def _count(self, outcomes: Outcomes) -> None:
        self._report.created += len(outcomes.created)
        self._report.updated += len(outcomes.written) - len(outcomes.created)

    def _archive(self, keys: list[str]) -> None:
        """Ids by key first: archiving takes record ids only. A key that is gone already is done."""
        body = self._client.send(self._api.read_by("tickets", self._choices.key_property, keys))
        ids = [str(r["id"]) for r in body.get("results", ())]
        if ids:
            self._client.send(self._api.archive(ids))
        self._report.archived += len(ids)
        self._report.already_gone += len(keys) - len(ids)

    def _reject(self, one: Refused, correlation_id: str = "") -> None:
        self._report.rejected += 1
        self._rejected.add(one.key, one.code, one.message, correlation_id)
