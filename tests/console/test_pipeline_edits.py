"""Support processes and their pipelines: what `case-sync pipelines` and `rules` set, and what they refuse."""

from typing import Any

import pytest

from case_sync_console.both_sides import pipeline_named
from case_sync_console.errors import RefusedEditError
from case_sync_console.pipeline_edits import (
    PipelineWish,
    never_there,
    pipeline_deleted,
    pipeline_set,
    process_named,
    suggested_pipeline,
    suggested_stages,
)
from case_sync_console.rule_changes import changes, unmapped_by
from case_sync_console.rule_edits import rule_set

from .recordings import PROJECT, after, changed_lines, findings, known, rules_in, sides

RULES = known().rules


def set_(process: str, wish: PipelineWish, text: str = PROJECT) -> str:
    return after(pipeline_set(process, wish, known(text).rules, sides()), text)


def refusal(act: Any, *args: Any) -> str:
    with pytest.raises(RefusedEditError) as caught:
        act(*args)
    return "\n".join(caught.value.problems)


def place(text: str, process: str | None, status: str) -> Any:
    """Where the mapper says that such a case goes."""
    found = next(p for p in findings(text)["places"] if p["process"] == process)
    return next(s for s in found["statuses"] if s["status"] == status)


# -- S17, S35


def test_S35_a_process_is_pointed_to_another_pipeline_and_keeps_stages_of_the_same_name() -> None:
    text = set_("Billing Process", PipelineWish(pipeline="returns"))
    assert findings(text)["problems"] == []
    assert rules_in(text)["pipelines"]["Billing Process"] == {
        "pipeline": "Returns",  # whose stage In Repair is of a status that the process does not allow
        "stages": {"New": "New", "Resolved": "Resolved", "Closed": "Closed"},
    }
    assert place(text, "Billing Process", "Working")["becomes"] == "rejected"


def test_S35_a_pipeline_with_the_same_stages_changes_one_line() -> None:
    text = set_("Returns Process", PipelineWish(pipeline="Returns"))
    assert text == PROJECT
    first = set_("Returns Process", PipelineWish(pipeline="Billing", stages={"Working": "In progress"}))
    assert findings(first)["problems"] == []
    left, came = changed_lines(
        PROJECT, set_("Billing Process", PipelineWish(stages={"Escalated": "in progress"}))
    )
    assert (len(left), len(came)) == (1, 1)


def test_S17_a_process_without_a_rule_gets_a_pipeline_and_stages_of_the_same_name() -> None:
    without = after(pipeline_deleted("Returns Process", RULES))
    text = set_("Returns Process", PipelineWish(pipeline="Returns"), without)
    assert findings(text)["problems"] == []
    assert rules_in(text)["pipelines"]["Returns Process"]["stages"]["In Repair"] == "In Repair"
    assert place(text, "Returns Process", "New")["pipeline"] == "Returns"


def test_S35_a_status_gets_a_stage_and_loses_it_again() -> None:
    text = set_("default", PipelineWish(stages={"escalated": "waiting on us"}))
    assert place(text, None, "Escalated")["stage"] == "Waiting on us"
    assert set_("default", PipelineWish(stages={"Escalated": ""}), text) == PROJECT


def test_S19_a_status_that_the_process_does_not_allow_is_told() -> None:
    """It may be mapped: Salesforce's admin may be about to allow it."""
    wish = PipelineWish(stages={"escalated": "In progress", "working": "In progress", "In Repair": ""})
    assert never_there("Billing Process", wish, sides()) == ["escalated"]
    assert never_there("default", wish, sides()) == []


def test_other_stages_of_a_pipeline_are_set() -> None:
    text = set_("default", PipelineWish(default_stage="waiting on us", closed_stage="Closed"))
    assert rules_in(text)["pipelines"]["default"]["default_stage"] == "Waiting on us"


# -- S18, S19: refused


def test_S18_only_existing_pipelines_can_be_chosen_and_the_message_lists_them() -> None:
    told = refusal(pipeline_set, "Billing Process", PipelineWish(pipeline="Biling"), RULES, sides())
    assert "no ticket pipeline 'Biling'" in told
    assert "Support Pipeline, Technical Support, Billing, Returns" in told


def test_S18_only_stages_of_the_pipeline_can_be_chosen_and_the_message_lists_them() -> None:
    wish = PipelineWish(stages={"New": "In Repair"})
    told = refusal(pipeline_set, "Billing Process", wish, RULES, sides())
    assert "'Billing' has no stage 'In Repair'" in told
    assert "New, In progress, Waiting on contact, Resolved, Closed" in told
    told = refusal(pipeline_set, "Billing Process", PipelineWish(stages={"Wrking": "New"}), RULES, sides())
    assert "did you mean 'Working'" in told


