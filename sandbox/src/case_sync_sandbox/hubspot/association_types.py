"""Core: the association types between the object types, and the sides of a pair."""

from __future__ import annotations

from dataclasses import dataclass

HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
USER_DEFINED = "USER_DEFINED"
INTEGRATOR_DEFINED = "INTEGRATOR_DEFINED"
CATEGORIES = {HUBSPOT_DEFINED, USER_DEFINED, INTEGRATOR_DEFINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationType:
    """One direction of a type. `inverse` is the type id of the other direction; `label` is None for unlabelled."""

    type_id: int
    inverse: int
    category: str = HUBSPOT_DEFINED
    label: str | None = None
    name: str = ""


# "Associations" guide, tables of type ids: the unlabelled type of each direction, and the primary company.
DEFAULT_TYPES: dict[tuple[str, str], AssociationType] = {
    ("tickets", "contacts"): AssociationType(type_id=16, inverse=15),
    ("contacts", "tickets"): AssociationType(type_id=15, inverse=16),
    ("tickets", "companies"): AssociationType(type_id=339, inverse=340),
    ("companies", "tickets"): AssociationType(type_id=340, inverse=339),
    ("tickets", "tickets"): AssociationType(type_id=452, inverse=452),
    ("contacts", "companies"): AssociationType(type_id=279, inverse=280),
    ("companies", "contacts"): AssociationType(type_id=280, inverse=279),
    ("contacts", "contacts"): AssociationType(type_id=449, inverse=449),
    ("companies", "companies"): AssociationType(type_id=450, inverse=450),
}
PRIMARY_TYPES: dict[tuple[str, str], AssociationType] = {
    ("tickets", "companies"): AssociationType(type_id=26, inverse=25, label="Primary"),
    ("companies", "tickets"): AssociationType(type_id=25, inverse=26, label="Primary"),
    ("contacts", "companies"): AssociationType(type_id=1, inverse=2, label="Primary"),
    ("companies", "contacts"): AssociationType(type_id=2, inverse=1, label="Primary"),
}
# Ids of labels that a portal makes start here; HubSpot's are small numbers.
FIRST_CUSTOM_TYPE_ID = 1_000


def built_in(from_type: str, to_type: str) -> list[AssociationType]:
    """HubSpot's own types of a direction: primary first, as its labels list has them."""
    sides = (from_type, to_type)
    return [table[sides] for table in (PRIMARY_TYPES, DEFAULT_TYPES) if sides in table]
