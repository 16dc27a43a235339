"""Core: the rules against a real org and portal: every problem, and everything of the org that has no rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from case_ticket_mapper.fitting import required_properties, takes_one_choice, types_taking
from case_ticket_mapper.metadata import Metadata, TicketPipeline, TicketProperty
from case_ticket_mapper.rules import CLOSED_STAGE, DEFAULT, MARKS, FieldRule, PipelineRule, Rules
from case_ticket_mapper.rules_checking import NOT_FIELDS, near
from case_ticket_mapper.rules_reading import columns_of

# Columns that the tap adds to those of describe.
JOINED = ("_sf_", "_sdc_", "BusinessProcess__", "CaseStatus__")
SEPARATOR = re.compile(r"__(?!c$|r__)")  # in a column's name, where its path has a dot


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Problems would reject cases or stop a run; the rest has no rule of its own and falls to a default."""

    problems: tuple[str, ...]
    without_rule: tuple[str, ...]


def check(rules: Rules, known: Metadata) -> Findings:
    """Everything that can be said with what is known."""
    problems = [
        *_columns(rules, known),
        *_pipelines(rules, known),
        *_properties(rules, known),
        *_record_types(rules, known),
    ]
    return Findings(problems=tuple(problems), without_rule=tuple(_without_rule(rules, known)))


def _columns(rules: Rules, known: Metadata) -> Iterator[str]:
    """Columns that the rules read and the tap does not send: it would stop every run."""
    for column, path in columns_of(rules).items():
        if text := _why_not_read(column, known):
            yield f"rules.{path}: {text}"


def _why_not_read(column: str, known: Metadata) -> str | None:
    """None for a column that is read, or of which that is not known: describe of Case has no columns of parents."""
    is_joined = "__" in column.removesuffix("__c") or column.startswith(JOINED)
    if known.fields is not None and column not in known.fields and not is_joined:
        return f"Case has no field '{column}' that the user may read; {near(column, known.fields)}"
    if known.columns is None or column in known.columns:
        return None
    if not is_joined:
        return f"the tap does not read the Case field '{column}': is it in its setting exclude_fields?"
    of_parents = [name for name in known.columns if "__" in name.removesuffix("__c")]
    return (
        f"the tap reads no column '{column}': add {relationship_path(column)} to its setting relationship_fields, "
        f"or take a column that it reads; {near(column, of_parents)}"
    )


def relationship_path(column: str) -> str:
    """`Account__Industry` -> `Account.Industry`, `Depot__r__Zone__c` -> `Depot__r.Zone__c`."""
    return SEPARATOR.sub(".", column)


def _pipelines(rules: Rules, known: Metadata) -> Iterator[str]:
    for name, rule in rules.pipelines.items():
        if (
            known.processes is not None
            and rules.pipeline_by == "BusinessProcess__Name"
            and name not in (*known.processes, DEFAULT)
        ):
            yield f"rules.pipelines.{name}: the org has no support process of this name; {near(name, known.processes)}"
        if known.pipelines is not None:
            yield from _stages(name, rule, known, known.pipelines)


def _stages(
    name: str, rule: PipelineRule, known: Metadata, pipelines: tuple[TicketPipeline, ...]
) -> Iterator[str]:
    path = f"rules.pipelines.{name}"
    found = next((p for p in pipelines if p.is_called(rule.pipeline)), None)
    if found is None:
        yield f"{path}.pipeline: HubSpot has no ticket pipeline '{rule.pipeline}'; {near(rule.pipeline, [p.label for p in pipelines])}"
        return
    named = {f"stages.{status}": stage for status, stage in rule.stages.items()}
    named |= {"default_stage": rule.default_stage} if rule.default_stage else {}
    named |= {"closed_stage": rule.closed_stage} if rule.closed_stage != CLOSED_STAGE else {}
    for key, stage in named.items():
        if stage.lower() not in found.stages and stage not in found.stages:
            yield f"{path}.{key}: the pipeline '{found.label}' has no stage '{stage}'; {near(stage, found.stage_labels)}"
    if rule.closed_stage == CLOSED_STAGE and not any(found.stages.values()):
        yield f"{path}.closed_stage: is missing: the pipeline '{found.label}' has no stage that is closed in HubSpot"
    if found.stages.get(rule.closed_stage.lower()) is False:
        yield f"{path}.closed_stage: the stage '{rule.closed_stage}' is not a closed one in HubSpot"
    if known.fields and "Status" in known.fields:
        yield from (
            f"{path}.stages.{status}: Case has no active status '{status}'; {near(status, known.fields['Status'].values)}"
            for status in rule.stages
            if status not in known.fields["Status"].values
        )