def test_S18_a_pipeline_is_found_by_label_or_id() -> None:
    assert pipeline_named("75000002", sides()).label == pipeline_named("BILLING", sides()).label


def test_S19_only_active_support_processes_can_be_chosen() -> None:
    assert process_named("returns process", RULES, sides()) == "Returns Process"
    assert "no active support process 'Legacy Process'" in refusal(
        process_named, "Legacy Process", RULES, sides()
    )


def test_a_process_is_taken_out_of_the_rules() -> None:
    text = after(pipeline_deleted("Returns Process", RULES))
    assert place(text, "Returns Process", "New")["pipeline"] == "Support Pipeline"
    assert "Billing" in refusal(pipeline_deleted, "Bling Process", RULES)


# -- suggestions


def test_S17_a_pipeline_of_the_same_name_is_suggested() -> None:
    found = {process: suggested_pipeline(process, sides()) for process in sides().processes}
    assert {process: p and p.label for process, p in found.items()} == {
        "Billing Process": "Billing",
        "Returns Process": "Returns",
        "Technical Support Process": "Technical Support",
    }


def test_W01_stages_of_the_same_name_are_suggested() -> None:
    assert suggested_stages(pipeline_named("Returns", sides()), sides().statuses) == {
        "New": "New",
        "In Repair": "In Repair",
        "Resolved": "Resolved",
        "Closed": "Closed",
    }


# -- S06 to S11: single rules


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("on_case_deleted", "do_nothing", "on_case_deleted: delete_ticket -> do_nothing"),
        ("on-case-deleted", "do_nothing", "on_case_deleted: delete_ticket -> do_nothing"),
        ("unmapped_status", "same_name", "unmapped_status: reject -> same_name"),
        ("unmapped_process", "skip", "unmapped_process: default_stage -> skip"),
        ("parent_case", "on", "parent_case: off -> on, found by salesforce_case_id = ParentId"),
    ],
)
def test_S06_S21_a_rule_is_set_and_one_line_changes(name: str, value: str, line: str) -> None:
    text = after(rule_set(name, value, RULES))
    assert changes(RULES, known(text).rules) == (line,)
    left, came = changed_lines(PROJECT, text)
    assert len(left) <= 1
    assert len(came) == 1


@pytest.mark.parametrize("account", ["on", "off"])
@pytest.mark.parametrize("contact", ["on", "off"])
def test_S07_to_S11_the_two_switches_are_set_on_their_own(account: str, contact: str) -> None:
    text = after((*rule_set("account", account, RULES), *rule_set("contact", contact, RULES)))
    assert known(text).rules["association_switches"] == {
        "account": account == "on",
        "contact": contact == "on",
        "parent_case": False,
    }


def test_a_default_that_has_no_place_yet_is_refused_with_the_command_that_gives_it_one() -> None:
    with pytest.raises(RefusedEditError) as stages:
        rule_set("unmapped_status", "default_stage", RULES)
    assert len(stages.value.problems) == len(RULES["pipelines"])
    assert 'case-sync pipelines set "Billing Process" --default-stage STAGE' in str(stages.value)
    without = dict(RULES) | {"pipelines": {}, "unmapped_process": "skip"}
    with pytest.raises(RefusedEditError, match="case-sync pipelines set default PIPELINE"):
        rule_set("unmapped_process", "default_stage", without)


def test_S35_statuses_that_lose_their_stage_are_told() -> None:
    text = set_("Billing Process", PipelineWish(pipeline="returns"))
    lost = unmapped_by(findings(PROJECT)["places"], findings(text)["places"])
    assert lost == ("Billing Process: Working", "Billing Process: Waiting on Customer")
    assert unmapped_by(findings(text)["places"], findings(PROJECT)["places"]) == ()


def test_the_filter_is_edited_in_the_file() -> None:
    with pytest.raises(RefusedEditError, match=r"under rules\.filter"):
        rule_set("filter", "x", RULES)


def test_a_value_that_a_rule_has_already_is_no_edit() -> None:
    assert rule_set("account", "on", RULES) == ()
    assert rule_set("on_case_deleted", "delete_ticket", RULES) == ()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("on_case_deleted", "nothing", "do_nothing or delete_ticket, not 'nothing'"),
        ("account", "yes", "on or off, not 'yes'"),
        ("on_case_delete", "do_nothing", "did you mean 'on_case_deleted'"),
    ],
)
def test_S06_a_rule_or_value_that_there_is_not_is_refused_with_those_there_are(
    name: str, value: str, words: str
) -> None:
    assert words in refusal(rule_set, name, value, RULES)
