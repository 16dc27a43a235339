"""Core: how one case becomes a ticket, step by step: what is read, by which rule, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from case_ticket_mapper.filtering import RECORD_TYPE_COLUMNS, holds
from case_ticket_mapper.rules import Condition, FieldRule, Rules
from case_ticket_mapper.rules_reading import template_columns
from case_ticket_mapper.ticket import (
    Nothing,
    Outcome,
    RejectedError,
    Rejection,
    Skipped,
    Ticket,
    TicketMaker,
    Tombstone,
    finder,
    place_of,
    producer,
)

Case = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision: `what` it is about, the columns `read` with their values, the `rule` in words, what comes `out`."""

    what: str
    read: Mapping[str, Any]
    rule: str
    out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All steps, and the outcome that a run would have for this case."""

    steps: tuple[Step, ...]
    outcome: Outcome


def explain(rules: Rules, case: Case) -> Explanation:
    """Each step by the same functions that a run uses."""
    outcome = TicketMaker(rules=rules).make(case)
    steps = [*_deletion(rules, case)]
    if not case.get("_sdc_deleted_at"):
        steps += [
            *_filter(rules, case),
            _place(rules, case),
            *_fields(rules, case),
            *_associations(rules, case),
        ]
    return Explanation(steps=tuple(steps), outcome=outcome)


def in_words(outcome: Outcome) -> str:
    """The end of the story, in a sentence."""
    match outcome:
        case Ticket():
            return "It becomes a ticket."
        case Tombstone():
            return "Its ticket is deleted."
        case Rejection(record=record):
            return f"It is rejected ({record['code']}, {record['field']}): {record['message']}"
        case Skipped(reason=reason):
            return f"Nothing is sent: {reason}."


def _deletion(rules: Rules, case: Case) -> Iterator[Step]:
    if case.get("_sdc_deleted_at"):
        read = {name: case.get(name) for name in ("_sdc_deleted_at", "_sf_delete_kind")}
        rule = f"on_case_deleted: {rules.on_case_deleted}, on_case_merged: {rules.on_case_merged}"
        yield Step(what="deleted case", read=read, rule=rule, out="see below")


def _filter(rules: Rules, case: Case) -> Iterator[Step]:
    found = rules.filter
    if found is None:
        return
    if found.include or found.exclude:
        rule = f"include {sorted(found.include) or 'all'}, exclude {sorted(found.exclude) or 'none'}"
        yield Step(
            what="filter.record_types", read={c: case.get(c) for c in RECORD_TYPE_COLUMNS}, rule=rule, out=""
        )
    conditions = [("filter.all", c) for c in found.every] + [
        ("filter.any", c) for group in found.some for c in group
    ]
    yield from (_condition(what, condition, case) for what, condition in conditions)


def _condition(what: str, condition: Condition, case: Case) -> Step:
    rule = f"{condition.operator} {condition.operand!r}"
    return Step(
        what=what,
        read={condition.source: case.get(condition.source)},
        rule=rule,
        out="holds" if holds(condition, case) else "does not hold",
    )


def _place(rules: Rules, case: Case) -> Step:
    read = {name: case.get(name) for name in (rules.pipeline_by, "Status", "CaseStatus__IsClosed")}
    try:
        found = place_of(rules, case)
    except RejectedError as error:
        out = f"rejected: {error.message}"
    else:
        out = (
            found.reason
            if isinstance(found, Skipped)
            else f"{found['hs_pipeline']} / {found['hs_pipeline_stage']}"
        )
    return Step(what="pipeline and stage", read=read, rule="pipelines", out=out)


def _fields(rules: Rules, case: Case) -> Iterator[Step]:
    for rule in rules.fields:
        columns = [*rule.sources, *template_columns(rule.template)]
        try:
            value = producer(rule)(case)
        except RejectedError as error:
            value = f"rejected: {error.message}"
        out = value.value if isinstance(value, Nothing) else "empty" if value is None else repr(value)
        yield Step(
            what=rule.property, read={c: case.get(c) for c in columns}, rule=rule_in_words(rule), out=out
        )


def rule_in_words(rule: FieldRule) -> str:
    """`option, when_unknown: reject`: what of a mapping is not plain."""
    words = [] if rule.convert == "as_is" else [rule.convert]
    if rule.constant is not None:
        words.append("a constant")
    if rule.template is not None:
        words.append("template" if not rule.sources else "or_template")
    plain = FieldRule(property=rule.property)
    names = ("when_unknown", "when_empty", "default", "time_zone", "max_length", "write")
    words += [
        f"{name}: {getattr(rule, name)}" for name in names if getattr(rule, name) != getattr(plain, name)
    ]
    return ", ".join(words) or "as it is"


def _associations(rules: Rules, case: Case) -> Iterator[Step]:
    for rule in rules.associations:
        found = finder(rule)(case)
        ways = [found, *found.get("otherwise", ())] if found else []
        out = ", or ".join(f"{way['by']} = {way['value']}" for way in ways) or "nothing to find it by"
        read = {match.source: case.get(match.source) for match in rule.matches}
        yield Step(what=f"association to {rule.to}", read=read, rule=rule.path, out=out)
