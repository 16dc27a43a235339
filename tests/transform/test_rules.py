"""The rules block: every mistake is told, all of them at once, by path; nothing else but RulesError ever comes out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.errors import RulesError
from case_ticket_mapper.rules import DEFAULT_FIELDS
from case_ticket_mapper.rules_reading import TOP, columns_of, read_rules

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
        ({"pipelines": None}, "rules.pipelines: is missing"),
        ({"pipelines": {}}, "rules.pipelines: is missing"),
        ({"associations": {"account": {"label": 7}}}, "rules.associations.account.label: must be a text"),
        ({"pipelines": {"Billing": {"pipeline": "Billing"}}}, "rules.pipelines.default: is missing"),
        ({"pipelines": {"default": {"stages": {}}}}, "rules.pipelines.default.pipeline: must be a text"),
        ({"pipelines": {"default": {"pipeline": "P", "stages": {"New": None}}}}, "rules.pipelines.default.stages.New"),
        ({"fields": {"subject": None}}, "rules.fields.subject: can't be taken away"),
        ({"fields": {"hs_pipeline": "Status"}}, "rules.fields.hs_pipeline: comes from pipelines"),
        ({"fields": {"salesforce_case_id": "Id"}}, "rules.fields.salesforce_case_id: is written by the sync itself"),
        ({"fields": {"x": {"convert": "text"}}}, "rules.fields.x: needs either 'from'"),
        ({"fields": {"x": {"from": "A", "convert": "txt"}}}, "did you mean 'text'?"),
        ({"fields": {"x": {"from": "A", "convert": "option"}}}, "'convert: option' and 'options' go together"),
        ({"fields": {"x": {"from": "A", "or_template": "{A"}}}, "has a brace without its other half"),
        ({"fields": {"x": {"from": "A", "or_template": "{A.__class__}"}}}, "may hold {Column} places only"),
        ({"fields": {"x": {"from": "A", "or_template": "{A!r}"}}}, "may hold {Column} places only"),
        ({"associations": {"company": True}}, "rules.associations.company: is not known"),
        ({"associations": {"account": "yes"}}, "rules.associations.account: must be on or off"),
        ({"associations": {"account": []}}, "rules.associations.account: must be on or off"),
        ({"associations": {"account": {"match": []}}}, "rules.associations.account.match: must be a list"),
        ({"unmapped_status": "default_stage", "pipelines": {"default": {"pipeline": "P", "stages": {}}}}, "default_stage: is missing"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_path(change: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in problems(MINIMAL | change))


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(MINIMAL | {"on_case_deleted": "x", "unmapped_status": "y", "fields": {"subject": None}})
    assert len(found) == 3


@given(st.dictionaries(st.sampled_from(TOP) | st.text(max_size=12), json_values, max_size=5))
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
