"""Core: what setup suggests: same labels whose types fit, pipelines and stages that are called as their process and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from case_sync_console.both_sides import BothSides, Pipeline
from case_sync_console.errors import RefusedEditError
from case_sync_console.mapping_edits import Known, Wish, rule_for
from case_sync_console.pipeline_edits import BY_PROCESS, DEFAULT, suggested_pipeline
from case_sync_console.preview import BY_PIPELINES
from case_sync_console.yaml_splicing import Drop, Splice


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A mapping that could be added."""

    property: str
    field: str


def suggested_mappings(known: Known) -> tuple[Suggestion, ...]:
    """Free ticket properties that have the name or label of a Case field that fits and goes nowhere yet."""
    taken = {one["property"] for one in known.rules["fields"]} | set(known.rules["switched_off"])
    used = {column for one in known.rules["fields"] for column in one["from"]}
    found = []
    for name, fitting in known.fit["properties"].items():
        fields = [f for f in fitting["same_label"] if f not in used]
        if name not in taken and fields and _works(name, fields[0], known):
            found.append(Suggestion(property=name, field=fields[0]))
    return tuple(found)


def _works(name: str, field: str, known: Known) -> bool:
    """Whether it can be written: of a picklist at least one value needs an option of its name."""
    try:
        rule_for(name, Wish(source=field), known)
    except RefusedEditError:
        return False
    return True


def missing_required(known: Known) -> tuple[str, ...]:
    """Required properties without a mapping."""
    mapped = {one["property"] for one in known.rules["fields"]}
    return tuple(name for name in known.sides.required if name not in mapped and name not in BY_PIPELINES)


def suggested_field(name: str, known: Known) -> str | None:
    """For a required property: the field of the same label, if there is one."""
    same = known.fit["properties"].get(name, {}).get("same_label") or ()
    return next(iter(same), None)


def processes_to_map(rules: Mapping[str, Any], sides: BothSides) -> list[str]:
    """Every active support process, and cases without one; for another column, those that the rules name."""
    if rules["pipeline_by"] != BY_PROCESS:
        return list(rules["pipelines"])
    return [*sides.processes, DEFAULT]


def unknown_processes(rules: Mapping[str, Any], sides: BothSides) -> list[str]:
    """Those that the rules name and the org does not have."""
    if rules["pipeline_by"] != BY_PROCESS:
        return []
    return [name for name in rules["pipelines"] if name != DEFAULT and name not in sides.processes]


def current_pipeline(process: str, rules: Mapping[str, Any], sides: BothSides) -> Pipeline | None:
    """The pipeline that the rules give it, if HubSpot has it."""
    wanted = str((rules["pipelines"].get(process) or {}).get("pipeline", ""))
    return next((p for p in sides.pipelines if wanted == p.id or wanted.lower() == p.label.lower()), None)


def pipeline_to_offer(process: str, rules: Mapping[str, Any], sides: BothSides) -> Pipeline | None:
    """The current one, else the one of the same name, else the first."""
    found = current_pipeline(process, rules, sides) or suggested_pipeline(process, sides)
    return found or next(iter(sides.pipelines), None)


def stale_statuses(process: str, rules: Mapping[str, Any], sides: BothSides) -> tuple[Splice, ...]:
    """Takes away statuses that the org does not have, and stages that the pipeline does not have."""
    pipeline = current_pipeline(process, rules, sides)
    if pipeline is None:
        return ()
    labels = {label.lower() for label in pipeline.stages}
    rule = rules["pipelines"][process]
    stale = [
        s for s, stage in rule["stages"].items() if s not in sides.statuses or stage.lower() not in labels
    ]
    others = [
        name for name in ("closed_stage", "default_stage") if rule[name] and rule[name].lower() not in labels
    ]
    return (
        *(Drop(path=("pipelines", process, "stages", status)) for status in stale),
        *(Drop(path=("pipelines", process, name)) for name in others),
    )


def statuses_without_stage(process: str, rules: Mapping[str, Any], sides: BothSides) -> list[str]:
    """Open statuses that no stage is named for, and closed ones where the pipeline has no closed stage."""
    pipeline = current_pipeline(process, rules, sides)
    rule = rules["pipelines"].get(process) or {"stages": {}, "closed_stage": None}
    closes = bool(pipeline and any(pipeline.stages.values())) or rule["closed_stage"]
    return [
        s
        for s, is_closed in sides.statuses_of(process).items()
        if s not in rule["stages"] and not (is_closed and closes)
    ]
