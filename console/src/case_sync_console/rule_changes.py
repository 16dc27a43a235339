"""Core: what differs between two versions of the rules, a line for each setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from case_sync_console.preview import how_in_words
from case_sync_console.rule_words import MEANINGS, filter_in_words, found_by

NOTHING = "(none)"
WITHOUT_PROCESS = "cases without a support process"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """`pipelines / Billing Process: Billing -> Support Pipeline`: one line for one edit."""
    old, new = settled(before), settled(after)
    return tuple(
        f"{name}: {old.get(name, NOTHING)} -> {new.get(name, NOTHING)}"
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    )


def settled(rules: Mapping[str, Any]) -> dict[str, str]:
    """Each setting by a name that says where it is, as a text."""
    found = {name: str(rules[name]) for name in (*MEANINGS, "pipeline_by")}
    found["filter"] = filter_in_words(rules["filter"])
    found |= dict.fromkeys(rules["association_switches"], "off")
    found |= {
        rule["path"].removeprefix("associations."): f"on, {found_by(rule)}" for rule in rules["associations"]
    }
    found |= {f"mappings / {field['property']}": _field(field) for field in rules["fields"]}
    for name, rule in rules["pipelines"].items():
        found |= _pipeline(f"pipelines / {name}", rule)
    return found


def _field(field: Mapping[str, Any]) -> str:
    how = how_in_words(field)
    return ", else ".join(field["from"]) + (f" ({how})" if how and field["from"] else how)


def _pipeline(place: str, rule: Mapping[str, Any]) -> dict[str, str]:
    found = {place: rule["pipeline"]} | {f"{place} / {s}": stage for s, stage in rule["stages"].items()}
    others = {"default_stage": "default stage", "closed_stage": "closed stage"}
    return found | {f"{place} / {words}": rule[key] for key, words in others.items() if rule[key]}


def unmapped_by(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """`Billing Process: Working`: pairs that had a stage and have none any more; places as the mapper tells them."""
    had = _without_stage(before)
    return tuple(words for words in _without_stage(after) if words not in had)


def _without_stage(places: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{place['process'] or WITHOUT_PROCESS}: {status['status']}"
        for place in places
        for status in place["statuses"]
        if status["becomes"] not in ("stage", "skipped")
    ]
