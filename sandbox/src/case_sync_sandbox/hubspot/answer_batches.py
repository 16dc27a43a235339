"""Shell: the batch calls on tickets, companies and contacts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from case_sync_sandbox.hubspot import writing
from case_sync_sandbox.hubspot.associating import associate_new, check_associations, record_id
from case_sync_sandbox.hubspot.defaults import ALWAYS_SHOWN
from case_sync_sandbox.hubspot.drafts import (
    Draft,
    draft_from_json,
    inputs_of,
    refuse_duplicates,
    refuse_untraced,
)
from case_sync_sandbox.hubspot.errors import (
    ValueProblem,
    invalid_values,
    some_not_found,
    validation_error,
)
from case_sync_sandbox.hubspot.hub import Answer, Call, Hub
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPES, SINGULAR
from case_sync_sandbox.hubspot.record import Record, as_json, shown_properties


def object_type_of(call: Call, name: str = "object_type") -> str:
    """The object type that the path names, by its plural, singular or id.

    Raises:
        HubSpotError: 400, a type that the sandbox doesn't have.
    """
    spelling = call.path[name]
    if spelling not in OBJECT_TYPES:
        raise validation_error(f"Unable to infer object type from: {spelling}")
    return OBJECT_TYPES[spelling]


def shuffled(hub: Hub, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results in an order of their own, the same for the same ids: HubSpot's don't come in input order."""
    if not hub.portal.settings.shuffle_results:
        return list(results)
    return sorted(results, key=lambda one: hashlib.blake2b(str(one["id"]).encode(), digest_size=4).digest())


