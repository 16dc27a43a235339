"""Shell: takes drafts to records: finds them, checks them, writes the good ones in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from case_sync_sandbox.hubspot import ticket_rules
from case_sync_sandbox.hubspot.defaults import PORTAL_ID
from case_sync_sandbox.hubspot.drafts import Draft
from case_sync_sandbox.hubspot.errors import (
    InputError,
    ValueProblem,
    invalid_values,
    some_not_found,
    validation_error,
)
from case_sync_sandbox.hubspot.hub import Call, Hub
from case_sync_sandbox.hubspot.metadata import OBJECT_TYPE_IDS, SINGULAR
from case_sync_sandbox.hubspot.record import Record, UniqueClaim, WriteEntry, unique_key
from case_sync_sandbox.hubspot.required import missing_required
from case_sync_sandbox.hubspot.values import check_values, iso


def key_of(hub: Hub, value: str) -> str:
    """A unique value in the form in which this portal compares them."""
    return unique_key(value, case_sensitive=hub.portal.settings.unique_is_case_sensitive)


def refuse_non_unique(hub: Hub, object_type: str, names: Iterable[str], verb: str) -> None:
    """An idProperty must be a property with unique values.

    Raises:
        HubSpotError: 400 for the whole call.
    """
    unique = hub.portal.unique_properties(object_type)
    for name in names:
        if name not in unique:
            raise validation_error(
                f"Unable to perform {verb} by non-unique {OBJECT_TYPE_IDS[object_type]} property {name}"
                f" in portal ID {PORTAL_ID}"
            )


def identify(hub: Hub, object_type: str, drafts: Sequence[Draft], *, follow_merges: bool = False) -> None:
    """Fill in `before` of drafts whose id or unique value is that of a live record."""
    wanted: dict[str | None, list[Draft]] = {}
    for draft in drafts:
        wanted.setdefault(draft.id_property, []).append(draft)
    for id_property, group in wanted.items():
        if id_property in (None, "hs_object_id"):
            ids = {
                d.id: int(d.id)
                for d in group
                if d.id and d.id.isascii() and d.id.isdigit() and len(d.id) < 19
            }
            if follow_merges:
                ids = {
                    text: hub.records.merged_into(object_type, number) or number
                    for text, number in ids.items()
                }
        else:
            held = hub.records.holders(
                object_type, id_property or "", [key_of(hub, d.id or "") for d in group]
            )
            ids = {d.id: held[key] for d in group if d.id and (key := key_of(hub, d.id)) in held}
        records = hub.records.get(object_type, ids.values())
        for draft in group:
            record = records.get(ids.get(draft.id or "", -1))
            draft.before = record if record and not record.archived else None


def refuse_unknown(object_type: str, drafts: Iterable[Draft]) -> None:
    """Give the drafts that found no record the error that says so."""
    for draft in drafts:
        if draft.before is None:
            draft.error = some_not_found(SINGULAR[object_type], [draft.id or ""])


def check(call: Call, object_type: str, drafts: Sequence[Draft], now: str) -> None:
    """Check every draft that has no error yet; fill in `kept` or `error`."""
    hub = call.hub
    checks = hub.portal.checks(object_type)
    pipelines = hub.portal.live_pipelines() if object_type == "tickets" else {}
    for draft in drafts:
        if draft.error is not None:
            continue
        checked = check_values(checks, draft.properties)
        draft.kept, problems = checked.kept, checked.problems
        old = draft.before.properties if draft.before else {}
        if not problems and object_type == "tickets":
            problem = ticket_rules.apply(old, draft.kept, pipelines, now)
            problems = [problem] if problem else []
        if not problems and call.version == "2026-09":
            problems = missing_required(hub.portal.settings, old, draft.kept)
        if problems:
            draft.error = invalid_values(problems)
    _check_unique(hub, object_type, drafts)


def _check_unique(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    """A unique value belongs to one live record; inside one call the first input takes it."""
    for name in hub.portal.unique_properties(object_type):
        users = [d for d in drafts if d.error is None and d.kept.get(name)]
        if not users:
            continue
        held: dict[str, int | None] = dict(
            hub.records.holders(object_type, name, [key_of(hub, d.kept[name]) for d in users])
        )
        for draft in users:
            key = key_of(hub, draft.kept[name])
            own = draft.before.id if draft.before else None
            if key in held and (held[key] is None or held[key] != own):
                draft.error = _conflict(object_type, name, draft.kept[name], held[key], own)
            else:
                held[key] = own


def _conflict(object_type: str, name: str, value: str, holder: int | None, own: int | None) -> InputError:
    """A contact's address conflicts as CONFLICT 409; any other unique property as CONFLICTING_UNIQUE_VALUE 400."""
    if object_type == "contacts" and name == "email":
        return InputError(
            status=409,
            category="CONFLICT",
            message=f"Contact already exists. Existing ID: {holder or ''}".rstrip(),
            context={"existingId": [str(holder)]} if holder else {},
        )
    text = (
        f"Cannot set PropertyValueCoordinates{{portalId={PORTAL_ID}, objectTypeId={OBJECT_TYPE_IDS[object_type]},"
        f" propertyName={name}, value={value}}} on {own or 'a new record'}."
        f" {holder or 'Another record'} already has that value."
    )
    return invalid_values([ValueProblem(property_name=name, code="CONFLICTING_UNIQUE_VALUE", message=text)])