def _properties(rules: Rules, known: Metadata) -> Iterator[str]:
    if known.properties is None:
        return
    for rule in rules.fields:
        found = known.properties.get(rule.property)
        path = f"rules.fields.{rule.property}"
        if found is not None:
            yield from (f"{path}: {text}" for text in _property(rule, found, known))
        elif rule.property != "hubspot_owner_email" and not rule.property.startswith("salesforce_"):
            yield f"{path}: HubSpot has no ticket property of this name; {near(rule.property, known.properties)}"
    mapped = {rule.property for rule in rules.fields}
    for name in required_properties(known):
        if name not in mapped and name not in NOT_FIELDS and name not in MARKS:
            yield f"rules.fields.{name}: is missing: HubSpot requires this property of every ticket; map a Case field to it, or give it a value"


def _property(rule: FieldRule, found: TicketProperty, known: Metadata) -> Iterator[str]:
    if found.is_read_only:
        yield "the ticket property is read only in HubSpot"
    taken = _taken(rule, known)
    if taken and found.type not in taken:
        yield f"the property is of HubSpot's type {found.type}, which does not take this value; it goes into {', '.join(taken)}"
    if rule.convert == "multi_option" and takes_one_choice(found):
        yield "several choices do not go into a property that takes one; its field type has to be checkbox"
    if found.type == "enumeration" and found.options:
        given = [*rule.options.values(), *(v for v in (rule.constant, rule.default) if v is not None)]
        yield from (
            f"'{value}' is no option of the property; {near(str(value), found.options)}"
            for value in dict.fromkeys(map(str, given))
            if value not in found.options
        )


def _taken(rule: FieldRule, known: Metadata) -> tuple[str, ...]:
    """The types of properties that take what a mapping gives; none where anything goes or the type is not known."""
    source = known.fields.get(rule.sources[0]) if known.fields and len(rule.sources) == 1 else None
    return types_taking(rule.convert, source.type if source else None)


def _record_types(rules: Rules, known: Metadata) -> Iterator[str]:
    """Only labels are compared: describe's developer names are given where the API version has them."""
    if known.record_types is None or rules.filter is None:
        return
    names = {name.lower() for name in known.record_types} | {"none"}
    for kind, wanted in (("include", rules.filter.include), ("exclude", rules.filter.exclude)):
        for name in sorted(wanted - names):
            if "_" not in name:
                yield f"rules.filter.record_types.{kind}: the org has no record type '{name}'; {near(name, known.record_types)}"


def _without_rule(rules: Rules, known: Metadata) -> Iterator[str]:
    for process in known.processes or ():
        if (
            process not in known.retired
            and rules.pipeline_by == "BusinessProcess__Name"
            and process not in rules.pipelines
        ):
            yield f"support process '{process}': {_fate(rules.unmapped_process)}"
    if known.fields and "Status" in known.fields:
        for name, rule in rules.pipelines.items():
            of_process = name if rules.pipeline_by == "BusinessProcess__Name" else None
            for status in known.statuses_of(of_process):
                if status not in rule.stages:
                    yield f"status '{status}' in rules.pipelines.{name}: {_fate_of_status(status, rules, known)}"
    for field_rule in rules.fields:
        yield from _values_without_rule(field_rule, known)


def _values_without_rule(rule: FieldRule, known: Metadata) -> Iterator[str]:
    if not rule.options or not known.fields:
        return
    named = {key.lower() for key in rule.options}
    for source in rule.sources:
        for value in known.fields[source].values if source in known.fields else ():
            if value.lower() not in named:
                fate = f"default {rule.default!r}" if rule.default is not None else rule.when_unknown
                yield f"value '{value}' of {source} in rules.fields.{rule.property}: {fate}"


def _fate_of_status(status: str, rules: Rules, known: Metadata) -> str:
    closes = None if known.statuses is None else known.statuses.get(status)
    other = _fate(rules.unmapped_status)
    return {True: "a closed stage", False: other, None: f"a closed stage if it closes, else {other}"}[closes]


def _fate(rule: str) -> str:
    return {
        "reject": "rejected",
        "skip": "skipped",
        "default_stage": "the default",
        "same_name": "the stage of the same name",
    }[rule]
