"""Shell: the calls on ticket pipelines and their stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from case_sync_sandbox.hubspot.answer_batches import object_type_of
from case_sync_sandbox.hubspot.errors import HubSpotError, not_found, validation_error
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.metadata import Pipeline, Stage, pipeline_from_json, stage_from_json

MAX_STAGES = 100  # "Pipelines": stages per ticket pipeline
TICKET_STATES = {"OPEN", "CLOSED"}


def _tickets_only(call: Call) -> None:
    if object_type_of(call) != "tickets":
        raise validation_error(f"Object type {call.path['object_type']} does not support pipelines")


def _find(call: Call) -> Pipeline:
    _tickets_only(call)
    pipeline = call.hub.portal.live_pipelines().get(call.path["pipeline_id"])
    if pipeline is None:
        raise not_found(f"Pipeline {call.path['pipeline_id']} does not exist")
    return pipeline


def _find_stage(call: Call) -> Stage:
    stage = _find(call).stage(call.path["stage_id"])
    if stage is None or stage.archived:
        raise not_found(f"Pipeline stage {call.path['stage_id']} does not exist")
    return stage


def list_pipelines(call: Call) -> Answer:
    """GET all, no paging. Contacts and companies have none in the sandbox."""
    if object_type_of(call) != "tickets":
        return Answer(body={"results": []})
    return Answer(body={"results": [p.as_json() for p in call.hub.portal.live_pipelines().values()]})


def read(call: Call) -> Answer:
    """GET one."""
    return Answer(body=_find(call).as_json())


def create(call: Call) -> Answer:
    """POST one with its stages; ids are made unless the body names them."""
    _tickets_only(call)
    body = _checked(call.body, "label", "stages")
    for stage in body["stages"]:
        _check_stage(stage)
    made = pipeline_from_json(body, pipeline_id=_new_id(call))
    if made.id in call.hub.portal.pipelines or any(
        p.label == made.label for p in call.hub.portal.live_pipelines().values()
    ):
        raise HubSpotError(
            status=409,
            category="OBJECT_ALREADY_EXISTS",
            message=f"A pipeline {made.label} ({made.id}) already exists",
        )
    pipeline = _stamped(call, made)
    _check_size(pipeline)
    call.hub.portal.put_pipeline(pipeline)
    return Answer(body=pipeline.as_json(), status=201)


def _stamped(call: Call, pipeline: Pipeline) -> Pipeline:
    now = call.hub.now()
    stages = tuple(replace(stage, created_at=now, updated_at=now) for stage in pipeline.stages)
    return replace(pipeline, stages=stages, created_at=now, updated_at=now)


def _new_id(call: Call) -> str:
    """Portal-made pipelines have long numeric ids."""
    ids = [int(p.id) for p in call.hub.portal.pipelines.values() if p.id.isdigit()]
    return str(max([700_000_000, *ids]) + 1)


def _checked(body: Mapping[str, Any], *required: str) -> Mapping[str, Any]:
    if absent := [name for name in required if body.get(name) is None]:
        raise validation_error(f"Some required fields were not set: [{', '.join(absent)}]")
    return body


def _check_stage(body: Mapping[str, Any]) -> None:
    _checked(body, "label")
    state = (body.get("metadata") or {}).get("ticketState", "OPEN")
    if str(state).upper() not in TICKET_STATES:
        raise validation_error(f"ticketState must be OPEN or CLOSED, not {state}", ticketState=[str(state)])


def _check_size(pipeline: Pipeline) -> None:
    if len([stage for stage in pipeline.stages if not stage.archived]) > MAX_STAGES:
        raise validation_error(f"A pipeline can have at most {MAX_STAGES} stages")


def update(call: Call) -> Answer:
    """PATCH label and order; stages have calls of their own."""
    pipeline = _find(call)
    body = call.body
    changed = replace(
        pipeline,
        label=body.get("label", pipeline.label),
        display_order=body.get("displayOrder", pipeline.display_order),
        updated_at=call.hub.now(),
    )
    call.hub.portal.put_pipeline(changed)
    return Answer(body=changed.as_json())


def delete(call: Call) -> Answer:
    """DELETE one; with validateReferencesBeforeDelete a pipeline in use stays. The default one stays always."""
    pipeline = _find(call)
    if pipeline.id == "0":
        raise validation_error("The default pipeline can't be deleted")
    if call.query.get("validateReferencesBeforeDelete") == "true":
        _refuse_in_use(call, "hs_pipeline", pipeline.id)
    call.hub.portal.put_pipeline(replace(pipeline, archived=True, updated_at=call.hub.now()))
    return Answer(status=204)


def _refuse_in_use(call: Call, name: str, value: str) -> None:
    with call.hub.database.reading() as connection:
        row = connection.execute(
            "SELECT id FROM tickets WHERE archived = 0 AND json_extract(properties, '$.' || ?) = ? LIMIT 1",
            (name, value),
        ).fetchone()
    if row:
        raise validation_error(f"{value} can't be deleted: tickets refer to it", referencedBy=[str(row[0])])


def list_stages(call: Call) -> Answer:
    """GET the stages of one."""
    return Answer(body={"results": [stage.as_json() for stage in _find(call).stages if not stage.archived]})


def read_stage(call: Call) -> Answer:
    """GET one stage."""
    return Answer(body=_find_stage(call).as_json())


def create_stage(call: Call) -> Answer:
    """POST one stage."""
    pipeline = _find(call)
    body = _checked(call.body, "label")
    _check_stage(body)
    now = call.hub.now()
    stage = replace(
        stage_from_json(body, stage_id=f"{pipeline.id}{len(pipeline.stages) + 1:02d}"),
        created_at=now,
        updated_at=now,
    )
    if any(stage.id == known.id for p in call.hub.portal.pipelines.values() for known in p.stages):
        raise HubSpotError(
            status=409, category="OBJECT_ALREADY_EXISTS", message=f"A stage {stage.id} already exists"
        )
    _keep_stage(call, pipeline, stage)
    return Answer(body=stage.as_json(), status=201)


def _keep_stage(call: Call, pipeline: Pipeline, stage: Stage) -> None:
    others = [known for known in pipeline.stages if known.id != stage.id]
    changed = replace(pipeline, stages=tuple(sorted([*others, stage], key=lambda one: one.display_order)))
    _check_size(changed)
    call.hub.portal.put_pipeline(changed)


def update_stage(call: Call) -> Answer:
    """PATCH (or PUT) one stage."""
    stage = _find_stage(call)
    body = call.body
    _check_stage({"label": stage.label, **body})
    state = (body.get("metadata") or {}).get("ticketState", stage.ticket_state)
    changed = replace(
        stage,
        label=body.get("label", stage.label),
        display_order=body.get("displayOrder", stage.display_order),
        ticket_state=str(state).upper(),
        updated_at=call.hub.now(),
    )
    _keep_stage(call, _find(call), changed)
    return Answer(body=changed.as_json())


def delete_stage(call: Call) -> Answer:
    """DELETE one stage; with validateReferencesBeforeDelete one in use stays."""
    stage = _find_stage(call)
    if call.query.get("validateReferencesBeforeDelete") == "true":
        _refuse_in_use(call, "hs_pipeline_stage", stage.id)
    _keep_stage(call, _find(call), replace(stage, archived=True))
    return Answer(status=204)
