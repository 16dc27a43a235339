"""Core: what has to be there before the first write: every problem at once with what to do, and what can be created.

Sources: HubSpot, properties; pipelines; owners; associations: labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_hubspot_tickets.needs import Needs, announced_stages, property_columns
from target_hubspot_tickets.owners import Owners
from target_hubspot_tickets.portal import Pipeline, Property, UnknownPlaceError, find_pipeline, read_property
from target_hubspot_tickets.ticket_properties import (
    Creation,
    column_problems,
    creatable,
    key_problems,
    listed,
    missing_options,
    option_problems,
    unknown_columns,
)
from target_hubspot_tickets.tickets import PIPELINE, STAGE, Choices

BUILT_IN_LABELS = {"companies": {"primary"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a stream wants of the portal, and what the target may create for it; `columns` None: there is no stream."""

    columns: Mapping[str, Any] | None
    needs: Needs
    choices: Choices
    creation: Creation


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was read of the portal; None, or no entry, is what could not be read, and is not judged.

    Attributes:
        properties: of tickets.
        groups: names of the groups of ticket properties.
        others: properties of the other objects that are looked up.
        labels: of associations, by object, in lower case.
    """

    properties: Mapping[str, Property] | None = None
    pipelines: Sequence[Pipeline] | None = None
    owners: Owners | None = None
    groups: frozenset[str] | None = None
    others: Mapping[str, Mapping[str, Property]] = field(default_factory=dict)
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What preflight came to: problems that forbid the run, else what is to be created.

    Attributes:
        notes: what is good to know.
        group: a group of properties to create.
        create: bodies of properties to create.
        options: property -> values of options to add.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    group: str | None = None
    create: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def created(self) -> dict[str, Property]:
        """The new properties as they will be."""
        return {p.name: p for p in map(read_property, self.create)}

    def changed(self, properties: Mapping[str, Property]) -> dict[str, Property]:
        """The properties with new options as they will be."""
        return {
            name: replace(properties[name], options={**properties[name].options, **{v: v for v in values}})
            for name, values in self.options.items()
        }


def plan(asked: Asked, found: Found) -> Plan:
    """Compare what a stream wants with what the portal has."""
    key = asked.choices.key_property
    columns = {key: {}} if asked.columns is None else asked.columns
    of_properties = Plan() if found.properties is None else _plan_properties(columns, found.properties, asked)
    lacks_group = found.groups is not None and asked.creation.group not in found.groups
    created = [str(body["name"]) for body in of_properties.create]
    return Plan(
        problems=(
            *([] if key in columns else [_no_key_column(key)]),
            *of_properties.problems,
            *_place_problems(columns, found.pipelines),
            *_owner_problems(asked, found.owners),
            *_association_problems(asked.needs, found, created),
        ),
        notes=of_properties.notes,
        group=asked.creation.group if created and lacks_group else None,
        create=of_properties.create,
        options=of_properties.options,
    )


def _plan_properties(columns: Mapping[str, Any], properties: Mapping[str, Property], asked: Asked) -> Plan:
    key, creation = asked.choices.key_property, asked.creation
    create = creatable(columns, key, properties, creation)
    created = {str(body["name"]) for body in create}
    unknown = [n for n in property_columns(columns) if n not in properties and n not in created and n != key]
    ignores = asked.choices.unknown_columns == "ignore"
    missing = dict(missing_options(columns, properties))
    addable = {n: o for n, o in missing.items() if creation.options and properties[n].takes_options}
    problems = [
        *(key_problems(key, properties, created) if key in columns else ()),
        *([unknown_columns(unknown, properties)] if unknown and not ignores else []),
        *column_problems(columns, properties),
        *option_problems({n: o for n, o in missing.items() if n not in addable}, properties),
    ]
    notes = (
        [f"columns that are no ticket properties are ignored: {listed(unknown)}"]
        if unknown and ignores
        else []
    )
    return Plan(problems=tuple(problems), notes=tuple(notes), create=tuple(create), options=addable)


def _no_key_column(key: str) -> str:
    return f"the stream has no column '{key}': set key_property to the column that tells records apart"


def _place_problems(columns: Mapping[str, Any], pipelines: Sequence[Pipeline] | None) -> Iterator[str]:
    """What is wrong with the pipelines and stages that the stream's schema announces; a stream need not announce any."""
    present = [name for name in (PIPELINE, STAGE) if name in columns]
    if len(present) == 1:
        other = STAGE if present == [PIPELINE] else PIPELINE
        yield f"the stream has the column {present[0]} without {other}: a stage belongs to one pipeline, so send both or none"
    for name, stages in announced_stages(columns).items() if pipelines is not None else ():
        try:
            pipeline = find_pipeline(pipelines or (), name)
        except UnknownPlaceError as error:
            yield str(error)
            continue
        for stage in stages:
            try:
                pipeline.stage_id(stage)
            except UnknownPlaceError as error:
                yield str(error)


def _owner_problems(asked: Asked, owners: Owners | None) -> Iterator[str]:
    choices = asked.choices
    if owners is None or choices.unknown_owner != "default" or not asked.needs.owners:
        return
    if not choices.default_owner or owners.find(choices.default_owner) is None:
        yield "default_owner is no active owner of this HubSpot account: give the e-mail or the owner id of one (not the user id)"


def _association_problems(needs: Needs, found: Found, created: Sequence[str]) -> Iterator[str]:
    for name in needs.unknown_objects:
        yield f"the stream associates tickets with '{name}'; this target knows company, contact and ticket: take it out of the stream"
    for name, wanted in needs.lookups.items():
        known = found.properties if name == "tickets" else found.others.get(name)
        if known is None:
            continue
        missing = [by for by in wanted if by not in known and not (name == "tickets" and by in created)]
        if missing:
            yield (
                f"HubSpot has no property {listed(missing)} of {name}, by which the stream looks them up: create it (HubSpot's Salesforce integration "
                "creates its own), match by another property, or switch the association off"
            )
    for name, labels in needs.labels.items():
        there = found.labels.get(name)
        if there is None:
            continue
        known_labels = there | BUILT_IN_LABELS.get(name, set())
        missing = [label for label in labels if label.lower() not in known_labels]
        if missing:
            yield f"associations of tickets with {name} have no label {listed(missing)}: create it in HubSpot, or take it out of the rules"
