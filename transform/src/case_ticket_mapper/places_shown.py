"""Core: where the cases of each support process and status go, by the function that a run uses; for programs, as JSON."""

from __future__ import annotations

from typing import Any

from case_ticket_mapper.metadata import Metadata, TicketPipeline
from case_ticket_mapper.rules import CLOSED_STAGE, DEFAULT, Rules
from case_ticket_mapper.ticket import RejectedError, Skipped, place_of

BY_PROCESS = "BusinessProcess__Name"
# What becomes of a case: it gets a stage, is put on record as rejected, is left out, or HubSpot has no such stage.
STAGE, REJECTED, SKIPPED, NO_SUCH_STAGE = "stage", "rejected", "skipped", "no_such_stage"


def places(rules: Rules, known: Metadata) -> list[dict[str, Any]]:
    """Each active support process, and the cases without one (null), with each status; what is not known is left out."""
    return [
        {
            "process": name,
            "has_rule": (DEFAULT if name is None else name) in rules.pipelines,
            "statuses": [_status(name, status, rules, known) for status in _statuses(name, rules, known)],
        }
        for name in [*_processes(rules, known), None]
    ]


def _processes(rules: Rules, known: Metadata) -> list[str]:
    """Of another column than the support process the values are not known: those that the rules name."""
    if rules.pipeline_by != BY_PROCESS or known.processes is None:
        return [name for name in rules.pipelines if name != DEFAULT]
    return [name for name in known.processes if name not in known.retired]


def _statuses(process: str | None, rules: Rules, known: Metadata) -> tuple[str, ...]:
    return known.statuses_of(process if rules.pipeline_by == BY_PROCESS else None)


def _status(process: str | None, status: str, rules: Rules, known: Metadata) -> dict[str, Any]:
    is_closed = (known.statuses or {}).get(status, False)
    rule = rules.pipelines.get(DEFAULT if process is None else process)
    told: dict[str, Any] = {
        "status": status,
        "is_closed": is_closed,
        "has_rule": rule is not None and status in rule.stages,
        "pipeline": None,
        "stage": None,
    }
    case = {rules.pipeline_by: process, "Status": status, "CaseStatus__IsClosed": is_closed}
    try:
        found = place_of(rules, case)
    except RejectedError as error:
        return told | {"becomes": REJECTED, "reason": error.message}
    if isinstance(found, Skipped):
        return told | {"becomes": SKIPPED, "reason": found.reason}
    return told | _in_portal(found["hs_pipeline"], found["hs_pipeline_stage"], known)


def _in_portal(pipeline: str, stage: str, known: Metadata) -> dict[str, Any]:
    """The names that HubSpot shows."""
    there = next((p for p in known.pipelines or () if p.is_called(pipeline)), None)
    if there is None:
        is_known = known.pipelines is not None
        return {"becomes": NO_SUCH_STAGE if is_known else STAGE, "pipeline": pipeline, "stage": stage}
    label = _stage_label(there, stage)
    return {
        "becomes": STAGE if label else NO_SUCH_STAGE,
        "pipeline": there.label,
        "stage": label or stage,
    }


def _stage_label(pipeline: TicketPipeline, stage: str) -> str | None:
    if stage == CLOSED_STAGE:
        return next((s for s in pipeline.stage_labels if pipeline.stages[s.lower()]), None)
    by_label = {label.lower(): label for label in pipeline.stage_labels}
    return by_label.get(stage.lower()) or (stage if stage in pipeline.stages else None)
