"""Core: what the tickets of a round want to be associated with, pair by pair; and what has to wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from target_hubspot_tickets.outcomes import PendingAssociation
from target_hubspot_tickets.pairs import HUBSPOT_DEFINED, LinkType, Pair
from target_hubspot_tickets.records import Wish

UNKNOWN_LABEL = "UNKNOWN_LABEL"
PRIMARY = "primary"
# "Associations", tables of type ids, ticket to company: 26 the primary one, 339 the unlabelled one, which stays beside it.
PRIMARY_TYPES = frozenset({LinkType(HUBSPOT_DEFINED, 26), LinkType(HUBSPOT_DEFINED, 339)})
LabelTypes = Mapping[tuple[str, str], frozenset[LinkType]]  # (object, label in lower case) -> types


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that was written; `wishes` None where its record says nothing of associations."""

    key: str
    ticket_id: str
    is_new: bool
    wishes: tuple[Wish, ...] | None = None


class Link(msgspec.Struct, kw_only=True):
    """A pair that a ticket wants, the types that it wants beside the unlabelled one, and the wishes that ask for it."""

    key: str
    wishes: list[Wish]
    types: set[LinkType] = msgspec.field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a round wants.

    Attributes:
        links: pairs to be there.
        pending: wishes for records or labels that there are not yet.
        held: pairs asked for by a label that there is not: neither made nor taken away.
    """

    links: dict[Pair, Link] = field(default_factory=dict)
    pending: list[PendingAssociation] = field(default_factory=list)
    held: set[Pair] = field(default_factory=set)


def plan(asked: Iterable[tuple[Ticket, Wish]], ids: Iterable[str | None], label_types: LabelTypes) -> Plan:
    """The wishes of tickets, and the record that each came to, as pairs."""
    made = Plan()
    links = made.links
    for (ticket, wish), to_id in zip(asked, ids, strict=True):
        if to_id is None:
            made.pending.append(_pending(ticket, wish, "NOT_FOUND"))
            continue
        pair = Pair(wish.to, ticket.ticket_id, to_id)
        types = label_types.get((wish.to, wish.label.lower())) if wish.label else frozenset()
        if types is None:
            made.pending.append(_pending(ticket, wish, UNKNOWN_LABEL))
            made.held.add(pair)
            continue
        link = links.get(pair)
        if link is None:
            link = links[pair] = Link(key=ticket.key, wishes=[])
        link.wishes.append(wish)
        if types:
            link.types |= types
    return made


def _pending(ticket: Ticket, wish: Wish, reason: str) -> PendingAssociation:
    return PendingAssociation(key=ticket.key, ticket_id=ticket.ticket_id, wish=wish, reason=reason)


def with_primary(wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """The first company asked for becomes the primary one, beside a label that it has."""
    first = next((n for n, wish in enumerate(wishes) if wish.to == "companies"), None)
    if first is None:
        return tuple(wishes)
    label = (wishes[first].label or PRIMARY).lower()
    kept = wishes[:first] if label == PRIMARY else wishes[: first + 1]
    return (*kept, msgspec.structs.replace(wishes[first], label=PRIMARY), *wishes[first + 1 :])
