"""Core: one case to what goes out for it: a ticket, a tombstone, a rejection, or nothing.

No clock and no chance: the same case and rules give the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from case_ticket_mapper.conversions import CONVERSIONS, Conversion, UnconvertibleError, option
from case_ticket_mapper.rules import KEY, AssociationRule, FieldRule, PipelineRule, Rules
from case_ticket_mapper.rules_reading import template_columns

Case = Mapping[str, Any]
Record = dict[str, Any]
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An upsert for the stream `tickets`."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A deletion for the stream `tickets`: the key and the version, nothing that could blank a property."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A case that the rules can't map, for the stream `rejected_cases`. It holds no values."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The rules send nothing for this case; `reason` counts in the summary."""

    reason: str


Outcome = Ticket | Tombstone | Rejection | Skipped


class _RejectedError(Exception):
    def __init__(self, code: str, column: str, message: str) -> None:
        super().__init__(message)
        self.code, self.column, self.message = code, column, message


@dataclass(slots=True)
class TicketMaker:
    """Rules made ready once for many cases.

    Attributes:
        left_out: property -> how often its value could not be converted and was left out.
    """

    rules: Rules
    left_out: Counter[str] = field(default_factory=Counter)
    _converters: list[tuple[FieldRule, Conversion, list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for rule in self.rules.fields:
            convert = option(rule.options) if rule.convert == "option" else CONVERSIONS[rule.convert]
            self._converters.append((rule, convert, template_columns(rule.template)))

    def make(self, case: Case) -> Outcome:
        """What goes out for a case."""
        if case.get("_sdc_deleted_at"):
            return self._deleted(case)
        try:
            place = self._place(case)
        except _RejectedError as error:
            return rejection(case, error.code, error.column, error.message)
        if isinstance(place, Skipped):
            return place
        record = {KEY: case["Id"], **self._fields(case), **place}
        record["salesforce_org_id"] = case.get("_sf_organization_id")
        record["salesforce_system_modstamp"] = case.get("SystemModstamp")
        record["associations"] = [a for rule in self.rules.associations if (a := association(rule, case))]
        return Ticket(record=record)

    def _deleted(self, case: Case) -> Outcome:
        if self.rules.on_case_deleted == "do_nothing":
            return Skipped(reason="deleted in Salesforce, ticket kept by on_case_deleted")
        return Tombstone(
            record={
                KEY: case["Id"],
                "_sdc_deleted_at": case["_sdc_deleted_at"],
                "salesforce_org_id": case.get("_sf_organization_id"),
                "salesforce_system_modstamp": case.get("SystemModstamp"),
            }
        )

    def _fields(self, case: Case) -> Record:
        record: Record = {}
        for rule, convert, columns in self._converters:
            value = rule.constant if rule.source is None else case.get(rule.source)
            if value is None and rule.template:
                record[rule.property] = rule.template.format_map(
                    {name: shown(case.get(name)) for name in columns}
                )
                continue
            try:
                record[rule.property] = None if value is None else convert(value)
            except UnconvertibleError:
                self.left_out[rule.property] += 1
        if not record.get("subject"):
            record["subject"] = f"Case {shown(case.get('CaseNumber')) or case['Id']}"
        return record

    def _place(self, case: Case) -> Record | Skipped:
        """Pipeline and stage, always both: a stage belongs to one pipeline."""
        process = case.get(self.rules.pipeline_by)
        named = self.rules.pipelines.get(process) if process is not None else None
        pipeline = named or self._without_process(process)
        if isinstance(pipeline, Skipped):
            return pipeline
        stage = stage_of(pipeline, case)
        if stage is None:
            return self._without_stage(pipeline)
        return {"hs_pipeline": pipeline.pipeline, "hs_pipeline_stage": stage}

    def _without_process(self, process: Any) -> PipelineRule | Skipped:
        default = self.rules.pipelines.get(DEFAULT)
        if default is not None and (process is None or self.rules.unmapped_process == "default_stage"):
            return default
        if self.rules.unmapped_process == "skip":
            return Skipped(reason="no pipeline for its support process")
        raise _RejectedError(
            "UNMAPPED_PROCESS",
            self.rules.pipeline_by,
            "no pipeline for this support process: add it to rules.pipelines",
        )

    def _without_stage(self, pipeline: PipelineRule) -> Record | Skipped:
        if self.rules.unmapped_status == "default_stage" and pipeline.default_stage:
            return {"hs_pipeline": pipeline.pipeline, "hs_pipeline_stage": pipeline.default_stage}
        if self.rules.unmapped_status == "skip":
            return Skipped(reason="no stage for its status")
        raise _RejectedError(
            "UNMAPPED_STATUS",
            "Status",
            f"no stage of pipeline '{pipeline.pipeline}' for this status: add it to rules.pipelines",
        )


def stage_of(pipeline: PipelineRule, case: Case) -> str | None:
    """The table's stage for the status; else, for a closed case, the closed stage."""
    stage = pipeline.stages.get(case.get("Status") or "")
    if stage is None and (case.get("CaseStatus__IsClosed") or case.get("IsClosed")):
        return pipeline.closed_stage
    return stage


def association(rule: AssociationRule, case: Case) -> Record | None:
    """How to find the other record: the first way that the case has a value for, and those after it."""
    ways = [
        {"by": m.by, "value": value}
        for m in rule.matches
        if (value := match_value(case.get(m.source), CONVERSIONS[m.convert]))
    ]
    if not ways:
        return None
    first, *others = ways
    found: Record = {"to": rule.to, **first, "label": rule.label}
    return found | ({"otherwise": others} if others else {})


def match_value(value: Any, convert: Conversion) -> str | None:
    try:
        return None if value is None else str(convert(value) or "") or None
    except UnconvertibleError:
        return None


def rejection(case: Case, code: str, column: str, message: str) -> Rejection:
    return Rejection(
        record={
            KEY: case["Id"],
            "code": code,
            "field": column,
            "message": message,
            "salesforce_org_id": case.get("_sf_organization_id"),
            "salesforce_system_modstamp": case.get("SystemModstamp"),
            "rejected_by": "mapper",
        }
    )


def shown(value: Any) -> str:
    """A value inside a text; nothing for an empty one."""
    return "" if value is None else str(value)
