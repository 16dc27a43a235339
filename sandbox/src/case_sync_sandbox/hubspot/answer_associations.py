"""Shell: the association calls: batches, labels, and the single ones under the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_sandbox.hubspot.answer_batches import batch_answer, object_type_of
from case_sync_sandbox.hubspot.associating import (
    find_types,
    invalid_identifier,
    invalid_type,
    live_ids,
    over_limit,
    record_id,
    unknown_object,
)
from case_sync_sandbox.hubspot.association_types import DEFAULT_TYPES, AssociationType
from case_sync_sandbox.hubspot.associations import Link, Pair, Sides
from case_sync_sandbox.hubspot.drafts import inputs_of
from case_sync_sandbox.hubspot.errors import InputError, not_found, validation_error
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPE_IDS, SINGULAR
from case_sync_sandbox.hubspot.record import WriteEntry

MAX_READ = 1_000  # "Associations", limits: inputs of batch/read
MAX_CREATE = 2_000  # "Associations", limits: inputs of batch/create and batch/archive
MAX_LINKS = 500  # associations of one record per page of a read


def sides_of(call: Call) -> Sides:
    """The two object types of the path.

    Raises:
        HubSpotError: 400, when there are no associations between them.
    """
    sides = Sides(from_type=object_type_of(call, "from_type"), to_type=object_type_of(call, "to_type"))
    if (sides.from_type, sides.to_type) not in DEFAULT_TYPES:
        raise validation_error(f"There are no associations from {sides.from_type} to {sides.to_type}")
    return sides


@dataclass(slots=True, kw_only=True)
class Wish:
    """One input: a pair that should be associated, or why not."""

    given: Mapping[str, Any]
    pair: Pair | None = None
    types: list[AssociationType] | None = None
    error: InputError | None = None


def _wishes(call: Call, sides: Sides, limit: int) -> list[Wish]:
    """Read inputs with from.id and to.id, and find those whose records aren't there."""
    wishes = [Wish(given=one) for one in inputs_of(call.body, limit=limit)]
    for wish in wishes:
        ids = [((wish.given.get(side) or {}).get("id")) for side in ("from", "to")]
        numbers = [record_id(text) for text in ids]
        if numbers[0] is None or numbers[1] is None:
            wish.error = invalid_identifier(next(t for t, n in zip(ids, numbers, strict=True) if n is None))
        else:
            wish.pair = Pair(from_id=numbers[0], to_id=numbers[1])
    _refuse_unknown(call, sides, wishes)
    return wishes


def _refuse_unknown(call: Call, sides: Sides, wishes: Sequence[Wish]) -> None:
    pairs = [wish.pair for wish in wishes if wish.pair]
    from_ids = live_ids(call.hub, sides.from_type, {pair.from_id for pair in pairs})
    to_ids = live_ids(call.hub, sides.to_type, {pair.to_id for pair in pairs})
    for wish in wishes:
        if wish.pair is None:
            continue
        if wish.pair.from_id not in from_ids:
            wish.error = unknown_object(sides.from_type, wish.pair.from_id, "FROM")
        elif wish.pair.to_id not in to_ids:
            wish.error = unknown_object(sides.to_type, wish.pair.to_id, "TO")


def _refuse_over_limit(call: Call, sides: Sides, wishes: Sequence[Wish]) -> None:
    errors = over_limit(call.hub, sides, [w.pair for w in wishes if w.pair and not w.error])
    for wish in wishes:
        if wish.pair in errors and wish.error is None:
            wish.error = errors[wish.pair]


def _log(call: Call, sides: Sides, pairs: Sequence[Pair], op: str) -> None:
    now = call.hub.now()
    call.hub.records.log(
        WriteEntry(
            time=now,
            object_type=sides.from_type,
            id=pair.from_id,
            key=None,
            op=op,
            version=None,
            run_id=call.run_id,
            detail=f"{sides.to_type}:{pair.to_id}",
        )
        for pair in pairs
    )


def associate_default(call: Call) -> Answer:
    """POST batch/associate/default: unlabelled; idempotent; labels that are there stay."""
    sides, now = sides_of(call), call.hub.now()
    wishes = _wishes(call, sides, call.hub.portal.settings.associate_default_limit)
    _refuse_over_limit(call, sides, wishes)
    pairs = [wish.pair for wish in wishes if wish.pair and not wish.error]
    with call.hub.database.transaction():
        call.hub.associations.add_default(sides, pairs)
        _log(call, sides, pairs, "associate")
    spec = _spec(DEFAULT_TYPES[sides.from_type, sides.to_type])
    results = [
        {"from": {"id": str(pair.from_id)}, "to": {"id": str(pair.to_id)}, "associationSpec": spec}
        for pair in pairs
    ]
    return _batch(call, results, wishes, now)


