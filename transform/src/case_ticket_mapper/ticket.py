"""Core: one case to what goes out for it: a ticket, a tombstone, a rejection, or nothing.

No clock and no chance: the same case and rules give the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from case_ticket_mapper.conversions import CONVERSIONS, Conversion, UnconvertibleError, conversion_of
from case_ticket_mapper.filtering import fits
from case_ticket_mapper.rules import DEFAULT, KEY, AssociationRule, FieldRule, PipelineRule, Rules
from case_ticket_mapper.rules_reading import template_columns

LONG_AGO = "1970-01-01T00:00:00.000Z"  # a tombstone has to have a moment
Case = Mapping[str, Any]
Record = dict[str, Any]


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


class RejectedError(Exception):
    """The rules have no answer for this value, or say to reject it."""

    def __init__(self, code: str, column: str, message: str) -> None:
        super().__init__(message)
        self.code, self.column, self.message = code, column, message


class Nothing(Enum):
    """What a field mapping gives instead of a value."""

    KEPT = "empty, and the property is left alone"
    LEFT_OUT = "unknown, and left out"


Producer = Callable[[Case], Any]


@dataclass(slots=True)
class TicketMaker:
    """Rules made ready once for many cases.

    Attributes:
        left_out: property -> how often its value could not be converted and was left out.
    """

    rules: Rules
    left_out: Counter[str] = field(default_factory=Counter)
    _plain: dict[str, str] = field(default_factory=dict)
    _producers: list[tuple[str, Producer]] = field(default_factory=list)
    _finders: list[Callable[[Case], Record | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for rule in self.rules.fields:
            if is_plain(rule):
                self._plain[rule.property] = rule.sources[0]
            else:
                self._producers.append((rule.property, producer(rule)))
        self._finders = [finder(rule) for rule in self.rules.associations]

    def make(self, case: Case) -> Outcome:
        """What goes out for a case."""
        if case.get("_sdc_deleted_at"):
            return self._deleted(case)
        if self.rules.filter is not None and not fits(self.rules.filter, case):
            return self._unfit(case, deletes=self.rules.filter.deletes)
        try:
            place = place_of(self.rules, case)
            if isinstance(place, Skipped):
                return place
            record = self._fields(case)
        except RejectedError as error:
            return rejection(case, error.code, error.column, error.message)
        record |= place
        record["salesforce_org_id"] = case.get("_sf_organization_id")
        record["salesforce_system_modstamp"] = case.get("SystemModstamp")
        record["associations"] = [found for find in self._finders if (found := find(case)) is not None]
        return Ticket(record=record)

    def _deleted(self, case: Case) -> Outcome:
        merged = case.get("_sf_delete_kind") == "merged" and self.rules.on_case_merged == "follow_merge"
        if self.rules.on_case_deleted == "do_nothing" and not merged:
            return Skipped(reason="deleted in Salesforce, ticket kept by on_case_deleted")
        return tombstone(case, case["_sdc_deleted_at"])

    def _unfit(self, case: Case, *, deletes: bool) -> Outcome:
        """The moment of its last change stands for that of leaving the filter: no clock."""
        return (
            tombstone(case, case.get("SystemModstamp") or LONG_AGO)
            if deletes
            else Skipped(reason="left out by filter")
        )

    def _fields(self, case: Case) -> Record:
        get = case.get
        record: Record = {KEY: case["Id"]}
        for name, source in self._plain.items():
            record[name] = get(source)
        for name, produce in self._producers:
            value = produce(case)
            if value is Nothing.LEFT_OUT:
                self.left_out[name] += 1
            elif value is not Nothing.KEPT:
                record[name] = value
        if not record.get("subject"):
            record["subject"] = f"Case {shown(get('CaseNumber')) or case['Id']}"
        return record


# -- fields


def is_plain(rule: FieldRule) -> bool:
    """Whether the value is a column's as it is; most are, and go the short way."""
    plain = FieldRule(property=rule.property, sources=rule.sources, write=rule.write)
    return rule == plain and len(rule.sources) == 1


def producer(rule: FieldRule) -> Producer:
    """The function that gives the value of a mapping for a case, or the `Nothing` that it comes to."""
    raw, convert, empty = source_of(rule), conversion_of(rule), emptiness_of(rule)

    def produce(case: Case) -> Any:
        value = raw(case)
        try:
            converted = None if value is None else convert(value)
        except UnconvertibleError as error:
            return unknown(rule, value, str(error))
        return empty if converted is None else converted

    return produce


def source_of(rule: FieldRule) -> Producer:
    """The value before it is converted."""
    columns = template_columns(rule.template)
    template, sources, constant = rule.template, rule.sources, rule.constant

    def raw(case: Case) -> Any:
        for source in sources:
            value = case.get(source)
            if value is not None and value != "":
                return value
        if template is not None:
            return template.format_map({name: shown(case.get(name)) for name in columns})
        return constant

    return raw


