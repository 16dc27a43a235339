"""Rules can't run code, reach into objects, or read anything but columns; numbers of reliability.md, section S."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_ticket_mapper.errors import MapperError, RulesError
from case_ticket_mapper.rules_files import rules_of_file
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.ticket import Rejection, Ticket, TicketMaker

PIPELINES = {"default": {"pipeline": "Support", "default_stage": "New"}}
CASE = {"Id": "5005g00000AbCdEAAV", "Status": "New", "Subject": "{__class__}", "Secret__c": "not asked for"}
ESCAPES = [
    "{Id.__class__}", "{Id.__class__.__mro__[1].__subclasses__}", "{0.__init__.__globals__}", "{Id[0]}", "{Id!r}", "{Id:>{width}}",
    "{}", "{0}", "{Id:>999999999}", "{Id!s:.1}", "{Id.format}", "{__import__('os')}", "{Id", "Id}", "{Id:{Id.__class__}}", "{lambda: 1}", "{Id;import os}",
]  # fmt: skip


CODES = [
    "os.system('true')",
    "__import__('os')",
    "../../etc/passwd",
    "/etc/passwd",
    "lambda: 1",
    "${HOME}",
    "$(id)",
    "`id`",
    "%(x)s",
    "{{7*7}}",
]
BEFORE, AFTER = ("", " ", "'", "\\", "eval(", "!!python/name:", "\0"), ("", ")", "'", "#", "\n", ".__class__")


def subject_of(template: str) -> Any:
    block = {
        "pipelines": PIPELINES,
        "unmapped_status": "default_stage",
        "fields": {"subject": {"template": template}},
    }
    outcome = TicketMaker(rules=read_rules(block)).make(CASE)
    assert isinstance(outcome, Ticket)
    return outcome.record["subject"]


CONVERTED = ("number", "percent", "boolean", "date", "datetime", "id18")


@settings(max_examples=500)
@given(st.sampled_from(CONVERTED), st.text(max_size=12), st.text(max_size=12))
def test_S4_a_value_that_a_rule_rejects_is_not_quoted(convert: str, before: str, after: str) -> None:
    """Nor the support process where the rules take a customer's column for it."""
    word = f"{before}planted word{after}"
    rule = {"from": "Subject", "convert": convert, "when_unknown": "reject"}
    for block in (
        {"pipelines": PIPELINES, "unmapped_status": "default_stage", "fields": {"x": rule}},
        {"pipelines": {"A": {"pipeline": "A"}}, "pipeline_by": "Subject", "unmapped_process": "reject", "unmapped_status": "reject"},
    ):  # fmt: skip
        outcome = TicketMaker(rules=read_rules(block)).make(CASE | {"Subject": word})
        assert isinstance(outcome, Rejection)
        assert "planted" not in str(outcome.record)
        assert "Subject" in str(outcome.record)


@pytest.mark.parametrize("template", ESCAPES)
def test_S16_a_template_that_reaches_further_than_a_column_is_refused(template: str) -> None:
    with pytest.raises(RulesError, match=r"rules\.fields\.subject\.template"):
        subject_of(template)


@given(st.text(alphabet="{}[]().!:_'\"0Idclasmor ", min_size=1, max_size=24))
def test_S16_whatever_a_template_says_it_gives_text_of_columns_or_is_refused(template: str) -> None:
    """Nothing of Python shows: no type, no object, no address."""
    try:
        made = subject_of(template)
    except RulesError:
        return
    assert not any(word in made for word in ("<class", "object at 0x", "built-in", "bound method"))


def test_S16_what_a_case_says_is_text_and_no_template() -> None:
    assert subject_of("Re: {Subject}") == "Re: {__class__}"


@pytest.mark.parametrize(
    "name",
    [
        "from",
        "convert",
        "time_zone",
        "lookup",
        "write",
        "when_empty",
        "when_unknown",
        "options",
        "max_length",
    ],
)
def test_S16_other_texts_of_a_mapping_are_names_or_refused(name: str) -> None:
    """300 texts and more that would be code elsewhere: told by their place, or the name of a column that no case has."""
    codes = [*ESCAPES, *(f"{before}{text}{after}" for text in CODES for before in BEFORE for after in AFTER)]
    assert len(codes) > 300
    for code in codes:
        rule: dict[str, Any] = (
            {"from": "Subject", "convert": "date"} if name == "time_zone" else {"from": "Subject"}
        )
        block = {
            "pipelines": PIPELINES,
            "unmapped_status": "default_stage",
            "fields": {"x": rule | {name: code}},
        }
        try:
            outcome = TicketMaker(rules=read_rules(block)).make(CASE)
        except RulesError as error:
            assert f"rules.fields.x.{name}" in str(error)  # noqa: PT017 - or it is a name
        else:
            assert name == "from"
            assert isinstance(outcome, Ticket)
            assert outcome.record.get("x") is None


@pytest.mark.parametrize(
    "text",
    [
        "pipelines: !!python/object/apply:os.system ['true']",
        "pipelines: !!python/name:os.system",
        "fields: !!python/module:os",
        "? !!python/object/new:object {}\n: 1",
    ],
)
def test_S17_yaml_makes_no_objects(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapperError):
        read_rules(rules_of_file(path, "--rules"))


# Aliases of aliases: 40 lines that stand for a million million values; a list within itself; nesting alone.
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "{a: " * 20_000, BOMB, "fields: &a [*a]", "fields: &a {subject: *a}"]
)
def test_S17_yaml_that_is_too_deep_or_no_rules_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapperError):
        read_rules(rules_of_file(path, "--rules"))
