"""Core: edits of the pipelines block: which pipeline a support process goes to, and which stage a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from case_sync_console.both_sides import BothSides, Pipeline, named, near, pipeline_named, stage_named
from case_sync_console.errors import RefusedEditError
from case_sync_console.option_matching import matching_options
from case_sync_console.yaml_splicing import Drop, Put, Splice

DEFAULT = "default"
BY_PROCESS = "BusinessProcess__Name"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineWish:
    """What a support process is to have; None, or no entry, is left as it is. A stage "" takes it away."""

    pipeline: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    closed_stage: str | None = None
    default_stage: str | None = None


def process_named(typed: str, rules: Mapping[str, Any], sides: BothSides) -> str:
    """An active support process, or one that the rules name; "default" stands for cases without one.

    Raises:
        RefusedEditError: S19, there is none; the message lists all.
    """
    known: list[str] = [*sides.processes, *rules["pipelines"], DEFAULT]
    if rules["pipeline_by"] != BY_PROCESS:
        return typed
    wanted = typed.strip().lower()
    found = next((name for name in known if name.lower() == wanted), None)
    if found is None:
        raise RefusedEditError(
            [f"there is no active support process '{typed}'; {near(typed, list(dict.fromkeys(known)))}"]
        )
    return found


def pipeline_set(
    process: str, wish: PipelineWish, rules: Mapping[str, Any], sides: BothSides
) -> tuple[Splice, ...]:
    """S17, S35: the edits that give a process its pipeline and stages.

    Another pipeline has other stages: those of the same name are kept, the rest falls away.

    Raises:
        RefusedEditError: S18, there is no such pipeline, stage or status; each message lists what there is.
    """
    there = rules["pipelines"].get(process)
    if wish.pipeline is None and there is None:
        raise RefusedEditError(
            [f"'{process}' has no pipeline yet: name one of {', '.join(p.label for p in sides.pipelines)}"]
        )
    pipeline = pipeline_named(wish.pipeline or there["pipeline"], sides)
    given = _stages(wish.stages, pipeline, sides)
    others = _other_stages(wish, pipeline)
    base = ("pipelines", process)
    if there is None or not _holds(there, pipeline):
        statuses = sides.statuses_of(process)
        return (Put(path=base, value=_whole(there or {}, pipeline, given, others, statuses)),)
    splices: list[Splice] = []
    if not _is_called(pipeline, there["pipeline"]):
        splices.append(Put(path=(*base, "pipeline"), value=pipeline.label))
    splices += [
        Put(path=(*base, "stages", status), value=stage) if stage else Drop(path=(*base, "stages", status))
        for status, stage in given.items()
    ]
    return (*splices, *(Put(path=(*base, name), value=stage) for name, stage in others.items()))


def never_there(process: str, wish: PipelineWish, sides: BothSides) -> list[str]:
    """Statuses that get a stage though the support process does not allow them: no case has one."""
    allowed = {status.lower() for status in sides.statuses_of(process)}
    return [status for status, stage in wish.stages.items() if stage and status.lower() not in allowed]


def _stages(wanted: Mapping[str, str], pipeline: Pipeline, sides: BothSides) -> dict[str, str]:
    statuses = {status: status for status in sides.statuses}
    return {
        named(status, statuses, "case status") if stage else status: stage and stage_named(stage, pipeline)
        for status, stage in wanted.items()
    }


def _other_stages(wish: PipelineWish, pipeline: Pipeline) -> dict[str, str]:
    wanted = {"closed_stage": wish.closed_stage, "default_stage": wish.default_stage}
    return {name: stage_named(stage, pipeline) for name, stage in wanted.items() if stage}


def _is_called(pipeline: Pipeline, name: str) -> bool:
    return name == pipeline.id or name.lower() == pipeline.label.lower()


def _holds(there: Mapping[str, Any], pipeline: Pipeline) -> bool:
    """Whether all stages that the rules name are in this pipeline: then only its name changes."""
    if _is_called(pipeline, there["pipeline"]):
        return True
    named_stages = [*there["stages"].values(), there["closed_stage"], there["default_stage"]]
    labels = {label.lower() for label in pipeline.stages}
    return all(stage.lower() in labels for stage in named_stages if stage)


def _whole(
    there: Mapping[str, Any],
    pipeline: Pipeline,
    given: Mapping[str, str],
    others: Mapping[str, str],
    statuses: Mapping[str, bool],
) -> dict[str, Any]:
    labels = {label.lower(): label for label in pipeline.stages}
    kept = {status: labels.get(stage.lower()) for status, stage in (there.get("stages") or {}).items()}
    stages = (
        suggested_stages(pipeline, statuses) | {s: stage for s, stage in kept.items() if stage} | dict(given)
    )
    ordered = {status: stages[status] for status in [*statuses, *stages] if stages.get(status)}
    return {"pipeline": pipeline.label} | ({"stages": ordered} if ordered else {}) | dict(others)


def suggested_stages(pipeline: Pipeline, statuses: Iterable[str]) -> dict[str, str]:
    """Status -> the stage of the same name."""
    return matching_options({s: s for s in statuses}, {label: label for label in pipeline.stages})


def suggested_pipeline(process: str, sides: BothSides) -> Pipeline | None:
    """The pipeline that is called as the support process is, with or without the word Process."""
    wanted = matching_options(
        {process: process.removesuffix(" Process")},
        {p.label: p.label.removesuffix(" Pipeline") for p in sides.pipelines},
    )
    return next((p for p in sides.pipelines if p.label == wanted.get(process)), None)


def pipeline_deleted(process: str, rules: Mapping[str, Any]) -> tuple[Splice, ...]:
    """A support process without a rule of its own goes as unmapped_process says.

    Raises:
        RefusedEditError: the rules do not name it.
    """
    if process not in rules["pipelines"]:
        raise RefusedEditError(
            [f"the rules have no pipeline for '{process}'; {near(process, list(rules['pipelines']))}"]
        )
    return (Drop(path=("pipelines", process)),)
