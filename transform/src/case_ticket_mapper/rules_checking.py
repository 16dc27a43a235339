"""Core: the rules block against its published JSON Schema: every problem with its path, the value, what is allowed, the nearest match."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

SHOWN_CHARACTERS = 60
Problem = Any  # jsonschema's ValidationError, whose members its stubs type as unions with nothing
# What is no field mapping: the sync itself, or another part of the rules, writes these.
NOT_FIELDS = {
    "hs_pipeline": "comes from pipelines, not from fields",
    "hs_pipeline_stage": "comes from pipelines, not from fields",
    "associations": "comes from associations, not from fields",
}
OWN_PROPERTY = "is written by the sync itself and can't be mapped"
WORDS = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "null"}  # fmt: skip


@cache
def rules_schema() -> dict[str, Any]:
    """The published schema, as this package carries it."""
    text = files("case_ticket_mapper").joinpath("rules.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(rules_schema())


def near(word: str, known: Collection[str]) -> str:
    """`did you mean x?`, or what there is."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known are {', '.join(known)}" if known else "there is none"


def shown(value: Any) -> str:
    """A value as it stands in a message: rules hold no secrets, but may be long."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def structure_problems(block: Any) -> list[str]:
    """Every place where the block is not what the schema says, in the order of the block."""
    found: list[str] = []
    for error in _validator().iter_errors(block):
        path = path_of(error)
        found += [
            f"{place(path + more)}: {text}" for more, text in TELL.get(str(error.validator), _other)(error)
        ]
    return found


def path_of(error: Problem) -> list[str | int]:
    return [
        part if isinstance(part, int) and not isinstance(part, bool) else str(part)
        for part in error.absolute_path
    ]


def place(path: list[str | int]) -> str:
    """`rules.fields.subject.from[0]`."""
    return "rules" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


Told = list[tuple[list[str | int], str]]


def _unknown_names(error: Problem) -> Told:
    known = list(error.schema["properties"])
    return [
        ([str(name)], f"is not known; {near(str(name), known)}")
        for name in error.instance
        if name not in error.schema["properties"]
    ]


def _no_choice(error: Problem) -> Told:
    allowed = [str(v) for v in error.validator_value]
    close = difflib.get_close_matches(str(error.instance), allowed, n=1, cutoff=0.6)
    guess = f"; did you mean '{close[0]}'?" if close else ""
    return [([], f"must be one of {', '.join(allowed)}, not {shown(error.instance)}{guess}")]


def _wrong_type(error: Problem) -> Told:
    kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return [([], f"must be {', or '.join(WORDS[k] for k in kinds)}, not {shown(error.instance)}")]


def _missing(error: Problem) -> Told:
    return [([name], "is missing") for name in error.validator_value if name not in error.instance][:1]


def _nothing(error: Problem) -> Told:
    if error.validator == "minProperties" and "field" in error.schema.get("properties", {}):
        known = [n for n in error.schema["properties"] if n != "field"]
        return [([], f"says nothing of its field; give one of {', '.join(known)}")]
    return [([], "must not be empty")]


def _forbidden(error: Problem) -> Told:
    """A ticket property that fields may not map, or not take away."""
    name = str(error.absolute_path[-1])
    return [
        (
            [],
            "can't be taken away: a ticket needs it"
            if error.instance is None
            else NOT_FIELDS.get(name, OWN_PROPERTY),
        )
    ]


def _out_of_range(error: Problem) -> Told:
    return [
        (
            [],
            f"must be between {error.schema['minimum']} and {error.schema['maximum']}, not {shown(error.instance)}",
        )
    ]


def _other(error: Problem) -> Told:
    return [([], error.message)]


TELL: dict[str, Callable[[Problem], Told]] = {
    "additionalProperties": _unknown_names,
    "enum": _no_choice,
    "type": _wrong_type,
    "required": _missing,
    "minLength": _nothing,
    "minItems": _nothing,
    "minProperties": _nothing,
    "not": _forbidden,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
}
