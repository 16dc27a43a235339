"""Core: e-mail addresses to the owners that a portal has.

Source: HubSpot, owners: the value of hubspot_owner_id is an owner's `id`, not its `userId`; deactivated ones are no valid value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from target_hubspot_tickets.errors import reading

OWNER_ID = "hubspot_owner_id"
UnknownOwner = Literal["leave", "clear", "default", "reject"]
EmptyValues = Literal["clear", "keep"]
# The owner id of an e-mail; "" takes the owner away, None leaves it alone.
FindOwner = Callable[[Any], str | None]


class UnknownOwnerError(Exception):
    """No active owner has this e-mail, and the settings say to reject then. It does not name the e-mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The active owners: their ids, and those by e-mail in lower case of them who have one."""

    ids: frozenset[str] = frozenset()
    by_email: Mapping[str, str] = field(default_factory=dict)

    def find(self, named: str) -> str | None:
        """The id of the owner with this e-mail or id; None where there is none."""
        named = named.strip()
        return named if named in self.ids else self.by_email.get(named.lower())


@reading("owners")
def read_owners(results: Iterable[Mapping[str, Any]]) -> Owners:
    """The owners of list answers; where several have one e-mail, the one that HubSpot lists first counts."""
    active = [owner for owner in results if not owner.get("archived")]
    emails = [(str(o["email"]).strip().lower(), str(o["id"])) for o in active if o.get("email")]
    return Owners(ids=frozenset(str(o["id"]) for o in active), by_email=dict(reversed(emails)))


def owner_finder(
    owners: Owners, *, unknown_owner: UnknownOwner, default_owner: str | None, empty_values: EmptyValues
) -> FindOwner:
    """How a stream's e-mails become owners.

    No e-mail means that the case has no owner whom HubSpot could know (a queue has none): the same as an unknown one, but it
    is never rejected, since it names nobody.
    """
    default = owners.find(default_owner) if default_owner else None
    unknown = {"leave": None, "clear": "", "default": default, "reject": None}[unknown_owner]
    nobody = ("" if empty_values == "clear" else None) if unknown_owner == "reject" else unknown
    by_email = owners.by_email

    def find(email: Any) -> str | None:
        named = "" if email is None else str(email).strip().lower()
        if not named:
            return nobody
        found = by_email.get(named)
        if found is None and unknown_owner == "reject":
            raise UnknownOwnerError("no active owner in HubSpot has this e-mail")
        return unknown if found is None else found

    return find
