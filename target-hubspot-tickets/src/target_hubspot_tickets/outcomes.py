"""Core: what became of a round of records, as values: what the ledger is told before a state may leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from target_hubspot_tickets.records import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that can't be written: codes, property names and labels, no values.

    Attributes:
        key: value of the key property.
        code: HubSpot's code (INVALID_OPTION, ...), or ours (UNRESOLVED, NO_ANSWER), or the mapper's.
        message: why, in words without values of the record.
        correlation_id: what HubSpot's support finds the call by, or "".
        record: the record as the stream had it; None where it is not to be kept, or not known.
        stream: the stream that it came in.
    """

    key: str
    code: str
    message: str
    correlation_id: str = ""
    record: Mapping[str, Any] | None = None
    stream: str = "tickets"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that HubSpot confirmed; `digest` tells the values that were sent, None where that is not remembered."""

    ticket_id: str
    is_new: bool = False
    digest: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAssociation:
    """An association that could not be made yet: `reason` is NOT_FOUND, or the code of HubSpot's refusal."""

    key: str
    ticket_id: str
    wish: Wish
    reason: str = "NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAssociation:
    """An association that this target made; `type_id` is "" for the unlabelled one."""

    key: str
    ticket_id: str
    to: str
    to_id: str
    type_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDelete:
    """A deletion that waits for the end of the run, where the guard counts them all; `source`: the org's mark, or None."""

    key: str
    source: str | None = None


@dataclass(slots=True, kw_only=True)
class AssociationOutcome:
    """What became of the associations of a round.

    Attributes:
        settled: keys whose wishes were all looked at: their earlier pending rows are replaced by `pending`.
        made: associations made now that were not there (mirror mode; in add mode it stays empty).
        removed: associations of ours that no longer hold and were taken away.
        made_count: pairs that HubSpot confirmed, new or there already.
    """

    settled: set[str] = field(default_factory=set)
    pending: list[PendingAssociation] = field(default_factory=list)
    made: list[MadeAssociation] = field(default_factory=list)
    removed: list[MadeAssociation] = field(default_factory=list)
    made_count: int = 0
    removed_count: int = 0
    ambiguous_count: int = 0


@dataclass(slots=True, kw_only=True)
class RoundOutcome:
    """What became of a round: each of its records is in exactly one of written, unchanged, rejected, held, ignored, stale.

    Attributes:
        written: key -> ticket. Rejected and held rows of these keys leave the ledger.
        unchanged: keys that write_mode `changed` passed over; their rejected and held rows leave the ledger, too.
        rejected: put on record; a later one of the same key replaces the earlier (first time kept, tries counted up).
        held: deletions to be done at the end of the run.
        ignored: keys whose deletion the setting ignores; their rejected rows leave the ledger.
        narrowed: keys of which only some properties were to be written (only_properties): their rejected rows stay.
        stale: keys whose ticket is newer than the record (stale_guard); their rejected rows leave the ledger.
        archived: keys whose tickets were archived now, or were gone already: digest, pending and made rows leave the ledger.
        associations: what became of their associations.
        unknown_owners: records that name an owner whom the portal does not have.
    """

    written: dict[str, Written] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)
    held: list[HeldDelete] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    narrowed: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    associations: AssociationOutcome = field(default_factory=AssociationOutcome)
    unknown_owners: int = 0
