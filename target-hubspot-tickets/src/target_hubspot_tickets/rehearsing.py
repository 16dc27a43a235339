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
from target_hubspot_tickets.errors import SettingError
from target_hubspot_tickets.outcomes import HeldDelete, Rejected, RoundOutcome, Written
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Delete, Upsert, identity
from target_hubspot_tickets.settings import Policy
from target_hubspot_tickets.tickets import TicketPlan, UnresolvedError
from target_hubspot_tickets.tickets_by_key import read_by_key


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

    def close(self) -> None:
        self._file.close()


class Rehearsal:
    """In a loader's place: compares a round with the portal."""

    def __init__(  # noqa: PLR0913 - the parts that it is made of
        self,
        client: HubSpotClient,
        api: Api,
        plan: TicketPlan,
        policy: Policy,
        *,
        is_new_portal: bool,
        file: PlanFile,
    ) -> None:
        self._client, self._api, self._plan = client, api, plan
        self._policy, self._file = policy, file
        self._is_new_portal = is_new_portal

    def load(self, round_: Round) -> RoundOutcome:
        """One line for each record; the outcome says what a run would count."""
        outcome = RoundOutcome()
        lines = [self._reject(rejected, outcome) for rejected in round_.rejected.values()]
        planned: dict[str, dict[str, str]] = {}
        narrowing = self._policy.narrowing
        existing = self._there([one.key for one in round_.items.values()], []) if narrowing else {}
        for item in round_.items.values():
            if isinstance(item, Delete):
                lines.append(self._delete(item, outcome))
                continue
            try:
                planned[item.key] = (
                    narrowing.properties_of(item, self._plan)
                    if narrowing and identity(item.key) in existing
                    else self._plan.properties_of(item)
                )
            except UnresolvedError as error:
                lines.append(self._reject(_rejected(item, error), outcome))
        lines += self._compare(planned, outcome)
        self._file.write(lines)
        return outcome

    def _reject(self, rejected: Rejected, outcome: RoundOutcome) -> dict[str, Any]:
        outcome.rejected.append(rejected)
        return {"key": rejected.key, "would": "reject", "code": rejected.code, "reason": rejected.message}

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

    def _compare(self, planned: Mapping[str, dict[str, str]], outcome: RoundOutcome) -> list[dict[str, Any]]:
        there = self._there(planned, sorted({name for properties in planned.values() for name in properties}))
        lines = []
        for key, properties in planned.items():
            ticket = there.get(identity(key))
            if ticket is None:
                outcome.written[key] = Written(ticket_id="", is_new=True)
                lines.append({"key": key, "would": "create", "properties": properties})
                continue
            changes = differences(properties, ticket.get("properties") or {})
            if changes:
                outcome.written[key] = Written(ticket_id=str(ticket["id"]))
            else:
                outcome.unchanged.add(key)
            would = "update" if changes else "unchanged"
            lines.append({"key": key, "would": would, "ticket_id": str(ticket["id"]), "changes": changes})
        return lines

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


def _rejected(item: Upsert, error: UnresolvedError) -> Rejected:
    return Rejected(key=item.key, code=error.code, message=str(error))
