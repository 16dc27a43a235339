"""Core: what a run did, as the report file and the last line of the log say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tap_salesforce_cases.quota import Usage


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of one run; `seconds` is its own time from start to end."""

    rows: int = 0
    tombstones: int = 0
    purged: int = 0
    unchanged: int = 0
    api_calls: int = 0
    usage: Usage | None = None
    seconds: float = 0.0
    status: str = "incomplete"

    def as_json(self) -> dict[str, Any]:
        usage = {"used": self.usage.used, "max": self.usage.allowed} if self.usage else None
        return {
            "rows": {"cases": self.rows},
            "tombstones": self.tombstones,
            "purged": self.purged,
            "unchanged": self.unchanged,
            "api_calls": self.api_calls,
            "api_usage": usage,
            "seconds": round(self.seconds, 3),
            "status": self.status,
        }

    def line(self) -> str:
        used = f", {self.usage.used} of {self.usage.allowed} calls of the org's day" if self.usage else ""
        return (
            f"cases: {self.rows} read, {self.tombstones} of them deleted, {self.unchanged} known already; "
            f"{self.api_calls} API calls{used}; {self.seconds:.1f} s; {self.status}"
        )
