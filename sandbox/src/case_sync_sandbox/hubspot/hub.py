"""Shell: the HubSpot half as one thing: its database, portal, records, associations, tokens, budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from case_sync_sandbox.hubspot.access import Access
from case_sync_sandbox.hubspot.associations import AssociationStore, Sides
from case_sync_sandbox.hubspot.database import Database
from case_sync_sandbox.hubspot.flights import Flights
from case_sync_sandbox.hubspot.portal import Portal
from case_sync_sandbox.hubspot.rate_limits import Limits, RateLimits
from case_sync_sandbox.hubspot.record import Record
from case_sync_sandbox.hubspot.records import RecordStore
from case_sync_sandbox.hubspot.values import iso


class SaysTheTime(Protocol):
    """What the half needs of a clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Hub:
    """Everything that the answers work with."""

    def __init__(self, database: str, clock: SaysTheTime, limits: Limits) -> None:
        """Open the database at `database` (a file, or ":memory:")."""
        self.clock = clock
        self.database = Database(database)
        self.portal = Portal(self.database)
        self.records = RecordStore(self.database)
        self.associations = AssociationStore(self.database)
        self.access = Access()
        self.usual_limits = limits
        self.rates = RateLimits(limits)
        self.flights = Flights()

    def now(self) -> str:
        """The time in HubSpot's form."""
        return iso(self.clock.now())

    def calculate(self, records: Sequence[Record]) -> None:
        """Fill in the ticket properties that follow from associations; they are read-only and kept nowhere."""
        sides = Sides(from_type="tickets", to_type="companies")
        links = self.associations.links(sides, [record.id for record in records])
        for record in records:
            companies = links.get(record.id, [])
            record.properties["hs_num_associated_companies"] = str(len(companies))
            primary = [link for link in companies if any(kind.label == "Primary" for kind in link.types)]
            if primary:
                record.properties["hs_primary_company_id"] = str(primary[0].to_id)

    def reset(self) -> None:
        """Back to an empty portal: no records, default properties and pipeline, fresh tokens and budgets."""
        self.database.clear()
        self.portal.load()
        self.records.load()
        self.access = Access()
        self.rates = RateLimits(self.usual_limits)
        self.flights = Flights()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as the answers see it. `version` is "2026-09", "2026-03", "v3" or "v4"."""

    hub: Hub
    version: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    run_id: str | None
    body_size: int

    @property
    def is_dated(self) -> bool:
        """Whether it came over a dated path."""
        return self.version.startswith("20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to send back; `body` None sends none."""

    body: Any = None
    status: int = 200
    written_keys: tuple[str, ...] = ()
