"""Core: the rules block as it stands in meltano.yml to `Rules`, or every problem of it at once, by path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from case_ticket_mapper.errors import RulesError
from case_ticket_mapper.filtering import OPERATORS, RECORD_TYPE_COLUMNS
from case_ticket_mapper.rules import (
    CLOSED_STAGE,
    DEFAULT,
    DEFAULT_FIELDS,
    DEFAULT_MATCHES,
    KEY,
    OTHER_RECORD,
    AssociationRule,
    Condition,
    FieldRule,
    FilterRule,
    Match,
    PipelineRule,
    Plain,
    Rules,
)
from case_ticket_mapper.rules_checking import near, structure_problems

SWITCH = {True: True, False: False, "on": True, "off": False}
# Conversions that take a table of options.
WITH_OPTIONS = ("option", "multi_option")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Rules that can be read; with `gaps`, each by its path, they can be looked at and edited, and no run takes them."""

    rules: Rules
    gaps: tuple[str, ...]


def read_rules(block: Any) -> Rules:
    """The rules of a block; what it leaves out has its default.

    Raises:
        RulesError: with every problem: first of its structure, then, if that is right, of what its parts say together.
    """
    draft = read_draft(block)
    if draft.gaps:
        raise RulesError(draft.gaps)
    return draft.rules


def read_draft(block: Any) -> Draft:
    """The same of rules that are not whole yet, such as the empty block that `case-sync remove` leaves.

    Raises:
        RulesError: with every problem, gaps among them, where a part of the block can't be read.
    """
    if problems := structure_problems(block):
        raise RulesError(problems)
    lookups: Mapping[str, Mapping[str, Plain]] = block.get("lookups", {})
    merged = {**DEFAULT_FIELDS, **block.get("fields", {})}
    fields = {name: as_mapping(rule) for name, rule in merged.items() if rule is not None}
    gaps = tuple(_gaps(block))
    if problems := [*_field_problems(fields, lookups)]:
        raise RulesError([*problems, *gaps])
    rules = Rules(
        on_case_deleted=block.get("on_case_deleted", "do_nothing"),
        on_case_merged=block.get("on_case_merged", "as_deleted"),
        filter=_filter(block["filter"]) if "filter" in block else None,
        fields=tuple(_field(name, rule, lookups) for name, rule in fields.items()),
        pipeline_by=block.get("pipeline_by", "BusinessProcess__Name"),
        pipelines={str(name): _pipeline(rule) for name, rule in block.get("pipelines", {}).items()},
        associations=tuple(_associations(block.get("associations", {}))),
        unmapped_status=block.get("unmapped_status", "reject"),
        unmapped_process=block.get("unmapped_process", "default_stage"),
    )
    return Draft(rules=rules, gaps=gaps)


# -- what the schema can't say


def as_mapping(rule: Any) -> Mapping[str, Any]:
    """`content: Description` means `content: {from: Description}`."""
    return {"from": rule} if isinstance(rule, str) else rule


def _field_problems(fields: Mapping[str, Mapping[str, Any]], lookups: Mapping[str, Any]) -> Iterable[str]:
    for name, rule in fields.items():
        for text in _problems_of_field(rule, lookups):
            yield f"rules.fields.{name}{text}"


def _problems_of_field(rule: Mapping[str, Any], lookups: Mapping[str, Any]) -> Iterable[str]:
    if sum(key in rule for key in ("from", "value", "template")) != 1:
        yield ": needs one of 'from' (a Case column), 'value' (a constant) and 'template'"
    tables = [key for key in ("options", "lookup") if key in rule]
    convert = rule.get("convert", "option" if tables else "as_is")
    if len(tables) > 1:
        yield ": has 'options' and 'lookup'; give one of them"
    if tables and convert not in WITH_OPTIONS:
        yield f".{tables[0]}: goes with convert: option or multi_option only"
    if convert == "option" and not tables:
        yield ".convert: 'option' needs 'options' or 'lookup'"
    if "lookup" in rule and rule["lookup"] not in lookups:
        yield f".lookup: there is no table '{rule['lookup']}' in rules.lookups; {near(rule['lookup'], list(map(str, lookups)))}"
    if "or_template" in rule and "from" not in rule:
        yield ".or_template: goes with 'from' only"
    if "time_zone" in rule and (convert != "date" or not is_time_zone(rule["time_zone"])):
        yield ".time_zone: is an IANA name, such as Europe/Berlin, and goes with convert: date"
    for key in ("template", "or_template"):
        if key in rule and (problem := template_problem(rule[key])):
            yield f".{key}: {problem}"


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def template_problem(text: str) -> str | None:
    """Plain names only, so that nothing can be reached or run through a template."""
    try:
        places = [place for place in Formatter().parse(text) if place[1] is not None]
    except ValueError:
        return "has a brace without its other half"
    wrong = any(not str(name).isidentifier() or spec or conversion for _, name, spec, conversion in places)
    return "may hold {Column} places only" if wrong else None


def template_columns(template: str | None) -> list[str]:
    """The columns that a template names."""
    return [name for _, name, _, _ in Formatter().parse(template or "") if name]