def emptiness_of(rule: FieldRule) -> Any:
    """What stands for an empty value."""
    if rule.default is not None:
        return rule.default
    return None if rule.when_empty == "clear" else Nothing.KEPT


def unknown(rule: FieldRule, value: Any, reason: str) -> Any:
    """What stands for a value that the table or the conversion does not know."""
    if rule.default is not None:
        return rule.default
    if rule.when_unknown == "reject":
        column = rule.sources[0] if rule.sources else rule.property
        raise RejectedError("UNKNOWN_VALUE", column, f"rules.fields.{rule.property}: {reason}")
    return value if rule.when_unknown == "create" else Nothing.LEFT_OUT


def shown(value: Any) -> str:
    """A value inside a text; nothing for an empty one."""
    return "" if value is None else str(value)


# -- pipeline and stage


def place_of(rules: Rules, case: Case) -> Record | Skipped:
    """Pipeline and stage, always both: a stage belongs to one pipeline.

    Raises:
        RejectedError: the rules say to reject a support process or a status that they do not name.
    """
    process = case.get(rules.pipeline_by)
    pipeline = rules.pipelines.get(str(process)) if process is not None else None
    if pipeline is None:
        other = without_process(rules, process)
        if isinstance(other, Skipped):
            return other
        pipeline = other
    stage = stage_of(pipeline, case)
    if stage is None:
        return without_stage(rules, pipeline, case)
    return {"hs_pipeline": pipeline.pipeline, "hs_pipeline_stage": stage}


def without_process(rules: Rules, process: Any) -> PipelineRule | Skipped:
    default = rules.pipelines.get(DEFAULT)
    if default is not None and (process is None or rules.unmapped_process == "default_stage"):
        return default
    if rules.unmapped_process == "skip":
        return Skipped(reason="no pipeline for its support process")
    raise RejectedError(
        "UNMAPPED_PROCESS",
        rules.pipeline_by,
        f"no pipeline for {named(rules.pipeline_by, process)}: add it to rules.pipelines",
    )


def without_stage(rules: Rules, pipeline: PipelineRule, case: Case) -> Record | Skipped:
    status = case.get("Status")
    stage = {"default_stage": pipeline.default_stage, "same_name": status}.get(rules.unmapped_status)
    if stage:
        return {"hs_pipeline": pipeline.pipeline, "hs_pipeline_stage": stage}
    if rules.unmapped_status == "skip":
        return Skipped(reason="no stage for its status")
    raise RejectedError(
        "UNMAPPED_STATUS",
        "Status",
        f"no stage of pipeline '{pipeline.pipeline}' for {named('Status', status)}: add it to rules.pipelines",
    )


# What an admin of Salesforce named, never what a customer wrote: only these values may stand in a reason.
NAMED_BY_ADMINS = frozenset(
    {"Status", "BusinessProcess__Name", "RecordType__Name", "RecordType__DeveloperName"}
)


def named(column: str, value: Any) -> str:
    """How a reason speaks of a column: with its value where that is no customer's word."""
    if value is None:
        return f"an empty {column}"
    return f"{column} '{value}'" if column in NAMED_BY_ADMINS else f"this {column}"


def stage_of(pipeline: PipelineRule, case: Case) -> str | None:
    """The table's stage for the status; else, for a closed case, the closed stage."""
    status = case.get("Status")
    stage = pipeline.stages.get(status) if isinstance(status, str) else None
    if stage is None and (case.get("CaseStatus__IsClosed") or case.get("IsClosed")):
        return pipeline.closed_stage
    return stage


# -- associations


def finder(rule: AssociationRule) -> Callable[[Case], Record | None]:
    """How to find the other record of a case: the first way that the case has a value for, and those after it."""
    ways = [(match.by, match.source, CONVERSIONS[match.convert]) for match in rule.matches]

    def find(case: Case) -> Record | None:
        found = [
            {"by": by, "value": value}
            for by, source, convert in ways
            if (value := match_value(case.get(source), convert))
        ]
        if not found:
            return None
        wish: Record = {"to": rule.to, **found[0], "label": rule.label}
        if len(found) > 1:
            wish["otherwise"] = found[1:]
        return wish

    return find


def match_value(value: Any, convert: Conversion) -> str | None:
    try:
        converted = None if value is None else convert(value)
    except UnconvertibleError:
        return None
    return None if converted is None else str(converted) or None


# -- what is no ticket


def marks(case: Case) -> Record:
    return {
        KEY: case["Id"],
        "salesforce_org_id": case.get("_sf_organization_id"),
        "salesforce_system_modstamp": case.get("SystemModstamp"),
    }


def tombstone(case: Case, deleted_at: Any) -> Tombstone:
    return Tombstone(record=marks(case) | {"_sdc_deleted_at": deleted_at})


def rejection(case: Case, code: str, column: str, message: str) -> Rejection:
    why = {"code": code, "field": column, "message": message, "rejected_by": "mapper"}
    return Rejection(record=marks(case) | why)
