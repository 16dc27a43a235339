"""Shell: the portal's metadata, kept in memory and in the database: properties, groups, pipelines, owners, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from case_sync_sandbox.hubspot import defaults
from case_sync_sandbox.hubspot.database import Database
from case_sync_sandbox.hubspot.metadata import (
    OBJECT_TYPE_IDS,
    Group,
    Option,
    Owner,
    Pipeline,
    Property,
    owner_from_json,
    pipeline_from_json,
    property_from_json,
)
from case_sync_sandbox.hubspot.settings import PortalSettings, changed
from case_sync_sandbox.hubspot.values import Checks, checks_for


class Portal:
    """What the portal is like. Every change goes through here, so that the compiled checks stay true."""

    def __init__(self, database: Database) -> None:
        """Read the portal from the database, or start a new one."""
        self._database = database
        self.settings = PortalSettings()
        self.properties: dict[str, dict[str, Property]] = {}
        self.groups: dict[str, dict[str, Group]] = {}
        self.pipelines: dict[str, Pipeline] = {}
        self.owners: dict[str, Owner] = {}
        self._checks: dict[str, Checks] = {}
        self.load()

    def load(self) -> None:
        """Take everything from the database again; defaults fill what it doesn't hold."""
        self.settings = PortalSettings()
        self._checks.clear()
        for object_type in OBJECT_TYPE_IDS:
            self.properties[object_type] = {p.name: p for p in defaults.PROPERTIES[object_type]}
            self.groups[object_type] = {defaults.GROUPS[object_type].name: defaults.GROUPS[object_type]}
            for value in self._stored(f"property:{object_type}"):
                definition = property_from_json(value)
                self.properties[object_type][definition.name] = definition
            for value in self._stored(f"group:{object_type}"):
                self.groups[object_type][value["name"]] = Group(
                    name=value["name"],
                    label=value["label"],
                    display_order=value["displayOrder"],
                    archived=value["archived"],
                )
        stored = [pipeline_from_json(value, pipeline_id="") for value in self._stored("pipeline")]
        self.pipelines = {p.id: p for p in (defaults.DEFAULT_PIPELINE, *stored)}
        self.owners = {o.id: o for o in map(owner_from_json, self._stored("owner"))}

    def _stored(self, kind: str) -> list[dict[str, Any]]:
        with self._database.reading() as connection:
            rows = connection.execute("SELECT value FROM metadata WHERE kind = ?", (kind,)).fetchall()
        return [orjson.loads(row[0]) for row in rows]

    def _keep(self, kind: str, name: str, value: dict[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO metadata VALUES (?, ?, ?)", (kind, name, orjson.dumps(value).decode())
            )
        self._checks.clear()

    def put_property(self, object_type: str, definition: Property) -> None:
        """Add or replace a property."""
        self.properties[object_type][definition.name] = definition
        self._keep(f"property:{object_type}", definition.name, definition.as_json())

    def put_group(self, object_type: str, group: Group) -> None:
        """Add or replace a property group."""
        self.groups[object_type][group.name] = group
        self._keep(f"group:{object_type}", group.name, group.as_json())

    def put_pipeline(self, pipeline: Pipeline) -> None:
        """Add or replace a ticket pipeline."""
        self.pipelines[pipeline.id] = pipeline
        stages = [stage.as_json() for stage in pipeline.stages]
        self._keep("pipeline", pipeline.id, pipeline.as_json() | {"stages": stages})

    def put_owners(self, owners: Iterable[Owner]) -> None:
        """Add or replace owners."""
        for owner in owners:
            self.owners[owner.id] = owner
            self._keep("owner", owner.id, owner.as_json())

    def change_settings(self, changes: Mapping[str, Any]) -> PortalSettings:
        """Turn switches; raises SettingError for those that there are not."""
        self.settings = changed(self.settings, changes)
        return self.settings

    def live_pipelines(self) -> dict[str, Pipeline]:
        """The pipelines that are not archived, by id, in display order."""
        ordered = sorted(self.pipelines.values(), key=lambda p: (p.display_order, p.id))
        return {p.id: p for p in ordered if not p.archived}

    def live_properties(self, object_type: str) -> dict[str, Property]:
        """The properties that are not archived, by name."""
        return {name: p for name, p in self.properties[object_type].items() if not p.archived}

    def described(self, object_type: str, definition: Property) -> Property:
        """The property as answers show it: pipeline and stage get their options from the pipelines."""
        if object_type != "tickets" or definition.name not in {"hs_pipeline", "hs_pipeline_stage"}:
            return definition
        pipelines = list(self.live_pipelines().values())
        if definition.name == "hs_pipeline":
            choices = [(p.label, p.id) for p in pipelines]
        else:
            choices = [
                (f"{s.label} ({p.label})", s.id) for p in pipelines for s in p.stages if not s.archived
            ]
        options = tuple(
            Option(label=label, value=value, display_order=number)
            for number, (label, value) in enumerate(choices)
        )
        return replace(definition, options=options)

    def unique_properties(self, object_type: str) -> list[str]:
        """Names of the properties whose values are unique."""
        return [
            name for name, p in self.properties[object_type].items() if p.has_unique_value and not p.archived
        ]

    def checks(self, object_type: str) -> Checks:
        """The compiled checks of an object type's values."""
        if object_type not in self._checks:
            active = frozenset(owner.id for owner in self.owners.values() if not owner.archived)
            self._checks[object_type] = checks_for(object_type, self.properties[object_type].values(), active)
        return self._checks[object_type]
