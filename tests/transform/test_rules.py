"""The rules block: every mistake is told, all of them at once, by path; nothing else but RulesError ever comes out."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.errors import RulesError
from case_ticket_mapper.rules import DEFAULT_FIELDS
from case_ticket_mapper.rules_checking import rules_schema
from case_ticket_mapper.rules_reading import columns_of, read_rules

MINIMAL: dict[str, Any] = {
    "pipelines": {
        "default": {"pipeline": "Support Pipeline", "stages": {"New": "New"}, "default_stage": "New"}
    }
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def problems(block: Any) -> list[str]:
    with pytest.raises(RulesError) as refused:
        read_rules(block)
    return refused.value.problems


def problems_or_none(block: Any) -> list[str]:
    """The problems of a block; a refusal without any is a failure."""
    try:
        read_rules(block)
    except RulesError as error:
        return error.problems or ["a refusal that says nothing"]
    return []


def test_project_rules_can_be_read(block: dict[str, Any]) -> None:
    rules = read_rules(block)
    assert rules.on_case_deleted == "delete_ticket"
    assert [a.to for a in rules.associations] == ["company", "contact"]
    assert rules.pipelines["Billing Process"].stages["Working"] == "In progress"


def test_left_out_rules_have_their_safe_defaults() -> None:
    """Nothing is deleted, nothing associated, and an unknown status is put on record unless somebody says otherwise."""
    rules = read_rules(MINIMAL)
    assert (rules.on_case_deleted, rules.unmapped_status, rules.associations) == ("do_nothing", "reject", ())
    assert {rule.property for rule in rules.fields} == set(DEFAULT_FIELDS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"on_case_delete": "do_nothing"}, "rules.on_case_delete: is not known; did you mean 'on_case_deleted'?"),
        ({"on_case_deleted": "archive"}, "rules.on_case_deleted: must be one of do_nothing, delete_ticket"),
        ({"pipelines": None}, "rules.pipelines: must be a mapping, not None"),
        ({"pipelines": {}}, "rules.pipelines.default: is missing"),
        ({"pipelines": {}, "unmapped_process": "reject"}, "rules.pipelines: is empty"),
        ({"associations": {"account": {"label": 7}}}, "rules.associations.account.label: must be a text, or null, not 7"),
        ({"pipelines": {"Billing": {"pipeline": "Billing"}}}, "rules.pipelines.default: is missing"),
        ({"pipelines": {"default": {"stages": {}}}}, "rules.pipelines.default.pipeline: is missing"),
        ({"pipelines": {"default": {"pipeline": "P", "stages": {"New": None}}}}, "rules.pipelines.default.stages.New"),
        ({"fields": {"subject": None}}, "rules.fields.subject: can't be taken away"),
        ({"fields": {"hs_pipeline": "Status"}}, "rules.fields.hs_pipeline: comes from pipelines"),
        ({"fields": {"salesforce_case_id": "Id"}}, "rules.fields.salesforce_case_id: is written by the sync itself"),
        ({"fields": {"x": {"convert": "text"}}}, "rules.fields.x: needs one of 'from'"),
        ({"fields": {"x": {"from": "A", "convert": "txt"}}}, "did you mean 'text'?"),
        ({"fields": {"x": {"from": "A", "convert": "option"}}}, "rules.fields.x.convert: 'option' needs 'options' or 'lookup'"),
        ({"fields": {"x": {"from": "A", "or_template": "{A"}}}, "has a brace without its other half"),
        ({"fields": {"x": {"from": "A", "or_template": "{A.__class__}"}}}, "may hold {Column} places only"),
        ({"fields": {"x": {"from": "A", "or_template": "{A!r}"}}}, "may hold {Column} places only"),
        ({"associations": {"company": True}}, "rules.associations.company: is not known"),
        ({"associations": {"account": "yes"}}, "rules.associations.account: must be one of on, off, not 'yes'"),
        ({"associations": {"account": []}}, "rules.associations.account: must be true or false, or a text, or a mapping, not []"),
        ({"associations": {"account": {"match": []}}}, "rules.associations.account.match: must not be empty"),
        ({"unmapped_status": "default_stage", "pipelines": {"default": {"pipeline": "P", "stages": {}}}}, "default_stage: is missing"),
        ({"fields": {"x": {"from": "A", "options": {"a": "b"}, "lookup": "t"}}}, "give one of them"),
        ({"fields": {"x": {"from": "A", "lookup": "quues"}}, "lookups": {"queues": {"a": "b"}}}, "there is no table 'quues' in rules.lookups; did you mean 'queues'?"),
        ({"fields": {"x": {"from": "A", "convert": "number", "options": {"a": "b"}}}}, "rules.fields.x.options: goes with"),
        ({"fields": {"x": {"from": "A", "convert": "date", "time_zone": "Mars/Base"}}}, "rules.fields.x.time_zone: is an IANA name"),
        ({"fields": {"x": {"from": "A", "time_zone": "Europe/Berlin"}}}, "goes with convert: date"),
        ({"fields": {"x": {"value": "A", "or_template": "b"}}}, "rules.fields.x.or_template: goes with 'from' only"),
        ({"fields": {"x": {"from": "A", "max_length": 0}}}, "rules.fields.x.max_length: must be between 1 and 65536, not 0"),
        ({"fields": {"x": {"from": ["A", 7]}}}, "rules.fields.x.from[1]: must be a text, not 7"),
        ({"fields": {"associations": "A"}}, "rules.fields.associations: comes from associations"),
        ({"filter": {"all": [{"field": "A"}]}}, "rules.filter.all[0]: says nothing of its field"),
        ({"filter": {"all": [{"field": "A", "equals": 1}]}}, "rules.filter.all[0].equals: is not known"),
        ({"filter": {"record_types": {"include": []}}}, "rules.filter.record_types.include: must not be empty"),
        ({"associations": {"more": [{"to": "deal", "match": [{"by": "a", "from": "b"}]}]}}, "rules.associations.more[0].to: must be one of company, contact, ticket, not 'deal'"),
        ([], "rules: must be a mapping"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_path(change: Any, told: str) -> None:
    block = MINIMAL | change if isinstance(change, dict) else change
    assert any(told in problem for problem in problems(block))


def test_R82_all_mistakes_are_told_at_once() -> None:
    found = problems(MINIMAL | {"on_case_deleted": "x", "unmapped_status": "y", "fields": {"subject": None}})
    assert len(found) == 3


@given(
    st.dictionaries(
        st.sampled_from(sorted(rules_schema()["properties"])) | st.text(max_size=12), json_values, max_size=5
    )
)
def test_any_block_is_read_or_refused_with_problems(block: dict[str, Any]) -> None:
    """No block of YAML, however wrong, ends in anything but rules or a list of what to mend."""
    assert all(problem.startswith("rules") for problem in problems_or_none(MINIMAL | block))


@given(json_values)
def test_any_value_in_place_of_a_rule_is_read_or_refused(value: Any) -> None:
    """The same at each place below the top, where YAML's lists, numbers and nulls may stand for a text."""
    for block in (
        {"fields": {"content": value}},
        {"fields": {"content": {"from": "Description", "options": value}}},
        {"pipelines": {"default": value}},
        {"pipelines": {"default": {"pipeline": value, "stages": {"New": value}}}},
        {"associations": {"contact": value}},
        {"associations": {"contact": {"match": value, "label": value}}},
        {"associations": {"contact": {"match": [value]}}},
    ):
        assert all(problem.startswith("rules") for problem in problems_or_none(MINIMAL | block))


def test_columns_of_names_every_column_that_the_rules_read(block: dict[str, Any]) -> None:
    """What the mapper asks of the tap's schema: fields, templates, pipeline, status and matches."""
    found = columns_of(read_rules(block))
    assert {"Subject", "CaseNumber", "Type", "BusinessProcess__Name", "Status", "Account__Website"} <= set(
        found
    )
    assert found["Type"] == "fields.hs_ticket_category.from"
    assert "ParentId" not in found


def test_every_example_of_the_readme_can_be_read() -> None:
    """Each YAML block, alone or as part of the smallest rules."""
    text = (Path(__file__).parents[2] / "transform/README.md").read_text(encoding="utf-8")
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    assert len(examples) > 2
    for example in examples:
        read_rules(MINIMAL | example.get("rules", example))
