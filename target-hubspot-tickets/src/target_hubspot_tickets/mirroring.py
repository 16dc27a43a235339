"""Core: which associations that this target made no longer hold, and how they are taken away without touching others'."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from target_hubspot_tickets.outcomes import MadeAssociation
from target_hubspot_tickets.pairs import Links, LinkType, Pair
from target_hubspot_tickets.wanted import Plan


@dataclass(slots=True, kw_only=True)
class Removal:
    """What goes, and the rows of the ledger that go with it.

    Attributes:
        pairs: taken away with all that joins them.
        labels: these types of the pair are taken away, the pair stays.
        gone: rows of what is not there any more.
    """

    pairs: dict[Pair, list[MadeAssociation]] = field(default_factory=dict)
    labels: dict[Pair, list[MadeAssociation]] = field(default_factory=dict)
    label_types: dict[Pair, set[LinkType]] = field(default_factory=dict)
    gone: list[MadeAssociation] = field(default_factory=list)


def pair_of(row: MadeAssociation) -> Pair:
    return Pair(row.to, row.ticket_id, row.to_id)


def removal(rows: Iterable[MadeAssociation], wanted: Plan, links: Links) -> Removal:
    """Rows that no ticket wants any more.

    What is associated with a ticket that could not be read stays as it is. A ticket that was archived and made anew is not
    among those that were read, so that the rows of its former id are of what is not there any more.
    """
    made = Removal()
    by_pair: dict[Pair, list[MadeAssociation]] = {}
    for row in rows:
        by_pair.setdefault(pair_of(row), []).append(row)
    for pair, ours in by_pair.items():
        if pair not in wanted.held and (pair.to, pair.ticket_id) not in links.unread:
            _remove(made, pair, ours, wanted, links.types.get(pair, set()))
    return made


def _remove(
    made: Removal, pair: Pair, ours: list[MadeAssociation], wanted: Plan, there: set[LinkType]
) -> None:
    loose = _loose(pair, ours, wanted)
    own = {row.type_id for row in ours}
    foreign = {t for t in there if t.is_label and str(t.type_id) not in own}
    if there and not foreign and any(not row.type_id for row in loose):
        made.pairs[pair] = loose
        return
    types = {str(t.type_id): t for t in there if t.is_label}
    labels = [row for row in loose if row.type_id in types]
    if labels:
        made.labels[pair] = labels
        made.label_types[pair] = {types[row.type_id] for row in labels}
    made.gone += [row for row in loose if row.type_id not in types]


def _loose(pair: Pair, ours: list[MadeAssociation], wanted: Plan) -> list[MadeAssociation]:
    """The rows that nothing asks for any more."""
    link = wanted.links.get(pair)
    if link is None:
        return ours
    kept = {"", *(str(t.type_id) for t in link.types)}
    return [row for row in ours if row.type_id not in kept]


def made_now(
    pairs: Iterable[Pair], wanted: Plan, links: Links, ours: Mapping[Pair, Container[str]]
) -> list[MadeAssociation]:
    """What was not there before: a pair, or a label of it. Of a ticket that could not be read nothing is ours."""
    return [
        MadeAssociation(
            key=wanted.links[pair].key,
            ticket_id=pair.ticket_id,
            to=pair.to,
            to_id=pair.to_id,
            type_id=type_id,
        )
        for pair in pairs
        if (pair.to, pair.ticket_id) not in links.unread
        for type_id in _new_types(wanted.links[pair].types, links.types.get(pair))
        if type_id not in ours.get(pair, ())
    ]


def _new_types(wanted: set[LinkType], there: set[LinkType] | None) -> list[str]:
    """The type ids of what a pair lacked: "" for the pair itself, and its labels."""
    labels = [str(kind.type_id) for kind in sorted(wanted - (there or set())) if kind.is_label]
    return labels if there is not None else ["", *labels]
