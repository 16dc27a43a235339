"""Shell: the two commands beside mapping: explain one case, and check the rules against an org and a portal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from case_ticket_mapper.errors import MapperError
from case_ticket_mapper.explaining import Step, explain, in_words
from case_ticket_mapper.metadata import Metadata, MetadataError, add
from case_ticket_mapper.rules import Rules
from case_ticket_mapper.rules_against_metadata import check

SHOWN_CHARACTERS = 120


def explanation(rules: Rules, path: Path) -> Iterator[str]:
    """Lines that tell how the case in a file becomes a ticket."""
    told = explain(rules, case_of(path))
    for step in told.steps:
        yield from _lines(step)
    yield ""
    yield in_words(told.outcome)


def _lines(step: Step) -> Iterator[str]:
    yield f"{step.what}"
    for column, value in step.read.items():
        yield f"    read   {column} = {_shown(value)}"
    yield f"    rule   {step.rule}"
    if step.out:
        yield f"    gives  {_short(step.out)}"


def _shown(value: Any) -> str:
    return "(empty)" if value is None else _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def case_of(path: Path) -> Mapping[str, Any]:
    """The case in a file: a record of the stream `cases`, or the RECORD message that holds it."""
    found = json_of(path, "--explain")
    case = found.get("record", found) if isinstance(found, Mapping) else None
    if not isinstance(case, Mapping) or not case.get("Id"):
        raise MapperError(f"--explain: {path} holds no case: a JSON object with an Id, as the tap writes it")
    return case


def checked(rules: Rules, paths: Iterable[Path]) -> tuple[list[str], bool]:
    """Lines of findings, and whether the rules are fit."""
    known = Metadata()
    for path in paths:
        try:
            known = add(known, json_of(path, "--metadata"))
        except MetadataError as error:
            raise MapperError(f"--metadata: {path} {error}") from None
    found = check(rules, known)
    lines = [
        *_listed("Problems", found.problems),
        *_listed("Without a rule of their own", found.without_rule),
    ]
    return lines or ["The rules have no problem that can be seen from here."], not found.problems


def _listed(title: str, items: tuple[str, ...]) -> list[str]:
    return [f"{title}:", *(f"  {item}" for item in items)] if items else []


def json_of(path: Path, option: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MapperError(f"{option}: {path} can't be read ({type(error).__name__})") from None
    except ValueError:
        raise MapperError(f"{option}: {path} holds no JSON") from None
