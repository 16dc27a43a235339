"""Core: only some properties of tickets that exist (only_properties): what of a record is written then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from target_hubspot_tickets.owners import OWNER_ID
from target_hubspot_tickets.records import OWNER_EMAIL, Upsert
from target_hubspot_tickets.ticket_properties import listed
from target_hubspot_tickets.tickets import PIPELINE, STAGE, TicketPlan

# Columns and properties of which one is nothing without the other.
TOGETHER = (frozenset({PIPELINE, STAGE}), frozenset({OWNER_EMAIL, OWNER_ID}))


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`names` are columns and properties, the key among them."""

    names: frozenset[str]

    def properties_of(self, upsert: Upsert, plan: TicketPlan) -> dict[str, str]:
        """What is written of a ticket that exists; what is wrong with other columns does not matter.

        Raises:
            UnresolvedError: with every reason why it can't be written.
        """
        values = {name: value for name, value in upsert.values.items() if name in self.names}
        planned = plan.properties_of(Upsert(key=upsert.key, values=values))
        return {name: value for name, value in planned.items() if name in self.names}


def narrowing_of(only: Iterable[str], key_property: str) -> Narrowing | None:
    """None where every property is written."""
    named = frozenset(only)
    if not named:
        return None
    return Narrowing(named.union({key_property}, *(both for both in TOGETHER if both & named)))


def narrowing_problems(only: Iterable[str], columns: Mapping[str, Any]) -> list[str]:
    """What is wrong with the setting for a stream with these columns."""
    owner = TOGETHER[1]
    gone = [name for name in only if name not in columns and not (name in owner and owner & columns.keys())]
    sent = listed(sorted(columns))
    return (
        [f"only_properties names {listed(gone)}, which the stream does not send; it sends {sent}"]
        if gone
        else []
    )
