"""Core: what a run did, as the report file and the last line of the log say it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.quota import Usage


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of one run, rows by stream; `seconds` is its own time from start to end.

    Attributes:
        server_time: Salesforce's clock when the run began: what changed later was not read. None before that is known.
    """

    rows: Counter[str] = field(default_factory=Counter)
    tombstones: int = 0
    purged: int = 0
    unchanged: int = 0
    dropped_fields: list[str] = field(default_factory=list)
    api_calls: int = 0
    usage: Usage | None = None
    server_time: datetime | None = None
    seconds: float = 0.0
    status: str = "incomplete"

    def as_json(self) -> dict[str, Any]:
        usage = {"used": self.usage.used, "max": self.usage.allowed} if self.usage else None
        return {
            "rows": dict(self.rows),
            "tombstones": self.tombstones,
            "purged": self.purged,
            "unchanged": self.unchanged,
            "dropped_fields": self.dropped_fields,
            "api_calls": self.api_calls,
            "api_usage": usage,
            "server_time": to_wire(self.server_time) if self.server_time else None,
            "seconds": round(self.seconds, 3),
            "status": self.status,
        }

    def in_state(self, at: datetime) -> dict[str, Any]:
        """What the last STATE of a run tells of it, at a moment of Salesforce's clock; nothing reads it back."""
        return {
            "at": to_wire(at),
            "api_calls": self.api_calls,
            "api_used_24h": self.usage.used if self.usage else None,
            "api_allowed_24h": self.usage.allowed if self.usage else None,
            "rows": self.rows.total(),
            "tombstones": self.tombstones,
            "seconds": round(self.seconds, 3),
        }

    def line(self) -> str:
        counted = (
            ", ".join(f"{stream}: {rows:,} read" for stream, rows in self.rows.items()) or "nothing read"
        )
        used = f", {self.usage.used} of {self.usage.allowed} calls of the org's day" if self.usage else ""
        return (
            f"{counted}, {self.tombstones:,} of them deleted, {self.unchanged:,} known already; "
            f"{self.api_calls} API calls{used}; {self.seconds:.1f} s; {self.status}"
        )
