"""Shell: associates tickets with what their records ask for; what can't be done yet waits, and holds back no ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.labels import Labels
from target_hubspot_tickets.lookups import Claim, Lookups
from target_hubspot_tickets.mirroring import Removal, made_now, pair_of, removal
from target_hubspot_tickets.outcomes import AssociationOutcome, MadeAssociation, PendingAssociation
from target_hubspot_tickets.pairing import ARCHIVE, ARCHIVE_LABELS, CREATE, DEFAULT, Pairing, Sent
from target_hubspot_tickets.pairs import (
    NOT_THERE,
    Links,
    LinkType,
    Pair,
    Reading,
    archive_input,
    plain_input,
    typed_input,
)
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Wish, identity
from target_hubspot_tickets.wanted import Plan, Ticket, plan, with_primary

__all__ = ["Associator", "Ticket"]
Made = Mapping[str, Sequence[MadeAssociation]]
Asked = list[tuple[Ticket, Wish]]
NoteMade = Callable[[Sequence[MadeAssociation]], None]


class Associator:
    """Makes associations, and in mirror mode takes away those of ours that no longer hold; any thread may."""

    def __init__(  # noqa: PLR0913 - the parts that it is made of, and two settings
        self,
        client: HubSpotClient,
        api: Api,
        lookups: Lookups,
        labels: Labels,
        *,
        mode: Literal["add", "mirror"],
        primary_company: bool,
        note_made: NoteMade = lambda _rows: None,
    ) -> None:
        """`note_made` puts on record, durably, what is about to be made (mirror mode)."""
        self._lookups, self._labels, self._note_made = lookups, labels, note_made
        self._pairing = Pairing(client, api)
        self._mirrors, self._primary = mode == "mirror", primary_company

    def look_ahead(self, wishes: Iterable[Wish]) -> None:
        """Begin to find what tickets that are about to be written will be associated with."""
        self._lookups.look_ahead(wishes)

    def associate(self, tickets: Mapping[str, Ticket], made: Made) -> AssociationOutcome:
        """Bring the associations of tickets to what their records ask for; those whose records say nothing are left alone.

        `made` has the ledger's rows by key (mirror mode). A pair that was there before is never ours, so it is never taken away.
        `tickets` has all that were written in the round, so that one can ask for another.

        Raises:
            TargetError: the run can't go on. A repeat does the same again.
        """
        asked = [
            (ticket, wish)
            for ticket in tickets.values()
            for wish in self._wishes(ticket)
            if ticket.wishes is not None
        ]
        settled = {key for key, ticket in tickets.items() if ticket.wishes is not None}
        rows = [row for key in settled for row in made.get(key, ())] if self._mirrors else []
        return self._settle(tickets, asked, settled, rows)

    def associate_waiting(self, tickets: Mapping[str, Ticket]) -> AssociationOutcome:
        """Make associations that waited; their tickets may ask for others besides, so nothing is taken away."""
        asked = [(ticket, wish) for ticket in tickets.values() for wish in ticket.wishes or ()]
        return self._settle(tickets, asked, set(tickets), [])

    def _wishes(self, ticket: Ticket) -> tuple[Wish, ...]:
        wishes = ticket.wishes or ()
        return with_primary(wishes) if self._primary else wishes

    def _settle(
        self, tickets: Mapping[str, Ticket], asked: Asked, settled: set[str], rows: Sequence[MadeAssociation]
    ) -> AssociationOutcome:
        known = {identity(ticket.key): ticket.ticket_id for ticket in tickets.values()}
        finds = self._lookups.find([wish for _, wish in asked], known)
        ids = self._still(asked, finds.ids, rows) if rows else finds.ids
        wanted = plan(asked, ids, self._labels.types(wish for _, wish in asked if wish.label))
        outcome = AssociationOutcome(
            settled=settled, pending=wanted.pending, ambiguous_count=finds.ambiguous_count
        )
        links = self._pairing.read(self._to_read(wanted, rows, tickets))
        self._remove(removal(rows, wanted, links), outcome)
        self._make(wanted, links, rows, outcome)
        outcome.pending = list(dict.fromkeys(outcome.pending))
        return outcome

    def _still(
        self, asked: Asked, ids: list[str | None], rows: Sequence[MadeAssociation]
    ) -> list[str | None]:
        """A wish that finds nothing may be the one that our association was made for: a search lags behind."""
        ours: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            ours.setdefault((row.ticket_id, row.to), set()).add(row.to_id)
        claims: dict[int, Claim] = {}
        for number, ((ticket, wish), found) in enumerate(zip(asked, ids, strict=True)):
            candidates = ours.get((ticket.ticket_id, wish.to))
            if found is None and candidates:
                claims[number] = Claim(wish=wish, record_ids=sorted(candidates))
        held = dict(zip(claims, self._lookups.check(list(claims.values())), strict=True)) if claims else {}
        return [held.get(number) or found for number, found in enumerate(ids)]

    def _to_read(
        self, wanted: Plan, rows: Iterable[MadeAssociation], tickets: Mapping[str, Ticket]
    ) -> Iterator[Reading]:
        """Tickets whose present associations matter: to tell ours from others', and to keep labels; a new ticket has none."""
        pairs = [pair for pair, link in wanted.links.items() if self._mirrors or link.types]
        pairs += [pair_of(row) for row in rows]
        old = {ticket.ticket_id for ticket in tickets.values() if not ticket.is_new}
        return (r for r in dict.fromkeys(Reading(p.to, p.ticket_id) for p in pairs) if r.ticket_id in old)

    def _remove(self, going: Removal, outcome: AssociationOutcome) -> None:
        """First, so that a limit of one company has room for the next, and the next one becomes primary."""
        outcome.removed += going.gone
        pairs = self._pairing.send(ARCHIVE, going.pairs, archive_input).confirmed
        labels = self._pairing.send(
            ARCHIVE_LABELS, going.labels, lambda pair: typed_input(pair, going.label_types[pair])
        ).confirmed
        outcome.removed += [row for pair in pairs for row in going.pairs[pair]]
        outcome.removed += [row for pair in labels for row in going.labels[pair]]
        outcome.removed_count += len(pairs) + len(labels)

    def _make(
        self, wanted: Plan, links: Links, rows: Sequence[MadeAssociation], outcome: AssociationOutcome
    ) -> None:
        there = {
            pair
            for pair, link in wanted.links.items()
            if link.types <= links.types.get(pair, set()) and pair in links.types
        }
        missing = [pair for pair in wanted.links if pair not in there]
        typed = [pair for pair in missing if wanted.links[pair].types]
        # batch/create replaces a pair's labels: where they can't be seen, none is put at risk.
        blind = {pair: code for pair in typed if (code := links.unread.get((pair.to, pair.ticket_id)))}
        # Before they are made: one that is made when the run dies would be taken for somebody else's ever after.
        coming = self._coming(wanted, [pair for pair in missing if pair not in blind], links, rows)
        self._note_made(coming)
        sent = [
            self._pairing.send(
                DEFAULT, [pair for pair in missing if not wanted.links[pair].types], plain_input
            ),
            self._pairing.send(
                CREATE,
                [pair for pair in typed if pair not in blind],
                lambda pair: typed_input(pair, wanted.links[pair].types | _labels_of(pair, links)),
            ),
            Sent(confirmed=there, refused=blind),
        ]
        done = {pair for one in sent for pair in one.confirmed}
        outcome.made_count += len(done)
        for one in sent:
            self._wait(wanted, one.refused, outcome)
        outcome.made += [row for row in coming if pair_of(row) in done]
        outcome.removed += self._not_made([row for row in coming if pair_of(row) not in done])

    def _not_made(self, refused: Sequence[MadeAssociation]) -> list[MadeAssociation]:
        """Those that are not there: a call may be refused when it is sent again, after an answer was lost behind the commit."""
        pairs = [pair_of(row) for row in refused]
        links = self._pairing.read(dict.fromkeys(Reading(p.to, p.ticket_id) for p in pairs))
        return [
            row
            for row, pair in zip(refused, pairs, strict=True)
            if pair not in links.types and (pair.to, pair.ticket_id) not in links.unread
        ]

    def _coming(
        self, wanted: Plan, missing: Iterable[Pair], links: Links, rows: Sequence[MadeAssociation]
    ) -> list[MadeAssociation]:
        """The rows of what is to be made now and was not there before; none in mode `add`, which takes nothing away."""
        if not self._mirrors:
            return []
        ours: dict[Pair, set[str]] = {}
        for row in rows:
            ours.setdefault(pair_of(row), set()).add(row.type_id)
        return made_now(missing, wanted, links, ours)

    def _wait(self, wanted: Plan, refused: Mapping[Pair, str], outcome: AssociationOutcome) -> None:
        for pair, reason in refused.items():
            link = wanted.links[pair]
            outcome.pending += [
                PendingAssociation(key=link.key, ticket_id=pair.ticket_id, wish=wish, reason=reason)
                for wish in link.wishes
            ]
            if reason in NOT_THERE:
                self._lookups.forget(link.wishes)


def _labels_of(pair: Pair, links: Links) -> set[LinkType]:
    return {kind for kind in links.types.get(pair, ()) if kind.is_label}
