"""Core: whether a snapshot of the source's ids is complete, and so proves that what it does not have is gone.

End of input is not completion: only the record of kind `complete`, whose counts agree, ends a snapshot (contracts/case_snapshots).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any


class Flaw(Enum):
    """Why a snapshot proves nothing."""

    UNFINISHED = "its completion marker did not come"
    GAP = "its records are not in sequence: some are missing, or came twice"
    UNREADABLE = "one of its records can't be read"
    GOES_ON = "records came behind its completion marker"
    OTHER_COUNT = "fewer or more ids came than it says"
    REPEATED_IDS = "ids came twice in it"
    OTHER_SOURCE_COUNT = "the source counts fewer or more records than there are ids"
    NO_ORGANIZATION = "it does not say which org it is of"
    NO_USER = "it does not say which user made it"
    NO_FILTER = "it does not say what it was filtered by"
    NO_TIME = "it does not say when it was taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Who made a snapshot, and of what: another user or filter sees other records."""

    organization_id: str
    user_id: str
    filter_fingerprint: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A complete snapshot: so many ids of that org were there at `taken_at` (aware)."""

    snapshot_id: str
    fingerprint: Fingerprint
    taken_at: datetime
    count: int


# What the completion marker must say, and what it lacks else.
NEEDED = {
    "organization_id": Flaw.NO_ORGANIZATION,
    "user_id": Flaw.NO_USER,
    "filter_fingerprint": Flaw.NO_FILTER,
}


class Snapshot:
    """Takes in the records of one snapshot, in their order; what once is wrong with it stays wrong."""

    def __init__(self, snapshot_id: str) -> None:
        self.snapshot_id = snapshot_id
        self._flaw: Flaw | None = None
        self._next = 0
        self._received = 0
        self._marker: Mapping[str, Any] | None = None

    def take(self, record: Mapping[str, Any]) -> list[str]:
        """The ids of a record; none where it is the marker, or flawed."""
        if self._marker is not None:
            return self._spoilt(Flaw.GOES_ON)
        if record.get("sequence") != self._next:
            return self._spoilt(Flaw.GAP)
        self._next += 1
        if record.get("kind") == "complete":
            self._marker = record
            return []
        ids = record.get("ids")
        if record.get("kind") != "ids" or not isinstance(ids, list) or not all(_is_id(one) for one in ids):
            return self._spoilt(Flaw.UNREADABLE)
        self._received += len(ids)
        return list(ids)

    def _spoilt(self, flaw: Flaw) -> list[str]:
        self._flaw = self._flaw or flaw
        return []

    def verdict(self, distinct: int) -> Proof | Flaw:
        """What it proves, or why nothing; `distinct` is the number of different ids that were noted."""
        if self._flaw:
            return self._flaw
        if self._marker is None:
            return Flaw.UNFINISHED
        return _verdict(self.snapshot_id, self._marker, self._received, distinct)


def _verdict(snapshot_id: str, marker: Mapping[str, Any], received: int, distinct: int) -> Proof | Flaw:
    """Counts must agree to the last id: one that is missing here would be archived there."""
    if not _is_count(marker.get("count"), received):
        return Flaw.OTHER_COUNT
    if distinct != received:
        return Flaw.REPEATED_IDS
    if not _is_count(marker.get("source_count"), received):
        return Flaw.OTHER_SOURCE_COUNT
    for name, flaw in NEEDED.items():
        if not _is_id(marker.get(name)):
            return flaw
    taken_at = moment(marker.get("taken_at"))
    if taken_at is None:
        return Flaw.NO_TIME
    fingerprint = Fingerprint(**{name: marker[name].strip() for name in NEEDED})
    return Proof(snapshot_id=snapshot_id, fingerprint=fingerprint, taken_at=taken_at, count=received)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: Any, wanted: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == wanted


def suspicion(proof: Proof, last: Mapping[str, Any] | None) -> str | None:
    """What speaks against a complete snapshot; `last` is the fingerprint of the last one of the same org that was used."""
    if proof.count == 0:
        return "the source has no records at all, or its user may see none"
    now = proof.fingerprint.as_json()
    changed = [name for name in NEEDED if last is not None and last.get(name) != now[name]]
    if changed:
        return f"the snapshot was made with another {' and '.join(changed)} than the last one"
    return None


def is_older(version: str | None, taken_at: datetime) -> bool:
    """Whether a record of this version was there when the snapshot was taken; one without a version may be younger."""
    changed = moment(version)
    return changed is not None and changed <= taken_at


def moment(value: Any) -> datetime | None:
    """A moment of ISO 8601 with a zone, or of epoch milliseconds, as HubSpot's properties have them; None where it is neither."""
    if not isinstance(value, str):
        return None
    try:
        if value.isdigit():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        read = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo else None