def write(call: Call, object_type: str, drafts: Sequence[Draft], now: str) -> list[Draft]:
    """Write the drafts without an error, in one transaction; says which they are, with `record` filled in."""
    hub = call.hub
    good = [draft for draft in drafts if draft.error is None]
    for draft in good:
        draft.record = _record_of(hub, object_type, draft, now)
    with hub.database.transaction():
        _delay_search(hub, object_type, good)
        _move_unique_values(hub, object_type, good)
        hub.records.put(object_type, (draft.record for draft in good if draft.record))
        hub.records.log(_log_entries(call, object_type, good))
    return good


def _record_of(hub: Hub, object_type: str, draft: Draft, now: str) -> Record:
    before = draft.before
    if before is None:
        record_id, created = hub.records.new_id(object_type), draft.kept.get("createdate") or now
        start = {"hs_object_id": str(record_id), "createdate": created}
        if object_type == "tickets":
            start["hs_ticket_id"] = str(record_id)
    else:
        record_id, created, start = before.id, before.created_at, before.properties
    properties = start | _appended(hub, object_type, start, draft.kept) | {"hs_lastmodifieddate": now}
    return Record(
        id=record_id,
        properties={name: value for name, value in properties.items() if value != ""},
        created_at=created,
        updated_at=now,
    )


def _appended(hub: Hub, object_type: str, old: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """A value of a multiple checkbox that starts with ";" adds to those that are set."""
    additions = {name: value for name, value in kept.items() if value[:1] == ";"}
    if not additions:
        return kept
    definitions = hub.portal.properties[object_type]
    merged = dict(kept)
    for name, value in additions.items():
        if definitions[name].field_type == "checkbox":
            parts = [*old.get(name, "").split(";"), *value.split(";")]
            merged[name] = ";".join(dict.fromkeys(part for part in parts if part))
    return merged


def _delay_search(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    lag = hub.portal.settings.search_lag_seconds
    if lag > 0:
        visible = iso(hub.clock.now() + timedelta(seconds=lag))
        hub.records.delay_search(object_type, ((d.record.id, d.before) for d in drafts if d.record), visible)


def _move_unique_values(hub: Hub, object_type: str, drafts: Sequence[Draft]) -> None:
    claims: list[UniqueClaim] = []
    releases: list[UniqueClaim] = []
    for name in hub.portal.unique_properties(object_type):
        for draft in drafts:
            if draft.record is None or name not in draft.kept:
                continue
            old = draft.before.properties.get(name) if draft.before else None
            new = draft.record.properties.get(name)
            if old != new:
                claims += _claim(hub, name, new, draft.record.id)
                releases += _claim(hub, name, old, draft.record.id)
    hub.records.release(object_type, releases)
    hub.records.claim(object_type, claims)


def _claim(hub: Hub, name: str, value: str | None, record_id: int) -> list[UniqueClaim]:
    return [UniqueClaim(property_name=name, value=key_of(hub, value), id=record_id)] if value else []


def claims_of(hub: Hub, object_type: str, record: Record) -> list[UniqueClaim]:
    """Every unique value that a record holds."""
    return [
        claim
        for name in hub.portal.unique_properties(object_type)
        for claim in _claim(hub, name, record.properties.get(name), record.id)
    ]


def archive(call: Call, object_type: str, records: Sequence[Record], now: str) -> None:
    """Put live records into the recycle bin; their unique values are free again (inferred, no referee can confirm it)."""
    hub = call.hub
    claims = [claim for record in records for claim in claims_of(hub, object_type, record)]
    with hub.database.transaction():
        hub.records.release(object_type, claims)
        hub.records.remember_archived(object_type, claims)
        for record in records:
            record.archived, record.archived_at, record.updated_at = True, now, now
        hub.records.put(object_type, records)
        hub.records.log(entry(call, object_type, record, "archive") for record in records)


def entry(call: Call, object_type: str, record: Record, op: str, detail: str | None = None) -> WriteEntry:
    """A line of the write log about a record."""
    settings = call.hub.portal.settings
    return WriteEntry(
        time=record.updated_at,
        object_type=object_type,
        id=record.id,
        key=record.properties.get(settings.key_property),
        op=op,
        version=record.properties.get(settings.version_property),
        run_id=call.run_id,
        detail=detail,
    )


def _log_entries(call: Call, object_type: str, drafts: Sequence[Draft]) -> Iterable[WriteEntry]:
    return (
        entry(call, object_type, draft.record, "update" if draft.before else "create")
        for draft in drafts
        if draft.record
    )


def keys_written(hub: Hub, drafts: Iterable[Draft]) -> tuple[str, ...]:
    """The keys that a call writes, for noticing overlaps: the sync's key where there is one, else the record id."""
    name = hub.portal.settings.key_property
    return tuple(
        (draft.record.properties.get(name) or str(draft.record.id))
        for draft in drafts
        if draft.record is not None
    )
