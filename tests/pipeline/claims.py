"""No state says more than is there (I6): what it says was read is in HubSpot in that version, or on record in the ledger.

A bookmark says it of all cases up to a position, and of single versions above it (`emitted_in_lookback`). Rows that are out of an
open Bulk job stand in no order, so that nobody can tell which ones they are: those a quiet run from the same state has to show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.ledger import Ledger

from .conftest import PORTAL
from .expected import KEY, VERSION, Row, by_id, expected_tickets

SECOND = len("2026-12-01T12:00:00")  # of a stamp, however its end is written
LEDGER = "hubspot-tickets-ledger.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a state says of cases.

    Attributes:
        below: stamps before this one were read; "" for none.
        after_id: of that very second, ids up to this one were read, too; "" for none.
        single: stamps of versions that were read above, by id.
    """

    below: str
    after_id: str
    single: Mapping[str, str]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        bookmark = state["bookmarks"].get("cases", {})
        return cls(
            below=bookmark.get("replication_key_value", "")[:SECOND],
            after_id=bookmark.get("after_id", ""),
            single={i: version[:SECOND] for i, version in bookmark.get("emitted_in_lookback", {}).items()},
        )

    def covers(self, case_id: str, stamp: str) -> bool:
        """Whether the position lies behind this version."""
        return stamp < self.below or (stamp == self.below and case_id <= self.after_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a case, and what HubSpot has to hold for it; `values` is None where that is no ticket."""

    stamp: str
    is_deleted: bool
    values: Mapping[str, str] | None = None
    companies: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """Case ids in the ledger: rejected, to be archived at the end of a run, waiting for an association."""

    rejected: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()

    @classmethod
    def read(cls, folder: Path) -> Self:
        if not (folder / LEDGER).exists():
            return cls()
        with Ledger.open(str(folder / LEDGER), PORTAL) as ledger:
            return cls(
                rejected=frozenset(row.key for row in ledger.rejected()),
                held=frozenset(row.key for page in ledger.held() for row in page),
                pending=frozenset(row.key for page in ledger.pending() for row in page),
            )


class StateWatch:
    """Asked behind each run of one pipeline, while nothing changes: versions are known by what Salesforce held then."""

    def __init__(self, sandbox: RunningSandbox, folder: Path, *, exact_versions: bool) -> None:
        """Without `exact_versions` a ticket may keep the stamp of an earlier version with the same values."""
        self._sandbox, self._folder, self._exact = sandbox, folder, exact_versions
        self._known: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self.checked = 0  # versions above a position that a state answered for

    def overclaims(self, state: Mapping[str, Any] | None) -> list[str]:
        """In words, what the state says is done and is not."""
        versions = _versions(self._sandbox)
        for case_id, version in versions.items():
            if version not in (known := self._known[case_id, version.stamp]):
                known.append(version)
        if state is None:
            return []
        claims, record = Claims.of(state), OnRecord.read(self._folder)
        self.checked += len(claims.single)
        tickets = {ticket["properties"].get(KEY): ticket for ticket in self._sandbox.tickets()}
        told = [
            (case_id, self._fault(claims, record, case_id, version, tickets.get(case_id)))
            for case_id, version in versions.items()
        ]
        return [f"{case_id}: {fault}" for case_id, fault in told if fault]

    def _fault(
        self, claims: Claims, record: OnRecord, case_id: str, now: Version, ticket: Row | None
    ) -> str | None:
        stamp = claims.single.get(case_id)
        is_now = stamp == now.stamp and len(self._known[case_id, now.stamp]) == 1
        if is_now or claims.covers(case_id, now.stamp):
            return self._missing(now, record, case_id, ticket)
        if stamp is None or ticket is None or case_id in record.rejected | record.held:
            return None
        return self._older(stamp, self._known[case_id, stamp], ticket)

    def _missing(self, now: Version, record: OnRecord, case_id: str, ticket: Row | None) -> str | None:
        """Of the version that the case has now: all of it is there, or on record."""
        if now.is_deleted:
            return None if ticket is None or case_id in record.held else "deleted, but not its ticket"
        if case_id in record.rejected:
            return None
        if now.values is None or ticket is None:
            return f"of {now.stamp} there is no ticket, and nothing on record"
        there = self._there(ticket, now.values)
        if wrong := [name for name in now.values if there[name] != now.values[name]]:
            return f"of {now.stamp} the ticket has not {', '.join(wrong)}, and nothing is on record"
        is_linked = (
            _linked(ticket, "companies") == now.companies and _linked(ticket, "contacts") == now.contacts
        )
        return None if is_linked or case_id in record.pending else f"of {now.stamp} an association is missing"  # fmt: skip

    def _there(self, ticket: Row, wanted: Mapping[str, str]) -> dict[str, str]:
        there = {name: ticket["properties"].get(name) or "" for name in wanted}
        if not self._exact and "" < there[VERSION] < wanted[VERSION]:
            there[VERSION] = wanted[VERSION]
        return there

    def _older(self, stamp: str, known: list[Version], ticket: Row) -> str | None:
        """Of a version that the case had: the ticket is as new, or has its values. Of several in one second any may be meant."""
        if (ticket["properties"].get(VERSION) or "")[:SECOND] >= stamp:
            return None
        is_there = not known or any(v.values is None or self._there(ticket, v.values) == v.values for v in known)  # fmt: skip
        return None if is_there else f"the ticket is older than the version of {stamp}"


def _linked(ticket: Row, kind: str) -> frozenset[str]:
    return frozenset(one["id"] for one in ticket["associations"].get(kind, ()))


def _versions(sandbox: RunningSandbox) -> dict[str, Version]:
    """Of all cases, as they are now."""
    wanted = expected_tickets(sandbox)
    plain = {
        case_id: Version(stamp=case["SystemModstamp"][:SECOND], is_deleted=bool(case["IsDeleted"]))
        for case_id, case in by_id(sandbox, "Case").items()
    }
    return plain | {
        case_id: replace(
            plain[case_id],
            values=values,
            companies=frozenset(wanted.companies[case_id]),
            contacts=frozenset(wanted.contacts[case_id]),
        )
        for case_id, values in wanted.values.items()
    }
