"""Core: rules as they would be after edits that are not written yet, so that the next question knows of the last answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from case_sync_console.mapping_edits import Known
from case_sync_console.yaml_splicing import Drop, Put, Rename, Splice


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known, with the rules as the edits make them, and the edits.

    Attributes:
        is_first: the rules are nobody's yet: a support process without a pipeline was not left out on purpose.
    """

    known: Known
    splices: tuple[Splice, ...] = ()
    is_first: bool = True

    def plus(self, splices: Sequence[Splice]) -> Draft:
        """The draft with more edits."""
        rules = self.known.rules
        for splice in splices:
            rules = _after(rules, splice)
        return replace(self, known=replace(self.known, rules=rules), splices=(*self.splices, *splices))


def _after(rules: Mapping[str, Any], splice: Splice) -> Mapping[str, Any]:
    first, *more = splice.path
    if first == "fields":
        return dict(rules) | {"fields": _fields(rules["fields"], str(more[0]), splice)}
    if first == "pipelines":
        return dict(rules) | {
            "pipelines": _pipelines(rules["pipelines"], [str(part) for part in more], splice)
        }
    if first == "associations" and isinstance(splice, Put):
        name, is_on = str(more[0]), splice.value == "on"
        kept = [rule for rule in rules["associations"] if is_on or rule["path"] != f"associations.{name}"]
        switches = dict(rules["association_switches"]) | {name: is_on}
        return dict(rules) | {"association_switches": switches, "associations": kept}
    return dict(rules) | ({str(first): splice.value} if isinstance(splice, Put) else {})


def _fields(fields: Sequence[Mapping[str, Any]], name: str, splice: Splice) -> list[Mapping[str, Any]]:
    there = next((one for one in fields if one["property"] == name), {})
    others = [one for one in fields if one["property"] != name]
    if isinstance(splice, Rename):
        return [*others, dict(there) | {"property": splice.name, "is_default": False, "has_default": False}]
    if isinstance(splice, Drop) or splice.value is None:
        return others
    return [*others, _shown(name, splice.value, has_default=bool(there.get("has_default")))]


def _shown(name: str, rule: Any, *, has_default: bool) -> dict[str, Any]:
    """A rule in the form in which the mapper shows those in effect."""
    block: Mapping[str, Any] = rule if isinstance(rule, Mapping) else {"from": rule}
    sources = block.get("from", [])
    options = block.get("options")
    convert = block.get("convert", "option" if options else "as_is")
    return {
        "property": name,
        "from": [sources] if isinstance(sources, str) else list(sources),
        "template": block.get("template", block.get("or_template")),
        "constant": block.get("value"),
        "convert": convert,
        "rule": "as it is" if convert == "as_is" else convert,
        "options": options,
        "is_default": False,
        "has_default": has_default,
        "is_removable": name != "subject",
    }


def _pipelines(pipelines: Mapping[str, Any], path: Sequence[str], splice: Splice) -> dict[str, Any]:
    process, *more = path
    if not more:
        others = {name: rule for name, rule in pipelines.items() if name != process}
        return others | ({process: _rule(splice.value)} if isinstance(splice, Put) else {})
    rule = _rule(pipelines.get(process, {}))
    if more[0] == "stages":
        stages = {status: stage for status, stage in rule["stages"].items() if status != more[1]}
        rule["stages"] = stages | ({more[1]: splice.value} if isinstance(splice, Put) else {})
    else:
        rule[more[0]] = splice.value if isinstance(splice, Put) else None
    return dict(pipelines) | {process: rule}


def _rule(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"pipeline": "", "stages": {}, "default_stage": None, "closed_stage": None} | dict(block)
