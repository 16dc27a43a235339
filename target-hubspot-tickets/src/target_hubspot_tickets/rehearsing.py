"""Shell: a round of records in a dry run: what would become of each, told line by line; nothing is written to HubSpot."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from target_hubspot_tickets.batching import Round
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.deletion_guard import TOMBSTONE, Doomed, Marked
from target_hubspot_tickets.errors import SettingError
from target_hubspot_tickets.outcomes import HeldDelete, Rejected, RoundOutcome, Written
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Delete, Upsert, identity
from target_hubspot_tickets.rehearsing_associations import AssociationRehearsal, Lacking
from target_hubspot_tickets.settings import Policy
from target_hubspot_tickets.tickets import TicketPlan, UnresolvedError
from target_hubspot_tickets.tickets_by_key import read_by_key
from target_hubspot_tickets.wanted import Ticket
from target_hubspot_tickets.write_rules import NO_RULES, WriteRules

MAY_BE_YOUNGER = "not in the source; by its version it may be younger than the look at it"
NO_KEY = "has the org's mark, and no key"


class PlanFile:
    """The lines of a dry run, for its owner's eyes only: they show values. Several threads may write."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        try:
            descriptor = os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise SettingError(
                f"plan_path can't be written ({error.strerror}): name a file in a folder that is there"
            ) from None
        self._file: IO[str] = os.fdopen(descriptor, "w", encoding="utf-8")

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Add lines."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self._lock:
            self._file.write(text)
            self._file.flush()

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Records that the run would put on record."""
        self.write(map(_rejection_line, rejected))

    def archive(self, doomed: Iterable[Doomed]) -> None:
        """What the run would archive; the evidence is a record that says deleted, or a snapshot without the key."""
        self.write(
            {
                "key": one.key,
                "would": "archive",
                "ticket_id": one.ticket_id,
                "reason": one.reason,
                "evidence": "record" if one.reason == TOMBSTONE else "snapshot",
            }
            for one in doomed
        )

    def spare(self, tickets: Iterable[Marked]) -> None:
        """Tickets with the org's mark that the run would leave, though no record speaks of them."""
        self.write(
            {
                "key": t.key or "",
                "would": "spare",
                "ticket_id": t.ticket_id,
                "reason": MAY_BE_YOUNGER if t.key else NO_KEY,
            }
            for t in tickets
        )

    def close(self) -> None:
        self._file.close()


class Rehearsal:
    """In a loader's place: compares a round with the portal; associations too, where `associations` is given."""

    def __init__(  # noqa: PLR0913 - the parts that it is made of
        self,
        client: HubSpotClient,
        api: Api,
        plan: TicketPlan,
        policy: Policy,
        *,
        is_new_portal: bool,
        file: PlanFile,
        associations: AssociationRehearsal | None = None,
        rules: WriteRules = NO_RULES,
    ) -> None:
        self._client, self._api, self._plan = client, api, plan
        self._policy, self._file, self._rules = policy, file, rules
        self._is_new_portal, self._associations = is_new_portal, associations

    def load(self, round_: Round) -> RoundOutcome:
        """One line for each record; the outcome says what a run would count."""
        outcome = RoundOutcome()
        lines = [self._reject(rejected, outcome) for rejected in round_.rejected.values()]
        planned: dict[str, dict[str, str]] = {}
        upserts: dict[str, Upsert] = {}
        narrowing = self._policy.narrowing
        existing = self._there([one.key for one in round_.items.values()], []) if narrowing else {}
        for item in round_.items.values():
            if isinstance(item, Delete):
                lines.append(self._delete(item, outcome))
                continue
            upserts[item.key] = item
            outcome.unknown_owners += self._plan.has_unknown_owner(item)
            try:
                planned[item.key] = (
                    narrowing.properties_of(item, self._plan)
                    if narrowing and identity(item.key) in existing
                    else self._plan.properties_of(item)
                )
            except UnresolvedError as error:
                lines.append(self._reject(_rejected(item, error), outcome))
        lines += self._compare(planned, upserts, outcome)
        self._file.write(lines)
        return outcome

    def _reject(self, rejected: Rejected, outcome: RoundOutcome) -> dict[str, Any]:
        outcome.rejected.append(rejected)
        return _rejection_line(rejected)

    def _delete(self, item: Delete, outcome: RoundOutcome) -> dict[str, Any]:
        if self._policy.archives:
            outcome.held.append(HeldDelete(key=item.key, source=item.source))
            return {
                "key": item.key,
                "would": "delete",
                "reason": "deleted in the source; all deletions are counted first",
            }
        outcome.ignored.add(item.key)
        return {
            "key": item.key,
            "would": "leave",
            "reason": "deleted in the source, and on_delete is 'ignore'",
        }

    def _compare(
        self, planned: Mapping[str, dict[str, str]], upserts: Mapping[str, Upsert], outcome: RoundOutcome
    ) -> list[dict[str, Any]]:
        there = self._there(planned, sorted({name for properties in planned.values() for name in properties}))
        lacking = self._lacking({key: t for key in planned if (t := there.get(identity(key)))}, upserts)
        lines: list[dict[str, Any]] = []
        for key, properties in planned.items():
            ticket = there.get(identity(key))
            if ticket is None:
                outcome.written[key] = Written(ticket_id="", is_new=True)
                lines.append({"key": key, "would": "create", "properties": properties})
                continue
            its = ticket.get("properties") or {}
            changes = self._changes(properties, its)
            pairs, waiting = lacking.pairs.get(key), lacking.waiting.get(key)
            if changes or pairs:
                outcome.written[key] = Written(ticket_id=str(ticket["id"]))
            else:
                outcome.unchanged.add(key)
            line: dict[str, Any] = {
                "key": key,
                "would": "update" if changes or pairs else "unchanged",
                "ticket_id": str(ticket["id"]),
                "changes": changes,
            }
            if pairs:
                line["associations"] = [{"to": pair.to, "id": pair.to_id} for pair in pairs]
            if waiting:
                line["waiting"] = waiting
            lines.append(line)
        return lines

    def _changes(self, properties: Mapping[str, str], there: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What a write would change; under write_mode `changed` the version alone is no reason for one."""
        found = differences(self._rules.written(properties, there), there)
        passes_over = self._policy.only_changed and found.keys() == {self._policy.version_property}
        return {} if passes_over else found

    def _lacking(self, there: Mapping[str, Mapping[str, Any]], upserts: Mapping[str, Upsert]) -> Lacking:
        """Associations that tickets do not have; none is looked at under only_properties, which writes none."""
        if not self._associations or self._policy.narrowing:
            return Lacking()
        return self._associations.lacking(
            Ticket(key=key, ticket_id=str(found["id"]), is_new=False, wishes=upserts[key].wishes)
            for key, found in there.items()
        )

    def _there(self, keys: Iterable[str], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Tickets by the identity of their key, with these properties."""
        if self._is_new_portal:  # the key property would be made: no ticket has it yet
            return {}
        return read_by_key(self._client, self._api, self._policy.key_property, keys, names)


def differences(properties: Mapping[str, str], there: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a write would change: property -> before and after; an empty text and none are the same to HubSpot."""
    return {
        name: {"before": there.get(name), "after": value}
        for name, value in properties.items()
        if (there.get(name) or "") != value
    }


def _rejection_line(rejected: Rejected) -> dict[str, Any]:
    return {"key": rejected.key, "would": "reject", "code": rejected.code, "reason": rejected.message}


def _rejected(item: Upsert, error: UnresolvedError) -> Rejected:
    return Rejected(key=item.key, code=error.code, message=str(error))
