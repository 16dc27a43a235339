"""A case to its ticket: what holds for every case, and the decisions one by one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from case_ticket_mapper.conversions import NAMES
from case_ticket_mapper.rules import KEY, MARKS
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.schema_out import tickets_schema
from case_ticket_mapper.ticket import Rejection, Skipped, Ticket, TicketMaker, Tombstone

TWO_PIPELINES: dict[str, Any] = {
    "associations": {"account": True, "contact": True, "parent_case": True},
    "pipelines": {
        "Technical": {"pipeline": "Tech", "stages": {"New": "T1", "Closed": "T9"}},
        "default": {"pipeline": "Support", "stages": {"New": "S1"}, "closed_stage": "S9", "default_stage": "S5"},
    },
}  # fmt: skip
values = (
    st.none()
    | st.text(max_size=20)
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)
columns = (
    "Subject",
    "Description",
    "Priority",
    "Origin",
    "Owner__Email",
    "CaseNumber",
    "AccountId",
    "Account__Website",
    "ContactId",
    "Contact__Email",
    "ParentId",
)
cases = st.fixed_dictionaries(
    {"Id": st.from_regex(r"[A-Za-z0-9]{18}", fullmatch=True), "Status": st.sampled_from(["New", "Closed", "Odd", None]), "IsClosed": st.booleans()},
    optional=dict.fromkeys(columns, values) | {"BusinessProcess__Name": st.sampled_from(["Technical", "Unheard of", None])},
)  # fmt: skip


def maker(**changes: Any) -> TicketMaker:
    return TicketMaker(rules=read_rules(TWO_PIPELINES | changes))


def placed(outcome: Any) -> tuple[str, str]:
    assert isinstance(outcome, Ticket), outcome
    return outcome.record["hs_pipeline"], outcome.record["hs_pipeline_stage"]


@given(cases, st.sampled_from(["reject", "skip", "default_stage"]))
def test_every_case_has_one_outcome_and_keeps_its_id(case: dict[str, Any], when: str) -> None:
    """No case fails, and none gets lost: a ticket, a rejection, or a skip that the rules asked for; the same each time."""
    rules = maker(unmapped_process=when)
    outcome = rules.make(case)
    assert outcome == rules.make(case)
    if isinstance(outcome, Skipped):
        assert when == "skip"
    else:
        assert outcome.record[KEY] == case["Id"]


@given(cases)
def test_ticket_has_what_hubspot_requires_and_pipeline_with_stage(case: dict[str, Any]) -> None:
    """A ticket has a subject; its stage is one that the rules give to its pipeline."""
    outcome = maker().make(case)
    if isinstance(outcome, Ticket):
        assert outcome.record["subject"]
        assert placed(outcome) in {
            ("Tech", "T1"),
            ("Tech", "T9"),
            ("Support", "S1"),
            ("Support", "S9"),
            ("Tech", "@closed"),
        }
        assert set(MARKS) <= set(outcome.record)
        assert set(outcome.record) <= set(tickets_schema(maker().rules)["properties"])


WIRE = Draft202012Validator(json.loads((Path(__file__).parents[2] / "contracts/tickets.schema.json").read_text(encoding="utf-8")))  # fmt: skip


# As Salesforce types these columns: texts.
typed_cases = st.fixed_dictionaries(
    {"Id": st.from_regex(r"[A-Za-z0-9]{18}", fullmatch=True), "Status": st.sampled_from(["New", "Closed", "Odd"]), "IsClosed": st.booleans()},
    optional=dict.fromkeys(columns, st.none() | st.text(max_size=20)),
)  # fmt: skip


@given(typed_cases, st.booleans())
def test_every_ticket_and_tombstone_fits_the_contract(case: dict[str, Any], is_deleted: bool) -> None:
    """And the schema that the mapper announces for it."""
    stamp = "2026-01-07T11:30:00.000Z"
    rules = maker(on_case_deleted="delete_ticket")
    outcome = rules.make(
        case
        | {
            "SystemModstamp": stamp,
            "_sf_organization_id": "00D5g00000SandBEAA",
            "_sdc_deleted_at": stamp if is_deleted else None,
        }
    )
    if isinstance(outcome, Ticket | Tombstone):
        WIRE.validate(outcome.record)
        Draft202012Validator(tickets_schema(rules.rules)).validate(outcome.record)


@given(cases)
def test_associations_have_ways_in_the_order_of_the_rules_and_no_empty_value(case: dict[str, Any]) -> None:
    outcome = maker().make(case)
    for wish in outcome.record["associations"] if isinstance(outcome, Ticket) else []:
        ways = [wish, *wish.get("otherwise", [])]
        assert all(isinstance(way["value"], str) and way["value"] for way in ways)
        assert [way["by"] for way in ways] in (
            ["salesforceaccountid", "domain"], ["salesforceaccountid"], ["domain"],
            ["salesforcecontactid", "email"], ["salesforcecontactid"], ["email"], [KEY],
        )  # fmt: skip


@given(cases, st.sampled_from([n for n in NAMES if n != "option"]))
def test_any_conversion_of_any_value_gives_a_ticket(case: dict[str, Any], convert: str) -> None:
    """With the value, or without it and counted."""
    rules = maker(fields={"x": {"from": "Priority", "convert": convert}})
    outcome = rules.make(case)
    if isinstance(outcome, Ticket):
        assert ("x" in outcome.record) == (rules.left_out["x"] == 0)


def test_a_value_that_cant_be_converted_is_left_out_and_counted(case: dict[str, Any]) -> None:
    """It neither blanks the property nor holds up the ticket."""
    rules = maker(fields={"x": {"from": "Priority", "convert": "number"}})
    outcome = rules.make(case | {"Status": "New"})
    assert isinstance(outcome, Ticket)
    assert "x" not in outcome.record
    assert rules.left_out == {"x": 1}


@pytest.mark.parametrize(
    ("case", "place"),
    [
        ({"BusinessProcess__Name": "Technical", "Status": "New"}, ("Tech", "T1")),
        ({"BusinessProcess__Name": "Technical", "Status": "Closed", "IsClosed": True}, ("Tech", "T9")),
        ({"BusinessProcess__Name": None, "Status": "New"}, ("Support", "S1")),
        ({"BusinessProcess__Name": "Unheard of", "Status": "New"}, ("Support", "S1")),
        ({"BusinessProcess__Name": None, "Status": "Solved", "IsClosed": True}, ("Support", "S9")),
        (
            {"BusinessProcess__Name": None, "Status": "Solved", "CaseStatus__IsClosed": True},
            ("Support", "S9"),
        ),
    ],
)
def test_pipeline_by_support_process_and_stage_by_status(
    case: dict[str, Any], place: tuple[str, str]
) -> None:
    assert placed(maker().make({"Id": "500000000000000AAA", **case})) == place


@pytest.mark.parametrize(
    ("rule", "kind"), [("reject", Rejection), ("skip", Skipped), ("default_stage", Ticket)]
)
def test_unmapped_status_does_what_its_rule_says(rule: str, kind: type) -> None:
    pipelines = {"default": {"pipeline": "P", "stages": {}, "default_stage": "D"}}
    outcome = maker(pipelines=pipelines, unmapped_status=rule).make({"Id": "5", "Status": "Odd"})
    assert isinstance(outcome, kind)
    if kind is Ticket:
        assert placed(outcome) == ("P", "D")


@pytest.mark.parametrize("rule", ["reject", "skip"])
def test_unmapped_process_does_what_its_rule_says(rule: str) -> None:
    """A named process that the rules do not know; a case without one still takes the default pipeline."""
    rules = maker(unmapped_process=rule)
    outcome = rules.make({"Id": "5", "Status": "New", "BusinessProcess__Name": "Unheard of"})
    assert isinstance(outcome, Rejection if rule == "reject" else Skipped)
    assert placed(rules.make({"Id": "5", "Status": "New", "BusinessProcess__Name": None})) == (
        "Support",
        "S1",
    )


def test_rejection_names_the_status_that_has_no_rule(case: dict[str, Any]) -> None:
    """An admin of Salesforce made it up, and the admin of the sync has to add it to the rules."""
    outcome = maker().make(case | {"BusinessProcess__Name": "Technical", "Status": "On Ice"})
    assert isinstance(outcome, Rejection)
    assert (outcome.record["code"], outcome.record["field"]) == ("UNMAPPED_STATUS", "Status")
    assert "for Status 'On Ice'" in outcome.record["message"]


def test_rejection_quotes_no_other_field(case: dict[str, Any]) -> None:
    """pipeline_by may be a field that customers fill in; what they wrote stays out of files and logs."""
    rules = maker(pipeline_by="Subject", unmapped_process="reject")
    outcome = rules.make(case | {"Subject": "Very private word"})
    assert isinstance(outcome, Rejection)
    assert outcome.record["message"].startswith("no pipeline for this Subject:")
    assert "private" not in str(outcome.record)


def test_schema_announces_every_pipeline_and_stage_that_a_ticket_can_get() -> None:
    """So that a target can refuse a wrong name before the first record; the unnamed closed stage is found later."""
    rules = maker(
        pipelines={
            "Technical": {
                "pipeline": "Tech",
                "stages": {"New": "T1", "Working": "T2"},
                "closed_stage": "T9",
                "default_stage": "T1",
            },
            "Returns": {"pipeline": "Support", "stages": {"New": "S1"}, "default_stage": "S1"},
            "default": {"pipeline": "Support", "stages": {"New": "S2"}, "default_stage": "S3"},
        },
        unmapped_status="default_stage",
    ).rules
    stage = tickets_schema(rules)["properties"]["hs_pipeline_stage"]
    assert stage["stages_by_pipeline"] == {"Tech": ["T1", "T2", "T9"], "Support": ["S1", "S2", "S3"]}


def test_schema_announces_the_options_that_a_mapping_can_give() -> None:
    """A table's results and its default, or a constant; nothing where unknown values go through as they are."""
    table = {"from": "Type", "options": {"Mechanical": "MECH", "Electrical": "ELEC", "Electronic": "ELEC"}}
    rules = maker(
        fields={
            "closed": table | {"default": "OTHER"},
            "several": {"from": "Type", "convert": "multi_option", "options": {"a": "A", "b": "B"}},
            "open": table | {"when_unknown": "create"},
            "constant": {"value": True},
            "column": "Type",
            "written": {"template": "{Type}"},
        }
    ).rules
    columns = tickets_schema(rules)["properties"]
    announced = {n: c["option_values"] for n, c in columns.items() if "option_values" in c}
    assert announced == {
        "hs_ticket_priority": ["HIGH", "MEDIUM", "LOW", "URGENT"],
        "source_type": ["PHONE", "EMAIL", "FORM", "CHAT"],
        "closed": ["MECH", "ELEC", "OTHER"],
        "several": ["A", "B"],
        "constant": [True],
    }


