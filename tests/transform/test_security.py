"""Rules can't run code, reach into objects, or read anything but columns; numbers of reliability.md, section S."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.errors import MapperError, RulesError
from case_ticket_mapper.rules_files import rules_of_file
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.ticket import Ticket, TicketMaker

PIPELINES = {"default": {"pipeline": "Support", "default_stage": "New"}}
CASE = {"Id": "5005g00000AbCdEAAV", "Status": "New", "Subject": "{__class__}", "Secret__c": "not asked for"}
ESCAPES = [
    "{Id.__class__}", "{Id.__class__.__mro__[1].__subclasses__}", "{0.__init__.__globals__}", "{Id[0]}", "{Id!r}", "{Id:>{width}}",
    "{}", "{0}", "{Id.format}", "{__import__('os')}", "{Id", "Id}", "{Id:{Id.__class__}}", "{lambda: 1}", "{Id;import os}",
]  # fmt: skip


def subject_of(template: str) -> Any:
    block = {
        "pipelines": PIPELINES,
        "unmapped_status": "default_stage",
        "fields": {"subject": {"template": template}},
    }
    outcome = TicketMaker(rules=read_rules(block)).make(CASE)
    assert isinstance(outcome, Ticket)
    return outcome.record["subject"]


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


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "{a: " * 20_000, "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n" * 2]
)
def test_S17_yaml_that_is_too_deep_or_no_rules_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapperError):
        read_rules(rules_of_file(path, "--rules"))