def _gaps(block: Mapping[str, Any]) -> Iterable[str]:
    """Pipelines and stages that other parts of the rules count on."""
    pipelines: Mapping[str, Mapping[str, Any]] = block.get("pipelines", {})
    if block.get("unmapped_process", "default_stage") == "default_stage" and DEFAULT not in pipelines:
        yield "rules.pipelines.default: is missing: cases without a support process need a pipeline (or set unmapped_process to reject or skip)"
    elif not pipelines:
        yield "rules.pipelines: is empty: no case would become a ticket; name a pipeline for each support process"
    if block.get("unmapped_status") == "default_stage":
        for name, rule in pipelines.items():
            if "default_stage" not in rule:
                yield f"rules.pipelines.{name}.default_stage: is missing: unmapped_status is default_stage"


# -- the parts


def _field(name: str, rule: Mapping[str, Any], lookups: Mapping[str, Mapping[str, Plain]]) -> FieldRule:
    given = rule.get("from", ())
    options = rule.get("options") or lookups.get(rule.get("lookup", ""), {})
    return FieldRule(
        property=str(name),
        sources=(given,) if isinstance(given, str) else tuple(given),
        constant=rule.get("value"),
        template=rule.get("template", rule.get("or_template")),
        convert=rule.get("convert", "option" if options else "as_is"),
        options={str(key): value for key, value in options.items()},
        when_unknown=rule.get("when_unknown", "leave_out"),
        when_empty=rule.get("when_empty", "clear"),
        default=rule.get("default"),
        time_zone=rule.get("time_zone", "UTC"),
        max_length=rule.get("max_length"),
        write=rule.get("write", "always"),
    )


def _pipeline(rule: Mapping[str, Any]) -> PipelineRule:
    closed_stage = str(rule.get("closed_stage", CLOSED_STAGE))
    default_stage = str(rule["default_stage"]) if "default_stage" in rule else None
    stages = {str(status): str(stage) for status, stage in rule.get("stages", {}).items()}
    return PipelineRule(
        pipeline=str(rule["pipeline"]), stages=stages, closed_stage=closed_stage, default_stage=default_stage
    )


def _associations(block: Mapping[str, Any]) -> Iterable[AssociationRule]:
    """`account: on`, `contact: off`, or a mapping with its own ways to match; then those of `more`."""
    for name, to in OTHER_RECORD.items():
        rule = block.get(name, False)
        if not isinstance(rule, Mapping):
            rule = {} if SWITCH[rule] else None
        if rule is not None:
            matches = _matches(rule.get("match", DEFAULT_MATCHES[name]))
            yield AssociationRule(
                to=to, matches=matches, label=rule.get("label"), path=f"associations.{name}"
            )
    for place, rule in enumerate(block.get("more", ())):
        matches = _matches(rule["match"])
        yield AssociationRule(
            to=rule["to"], matches=matches, label=rule.get("label"), path=f"associations.more[{place}]"
        )


def _matches(rules: Iterable[Mapping[str, str]]) -> tuple[Match, ...]:
    return tuple(Match(by=r["by"], source=r["from"], convert=r.get("convert", "as_is")) for r in rules)


def _filter(block: Mapping[str, Any]) -> FilterRule:
    types = block.get("record_types", {})
    return FilterRule(
        include=frozenset(name.lower() for name in types.get("include", ())),
        exclude=frozenset(name.lower() for name in types.get("exclude", ())),
        every=tuple(c for rule in block.get("all", ()) for c in _conditions(rule)),
        some=tuple(tuple(_conditions(rule)) for rule in block.get("any", ())),
        deletes=block.get("otherwise") == "delete_ticket",
    )


def _conditions(rule: Mapping[str, Any]) -> Iterable[Condition]:
    """One condition per operator: all of one entry have to hold."""
    return (
        Condition(source=rule["field"], operator=name, operand=rule[name])
        for name in OPERATORS
        if name in rule
    )


# -- what the rules read


def columns_of(rules: Rules) -> dict[str, str]:
    """Every Case column that the rules read -> the path of one rule that does."""
    read = [*_columns_of_fields(rules), *_columns_of_filter(rules), (rules.pipeline_by, "pipeline_by"), ("Status", "pipelines"), ("Id", KEY)]  # fmt: skip
    read += [(match.source, f"{rule.path}.match") for rule in rules.associations for match in rule.matches]
    found: dict[str, str] = {}
    for column, path in read:
        found.setdefault(column, path)
    return found


def _columns_of_fields(rules: Rules) -> Iterable[tuple[str, str]]:
    for rule in rules.fields:
        yield from ((source, f"fields.{rule.property}.from") for source in rule.sources)
        yield from ((name, f"fields.{rule.property}.template") for name in template_columns(rule.template))


def _columns_of_filter(rules: Rules) -> Iterable[tuple[str, str]]:
    if rules.filter is None:
        return
    if rules.filter.include or rules.filter.exclude:
        yield from ((column, "filter.record_types") for column in RECORD_TYPE_COLUMNS)
    conditions = [*rules.filter.every, *(c for group in rules.filter.some for c in group)]
    yield from ((condition.source, "filter") for condition in conditions)
