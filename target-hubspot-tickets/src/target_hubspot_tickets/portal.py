"""Core: what the target knows of a portal: its ticket properties, pipelines and owners, as HubSpot lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# A stage's name in the stream that stands for the first one of the pipeline whose ticketState is CLOSED.
CLOSED_STAGE = "@closed"


class UnknownPlaceError(Exception):
    """No pipeline or stage of this name: correct the rule, or make it in HubSpot. The text says what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property: whether it can be written, and whether its values are unique."""

    name: str
    type: str
    is_read_only: bool
    is_unique: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A ticket pipeline; `stages` by id, by label in lower case, and @closed -> id."""

    id: str
    label: str
    stages: Mapping[str, str]
    stage_labels: tuple[str, ...]

    def stage_id(self, name: str) -> str:
        """The id of a stage by id, label or @closed.

        Raises:
            UnknownPlaceError: the pipeline has no such stage.
        """
        found = self.stages.get(name) or self.stages.get(name.lower())
        if found is None:
            raise UnknownPlaceError(
                f"the pipeline '{self.label}' has no stage '{name}'; it has {_listed(self.stage_labels)}"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal at the start of a run. `pipelines` by id and by label in lower case, `owners` by e-mail in lower case."""

    properties: Mapping[str, Property]
    pipelines: Mapping[str, Pipeline]
    owners: Mapping[str, str] = field(default_factory=dict)


def find_pipeline(pipelines: Mapping[str, Pipeline], name: str) -> Pipeline:
    """The pipeline with this id or label.

    Raises:
        UnknownPlaceError: there is none.
    """
    found = pipelines.get(name) or pipelines.get(name.lower())
    if found is None:
        labels = sorted({p.label for p in pipelines.values()})
        raise UnknownPlaceError(f"HubSpot has no ticket pipeline '{name}'; it has {_listed(labels)}")
    return found


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"'{label}'" for label in labels)


def read_properties(body: Mapping[str, Any]) -> dict[str, Property]:
    """The properties of a list answer, by name."""
    found = (
        Property(
            name=p["name"],
            type=p.get("type", "string"),
            is_read_only=bool(
                p.get("calculated") or (p.get("modificationMetadata") or {}).get("readOnlyValue")
            ),
            is_unique=bool(p.get("hasUniqueValue")),
        )
        for p in body["results"]
        if not p.get("archived")
    )
    return {p.name: p for p in found}


def read_pipelines(body: Mapping[str, Any]) -> dict[str, Pipeline]:
    """The pipelines of a list answer, by id and by label: an id wins over a label that looks like it."""
    pipelines = [_pipeline(p) for p in body["results"] if not p.get("archived")]
    by_label = {p.label.lower(): p for p in pipelines}
    return by_label | {p.id: p for p in pipelines}


def _pipeline(body: Mapping[str, Any]) -> Pipeline:
    stages: Sequence[Mapping[str, Any]] = [s for s in body["stages"] if not s.get("archived")]
    by_name = {str(s["label"]).lower(): str(s["id"]) for s in stages} | {
        str(s["id"]): str(s["id"]) for s in stages
    }
    closed = [
        str(s["id"]) for s in stages if str((s.get("metadata") or {}).get("ticketState")).upper() == "CLOSED"
    ]
    return Pipeline(
        id=str(body["id"]),
        label=str(body["label"]),
        stages=by_name | ({CLOSED_STAGE: closed[0]} if closed else {}),
        stage_labels=tuple(str(s["label"]) for s in stages),
    )


def read_owners(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """E-mail in lower case -> owner id (not user id) of the active owners."""
    return {
        str(o["email"]).lower(): str(o["id"]) for o in results if o.get("email") and not o.get("archived")
    }
