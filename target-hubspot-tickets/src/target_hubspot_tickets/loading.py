"""Shell: a round of records into HubSpot: what is to be written, the tickets, their associations; an outcome for each record."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol

import msgspec
from msgspec import structs

from target_hubspot_tickets.associations import Associator, Ticket
from target_hubspot_tickets.batching import Input, Round, batches, encode
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.correlation import Answered
from target_hubspot_tickets.errors import HubSpotAnswerError
from target_hubspot_tickets.option_adding import OptionAdder
from target_hubspot_tickets.outcomes import HeldDelete, MadeAssociation, Rejected, RoundOutcome, Written
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Delete, Upsert, identity, record_of
from target_hubspot_tickets.settings import Policy
from target_hubspot_tickets.tickets import MissingOption, TicketPlan, UnresolvedError
from target_hubspot_tickets.tickets_by_key import read_by_key
from target_hubspot_tickets.upserting import Upserter
from target_hubspot_tickets.values import ValueProblemError, moment_of
from target_hubspot_tickets.write_rules import NO_RULES, WriteRules

logger = logging.getLogger("target-hubspot-tickets")
DIGEST_BYTES = 16


class Remembers(Protocol):
    """What a round reads of the ledger."""

    def digests(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Digest of what was last written, by key."""

    def forget_digests(self, keys: Sequence[str]) -> None:
        """These tickets are about to be written with other values."""

    def made(self, keys: Sequence[str]) -> Mapping[str, list[MadeAssociation]]:
        """Associations that this target made, by key."""