def test_N12_schema_announces_what_a_ticket_that_exists_keeps() -> None:
    """The target sees to it; the value of the case goes along all the same."""
    made = maker(
        fields={
            "content": {"from": "Description", "write": "if_empty"},
            "hs_ticket_priority": {"value": "LOW", "write": "create_only"},
            "subject": {"from": "Subject", "write": "always"},
        }
    )
    columns = tickets_schema(made.rules)["properties"]
    announced = {n: c["write_rule"] for n, c in columns.items() if "write_rule" in c}
    assert announced == {"content": "if_empty", "hs_ticket_priority": "create_only"}
    outcome = made.make({"Id": "500000000000001AAA", "Status": "New", "Description": "of the case"})
    assert isinstance(outcome, Ticket)
    assert (outcome.record["content"], outcome.record["hs_ticket_priority"]) == ("of the case", "LOW")


def test_schema_announces_how_other_records_are_looked_up() -> None:
    """Every property of each kind of record, in order, once; labels only if the rules name some."""
    more = [
        {"to": "company", "match": [{"by": "domain", "from": "Site"}, {"by": "erp_number", "from": "Erp"}], "label": "Payer"},
        {"to": "contact", "match": [{"by": "email", "from": "Mail"}], "label": "Payer"},
    ]  # fmt: skip
    plain = tickets_schema(maker(associations={"account": "on", "contact": "off"}).rules)["properties"][
        "associations"
    ]
    assert plain["looked_up_by"] == {"company": ["salesforceaccountid", "domain"]}
    assert "labels" not in plain
    named = {"account": "on", "contact": "on", "parent_case": "on", "more": more}
    labelled = tickets_schema(maker(associations=named).rules)["properties"]
    assert labelled["associations"]["looked_up_by"] == {
        "company": ["salesforceaccountid", "domain", "erp_number"],
        "contact": ["salesforcecontactid", "email"],
        "ticket": [KEY],
    }
    assert labelled["associations"]["labels"] == {"company": ["Payer"], "contact": ["Payer"]}


def test_deleted_case_becomes_a_tombstone_or_nothing(case: dict[str, Any]) -> None:
    """By on_case_deleted; a tombstone has the key and the version, and no property of a ticket."""
    gone = {"Id": case["Id"], "IsDeleted": True, "SystemModstamp": "2026-01-07T11:30:00.000Z", "_sdc_deleted_at": "2026-01-07T11:30:00.000Z"}  # fmt: skip
    assert isinstance(maker().make(gone), Skipped)
    outcome = maker(on_case_deleted="delete_ticket").make(gone)
    assert isinstance(outcome, Tombstone)
    assert set(outcome.record) == {*MARKS, "_sdc_deleted_at"}


def test_template_stands_in_for_an_empty_field_only(case: dict[str, Any]) -> None:
    subject = {"subject": {"from": "Subject", "or_template": "{Type} case {CaseNumber}{Missing}"}}
    case |= {"Status": "New"}
    with_subject = maker(fields=subject).make(case)
    without = maker(fields=subject).make(case | {"Subject": None})
    assert isinstance(with_subject, Ticket)
    assert isinstance(without, Ticket)
    assert with_subject.record["subject"] == "Pump P-7 loses pressure"
    assert without.record["subject"] == "Mechanical case 00001042"
