"""Core: the id reconciliation: when it is due, and its records: ids in order, closed by a completion marker with counts.

End of input is not completion: only the record of kind `complete`, whose counts agree, says that a case which is not among the
ids is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_cases.moments import from_wire, to_wire

IDS_IN_ONE_RECORD = 1_000
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "snapshot_id": {"type": "string"},
        "sequence": {"type": "integer"},
        "kind": {"type": "string"},
        "ids": {"type": ["array", "null"], "items": {"type": "string"}},
        "count": {"type": ["integer", "null"]},
        "source_count": {"type": ["integer", "null"]},
        "organization_id": {"type": ["string", "null"]},
        "user_id": {"type": ["string", "null"]},
        "filter_fingerprint": {"type": ["string", "null"]},
        "taken_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["snapshot_id", "sequence", "kind"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a reconciliation was made with; `taken_at` is Salesforce's clock at its start."""

    snapshot_id: str
    organization_id: str
    user_id: str
    filter_fingerprint: str
    taken_at: datetime

    def ids_record(self, sequence: int, ids: Sequence[str]) -> dict[str, Any]:
        return {"snapshot_id": self.snapshot_id, "sequence": sequence, "kind": "ids", "ids": list(ids)}

    def completion(self, sequence: int, *, count: int, source_count: int) -> dict[str, Any]:
        """The marker: ids emitted, and what COUNT() says of the same scope."""
        return {
            "snapshot_id": self.snapshot_id,
            "sequence": sequence,
            "kind": "complete",
            "count": count,
            "source_count": source_count,
            "organization_id": self.organization_id,
            "user_id": self.user_id,
            "filter_fingerprint": self.filter_fingerprint,
            "taken_at": to_wire(self.taken_at),
        }


def is_due(state: Mapping[str, Any], *, always: bool, every_days: int | None, server_time: datetime) -> bool:
    """Whether to reconcile in this run.

    Always when asked; when a gap of the delete log is noted in the state; and every so many days after the last time. A first
    run has nothing to reconcile with.
    """
    if always or state.get("due"):
        return True
    last = state.get("reconciled_at")
    return bool(every_days and last and server_time - from_wire(last) >= timedelta(days=every_days))