class _Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A record on its way: what is sent, and what tells it from what was sent before.

    Of a narrow one only some properties are sent, because its ticket exists (only_properties); of an empty one none but the key.
    """

    upsert: Upsert
    input: Input
    digest: bytes | None
    is_narrow: bool = False
    is_empty: bool = False


class Loader:
    """Loads the rounds of one stream; several threads load one round each."""

    def __init__(  # noqa: PLR0913 - the parts that it is made of
        self,
        client: HubSpotClient,
        api: Api,
        plan: TicketPlan,
        associator: Associator,
        ledger: Remembers,
        policy: Policy,
        stream: str,
        adder: OptionAdder | None = None,
        rules: WriteRules = NO_RULES,
    ) -> None:
        self._client, self._api, self._plan, self._stream = client, api, plan, stream
        self._associator = associator
        self._ledger, self._policy, self._adder, self._rules = ledger, policy, adder, rules
        self._upserter = Upserter(client, api, policy.key_property)
        # Preparing is Python's work alone: side by side, the first round would be sent no sooner than the last.
        self._preparing = threading.Lock()

    def load(self, round_: Round) -> RoundOutcome:
        """Write a round. When this returns, each record is confirmed, or its outcome says what it waits for.

        Raises:
            TargetError: the run can't go on; what was written will be written again, alike.
            StoppedError: the run was stopped in the middle.
        """
        outcome = RoundOutcome(rejected=list(round_.rejected.values()))
        upserts: dict[str, Upsert] = {}
        deletes: list[Delete] = []
        for item in round_.items.values():
            if isinstance(item, Upsert):
                upserts[item.key] = item
            else:
                deletes.append(item)
        ready = self._changed(self._some(self._ready(upserts, outcome), outcome), outcome)
        if self._policy.stale_guard:
            outcome.stale |= self._stale(ready, deletes)
            ready = [one for one in ready if one.input.key not in outcome.stale]
            deletes = [one for one in deletes if one.key not in outcome.stale]
        ready = self._without_kept(ready, outcome)
        for item in deletes:
            self._delete(item, outcome)
        self._associator.look_ahead(wish for one in ready for wish in one.upsert.wishes or ())
        sent: list[Future[Answered]] = [
            self._client.submit("general", self._upserter.send, batch)
            for batch in batches([r.input for r in ready])
        ]
        self._note(ready, [future.result() for future in sent], outcome)
        tickets = {
            key: _ticket(upserts[key], written)
            for key, written in outcome.written.items()
            if key not in outcome.narrowed
        }
        del upserts, ready, sent
        round_.lighten()
        self._associate(tickets, outcome)
        return outcome

    def _delete(self, item: Delete, outcome: RoundOutcome) -> None:
        if self._policy.archives:
            outcome.held.append(HeldDelete(key=item.key, source=item.source))
        else:
            outcome.ignored.add(item.key)

    def _ready(self, upserts: Mapping[str, Upsert], outcome: RoundOutcome) -> list[_Ready]:
        """What can be sent; what can't be is rejected here."""
        outcome.unknown_owners = sum(map(self._plan.has_unknown_owner, upserts.values()))
        ready: list[_Ready] = []
        there = self._there(upserts)
        with self._preparing:
            refused = self._prepare(upserts, there, ready)
        missing = [one for error in refused.values() for one in error.missing_options]
        if missing and self._adder and self._add_options(missing):
            refused |= self._prepare({key: upserts[key] for key in refused}, there, ready, refused)
        for key, error in refused.items():
            outcome.rejected.append(self._rejected(upserts[key], error.code, str(error)))
        return ready

    def _prepare(
        self,
        upserts: Mapping[str, Upsert],
        there: Collection[str],
        ready: list[_Ready],
        refused: dict[str, UnresolvedError] | None = None,
    ) -> dict[str, UnresolvedError]:
        """Add to `ready` what can be sent, and take it out of `refused`; what can't be, with its reason."""
        errors: dict[str, UnresolvedError] = {}
        for key, upsert in upserts.items():
            try:
                is_narrow = identity(key) in there
                properties = self._properties(upsert, is_narrow=is_narrow)
            except UnresolvedError as error:
                errors[key] = error
                continue
            if refused:
                del refused[key]
            one = encode(key, properties, self._policy.key_property)
            digest = self._digest(properties, upsert) if not is_narrow else None
            is_empty = is_narrow and len(properties) == 1
            ready.append(
                _Ready(upsert=upsert, input=one, digest=digest, is_narrow=is_narrow, is_empty=is_empty)
            )
        return errors

    def _digest(self, properties: Mapping[str, str], upsert: Upsert) -> bytes | None:
        return (
            digest_of(properties, upsert, self._policy.version_property)
            if self._policy.only_changed
            else None
        )

    def _properties(self, upsert: Upsert, *, is_narrow: bool) -> dict[str, str]:
        narrowing = self._policy.narrowing
        if narrowing and is_narrow:
            return narrowing.properties_of(upsert, self._plan)
        return self._plan.properties_of(upsert)

    def _there(self, upserts: Mapping[str, Upsert]) -> Collection[str]:
        """Identities of those whose tickets exist, where that matters (only_properties)."""
        if not self._policy.narrowing:
            return frozenset()
        return read_by_key(self._client, self._api, self._policy.key_property, upserts).keys()

    def _some(self, ready: list[_Ready], outcome: RoundOutcome) -> list[_Ready]:
        """Without those of which nothing is to be written: their records have none of the properties."""
        outcome.narrowed |= {one.input.key for one in ready if one.is_narrow}
        outcome.unchanged |= {one.input.key for one in ready if one.is_empty}
        return [one for one in ready if not one.is_empty]

    def _without_kept(self, ready: list[_Ready], outcome: RoundOutcome) -> list[_Ready]:
        """Without the properties that tickets keep by the write rules of the stream."""
        if not self._rules:
            return ready
        keys = [one.input.key for one in ready]
        there = read_by_key(
            self._client, self._api, self._policy.key_property, keys, sorted(self._rules.if_empty)
        )
        reduced = [
            self._reduced(one, found) if (found := there.get(identity(one.input.key))) else one
            for one in ready
        ]
        return self._some(reduced, outcome)

    def _reduced(self, one: _Ready, ticket: Mapping[str, Any]) -> _Ready:
        properties = self._properties(one.upsert, is_narrow=one.is_narrow)
        written = self._rules.written(properties, ticket.get("properties") or {})
        content = encode(one.input.key, written, self._policy.key_property)
        return structs.replace(one, input=content, is_empty=one.is_narrow and len(written) == 1)

    def _add_options(self, missing: Sequence[MissingOption]) -> bool:
        """Make the options that records ask for (create_options); whether any was."""
        values: dict[str, dict[str, None]] = {}
        for one in missing:
            values.setdefault(one.property, {})[one.value] = None
        changed = [self._add(name, list(wanted)) for name, wanted in values.items()]
        for found in changed:
            if found is not None:
                self._plan.learn(found)
        return any(found is not None for found in changed)

    def _add(self, name: str, values: list[str]) -> Property | None:
        """The property with these options; None where HubSpot refuses them: their records are rejected then."""
        try:
            return self._adder.add(name, values) if self._adder else None
        except HubSpotAnswerError as error:
            logger.warning("%s; the options of %s were not added", error, name)
            return None

    def _changed(self, ready: list[_Ready], outcome: RoundOutcome) -> list[_Ready]:
        """Without those that were written with the same values before."""
        if not self._policy.only_changed:
            return ready
        known = self._ledger.digests([one.input.key for one in ready])
        changed = [one for one in ready if one.is_narrow or known.get(one.input.key) != one.digest]
        # A write whose answer is lost must not look unwritten later: what was known of these is not true any more.
        self._ledger.forget_digests([one.input.key for one in changed if one.input.key in known])
        outcome.unchanged |= {one.input.key for one in ready} - {one.input.key for one in changed}
        return changed

    def _stale(self, ready: Sequence[_Ready], deletes: Sequence[Delete]) -> set[str]:
        """Keys whose ticket has a newer version already: a replay must not bring back the past."""
        version = self._policy.version_property
        versions = {one.input.key: one.upsert.values.get(version) for one in ready}
        versions |= {one.key: one.version for one in deletes}
        there = self._versions([key for key, own in versions.items() if own])
        return {
            key
            for key, text in versions.items()
            if (found := there.get(identity(key))) and (own := _moment(text)) and own < found
        }

    def _versions(self, keys: Sequence[str]) -> dict[str, datetime]:
        version = self._policy.version_property
        there = read_by_key(self._client, self._api, self._policy.key_property, keys, [version])
        moments = {key: _moment((found.get("properties") or {}).get(version)) for key, found in there.items()}
        return {key: moment for key, moment in moments.items() if moment}

    def _note(self, ready: Sequence[_Ready], answers: Sequence[Answered], outcome: RoundOutcome) -> None:
        by_key = {one.input.key: one for one in ready}
        for answered in answers:
            if self._policy.only_changed:
                for key, written in answered.written.items():
                    outcome.written[key] = structs.replace(written, digest=by_key[key].digest)
            else:
                outcome.written.update(answered.written)
            for key, refused in answered.rejected.items():
                record = record_of(by_key[key].upsert) if self._policy.keeps_payloads else None
                outcome.rejected.append(replace(refused, record=record, stream=self._stream))

    def _associate(self, tickets: Mapping[str, Ticket], outcome: RoundOutcome) -> None:
        if any(ticket.wishes is not None for ticket in tickets.values()):
            made = self._ledger.made(list(tickets)) if self._policy.mirrors else {}
            outcome.associations = self._associator.associate(tickets, made)

    def _rejected(self, upsert: Upsert, code: str, message: str) -> Rejected:
        record = record_of(upsert) if self._policy.keeps_payloads else None
        return Rejected(key=upsert.key, code=code, message=message, record=record, stream=self._stream)


def _ticket(upsert: Upsert, written: Written) -> Ticket:
    return Ticket(key=upsert.key, ticket_id=written.ticket_id, is_new=written.is_new, wishes=upsert.wishes)


def digest_of(properties: Mapping[str, str], upsert: Upsert, version_property: str) -> bytes:
    """Of what is written; the version alone is no change: it moves with fields of the source that are mapped to nothing (N38)."""
    values = [one for one in properties.items() if one[0] != version_property]
    return blake2b(
        repr((values, upsert.wishes)).encode("utf-8", "replace"), digest_size=DIGEST_BYTES
    ).digest()


def _moment(value: Any) -> datetime | None:
    """A version as a moment, in any form that a date property takes; None where it is none: such a record is not stale."""
    try:
        return moment_of(value) if value else None
    except ValueProblemError:
        return None
