"""Core: which tickets are to go, how many may, and what the user is told when they are too many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.outcomes import HeldDelete
from target_hubspot_tickets.records import identity

Reason = Literal["deleted in the source", "not in the source any more"]
TOMBSTONE: Reason = "deleted in the source"  # the stream said that the record was deleted
NOT_IN_SOURCE: Reason = "not in the source any more"  # a complete snapshot does not have it
COLUMNS = ("ticket_id", "key", "reason")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The ticket properties that say whose a ticket is: its key, its org, and when its record was changed last."""

    key: str
    source: str
    version: str

    def names(self) -> list[str]:
        return [self.key, self.source, self.version]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An active ticket by its marks; None where it has none."""

    ticket_id: str
    key: str | None
    source: str | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A ticket that is to be archived; `source` is the mark that the ticket has."""

    ticket_id: str
    key: str
    source: str | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """What became of held deletions: tickets to archive, keys without a ticket, keys whose ticket is another org's."""

    doomed: list[Doomed]
    gone: list[str]
    foreign: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionLimits:
    """The settings of these names; `confirm_deletes` holds for one run, whatever the other two say."""

    max_deletes: int = 50
    max_delete_ratio: float = 0.01
    confirm_deletes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether `wanted` tickets of `active` may be archived: at most `allowed`."""

    is_allowed: bool
    wanted: int
    active: int
    allowed: int


def marked(ticket: Mapping[str, Any], marks: Marks) -> Marked:
    """A ticket of an answer."""
    values = ticket.get("properties") or {}
    return Marked(
        ticket_id=str(ticket["id"]),
        key=_text(values.get(marks.key)),
        source=_text(values.get(marks.source)),
        version=_text(values.get(marks.version)),
    )


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None


def sort_out(held: Sequence[HeldDelete], found: Iterable[Marked]) -> Sorted:
    """Held deletions by what HubSpot has under their keys. A merged ticket answers with another key: then the held one is gone.

    Where the deletion or the ticket names no org, the key alone decides: a tombstone is a fact.
    """
    by_key = {identity(ticket.key): ticket for ticket in found if ticket.key}
    doomed, gone, foreign = [], [], []
    for one in held:
        ticket = by_key.get(identity(one.key))
        if ticket is None:
            gone.append(one.key)
        elif one.source and ticket.source and one.source.strip() != ticket.source:
            foreign.append(one.key)
        else:
            doomed.append(
                Doomed(ticket_id=ticket.ticket_id, key=one.key, source=ticket.source, reason=TOMBSTONE)
            )
    return Sorted(doomed=doomed, gone=gone, foreign=foreign)


def is_same(doomed: Doomed, now: Marked | None) -> bool:
    """Whether the ticket, read again, is still active and still what it was doomed for."""
    return (
        now is not None
        and now.key is not None
        and identity(now.key) == identity(doomed.key)
        and now.source == doomed.source
    )


def judge(wanted: int, active: int, limits: DeletionLimits, *, only_confirmed: bool = False) -> Judgement:
    """Whether so many may go: up to the larger of the two limits, or as many as are confirmed.

    Args:
        wanted: tickets that a run would archive.
        active: active tickets that carry our marks.
        limits: the settings.
        only_confirmed: something speaks against them; they need `confirm_deletes`, however few they are.
    """
    share = int(Decimal(str(limits.max_delete_ratio)) * active)
    plain = 0 if only_confirmed else max(limits.max_deletes, share)
    allowed = max(plain, limits.confirm_deletes or 0)
    return Judgement(is_allowed=wanted <= allowed, wanted=wanted, active=active, allowed=allowed)


def refusal(  # noqa: PLR0913 - what the message tells
    judgement: Judgement, limits: DeletionLimits, path: str, suspicion: str | None, *, held: int, unseen: int
) -> str:
    """What is told instead of archiving: how many of how many, why not, and what to do.

    `held` of them are deletions that the ledger holds, `unseen` are missing in a snapshot.
    """
    why = suspicion or (
        f"more than max_deletes ({limits.max_deletes}) and max_delete_ratio ({limits.max_delete_ratio}) allow"
    )
    if limits.confirm_deletes is not None:
        why += f", and confirm_deletes ({limits.confirm_deletes}) is less"
    return (
        f"{judgement.wanted} of {judgement.active} tickets would be archived: {why}. None was. They are listed in {path}: look at them. "
        f"If they are to go, run once with confirm_deletes={judgement.wanted} (environment: {CONFIRM}){_for_unseen(unseen)}.{_for_held(held)}"
    )


CONFIRM = "TARGET_HUBSPOT_TICKETS_CONFIRM_DELETES"


def _for_unseen(count: int) -> str:
    return " and with the same snapshot again (the tap's setting reconcile)" if count else ""


def _for_held(count: int) -> str:
    return f" If not: {hint('forget the deletions', 'discard-deletes')}" if count else ""


def csv_row(doomed: Doomed) -> list[str]:
    """A line of the list; no cell is taken for a formula by the program that opens it."""
    return [
        f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
        for cell in (doomed.ticket_id, doomed.key, doomed.reason)
    ]
