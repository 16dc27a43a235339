"""Core: what the target knows of a portal: its properties, options and ticket pipelines, as HubSpot lists them.

Sources: HubSpot, properties; pipelines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from target_hubspot_tickets.errors import reading
from target_hubspot_tickets.owners import Owners

# A stage's name in the stream that stands for the first one of the pipeline whose ticketState is CLOSED.
CLOSED_STAGE = "@closed"
_REMEDY = "correct the mapping, or create it in HubSpot"


class UnknownPlaceError(Exception):
    """No pipeline or stage of this name, or several: correct the rule, or make it in HubSpot. The text says what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of an object.

    Attributes:
        is_multiple: several options can be chosen (checkboxes).
        is_hubspots: HubSpot's own, which does not count to the portal's limits.
        options: value -> label, in HubSpot's order; hidden ones are among them, since they are valid values.
        has_options_elsewhere: its values are no options but owners or the like.
        takes_options: options can be added.
    """

    name: str
    type: str
    label: str = ""
    field_type: str = ""
    is_read_only: bool = False
    is_unique: bool = False
    is_multiple: bool = False
    is_hubspots: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    has_options_elsewhere: bool = False
    takes_options: bool = True

    @property
    def has_known_options(self) -> bool:
        """Whether `options` tells which values are valid; of HubSpot's own properties some list none and take values."""
        is_listed = bool(self.options) or not self.is_hubspots
        return self.type == "enumeration" and is_listed and not self.has_options_elsewhere

    def spellings(self) -> dict[str, str]:
        """Every way to write an option -> its value; in lower case the values, then the labels, where they are clear.

        A value as it stands wins over another's in lower case, and that over a label.
        """
        clear = _clear((label.lower(), value) for value, label in self.options.items())
        clear |= _clear((value.lower(), value) for value in self.options)
        return clear | {value: value for value in self.options}


def _clear(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Pairs whose first part stands once; what could mean two options means none."""
    listed = list(pairs)
    times = Counter(spelling for spelling, _ in listed)
    return {spelling: value for spelling, value in listed if times[spelling] == 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a pipeline."""

    id: str
    label: str
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A ticket pipeline; stages in HubSpot's order."""

    id: str
    label: str
    stages: tuple[Stage, ...]

    def stage_id(self, name: str) -> str:
        """The id of a stage by id, label or @closed.

        Raises:
            UnknownPlaceError: the pipeline has no such stage, or several.
        """
        if name == CLOSED_STAGE:
            closed = next((stage.id for stage in self.stages if stage.is_closed), None)
            if closed is None:
                raise UnknownPlaceError(
                    f"the pipeline '{self.label}' has no closed stage; name the stage to take"
                )
            return closed
        found = _named(self.stages, name)
        if not found:
            raise UnknownPlaceError(
                f"the pipeline '{self.label}' has no stage '{name}'; it has {_listed(self.stages)}: {_REMEDY}"
            )
        if len(found) > 1:
            raise UnknownPlaceError(
                f"the pipeline '{self.label}' has several stages '{name}': name one by its id ({_ids(found)})"
            )
        return found[0].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal at the start of a run: the properties of tickets by name, their pipelines, and who can own one."""

    properties: Mapping[str, Property]
    pipelines: Sequence[Pipeline]
    owners: Owners = field(default_factory=Owners)


def find_pipeline(pipelines: Sequence[Pipeline], name: str) -> Pipeline:
    """The pipeline with this id or label.

    Raises:
        UnknownPlaceError: there is none, or there are several.
    """
    found = _named(pipelines, name)
    if not found:
        raise UnknownPlaceError(
            f"HubSpot has no ticket pipeline '{name}'; it has {_listed(pipelines)}: {_REMEDY}"
        )
    if len(found) > 1:
        raise UnknownPlaceError(
            f"HubSpot has several ticket pipelines '{name}': name one by its id ({_ids(found)})"
        )
    return found[0]


Named = TypeVar("Named", Pipeline, Stage)


def _named(those: Sequence[Named], name: str) -> list[Named]:
    """By id; else by label, and only then by label whatever its letters."""
    ways = (
        [one for one in those if one.id == name],
        [one for one in those if one.label == name],
        [one for one in those if one.label.lower() == name.strip().lower()],
    )
    return next((found for found in ways if found), [])


def _listed(those: Sequence[Pipeline] | Sequence[Stage]) -> str:
    return ", ".join(f"'{one.label}'" for one in those)


def _ids(those: Sequence[Pipeline] | Sequence[Stage]) -> str:
    return ", ".join(f"'{one.id}'" for one in those)


@reading("properties")
def read_properties(body: Mapping[str, Any]) -> dict[str, Property]:
    """The properties of a list answer, by name."""
    found = [read_property(p) for p in body["results"] if not p.get("archived")]
    return {p.name: p for p in found}


@reading("a property")
def read_property(body: Mapping[str, Any]) -> Property:
    """One property; HubSpot's schema lets most members be absent."""
    marks = body.get("modificationMetadata") or {}
    name = str(body["name"])
    is_elsewhere = bool(body.get("externalOptions") or body.get("referencedObjectType"))
    return Property(
        name=name,
        type=str(body.get("type") or "string"),
        label=str(body.get("label") or name),
        field_type=str(body.get("fieldType") or ""),
        is_read_only=bool(body.get("calculated") or marks.get("readOnlyValue")),
        is_unique=bool(body.get("hasUniqueValue")),
        is_multiple=body.get("fieldType") == "checkbox",
        is_hubspots=bool(body.get("hubspotDefined")) or name.startswith("hs_"),
        options={str(o["value"]): str(o.get("label") or o["value"]) for o in body.get("options") or ()},
        has_options_elsewhere=is_elsewhere,
        takes_options=not (is_elsewhere or marks.get("readOnlyOptions")),
    )


@reading("ticket pipelines")
def read_pipelines(body: Mapping[str, Any]) -> tuple[Pipeline, ...]:
    """The pipelines of a list answer, without archived ones."""
    return tuple(
        Pipeline(
            id=str(p["id"]),
            label=str(p["label"]),
            stages=tuple(_stage(s) for s in p.get("stages") or () if not s.get("archived")),
        )
        for p in body["results"]
        if not p.get("archived")
    )


def _stage(body: Mapping[str, Any]) -> Stage:
    state = str((body.get("metadata") or {}).get("ticketState")).upper()
    return Stage(id=str(body["id"]), label=str(body["label"]), is_closed=state == "CLOSED")
