"""Core: what HubSpot itself does to a ticket when it is written: pipeline, stage, closing."""

from __future__ import annotations

from collections.abc import Mapping

from case_sync_sandbox.hubspot.errors import ValueProblem
from case_sync_sandbox.hubspot.metadata import Pipeline, Stage
from case_sync_sandbox.hubspot.values import parse_datetime

DEFAULT_PIPELINE_ID = "0"


def apply(
    before: Mapping[str, str], changes: dict[str, str], pipelines: Mapping[str, Pipeline], now: str
) -> ValueProblem | None:
    """Complete `changes` in place with what follows from them, or say why the stage doesn't stand.

    `before` is the ticket as it was (empty for a new one), `now` the time in HubSpot's form.
    A new ticket without a pipeline goes to the default one, without a stage to the pipeline's first ("Tickets" guide).
    """
    if before and "hs_pipeline" not in changes and "hs_pipeline_stage" not in changes:
        return None
    pipeline_id = changes.get("hs_pipeline") or before.get("hs_pipeline") or DEFAULT_PIPELINE_ID
    pipeline = pipelines.get(pipeline_id)
    if pipeline is None:
        return _invalid_pipeline(pipeline_id, pipelines)
    stage_id = changes.get("hs_pipeline_stage") or _kept_stage(before, pipeline)
    stage = pipeline.stage(stage_id)
    if stage is None or stage.archived:
        return _invalid_stage(stage_id, pipeline)
    changes["hs_pipeline"], changes["hs_pipeline_stage"] = pipeline_id, stage_id
    changes.update(_closing(before, changes, stage, now))
    return None


def _kept_stage(before: Mapping[str, str], pipeline: Pipeline) -> str:
    """The stage it has, for a ticket that stays in its pipeline; the first one for a newcomer."""
    if before.get("hs_pipeline") == pipeline.id:
        return before["hs_pipeline_stage"]
    return pipeline.stages[0].id if pipeline.stages else ""


def _closing(before: Mapping[str, str], changes: Mapping[str, str], stage: Stage, now: str) -> dict[str, str]:
    """Entering a CLOSED stage sets hs_is_closed, closed_date and time_to_close; leaving it clears them.

    A closed_date in the same write stays (not documented, no referee can confirm it).
    """
    was_closed = before.get("hs_is_closed") == "true"
    if not stage.is_closed:
        cleared = {"closed_date": changes.get("closed_date", ""), "time_to_close": ""} if was_closed else {}
        return {"hs_is_closed": "false", **cleared}
    if was_closed and "closed_date" not in changes:
        return {"hs_is_closed": "true"}
    closed = changes.get("closed_date") or now
    created = changes.get("createdate") or before.get("createdate") or now
    return {
        "hs_is_closed": "true",
        "closed_date": closed,
        "time_to_close": _milliseconds_between(created, closed),
    }


def _milliseconds_between(start: str, end: str) -> str:
    first, last = parse_datetime(start), parse_datetime(end)
    return str(int((last - first).total_seconds() * 1000)) if first and last else ""


def _invalid_pipeline(pipeline_id: str, pipelines: Mapping[str, Pipeline]) -> ValueProblem:
    listing = ", ".join(f"label: {p.label} value: {p.id}" for p in pipelines.values())
    return ValueProblem(
        property_name="hs_pipeline",
        code="INVALID_OPTION",
        message=f"{pipeline_id} was not one of the allowed options: [{listing}]",
    )


def _invalid_stage(stage_id: str, pipeline: Pipeline) -> ValueProblem:
    ids = ", ".join(stage.id for stage in pipeline.stages if not stage.archived)
    return ValueProblem(
        property_name="hs_pipeline_stage",
        code="INVALID_OPTION",
        message=f"{stage_id} is not a valid pipeline stage ID. Valid options are: pipelineId={pipeline.id} : [{ids}]",
    )
