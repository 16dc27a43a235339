"""Shell: checks and makes the associations that calls ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from case_sync_sandbox.hubspot.association_types import DEFAULT_TYPES, AssociationType
from case_sync_sandbox.hubspot.associations import Pair, Sides
from case_sync_sandbox.hubspot.drafts import Draft
from case_sync_sandbox.hubspot.errors import InputError
from case_sync_sandbox.hubspot.hub import Hub
from case_sync_sandbox.hubspot.metadata import SINGULAR


def record_id(text: Any) -> int | None:
    """A record id, which comes as a string or a number; None when it is none."""
    text = str(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def live_ids(hub: Hub, object_type: str, ids: set[int]) -> set[int]:
    """Which of the ids are live records."""
    return hub.records.live(object_type, ids)


def invalid_identifier(text: Any) -> InputError:
    """An id that can't be one."""
    return InputError(
        category="VALIDATION_ERROR",
        sub_category="crm.associations.INVALID_IDENTIFIER",
        message=f"The id {text} is not valid",
        context={"id": [str(text)]},
    )


def unknown_object(object_type: str, number: int, side: str) -> InputError:
    """An id of no live record."""
    return InputError(
        status=400,
        category="VALIDATION_ERROR",
        sub_category=f"crm.associations.{side}_OBJECT_NOT_FOUND",
        message="One or more associations are invalid",
        context={"INVALID_OBJECT_IDS": [f"{SINGULAR[object_type].upper()}={number} is not valid"]},
    )


def invalid_type(sides: Sides, given: Mapping[str, Any]) -> InputError:
    """An association type that this direction doesn't have."""
    return InputError(
        category="VALIDATION_ERROR",
        sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        message=(
            f"Association type {given.get('associationCategory')} {given.get('associationTypeId')}"
            f" is not valid between {sides.from_type} and {sides.to_type}"
        ),
        context={"type": [str(given.get("associationTypeId"))]},
    )


def limit_exceeded(sides: Sides, pair: Pair, limit: int) -> InputError:
    """The `to` record has as many associations as it may."""
    name = f"{SINGULAR[sides.to_type]}_to_{SINGULAR[sides.from_type]}_unlabeled".upper()
    return InputError(
        category="VALIDATION_ERROR",
        sub_category="crm.associations.ASSOCIATION_LIMIT_EXCEEDED",
        message=f"Exceeded association limit of {limit} for association type {name}",
        context={"fromObjectId": [str(pair.from_id)], "toObjectId": [str(pair.to_id)]},
    )


def find_types(
    types: Sequence[AssociationType], given: Sequence[Mapping[str, Any]]
) -> list[AssociationType] | Mapping[str, Any]:
    """The named types, or the first that there is none for."""
    known = {(t.category, t.type_id): t for t in types}
    found = []
    for one in given:
        kind = known.get((str(one.get("associationCategory")), one.get("associationTypeId", 0)))
        if kind is None:
            return one
        found.append(kind)
    return found


def over_limit(hub: Hub, sides: Sides, pairs: Sequence[Pair]) -> dict[Pair, InputError]:
    """The new pairs that break the portal's limit ("{to}_to_{from}" counts what the `to` record has)."""
    limit = hub.portal.settings.association_limits.get(f"{sides.to_type}_to_{sides.from_type}")
    if limit is None:
        return {}
    there = {pair: None for pair in pairs if _exists(hub, sides, pair)}
    counts = hub.associations.counts(sides.reversed, {pair.to_id for pair in pairs})
    errors = {}
    for pair in dict.fromkeys(pairs):
        if pair in there:
            continue
        counts[pair.to_id] = counts.get(pair.to_id, 0) + 1
        if counts[pair.to_id] > limit:
            errors[pair] = limit_exceeded(sides, pair, limit)
    return errors


def _exists(hub: Hub, sides: Sides, pair: Pair) -> bool:
    return any(
        link.to_id == pair.to_id
        for link in hub.associations.links(sides, [pair.from_id]).get(pair.from_id, [])
    )


def _side_of(
    hub: Hub, object_type: str, types: Sequence[Mapping[str, Any]]
) -> tuple[Sides, list[AssociationType]] | None:
    """Which object type the `types` of an input lead to: create inputs name the record's id only."""
    for from_type, to_type in DEFAULT_TYPES:
        sides = Sides(from_type=from_type, to_type=to_type)
        if from_type != object_type:
            continue
        found = find_types(hub.associations.types(sides), types)
        if isinstance(found, list):
            return sides, found
    return None


def check_associations(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    """Give drafts whose associations can't be made the error that says why."""
    for draft in drafts:
        for wanted in draft.associations:
            if draft.error is None:
                draft.error = _association_error(hub, object_type, wanted)


def _association_error(hub: Hub, object_type: str, wanted: Mapping[str, Any]) -> InputError | None:
    types = wanted.get("types") or []
    text = (wanted.get("to") or {}).get("id")
    number = record_id(text)
    if number is None:
        return invalid_identifier(text)
    found = _side_of(hub, object_type, types)
    if found is None or not types:
        sides = Sides(from_type=object_type, to_type="objects")
        return invalid_type(sides, types[0] if types else {})
    if not live_ids(hub, found[0].to_type, {number}):
        return unknown_object(found[0].to_type, number, "TO")
    return None


def associate_new(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    """Make the associations of records that were just written."""
    for draft in drafts:
        for wanted in draft.associations:
            found = _side_of(hub, object_type, wanted["types"])
            if draft.record is not None and found is not None:
                sides, types = found
                hub.associations.add_typed(
                    sides, Pair(from_id=draft.record.id, to_id=int(wanted["to"]["id"])), types
                )
