"""Core: the rules block as it stands in meltano.yml to `Rules`, or every problem of it at once, by path."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from string import Formatter
from typing import Any, get_args

from case_ticket_mapper.conversions import NAMES
from case_ticket_mapper.errors import RulesError
from case_ticket_mapper.rules import (
    DEFAULT_FIELDS,
    DEFAULT_MATCHES,
    KEY,
    MARKS,
    OTHER_RECORD,
    REQUIRED,
    AssociationRule,
    FieldRule,
    Match,
    OnDeleted,
    PipelineRule,
    Rules,
    WhenUnmapped,
)  # fmt: skip

TOP = (
    "on_case_deleted",
    "associations",
    "fields",
    "pipeline_by",
    "pipelines",
    "unmapped_status",
    "unmapped_process",
)
FIELD = ("from", "value", "convert", "options", "or_template")
PIPELINE = ("pipeline", "stages", "closed_stage", "default_stage")
MATCH = ("by", "from", "convert")
SWITCH = {True: True, False: False, "on": True, "off": False}


class _Reader:
    """Reads parts of the block and collects problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, path: str, text: str) -> None:
        self.problems.append(f"rules.{path}: {text}" if path else f"rules: {text}")

    def mapping(self, path: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.problem(path, "must be a mapping of names to values")
            return {}
        for name in value:
            if known is not None and name not in known:
                self.problem(f"{path}.{name}".lstrip("."), f"is not known; {near(str(name), known)}")
        return value

    def text(self, path: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self.problem(path, "must be a text that is not empty")
            return ""
        return value

    def choice(self, path: str, value: Any, allowed: Collection[str]) -> Any:
        if value not in allowed:
            self.problem(path, f"must be one of {', '.join(allowed)}; {near(str(value), allowed)}")
        return value


def near(word: str, known: Collection[str]) -> str:
    """`did you mean x?`, or what there is."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"


def read_rules(block: Any) -> Rules:
    """The rules of a block; what it leaves out has its default.

    Raises:
        RulesError: with every problem.
    """
    reader = _Reader()
    top = reader.mapping("", block, TOP)
    rules = Rules(
        on_case_deleted=reader.choice(
            "on_case_deleted", top.get("on_case_deleted", "do_nothing"), get_args(OnDeleted)
        ),
        fields=_fields(reader, top.get("fields", {})),
        pipeline_by=reader.text("pipeline_by", top.get("pipeline_by", "BusinessProcess__Name")),
        pipelines=_pipelines(reader, top.get("pipelines")),
        associations=_associations(reader, top.get("associations", {})),
        unmapped_status=reader.choice(
            "unmapped_status", top.get("unmapped_status", "reject"), get_args(WhenUnmapped)
        ),
        unmapped_process=reader.choice(
            "unmapped_process", top.get("unmapped_process", "default_stage"), get_args(WhenUnmapped)
        ),
    )
    _whole(reader, rules)
    if reader.problems:
        raise RulesError(reader.problems)
    return rules


def _whole(reader: _Reader, rules: Rules) -> None:
    """What can only be seen over the whole: defaults that other rules rely on."""
    if rules.unmapped_process == "default_stage" and rules.pipelines and "default" not in rules.pipelines:
        reader.problem(
            "pipelines.default",
            "is missing: cases without a support process need a pipeline (or set unmapped_process to reject or skip)",
        )
    if rules.unmapped_status == "default_stage":
        for name, pipeline in rules.pipelines.items():
            if pipeline.default_stage is None:
                reader.problem(
                    f"pipelines.{name}.default_stage", "is missing: unmapped_status is default_stage"
                )


def _fields(reader: _Reader, value: Any) -> tuple[FieldRule, ...]:
    """The default mappings with the block's changes: null takes one away."""
    given = reader.mapping("fields", value)
    merged = {**DEFAULT_FIELDS, **given}
    rules = []
    for name, rule in merged.items():
        path = f"fields.{name}"
        if name in MARKS or name in REQUIRED[1:]:
            reader.problem(
                path,
                "is written by the sync itself and can't be mapped"
                if name in MARKS
                else "comes from pipelines, not from fields",
            )
        elif rule is None:
            if name in REQUIRED:
                reader.problem(path, "can't be taken away: a ticket needs it")
        else:
            rules.append(_field(reader, path, name, {"from": rule} if isinstance(rule, str) else rule))
    return tuple(rules)


def _field(reader: _Reader, path: str, name: str, value: Any) -> FieldRule:
    rule = reader.mapping(path, value, FIELD)
    if ("from" in rule) == ("value" in rule):
        reader.problem(path, "needs either 'from' (a Case column) or 'value' (a constant)")
    options = reader.mapping(f"{path}.options", rule.get("options", {}))
    convert = reader.choice(f"{path}.convert", rule.get("convert", "option" if options else "as_is"), NAMES)
    if (convert == "option") != bool(options):
        reader.problem(path, "'convert: option' and 'options' go together")
    template = rule.get("or_template")
    return FieldRule(
        property=name,
        source=reader.text(f"{path}.from", rule["from"]) if "from" in rule else None,
        constant=str(rule["value"]) if "value" in rule else None,
        convert=convert,
        options={str(k): str(v) for k, v in options.items()},
        template=_template(reader, f"{path}.or_template", template) if template is not None else None,
    )


def _template(reader: _Reader, path: str, value: Any) -> str:
    """A text with {Column} places: plain names only, so that nothing can be reached or run through it."""
    text = reader.text(path, value)
    try:
        places = [
            (name, spec, conversion)
            for _, name, spec, conversion in Formatter().parse(text)
            if name is not None
        ]
    except ValueError:
        reader.problem(path, "has a brace without its other half")
        return ""
    if any(not name.isidentifier() or spec or conversion for name, spec, conversion in places):
        reader.problem(path, "may hold {Column} places only")
        return ""
    return text


def template_columns(template: str | None) -> list[str]:
    """The columns that a template names."""
    return [name for _, name, _, _ in Formatter().parse(template or "") if name]


def _pipelines(reader: _Reader, value: Any) -> dict[str, PipelineRule]:
    if not value:
        reader.problem(
            "pipelines",
            "is missing: name a ticket pipeline, and a stage per status, for each support process and for 'default'",
        )
        return {}
    return {
        str(name): _pipeline(reader, f"pipelines.{name}", rule)
        for name, rule in reader.mapping("pipelines", value).items()
    }


def _pipeline(reader: _Reader, path: str, value: Any) -> PipelineRule:
    rule = reader.mapping(path, value, PIPELINE)
    stages = reader.mapping(f"{path}.stages", rule.get("stages", {}))
    optional = {
        n: reader.text(f"{path}.{n}", str(rule[n])) if rule.get(n) is not None else None
        for n in ("closed_stage", "default_stage")
    }
    return PipelineRule(
        pipeline=reader.text(f"{path}.pipeline", str(rule["pipeline"]) if "pipeline" in rule else None),
        stages={
            str(status): reader.text(f"{path}.stages.{status}", str(stage) if stage is not None else None)
            for status, stage in stages.items()
        },
        **optional,
    )


def _associations(reader: _Reader, value: Any) -> tuple[AssociationRule, ...]:
    """`account: on`, `contact: off`, or a mapping with its own ways to match."""
    given = reader.mapping("associations", value, OTHER_RECORD)
    rules = []
    for name, to in OTHER_RECORD.items():
        path, rule = f"associations.{name}", given.get(name, False)
        if isinstance(rule, Mapping):
            checked = reader.mapping(path, rule, ("match", "label"))
            rules.append(
                AssociationRule(
                    to=to,
                    matches=_matches(reader, path, checked.get("match", DEFAULT_MATCHES[name])),
                    label=_label(reader, f"{path}.label", checked.get("label")),
                )
            )
        elif not isinstance(rule, bool | str) or rule not in SWITCH:
            reader.problem(path, "must be on or off, or hold 'match' and 'label'")
        elif SWITCH[rule]:
            rules.append(AssociationRule(to=to, matches=_matches(reader, path, DEFAULT_MATCHES[name])))
    return tuple(rules)


def _label(reader: _Reader, path: str, value: Any) -> str | None:
    return None if value is None else reader.text(path, value)


def _matches(reader: _Reader, path: str, value: Any) -> tuple[Match, ...]:
    if not isinstance(value, list) or not value:
        reader.problem(f"{path}.match", "must be a list of ways to match, first the best")
        return ()
    found = []
    for place, item in enumerate(value):
        at = f"{path}.match[{place}]"
        match = reader.mapping(at, item, MATCH)
        convert = reader.choice(
            f"{at}.convert", match.get("convert", "as_is"), [n for n in NAMES if n != "option"]
        )
        found.append(
            Match(
                by=reader.text(f"{at}.by", match.get("by")),
                source=reader.text(f"{at}.from", match.get("from")),
                convert=convert,
            )
        )
    return tuple(found)


def columns_of(rules: Rules) -> dict[str, str]:
    """Every Case column that the rules read -> the path of one rule that does."""
    found: dict[str, str] = {}
    add: Callable[[str, str], str] = found.setdefault
    for rule in rules.fields:
        if rule.source:
            add(rule.source, f"fields.{rule.property}.from")
        for name in template_columns(rule.template):
            add(name, f"fields.{rule.property}.or_template")
    add(rules.pipeline_by, "pipeline_by")
    add("Status", "pipelines")
    for association in rules.associations:
        for match in association.matches:
            add(match.source, "associations.match")
    add("Id", KEY)
    return found
