"""Rounds for tests of the ledger, and rounds that can be told again by their number."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.outcomes import (
    AssociationOutcome,
    MadeAssociation,
    PendingAssociation,
    Rejected,
    RoundOutcome,
    Written,
)
from target_hubspot_tickets.records import Way, Wish

PORTAL = "4711"
NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)
KEYS_OF_A_ROUND = 5
WHOLE_ROUND = [1, KEYS_OF_A_ROUND, KEYS_OF_A_ROUND, KEYS_OF_A_ROUND]  # what `rows_of_round` finds


class Clock:
    """Each look is a second later."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def rejected(key: str, **changes: Any) -> Rejected:
    return replace(
        Rejected(key=key, code="INVALID_OPTION", message="hs_pipeline", correlation_id="c-1"), **changes
    )


def wish(to: str = "companies", value: str = "001", **changes: Any) -> Wish:
    return msgspec.structs.replace(Wish(to=to, ways=(Way(by="salesforceaccountid", value=value),)), **changes)


def pending(key: str, *wishes: Wish) -> RoundOutcome:
    """A round that wrote the key, whose wishes could not be granted."""
    rows = [PendingAssociation(key=key, ticket_id="1", wish=one) for one in wishes or (wish(),)]
    return RoundOutcome(associations=AssociationOutcome(settled={key}, pending=rows))


def written(*keys: str, digest: bytes | None = None) -> RoundOutcome:
    return RoundOutcome(written={key: Written(ticket_id="1", digest=digest) for key in keys})


def made(key: str, to_id: str = "7", type_id: str = "") -> MadeAssociation:
    return MadeAssociation(key=key, ticket_id="1", to="companies", to_id=to_id, type_id=type_id)


def keys_of(pages: Iterator[list[Any]]) -> list[str]:
    return [row.key for page in pages for row in page]


def rows_of_round(ledger: Ledger, number: int) -> list[int]:
    keys = [numbered_key(number, place) for place in range(KEYS_OF_A_ROUND)]
    return [
        len(list(ledger.rejected(keys=[numbered_key(number, 999)]))),
        len(ledger.digests(keys)),
        len(keys_of(ledger.pending(keys=keys))),
        len(ledger.made(keys)),
    ]


def numbered_key(number: int, place: int) -> str:
    return f"500{number:09d}{place:03d}AAA"


def numbered_round(number: int) -> RoundOutcome:
    """A round with rows in four tables, all of which tell its number."""
    outcome = RoundOutcome(
        rejected=[Rejected(key=numbered_key(number, 999), code="INVALID_OPTION", message=f"round {number}")]
    )
    for place in range(KEYS_OF_A_ROUND):
        key, ticket_id = numbered_key(number, place), f"{number}{place:03d}"
        wish = Wish(to="companies", ways=(Way(by="salesforceaccountid", value=f"001{number}"),))
        outcome.written[key] = Written(ticket_id=ticket_id, digest=number.to_bytes(8))
        outcome.associations.settled.add(key)
        outcome.associations.pending.append(PendingAssociation(key=key, ticket_id=ticket_id, wish=wish))
        outcome.associations.made.append(
            MadeAssociation(key=key, ticket_id=ticket_id, to="contacts", to_id=f"{number}")
        )
    return outcome
