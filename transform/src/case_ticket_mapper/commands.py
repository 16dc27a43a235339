"""Shell: the commands beside mapping: explain one case, show the rules, check them against an org and a portal, say what fits what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from case_ticket_mapper.errors import MapperError, RulesError
from case_ticket_mapper.explaining import Step, explain, in_words
from case_ticket_mapper.fitting import fit
from case_ticket_mapper.metadata import Metadata, MetadataError, add
from case_ticket_mapper.places_shown import places
from case_ticket_mapper.rules import Rules
from case_ticket_mapper.rules_against_metadata import check
from case_ticket_mapper.rules_files import rules_block, rules_of_file
from case_ticket_mapper.rules_reading import read_draft, read_rules
from case_ticket_mapper.rules_shown import shown_rules

SHOWN_CHARACTERS = 120
_FILE = click.Path(path_type=Path, dir_okay=False)
# The commands by the names of their values, of which a call has one.
COMMANDS = {"case_path": "--explain", "check_rules": "--check-rules", "show_rules": "--show-rules", "fit_types": "--fit"}  # fmt: skip
OPTIONS = [
    click.Option(["--rules", "rules_path"], type=_FILE, help="Rules for the commands below: a file of rules, or a meltano.yml."),
    click.Option(["--explain", "case_path"], type=_FILE, help="Show, field by field, how the case in this JSON file becomes a ticket."),
    click.Option(
        ["--check-rules"], is_flag=False, flag_value="text", type=click.Choice(["text", "json"]),
        help="Print every problem of the rules, and what has no rule; see --metadata. --check-rules=json for programs.",
    ),
    click.Option(["--show-rules"], is_flag=True, help="Print the rules that are in effect, defaults included, as JSON."),
    click.Option(["--fit", "fit_types"], is_flag=True, help="Print which Case fields fit which ticket properties, as JSON; see --metadata."),
    click.Option(
        ["--metadata"], type=_FILE, multiple=True,
        help="For --check-rules and --fit: a vendor's answer (describe of Case, query of BusinessProcess or CaseStatus, ticket properties, "
        "ticket pipelines), or what the tap or the target answers to --describe.",
    ),
]  # fmt: skip


def answer(
    given: Mapping[str, Any], *, rules_path: Path | None, metadata: tuple[Path, ...], **asked: Any
) -> tuple[list[str], bool]:
    """Lines that answer the command that was asked for, and whether there is no problem."""

    def block() -> Any:
        return rules_of_file(rules_path, "--rules") if rules_path else rules_block(given)

    if asked["fit_types"]:
        return [fitting(metadata)], True
    if asked["check_rules"] == "json":
        return checked_as_json(block, metadata)
    if asked["check_rules"]:
        return checked(block(), metadata)
    if asked["show_rules"]:
        read = block()
        return [json_text(shown_rules(read_rules(read), read))], True
    return list(explanation(read_rules(block()), asked["case_path"])), True


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


def checked(block: Any, paths: Iterable[Path]) -> tuple[list[str], bool]:
    """Lines of findings, and whether the rules are fit."""
    found = check(read_rules(block), metadata_of(paths))
    lines = [
        *_listed("Problems", found.problems),
        *_listed("Without a rule of their own", found.without_rule),
    ]
    return lines or ["The rules have no problem that can be seen from here."], not found.problems


def checked_as_json(read: Callable[[], Any], paths: Iterable[Path]) -> tuple[list[str], bool]:
    """The same as one JSON object, with all else that a console wants to know: each start of a program takes its time.

    Rules that can't be read at all are problems there, too; rules with gaps are shown as far as they go.
    """
    try:
        block, known = read(), metadata_of(paths)
        draft = read_draft(block)
    except RulesError as error:
        return [_findings_json(error.problems)], False
    except MapperError as error:
        return [_findings_json([str(error)])], False
    found = check(draft.rules, known)
    problems = [*draft.gaps, *found.problems]
    more = {
        "without_rule": found.without_rule,
        "places": places(draft.rules, known),
        "rules": shown_rules(draft.rules, block),
        "fit": fit(known) if known.fields is not None and known.properties is not None else None,
    }
    return [_findings_json(problems, **more)], not problems


def _findings_json(problems: Sequence[str], **more: Any) -> str:
    nothing: dict[str, Any] = {"without_rule": [], "places": [], "rules": None, "fit": None}
    return json_text({"ok": not problems, "problems": problems} | nothing | more)


def fitting(paths: Iterable[Path]) -> str:
    """Which fields of Case fit which ticket properties, as JSON."""
    try:
        return json_text(fit(metadata_of(paths)))
    except MetadataError as error:
        raise MapperError(f"{error}: give their files with --metadata") from None


def metadata_of(paths: Iterable[Path]) -> Metadata:
    """All that the files of --metadata say."""
    known = Metadata()
    for path in paths:
        try:
            known = add(known, json_of(path, "--metadata"))
        except MetadataError as error:
            raise MapperError(f"--metadata: {path} {error}") from None
    return known


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _listed(title: str, items: tuple[str, ...]) -> list[str]:
    return [f"{title}:", *(f"  {item}" for item in items)] if items else []


def json_of(path: Path, option: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MapperError(f"{option}: {path} can't be read ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise MapperError(f"{option}: {path} holds no JSON") from None
