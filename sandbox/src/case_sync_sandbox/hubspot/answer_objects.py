"""Shell: the calls on one ticket, company or contact, the list, and the merge of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from case_sync_sandbox.hubspot import writing
from case_sync_sandbox.hubspot.answer_batches import object_type_of, rendered
from case_sync_sandbox.hubspot.associating import associate_new, check_associations, record_id
from case_sync_sandbox.hubspot.associations import Sides
from case_sync_sandbox.hubspot.drafts import Draft, draft_from_json
from case_sync_sandbox.hubspot.errors import HubSpotError, not_found, validation_error
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPES, SINGULAR
from case_sync_sandbox.hubspot.record import Record, shown_properties

MAX_PAGE = 100  # "Using object APIs": the list's limit


def _names(call: Call, object_type: str) -> list[str]:
    asked = [name for name in call.query.get("properties", "").split(",") if name]
    return shown_properties(object_type, asked or None)


def _missing(object_type: str) -> HubSpotError:
    return not_found(f"Object not found.  objectId are usually numeric. {SINGULAR[object_type]}")


def _find(call: Call, object_type: str, *, archived: bool = False) -> Record:
    """The record that the path names, by id or idProperty; a merged-away id leads to where it went.

    Raises:
        HubSpotError: 404, or 400 for a property without unique values.
    """
    hub, text = call.hub, call.path["record_id"]
    id_property = call.query.get("idProperty")
    if id_property and id_property != "hs_object_id":
        writing.refuse_non_unique(hub, object_type, [id_property], "read")
        number = hub.records.holders(
            object_type, id_property, [writing.key_of(hub, text)], archived=archived
        ).get(writing.key_of(hub, text))
    else:
        number = record_id(text)
        number = number and (hub.records.merged_into(object_type, number) or number)
    record = hub.records.get(object_type, [number]).get(number) if number else None
    if record is None or record.archived != archived:
        raise _missing(object_type)
    return record


def read(call: Call) -> Answer:
    """GET one."""
    object_type = object_type_of(call)
    record = _find(call, object_type, archived=call.query.get("archived") == "true")
    body = rendered(call.hub, object_type, [record], _names(call, object_type))[0]
    _add_associations(call, object_type, [body])
    return Answer(body=body)


def _add_associations(call: Call, object_type: str, bodies: Sequence[dict[str, Any]]) -> None:
    """`associations=companies,contacts` adds the ids of associated records, each with its type's name."""
    for spelling in filter(None, call.query.get("associations", "").split(",")):
        to_type = OBJECT_TYPES.get(spelling)
        if to_type is None:
            raise validation_error(f"Unable to infer object type from: {spelling}")
        links = call.hub.associations.links(
            Sides(from_type=object_type, to_type=to_type), [int(body["id"]) for body in bodies]
        )
        for body in bodies:
            results = [
                {"id": str(link.to_id), "type": _type_name(object_type, to_type, kind.label)}
                for link in links.get(int(body["id"]), [])
                for kind in link.types
            ]
            if results:
                body.setdefault("associations", {})[to_type] = {"results": results}


def _type_name(from_type: str, to_type: str, label: str | None) -> str:
    name = f"{SINGULAR[from_type]}_to_{SINGULAR[to_type]}"
    return name if label is None else f"{name}_{label.lower().replace(' ', '_')}"


