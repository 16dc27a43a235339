"""The preview, `case-sync plan`: what it shows of rules and systems, as people read it and as programs do."""

import io
import json
from typing import Any

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from case_sync_console.case_rows import CaseRow, case_rows
from case_sync_console.cases_screen import CasesTable
from case_sync_console.draft import Draft
from case_sync_console.mapping_edits import Wish, added, deleted, edited
from case_sync_console.pipeline_edits import PipelineWish, pipeline_deleted, pipeline_set
from case_sync_console.preview import Circumstances, Preview, previewed
from case_sync_console.preview_json import as_json
from case_sync_console.preview_screen import MappingsTable, pipelines_screen, settings_table, whole
from case_sync_console.remedies import Problem, of_portal, of_rules
from case_sync_console.rule_changes import changes, settled
from case_sync_console.rule_edits import rule_set

from .recordings import PROJECT, after, findings, known, sides


def preview(text: str = PROJECT, required: tuple[str, ...] = (), **now: Any) -> Preview:
    found = findings(text, required)
    circumstances = {
        "environment": "prod",
        "sync": "saved",
        "problems": tuple(of_rules(found["problems"], "meltano.yml")),
    } | now
    return previewed(
        found["rules"], found["places"], known(text, required).sides, Circumstances(**circumstances)
    )