def batch_answer(
    call: Call,
    results: list[dict[str, Any]],
    errors: list[dict[str, Any]],
    started: str,
    *,
    status: int = 200,
) -> Answer:
    """A BatchResponse: `status` when all went well, else 207 with the errors."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": started,
        "completedAt": call.hub.now(),
    }
    if errors:
        body["numErrors"] = len(errors)
        body["errors"] = errors
    return Answer(body=body, status=207 if errors else status)


def written(
    call: Call, object_type: str, drafts: Sequence[Draft], started: str, *, status: int = 200
) -> Answer:
    """The answer of a batch that wrote `drafts`, those with an error among them."""
    echo = call.hub.portal.settings.echo_trace_ids
    results = []
    for draft in drafts:
        if draft.record is None:
            continue
        names = [*draft.kept, *ALWAYS_SHOWN]
        result = as_json(object_type, draft.record, names)
        result["new"] = draft.before is None
        if echo and draft.trace_id is not None:
            result["objectWriteTraceId"] = draft.trace_id
        results.append(result)
    errors = [draft.error.as_json(draft.trace_id) for draft in drafts if draft.error is not None]
    answer = batch_answer(call, shuffled(call.hub, results), errors, started, status=status)
    return Answer(body=answer.body, status=answer.status, written_keys=writing.keys_written(call.hub, drafts))


def _silent(call: Call) -> Answer | None:
    """The "silent success" that clients reported: 200, nothing written, nothing said."""
    settings = call.hub.portal.settings
    if settings.silent_batches <= 0:
        return None
    call.hub.portal.change_settings({"silent_batches": settings.silent_batches - 1})
    return batch_answer(call, [], [], call.hub.now())


def upsert(call: Call) -> Answer:
    """POST batch/upsert: by a unique property named in each input; `new` says whether a record was made."""
    if silent := _silent(call):
        return silent
    hub, object_type, now = call.hub, object_type_of(call), call.hub.now()
    drafts = [draft_from_json(one, needs_id=True) for one in inputs_of(call.body)]
    if any(not draft.id_property for draft in drafts):
        raise validation_error("Some required fields were not set: [idProperty]")
    writing.refuse_non_unique(hub, object_type, {d.id_property or "" for d in drafts}, "upsert")
    refuse_duplicates([draft.id or "" for draft in drafts], partial(writing.key_of, hub))
    writing.identify(hub, object_type, drafts)
    for draft in drafts:
        if draft.before is None:
            draft.properties = {str(draft.id_property): draft.id, **draft.properties}
    _meet_archived(hub, object_type, drafts)
    writing.check(call, object_type, drafts, now)
    refuse_untraced(drafts)
    writing.write(call, object_type, drafts, now)
    return written(call, object_type, drafts, now)


def _meet_archived(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    """With the switch archived_key=error a key that an archived record holds is refused. What HubSpot does is not known."""
    if hub.portal.settings.archived_key != "error":
        return
    for draft in drafts:
        if draft.before is None and draft.id_property and draft.id:
            key = writing.key_of(hub, draft.id)
            holder = hub.records.holders(object_type, draft.id_property, [key], archived=True).get(key)
            if holder is not None:
                message = f"{draft.id} is held by the archived record {holder}"
                problem = ValueProblem(
                    property_name=draft.id_property, code="CONFLICTING_UNIQUE_VALUE", message=message
                )
                draft.error = invalid_values([problem])


def create(call: Call) -> Answer:
    """POST batch/create: each input becomes a record, with associations."""
    object_type, now = object_type_of(call), call.hub.now()
    drafts = [draft_from_json(one, needs_id=False) for one in inputs_of(call.body)]
    writing.check(call, object_type, drafts, now)
    check_associations(call.hub, object_type, drafts)
    refuse_untraced(drafts)
    with call.hub.database.transaction():
        writing.write(call, object_type, drafts, now)
        associate_new(call.hub, object_type, drafts)
    return written(call, object_type, drafts, now, status=201)


def update(call: Call) -> Answer:
    """POST batch/update: by record id, or by a unique property; ids of merged-away records are unknown here."""
    if silent := _silent(call):
        return silent
    hub, object_type, now = call.hub, object_type_of(call), call.hub.now()
    drafts = [draft_from_json(one, needs_id=True) for one in inputs_of(call.body)]
    named = {d.id_property for d in drafts if d.id_property and d.id_property != "hs_object_id"}
    writing.refuse_non_unique(hub, object_type, named, "update")
    refuse_duplicates([draft.id or "" for draft in drafts], partial(writing.key_of, hub))
    writing.identify(hub, object_type, drafts)
    writing.refuse_unknown(object_type, drafts)
    writing.check(call, object_type, drafts, now)
    refuse_untraced([draft for draft in drafts if draft.before is not None])
    writing.write(call, object_type, drafts, now)
    return written(call, object_type, drafts, now)


def archive(call: Call) -> Answer:
    """POST batch/archive: record ids only; unknown and archived ones are passed over (204 expected, not documented)."""
    hub, object_type, now = call.hub, object_type_of(call), call.hub.now()
    ids = [n for one in inputs_of(call.body) if (n := record_id(one.get("id"))) is not None]
    records = [r for r in hub.records.get(object_type, dict.fromkeys(ids)).values() if not r.archived]
    writing.archive(call, object_type, records, now)
    keys = tuple(r.properties.get(hub.portal.settings.key_property) or str(r.id) for r in records)
    return Answer(status=204, written_keys=keys)


def read(call: Call) -> Answer:
    """POST batch/read: by record id or a unique property; unknown ones are one error for all, without trace ids."""
    hub, object_type, now = call.hub, object_type_of(call), call.hub.now()
    inputs = inputs_of(call.body)
    archived = call.query.get("archived") == "true"
    id_property = call.body.get("idProperty")
    wanted = list(dict.fromkeys(str(one.get("id", "")) for one in inputs))
    names = shown_properties(object_type, call.body.get("properties"))
    if id_property and id_property != "hs_object_id":
        writing.refuse_non_unique(hub, object_type, [id_property], "read")
        keys = {text: writing.key_of(hub, text) for text in wanted}
        held = hub.records.holders(object_type, id_property, keys.values(), archived=archived)
        ids = {text: held[key] for text, key in keys.items() if key in held}
    else:
        ids = {text: number for text in wanted if (number := record_id(text)) is not None}
    found = {n: r for n, r in hub.records.get(object_type, ids.values()).items() if r.archived == archived}
    missing = [text for text in wanted if ids.get(text) not in found]
    errors = [some_not_found(SINGULAR[object_type], missing).as_json()] if missing else []
    results = rendered(hub, object_type, list(found.values()), names)
    return batch_answer(call, shuffled(hub, results), errors, now)


CALCULATED = ("hs_num_associated_companies", "hs_primary_company_id")


def rendered(
    hub: Hub, object_type: str, records: Sequence[Record], names: Iterable[str]
) -> list[dict[str, Any]]:
    """Records as answers show them, with the properties that follow from associations."""
    shown = list(names)
    if object_type == "tickets" and any(name in CALCULATED for name in shown):
        hub.calculate(records)
    return [as_json(object_type, record, shown) for record in records]
