"""Core: edits of the single rules and of the switches for associations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from case_sync_console.both_sides import near
from case_sync_console.errors import RefusedEditError
from case_sync_console.pipeline_edits import DEFAULT
from case_sync_console.rule_words import MEANINGS, SWITCHES
from case_sync_console.yaml_splicing import Put, Splice
from case_sync_console.yaml_writing import Word

PIPELINE_BY, FILTER = "pipeline_by", "filter"
ON_OFF = ("on", "off")


def rule_set(typed: str, value: str, rules: Mapping[str, Any]) -> tuple[Splice, ...]:
    """S06, S07 to S11: one rule or switch to a value that it can have; none where it has it.

    Raises:
        RefusedEditError: no such rule or value; the message lists what there is.
    """
    name = typed.strip().lower().replace("-", "_")
    if name in SWITCHES:
        _refuse_value(name, value, ON_OFF)
        is_on = rules["association_switches"][name]
        return () if is_on == (value == "on") else (Put(path=("associations", name), value=Word(value)),)
    if name in MEANINGS:
        _refuse_value(name, value, tuple(MEANINGS[name]))
        _refuse_without_stage(name, value, rules)
    elif name == FILTER:
        raise RefusedEditError(
            ["the filter has parts of its own: edit it in the file, under rules.filter (transform/README.md)"]
        )
    elif name != PIPELINE_BY:
        raise RefusedEditError(
            [f"there is no rule '{typed}'; {near(name, [*MEANINGS, *SWITCHES, PIPELINE_BY])}"]
        )
    return () if rules[name] == value else (Put(path=(name,), value=value),)


def _refuse_value(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RefusedEditError([f"{name} can be {' or '.join(allowed)}, not '{value}'"])


def _refuse_without_stage(name: str, value: str, rules: Mapping[str, Any]) -> None:
    """A default stage is one of each pipeline's own; the default pipeline is that of cases without a support process."""
    pipelines: Mapping[str, Mapping[str, Any]] = rules["pipelines"]
    missing: list[str] = []
    if (name, value) == ("unmapped_status", "default_stage"):
        missing = [
            f"'{process}' has no default stage; give it one first: case-sync pipelines set \"{process}\" --default-stage STAGE"
            for process, rule in pipelines.items()
            if not rule["default_stage"]
        ]
    if (name, value) == ("unmapped_process", "default_stage") and DEFAULT not in pipelines:
        missing = [
            "cases without a support process have no pipeline; give them one first: case-sync pipelines set default PIPELINE"
        ]
    if missing:
        raise RefusedEditError(missing)
