"""Core: what a run did, as the report file and the last line of the log say it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of one run. records = created + updated + archived + already_gone + ignored_deletes + superseded + rejected."""

    records: int = 0
    created: int = 0
    updated: int = 0
    archived: int = 0
    already_gone: int = 0
    ignored_deletes: int = 0
    superseded: int = 0
    rejected: int = 0
    associations: int = 0
    pending_associations: int = 0
    ambiguous_matches: int = 0
    api_calls: int = 0
    seconds: float = 0.0
    status: str = "incomplete"

    @property
    def records_per_second(self) -> float:
        return round(self.records / self.seconds, 1) if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "seconds": round(self.seconds, 3),
            "records_per_second": self.records_per_second,
        }

    def line(self) -> str:
        waiting = (
            f" ({self.pending_associations} wait for a company, contact or ticket that is not in HubSpot)"
            if self.pending_associations
            else ""
        )
        return (
            f"tickets: {self.created} created, {self.updated} updated, {self.archived} archived, {self.rejected} rejected of {self.records} records; "
            f"{self.associations} associations{waiting}; {self.api_calls} API calls; {self.records_per_second} records/s; {self.status}"
        )