def _spec(kind: AssociationType) -> dict[str, Any]:
    return {"associationCategory": kind.category, "associationTypeId": kind.type_id}


def _batch(
    call: Call, results: list[dict[str, Any]], wishes: Sequence[Wish], started: str, *, status: int = 200
) -> Answer:
    """The dated schema folds errors into the one answer; v4's associate/default says so too."""
    errors = [wish.error.as_json() for wish in wishes if wish.error]
    answer = batch_answer(call, results, errors, started, status=status)
    answer.body.setdefault("numErrors", 0)
    answer.body.setdefault("errors", [])
    return answer


def _typed_wishes(call: Call, sides: Sides) -> list[Wish]:
    known = call.hub.associations.types(sides)
    wishes = _wishes(call, sides, MAX_CREATE)
    for wish in wishes:
        given = wish.given.get("types") or []
        found = find_types(known, given)
        if isinstance(found, list) and found:
            wish.types = found
        elif wish.error is None:
            wish.error = invalid_type(sides, found if isinstance(found, dict) else {})
    return wishes


def create(call: Call) -> Answer:
    """POST batch/create: with types; the pair's custom labels become those given."""
    sides, now = sides_of(call), call.hub.now()
    wishes = _typed_wishes(call, sides)
    _refuse_over_limit(call, sides, wishes)
    results = []
    with call.hub.database.transaction():
        for wish in wishes:
            if wish.error is None and wish.pair and wish.types:
                call.hub.associations.add_typed(sides, wish.pair, wish.types)
                results.append(_labelled(call, sides, wish.pair, wish.types))
        _log(call, sides, [w.pair for w in wishes if w.pair and not w.error], "associate")
    return _batch(call, results, wishes, now, status=201)


def _labelled(call: Call, sides: Sides, pair: Pair, types: Sequence[AssociationType]) -> dict[str, Any]:
    """LabelsBetweenObjectPair; the schema has the ids as strings in the dated versions and as numbers in v4."""
    kept = str if call.is_dated or call.version == "v4" else int
    return {
        "fromObjectTypeId": OBJECT_TYPE_IDS[sides.from_type],
        "fromObjectId": kept(pair.from_id),
        "toObjectTypeId": OBJECT_TYPE_IDS[sides.to_type],
        "toObjectId": kept(pair.to_id),
        "labels": [kind.label for kind in types if kind.label],
    }


def read(call: Call) -> Answer:
    """POST batch/read: records without any association come as errors of a 207 (NO_ASSOCIATIONS_FOUND)."""
    sides, now = sides_of(call), call.hub.now()
    inputs = inputs_of(call.body, limit=MAX_READ)
    ids = {str(one.get("id")): record_id(one.get("id")) for one in inputs}
    links = call.hub.associations.links(sides, [number for number in ids.values() if number is not None])
    results, errors = [], []
    for one in inputs:
        text = str(one.get("id"))
        found = [link for link in links.get(ids[text] or -1, []) if link.to_id > int(one.get("after") or 0)]
        if found:
            results.append({"from": {"id": text}, **_page(call, found, MAX_LINKS)})
        else:
            errors.append(_nothing_found(sides, text).as_json())
    return batch_answer(call, results, errors, now)


def _nothing_found(sides: Sides, text: str) -> InputError:
    return InputError(
        category="OBJECT_NOT_FOUND",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        message=f"No {sides.to_type} is associated with {sides.from_type} {text}.",
        context={
            "fromObjectId": [text],
            "fromObjectType": [SINGULAR[sides.from_type]],
            "toObjectType": [SINGULAR[sides.to_type]],
        },
    )


