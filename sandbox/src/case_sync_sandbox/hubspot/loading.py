"""Shell: fills a portal with what a seed says: definitions, owners, companies, contacts, and tickets of other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_sandbox.hubspot import defaults, ticket_rules
from case_sync_sandbox.hubspot.hub import Hub
from case_sync_sandbox.hubspot.metadata import (
    OBJECT_TYPES,
    Option,
    Owner,
    Pipeline,
    Property,
    Stage,
    owner_from_json,
    pipeline_from_json,
    property_from_json,
)
from case_sync_sandbox.hubspot.record import Record
from case_sync_sandbox.hubspot.writing import claims_of
from case_sync_sandbox.seeding.portal_seed import PipelineSeed, PortalSeed, PropertySeed


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLoad:
    """What goes into a portal, in the portal's own values; records are maps of property values."""

    properties: Sequence[tuple[str, Property]] = ()
    pipelines: Sequence[Pipeline] = ()
    owners: Sequence[Owner] = ()
    companies: Iterable[Mapping[str, str]] = ()
    contacts: Iterable[Mapping[str, str]] = ()
    tickets: Iterable[Mapping[str, str]] = ()


def portal_load_from_seed(seed: PortalSeed) -> PortalLoad:
    """The seed in the portal's own values."""
    return PortalLoad(
        properties=[(OBJECT_TYPES[p.object_name], _property(p)) for p in seed.properties],
        pipelines=[_pipeline(number, p) for number, p in enumerate(seed.pipelines)],
        owners=[
            Owner(
                id=o.id, email=o.email, first_name=o.first_name, last_name=o.last_name, user_id=_user_id(o.id)
            )
            for o in seed.owners
        ],
        companies=seed.companies,
        contacts=seed.contacts,
    )


def _user_id(owner_id: str) -> int | None:
    """A user's id is another number than the owner's."""
    return int(owner_id) + 5_000_000 if owner_id.isdigit() else None


def _property(seed: PropertySeed) -> Property:
    object_type = OBJECT_TYPES[seed.object_name]
    return Property(
        name=seed.name,
        label=seed.label,
        type=seed.type,
        field_type=seed.field_type,
        group_name=defaults.GROUPS[object_type].name,
        has_unique_value=seed.unique,
        options=tuple(
            Option(label=o, value=o, display_order=number) for number, o in enumerate(seed.options)
        ),
    )


def _pipeline(number: int, seed: PipelineSeed) -> Pipeline:
    stages = tuple(
        Stage(id=s.id, label=s.label, display_order=order, ticket_state="CLOSED" if s.closed else "OPEN")
        for order, s in enumerate(seed.stages)
    )
    return Pipeline(id=seed.id, label=seed.label, display_order=number, stages=stages)


def portal_load_from_json(body: Mapping[str, Any]) -> PortalLoad:
    """Read HubSpot's own JSON forms; a property also says its `objectType`."""
    return PortalLoad(
        properties=[
            (OBJECT_TYPES[p["objectType"]], property_from_json(p)) for p in body.get("properties", [])
        ],
        pipelines=[pipeline_from_json(p, pipeline_id=str(p["label"])) for p in body.get("pipelines", [])],
        owners=[owner_from_json(o) for o in body.get("owners", [])],
        companies=body.get("companies", []),
        contacts=body.get("contacts", []),
        tickets=body.get("tickets", []),
    )


def load_portal(hub: Hub, load: PortalLoad) -> dict[str, list[str]]:
    """Put everything in, in one transaction; says the ids of the records made. Values are taken as they are."""
    with hub.database.transaction():
        for object_type, definition in load.properties:
            hub.portal.put_property(object_type, definition)
        for pipeline in load.pipelines:
            hub.portal.put_pipeline(pipeline)
        hub.portal.put_owners(load.owners)
        return {
            "companies": _add(hub, "companies", load.companies),
            "contacts": _add(hub, "contacts", load.contacts),
            "tickets": _add(hub, "tickets", map(_placed(hub), load.tickets)),
        }


def _placed(hub: Hub) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Tickets of other tools go through the same rules of pipeline and stage."""
    pipelines, now = hub.portal.live_pipelines(), hub.now()

    def place(values: Mapping[str, str]) -> dict[str, str]:
        changes = dict(values)
        if problem := ticket_rules.apply({}, changes, pipelines, now):
            raise ValueError(problem.message)
        return {name: value for name, value in changes.items() if value != ""}

    return place


def _add(hub: Hub, object_type: str, rows: Iterable[Mapping[str, str]]) -> list[str]:
    now = hub.now()
    records = [_new(hub, object_type, values, now) for values in rows]
    hub.records.put(object_type, records)
    hub.records.claim(
        object_type, (claim for record in records for claim in claims_of(hub, object_type, record))
    )
    return [str(record.id) for record in records]


def _new(hub: Hub, object_type: str, values: Mapping[str, str], now: str) -> Record:
    number = hub.records.new_id(object_type)
    own = {"hs_object_id": str(number), "createdate": now, "hs_lastmodifieddate": now}
    return Record(id=number, properties={**own, **values}, created_at=now, updated_at=now)