def screen(what: Any, width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(what)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


CASES = (
    CaseRow(key="5005g000000000aAAA", number="00000012", would="create", reason="", changes={"subject": ("", "Pump P-7 leaks"), "hs_pipeline_stage": ("", "New")}),
    CaseRow(key="5005g000000000bAAA", number="", would="update", reason="", changes={"hs_ticket_priority": ("LOW", "HIGH")}),
    CaseRow(key="5005g000000000cAAA", number="", would="unchanged", reason="", changes={}),
    CaseRow(key="5005g000000000dAAA", number="", would="delete", reason="deleted in the source", changes={}),
    CaseRow(key="5005g000000000eAAA", number="", would="reject", reason="no stage of pipeline 'Returns' for Status 'Working'", changes={}),
    CaseRow(key="00009999", number="", would="nothing", reason="not found", changes={}),
)  # fmt: skip


# -- golden screens


def test_S12_S14_S19_S20_S29_S31_the_preview_shows_all_settings(snapshot: SnapshotAssertion) -> None:
    """Required properties with counterparts, both sides of every mapping, every active process and status, unmapped flagged."""
    assert (
        screen(whole(preview(notes=("would create the ticket properties 'salesforce_case_id'",)))) == snapshot
    )


def test_W03_real_cases_are_shown_with_what_would_become_of_each(snapshot: SnapshotAssertion) -> None:
    shown = screen(whole(preview(cases=CASES)))
    assert shown[shown.index("Real cases") :] == snapshot


def test_problems_are_numbered_each_with_a_remedy(snapshot: SnapshotAssertion) -> None:
    text = (
        PROJECT.replace("pipeline: Billing", "pipeline: Biling")
        .replace("Escalated: Escalated", "Escalated: Escalatd")
        .replace("Returns Process:", "Repairs Process:")
        .replace("from: Type", "from: Tipe")
    )
    shown = screen(whole(preview(text, required=("content", "hs_resolution"))))
    assert shown[shown.index("Problems") :] == snapshot


def test_S31_mappings_list_has_names_and_types_of_both_sides(snapshot: SnapshotAssertion) -> None:
    text = after(deleted("content", known()))
    shown = preview(text)
    assert screen(MappingsTable(shown.mappings, shown.switched_off)) == snapshot


def test_S31_a_narrow_terminal_breaks_no_name(snapshot: SnapshotAssertion) -> None:
    """80 columns, as many a terminal has."""
    shown = preview()
    narrow = screen(MappingsTable(shown.mappings), width=80)
    assert narrow == snapshot
    for mapping in shown.mappings:
        assert mapping.property.name in narrow


def test_W03_real_cases_on_a_narrow_terminal_break_no_name_and_no_moment(snapshot: SnapshotAssertion) -> None:
    moment = "2026-05-01T10:11:12.000Z"
    changes = {"salesforce_system_modstamp": ("2026-04-30T10:11:12.000Z", moment), "content": ("old", "")}
    changed = CaseRow(key="5005g000000000fAAA", number="00000017", would="update", reason="", changes=changes)
    narrow = screen(CasesTable((*CASES, changed)), width=80)
    assert narrow == snapshot
    for word in ("salesforce_system_modstamp", moment, "00000017", "5005g000000000fAAA"):
        assert word in narrow
    assert moment in screen(CasesTable((changed,)), width=120)
    assert "Salesforce has no case" in screen(CasesTable(()), width=80)


def test_S19_pipelines_list_shows_what_can_be_chosen(snapshot: SnapshotAssertion) -> None:
    found = findings(after(pipeline_deleted("Returns Process", known().rules)))
    assert (
        screen(pipelines_screen(found["places"], {p.label: list(p.stages) for p in sides().pipelines}))
        == snapshot
    )


def test_rules_show_explains_each_rule(snapshot: SnapshotAssertion) -> None:
    text = PROJECT.replace(
        "          unmapped_status: reject\n",
        "          unmapped_status: same_name\n          on_case_merged: follow_merge\n          unmapped_process: skip\n"
        "          filter:\n            record_types: {include: [Billing], exclude: [none]}\n"
        "            all: [{field: AccountId, filled: true}]\n            any: [{field: Priority, one_of: [High, Low]}, {field: IsEscalated, is: true}]\n"
        "            otherwise: delete_ticket\n",
    )
    assert screen(settings_table(preview(text).settings)) == snapshot


# -- what it says


def test_S12_a_required_property_without_a_mapping_stands_out() -> None:
    shown = preview(required=("hs_resolution",))
    missing = [one for one in shown.required if one.counterpart is None]
    assert [one.property.name for one in missing] == ["hs_resolution"]
    assert not shown.would_run
    assert "Resolution        hs_resolution       NOT MAPPED" in screen(whole(shown))


def test_S19_an_active_process_without_a_rule_is_shown_and_a_retired_one_is_not() -> None:
    text = after(pipeline_deleted("Returns Process", known().rules))
    shown = screen(whole(preview(text)))
    assert "has no pipeline of its own" in shown
    assert "Legacy Process" not in shown


def test_every_problem_has_something_to_do() -> None:
    text = PROJECT.replace("pipeline: Billing", "pipeline: Biling").replace(
        "on_case_deleted: delete_ticket", "on_case_deleted: delete"
    )
    problems = of_rules(findings(text)["problems"], "meltano.yml")
    assert problems
    assert all(problem.remedy for problem in problems)


def test_what_the_target_says_of_a_name_that_the_rules_are_told_about_is_not_said_twice() -> None:
    told = of_rules(
        [
            "rules.pipelines.A.pipeline: HubSpot has no ticket pipeline 'Biling'; did you mean 'Billing'?",
            "rules.fields.foo: HubSpot has no ticket property of this name; known are subject",
        ],
        "meltano.yml",
    )
    lookup = "HubSpot has no property 'salesforceaccountid' of companies, by which the stream looks them up: create it"
    others = [
        "HubSpot has no ticket pipeline 'Biling'; it has 'Billing': mend it",
        "HubSpot has no ticket property for 1 of the stream's columns: 'foo': create them",
        lookup,
    ]
    assert of_portal(others, told) == [Problem(text=lookup)]
    assert len(of_portal(others, [])) == len(others)


def test_the_preview_is_json_for_programs() -> None:
    shown = preview(cases=CASES, changes=("a: b -> c",))
    told = json.loads(json.dumps(as_json(shown)))
    assert told["would_run"] is True
    assert told["hubspot"] == {"portal_id": "44556677", "tickets": None}
    assert {m["property"]["name"]: [s["name"] for s in m["sources"]] for m in told["mappings"]}[
        "content"
    ] == ["Description"]
    assert [one["would"] for one in told["cases"]] == [
        "create",
        "update",
        "unchanged",
        "delete",
        "reject",
        "nothing",
    ]
    assert told["changes"] == ["a: b -> c"]


# -- real cases


def test_W03_ids_of_pipelines_and_stages_are_shown_by_their_names() -> None:
    lines = [
        {"key": "a", "would": "create", "properties": {"hs_pipeline": "75000002", "hs_pipeline_stage": "145000101", "subject": "x", "content": "", "salesforce_case_number": "00000007"}},
        {"key": "b", "would": "update", "ticket_id": "1", "changes": {"hs_pipeline": {"before": "0", "after": "75000002"}}},
        {"key": "c", "would": "reject", "code": "UNMAPPED_STATUS", "reason": "no stage"},
    ]  # fmt: skip
    first, second, third = case_rows(lines, sides(), (), {"b": "00000008"})
    assert dict(first.changes) == {
        "hs_pipeline": ("", "Billing"),
        "hs_pipeline_stage": ("", "New"),
        "subject": ("", "x"),
        "salesforce_case_number": ("", "00000007"),
    }
    assert first.number == "00000007"
    assert (second.number, dict(second.changes)) == (
        "00000008",
        {"hs_pipeline": ("Support Pipeline", "Billing")},
    )
    assert (third.would, third.reason) == ("reject", "no stage")


ID_15, ID_18 = "5005g0000000001", "5005g0000000001AAA"


@pytest.mark.parametrize(
    ("asked", "absent"),
    [
        (("00000007",), [("00000007", "nothing")]),
        (("00000007", "00000001"), [("00000007", "nothing"), ("00000001", "leave_out")]),
        ((ID_15,), [(ID_15, "leave_out")]),
        ((), []),
    ],
)
def test_W03_a_case_without_a_line_is_told_and_why(
    asked: tuple[str, ...], absent: list[tuple[str, str]]
) -> None:
    """It is not there, or a rule leaves it out: the list of what the sync reads tells which."""
    found = case_rows([], sides(), asked, {ID_18: "00000001"})
    assert [(row.key, row.would) for row in found] == absent


@pytest.mark.parametrize("asked", [(ID_15,), (ID_18,), ("00000001",)])
def test_W03_a_case_with_a_line_is_told_once_however_it_was_named(asked: tuple[str, ...]) -> None:
    line = {"key": ID_18, "would": "unchanged", "changes": {}}
    assert len(case_rows([line], sides(), asked, {ID_18: "00000001"})) == 1
    deleted = {"key": ID_18, "would": "delete", "reason": "deleted in the source"}
    assert len(case_rows([deleted], sides(), asked, {})) == 1


# -- S21, and drafts

EDITS = [
    lambda k: deleted("content", k),
    lambda k: deleted("hs_ticket_category", k),
    lambda k: added("source_ref", Wish(source="Reason"), k),
    lambda k: added("source_ref", Wish(value="x"), k),
    lambda k: edited("subject", None, Wish(source="External_Reference__c"), k, {}),
    lambda k: pipeline_set("Billing Process", PipelineWish(stages={"Escalated": "Closed"}), k.rules, k.sides),
    lambda k: pipeline_set("Billing Process", PipelineWish(closed_stage="Closed"), k.rules, k.sides),
    lambda k: pipeline_deleted("Returns Process", k.rules),
    lambda k: rule_set("account", "off", k.rules),
    lambda k: rule_set("unmapped_status", "skip", k.rules),
]


@pytest.mark.parametrize("number", range(len(EDITS)))
def test_S21_each_edit_shows_as_one_line_and_is_gone_when_taken_back(number: int) -> None:
    text = after(EDITS[number](known()))
    lines = changes(known().rules, known(text).rules)
    process = [line for line in lines if line.startswith("pipelines / Returns Process")]
    assert len(lines) - len(process) + bool(process) == 1
    assert changes(known(text).rules, known(text).rules) == ()


@pytest.mark.parametrize("number", range(len(EDITS)))
def test_a_draft_knows_the_rules_as_the_mapper_will(number: int) -> None:
    """So that the next question of setup is asked about what the last answer made of them."""
    splices = EDITS[number](known())
    drafted = dict(settled(Draft(known=known()).plus(splices).known.rules))
    really = settled(known(after(splices)).rules)
    assert drafted == really