def _page(call: Call, links: Sequence[Link], limit: int) -> dict[str, Any]:
    body: dict[str, Any] = {"to": [_multi(call, link) for link in links[:limit]]}
    if len(links) > limit:
        after = str(links[limit - 1].to_id)
        body["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
    return body


def _multi(call: Call, link: Link) -> dict[str, Any]:
    """`toObjectId` is a number in v4 and a string in the dated versions."""
    return {
        "toObjectId": str(link.to_id) if call.is_dated else link.to_id,
        "associationTypes": [
            {"category": kind.category, "typeId": kind.type_id, "label": kind.label} for kind in link.types
        ],
    }


def archive(call: Call) -> Answer:
    """POST batch/archive: every association of each pair. v4 answers 204, the dated versions 200."""
    sides, now = sides_of(call), call.hub.now()
    pairs = []
    for one in inputs_of(call.body, limit=MAX_CREATE):
        from_id = record_id((one.get("from") or {}).get("id"))
        to_ids = [record_id(to.get("id")) for to in one.get("to") or []]
        pairs += [Pair(from_id=from_id, to_id=to_id) for to_id in to_ids if to_id and from_id]
    with call.hub.database.transaction():
        call.hub.associations.remove(sides, pairs)
        _log(call, sides, pairs, "dissociate")
    return _nothing(call, now)


def _nothing(call: Call, started: str) -> Answer:
    """204 in v4; BatchResponseVoid in the dated versions."""
    if not call.is_dated:
        return Answer(status=204)
    return Answer(
        body={"status": "COMPLETE", "results": [], "startedAt": started, "completedAt": call.hub.now()}
    )


def archive_labels(call: Call) -> Answer:
    """POST batch/labels/archive: the labels given; without its unlabelled association a pair loses all."""
    sides, now = sides_of(call), call.hub.now()
    with call.hub.database.transaction():
        for wish in _typed_wishes(call, sides):
            if wish.pair and wish.types and wish.error is None:
                call.hub.associations.remove_types(sides, wish.pair, wish.types)
                _log(call, sides, [wish.pair], "dissociate")
    return _nothing(call, now)


def _single_pair(call: Call, sides: Sides) -> Pair:
    pair = Pair(from_id=record_id(call.path["record_id"]) or 0, to_id=record_id(call.path["to_id"]) or 0)
    for object_type, number in ((sides.from_type, pair.from_id), (sides.to_type, pair.to_id)):
        if not live_ids(call.hub, object_type, {number}):
            raise not_found(f"No {SINGULAR[object_type]} with id {number} exists")
    return pair


def put_default(call: Call) -> Answer:
    """PUT one unlabelled association: both directions are told."""
    sides, now = sides_of(call), call.hub.now()
    pair = _single_pair(call, sides)
    if error := over_limit(call.hub, sides, [pair]).get(pair):
        raise error.for_whole_call()
    call.hub.associations.add_default(sides, [pair])
    _log(call, sides, [pair], "associate")
    results = []
    for way, one in ((sides, pair), (sides.reversed, Pair(from_id=pair.to_id, to_id=pair.from_id))):
        spec = _spec(DEFAULT_TYPES[way.from_type, way.to_type])
        results.append(
            {"from": {"id": str(one.from_id)}, "to": {"id": str(one.to_id)}, "associationSpec": spec}
        )
    return batch_answer(call, results, [], now)


def put_types(call: Call) -> Answer:
    """PUT one association with types: 201."""
    sides = sides_of(call)
    found = find_types(call.hub.associations.types(sides), call.body)
    if not isinstance(found, list) or not found:
        raise invalid_type(sides, found if isinstance(found, dict) else {}).for_whole_call()
    pair = _single_pair(call, sides)
    if error := over_limit(call.hub, sides, [pair]).get(pair):
        raise error.for_whole_call()
    call.hub.associations.add_typed(sides, pair, found)
    _log(call, sides, [pair], "associate")
    return Answer(body=_labelled(call, sides, pair, found), status=201)


def delete_pair(call: Call) -> Answer:
    """DELETE every association of one pair: 204."""
    sides = sides_of(call)
    pair = Pair(from_id=record_id(call.path["record_id"]) or 0, to_id=record_id(call.path["to_id"]) or 0)
    call.hub.associations.remove(sides, [pair])
    _log(call, sides, [pair], "dissociate")
    return Answer(status=204)


def list_links(call: Call) -> Answer:
    """GET the associations of one record with a type, by pages."""
    sides = sides_of(call)
    number = record_id(call.path["record_id"]) or 0
    if not live_ids(call.hub, sides.from_type, {number}):
        raise not_found(f"No {SINGULAR[sides.from_type]} with id {number} exists")
    links = call.hub.associations.links(sides, [number]).get(number, [])
    rest = [link for link in links if link.to_id > int(call.query.get("after") or 0)]
    page = _page(call, rest, min(int(call.query.get("limit") or MAX_LINKS), MAX_LINKS))
    return Answer(body={"results": page.pop("to"), **page})