def list_records(call: Call) -> Answer:
    """GET the list, in order of id; `after` is the last id of the page before."""
    object_type = object_type_of(call)
    limit = _limit(call.query.get("limit", "10"))
    archived = call.query.get("archived") == "true"
    records = call.hub.records.page(
        object_type, after=int(call.query.get("after") or 0), limit=limit + 1, archived=archived
    )
    bodies = rendered(call.hub, object_type, records[:limit], _names(call, object_type))
    _add_associations(call, object_type, bodies)
    body: dict[str, Any] = {"results": bodies}
    if len(records) > limit:
        after = str(records[limit - 1].id)
        body["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
    return Answer(body=body)


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise validation_error(f"limit must be between 1 and {MAX_PAGE}")
    return int(text)


def create(call: Call) -> Answer:
    """POST one, with associations."""
    object_type, now = object_type_of(call), call.hub.now()
    draft = draft_from_json(call.body, needs_id=False)
    writing.check(call, object_type, [draft], now)
    check_associations(call.hub, object_type, [draft])
    return _written(call, object_type, draft, now, status=201)


def update(call: Call) -> Answer:
    """PATCH one; the id of a merged-away record leads to where it went."""
    object_type, now = object_type_of(call), call.hub.now()
    draft = draft_from_json(call.body, needs_id=False)
    draft.before = _find(call, object_type)
    writing.check(call, object_type, [draft], now)
    return _written(call, object_type, draft, now, status=200)


def _written(call: Call, object_type: str, draft: Draft, now: str, *, status: int) -> Answer:
    if draft.error is not None:
        raise draft.error.for_whole_call()
    with call.hub.database.transaction():
        writing.write(call, object_type, [draft], now)
        associate_new(call.hub, object_type, [draft])
    records = [draft.record] if draft.record else []
    body = rendered(call.hub, object_type, records, {*draft.kept, *shown_properties(object_type, None)})[0]
    return Answer(body=body, status=status, written_keys=writing.keys_written(call.hub, [draft]))


def delete(call: Call) -> Answer:
    """DELETE one: 204 for unknown ids too (seen by public clients)."""
    hub, object_type = call.hub, object_type_of(call)
    number = record_id(call.path["record_id"])
    records = [r for r in hub.records.get(object_type, [number or 0]).values() if not r.archived]
    writing.archive(call, object_type, records, hub.now())
    return Answer(status=204, written_keys=tuple(str(record.id) for record in records))


def merge(call: Call) -> Answer:
    """POST merge: the primary record stays, the other one goes; which keeps the unique value is a switch (merged_key)."""
    hub, object_type, now = call.hub, object_type_of(call), call.hub.now()
    ids = [record_id(call.body.get(name, "")) for name in ("primaryObjectId", "objectIdToMerge")]
    found = hub.records.get(object_type, [number for number in ids if number])
    primary, other = (found.get(number or 0) for number in ids)
    if primary is None or other is None or primary.archived or other.archived or primary.id == other.id:
        raise _missing(object_type)
    with hub.database.transaction():
        primary = _merged(call, object_type, primary, other, now)
    names = shown_properties(object_type, None)
    return Answer(
        body=rendered(hub, object_type, [primary], names)[0], written_keys=(str(primary.id), str(other.id))
    )


def _merged(call: Call, object_type: str, primary: Record, other: Record, now: str) -> Record:
    """The primary's values win, the other's fill its gaps; the unique ones go as `merged_key` says."""
    hub, unique = call.hub, call.hub.portal.unique_properties(object_type)
    keys_move = hub.portal.settings.merged_key == "secondary"
    primary_claims = writing.claims_of(hub, object_type, primary)
    other_claims = writing.claims_of(hub, object_type, other)
    filled = {name: value for name, value in other.properties.items() if name not in unique or keys_move}
    winner = {
        **filled,
        **{n: v for n, v in primary.properties.items() if not (keys_move and n in unique and n in filled)},
    }
    record = Record(
        id=primary.id,
        properties={**winner, "hs_lastmodifieddate": now},
        created_at=primary.created_at,
        updated_at=now,
    )
    hub.records.release(object_type, [*primary_claims, *other_claims])
    other.archived, other.archived_at = True, now
    hub.records.put(object_type, [record, other])
    hub.records.claim(object_type, writing.claims_of(hub, object_type, record))
    if hub.portal.settings.merged_key == "both":
        pointed = [replace(claim, id=record.id) for claim in other_claims]
        hub.records.claim(object_type, pointed)
    hub.records.remember_merge(object_type, other.id, record.id)
    hub.associations.move(object_type, other.id, record.id)
    hub.records.log([writing.entry(call, object_type, record, "merge", detail=str(other.id))])
    return record
