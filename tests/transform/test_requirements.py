"""The numbered requirements that are about rules: S from HubSpot's own feature, N from its integration at large, W beyond it."""

from typing import Any

import pytest

from case_ticket_mapper.errors import RulesError
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.schema_out import tickets_schema
from case_ticket_mapper.ticket import Outcome, Rejection, Skipped, Ticket, TicketMaker, Tombstone

Rules = dict[str, Any]
PIPELINES = {"default": {"pipeline": "Support", "stages": {"New": "N", "Working": "W"}, "closed_stage": "C"}}
GONE = {"Id": "5005g00000AbCdEAAV", "_sdc_deleted_at": "2026-01-07T11:30:00.000Z", "_sf_delete_kind": "soft"}


def made(case: dict[str, Any], **rules: Any) -> Outcome:
    whole = {"Id": "5005g00000AbCdEAAV", "Status": "New", **case}
    return TicketMaker(rules=read_rules({"pipelines": PIPELINES, **rules})).make(whole)


def ticket(case: dict[str, Any], **rules: Any) -> dict[str, Any]:
    outcome = made(case, **rules)
    assert isinstance(outcome, Ticket), outcome
    return outcome.record


def mapped(case: dict[str, Any], **rule: Any) -> Any:
    """The value of a property `x` under a rule; "(absent)" where the property is left alone."""
    return ticket(case, fields={"x": rule}).get("x", "(absent)")


# -- deletion


def test_S04_do_nothing_sends_nothing_for_a_deleted_case() -> None:
    assert isinstance(made(GONE, on_case_deleted="do_nothing"), Skipped)


def test_S05_delete_ticket_sends_a_tombstone_and_an_undeleted_case_its_ticket() -> None:
    assert isinstance(made(GONE, on_case_deleted="delete_ticket"), Tombstone)
    assert ticket({"_sdc_deleted_at": None}, on_case_deleted="delete_ticket")


def test_S06_deletion_rule_is_one_of_two_and_keeps_tickets_unless_chosen() -> None:
    assert read_rules({"pipelines": PIPELINES}).on_case_deleted == "do_nothing"
    with pytest.raises(RulesError, match="must be one of do_nothing, delete_ticket"):
        read_rules({"pipelines": PIPELINES, "on_case_deleted": "archive"})


@pytest.mark.parametrize(
    ("deleted", "merged", "kind"),
    [
        ("do_nothing", "as_deleted", Skipped),
        ("do_nothing", "follow_merge", Tombstone),
        ("delete_ticket", "as_deleted", Tombstone),
        ("delete_ticket", "follow_merge", Tombstone),
    ],
)
def test_merged_case_follows_its_rule(deleted: str, merged: str, kind: type) -> None:
    """Its winner has its contents; a case deleted otherwise is not touched by follow_merge."""
    loser = {**GONE, "_sf_delete_kind": "merged"}
    assert isinstance(made(loser, on_case_deleted=deleted, on_case_merged=merged), kind)
    assert isinstance(made(GONE, on_case_deleted="do_nothing", on_case_merged=merged), Skipped)


# -- associations

LINKED = {"AccountId": "0015g00000XyZabAAF", "Account__Website": "https://www.acme.example", "ContactId": "0035g00000QrStuAAE", "Contact__Email": "Kim@Acme.example", "ParentId": "5005g00000PaReNAAV"}  # fmt: skip


@pytest.mark.parametrize("account", [True, False, "on", "off"])
@pytest.mark.parametrize("contact", [True, False])
def test_S07_S08_S09_S10_S11_the_two_switches_are_independent(account: Any, contact: bool) -> None:
    found = [
        a["to"] for a in ticket(LINKED, associations={"account": account, "contact": contact})["associations"]
    ]
    assert found == ["company"] * (account in {True, "on"}) + ["contact"] * contact


def test_N21_W17_records_are_found_by_salesforce_id_then_domain_and_email() -> None:
    company, contact = ticket(LINKED, associations={"account": True, "contact": True})["associations"]
    assert (company["by"], company["otherwise"]) == (
        "salesforceaccountid",
        [{"by": "domain", "value": "acme.example"}],
    )
    assert (contact["by"], contact["otherwise"]) == (
        "salesforcecontactid",
        [{"by": "email", "value": "kim@acme.example"}],
    )


def test_N21_property_names_are_the_admins_choice() -> None:
    match = [{"by": "crm_account", "from": "AccountId"}]
    (company,) = ticket(LINKED, associations={"account": {"match": match, "label": "Customer"}})[
        "associations"
    ]
    assert company == {
        "to": "company",
        "by": "crm_account",
        "value": "0015g00000XyZabAAF",
        "label": "Customer",
    }


def test_W14_parent_case_and_more_contacts_are_associations_too() -> None:
    more = [
        {
            "to": "contact",
            "match": [{"by": "email", "from": "Partner__c", "convert": "lower"}],
            "label": "Partner",
        }
    ]
    found = ticket({**LINKED, "Partner__c": "P@x.example"}, associations={"parent_case": True, "more": more})[
        "associations"
    ]
    assert [(a["to"], a["by"], a["value"]) for a in found] == [
        ("ticket", "salesforce_case_id", "5005g00000PaReNAAV"),
        ("contact", "email", "p@x.example"),
    ]


# -- fields


@pytest.mark.parametrize("name", ["subject", "hs_pipeline", "hs_pipeline_stage", "salesforce_case_id"])
def test_S13_required_property_cant_be_removed(name: str) -> None:
    with pytest.raises(RulesError, match=f"rules.fields.{name}"):
        read_rules({"pipelines": PIPELINES, "fields": {name: None}})


def test_S15_property_of_a_field_can_be_changed() -> None:
    found = ticket({"Description": "d"}, fields={"content": None, "details": "Description"})
    assert (found["details"], "content" in found) == ("d", False)


def test_S16_removed_mapping_no_longer_flows() -> None:
    rules = {"pipelines": PIPELINES, "fields": {"content": None}}
    assert "content" not in ticket({"Description": "d"}, **rules)
    assert "content" not in tickets_schema(read_rules(rules))["properties"]


def test_N03_one_field_may_feed_several_properties() -> None:
    found = ticket({"Origin": "Phone"}, fields={"origin_text": "Origin"})
    assert (found["source_type"], found["origin_text"]) == ("PHONE", "Phone")


@pytest.mark.parametrize(
    ("case", "rule", "expected"),
    [
        ({"A": "high"}, {"from": "A", "options": {"High": "HIGH"}}, "HIGH"),  # N04
        ({"A": "a;b"}, {"from": "A", "convert": "multi_option"}, "a;b"),  # N05
        ({"A": False}, {"from": "A", "convert": "boolean"}, False),  # N06
        ({"A": 12.0}, {"from": "A", "convert": "currency"}, 12),  # N07
        ({"A": 12.5}, {"from": "A", "convert": "percent"}, 0.125),
        ({"A": "x" * 40}, {"from": "A", "max_length": 10}, "xxxx\n[cut]"),  # N08
        ({"A": None}, {"from": "A"}, None),  # N11
        ({"A": None}, {"from": "A", "when_empty": "keep"}, "(absent)"),
        ({"A": None}, {"from": "A", "default": "x"}, "x"),
        ({"A": None, "B": "b"}, {"from": ["A", "B"]}, "b"),
        ({"A": "", "B": "b"}, {"from": ["A", "B"]}, "b"),
        ({}, {"value": "SALESFORCE"}, "SALESFORCE"),
        ({}, {"value": True}, True),
        ({"A": "a", "B": None}, {"template": "{A}/{B}/{C}"}, "a//"),
        ({"A": "a"}, {"from": "A", "or_template": "none"}, "a"),
        ({"A": None}, {"from": "A", "or_template": "none"}, "none"),
        ({"A": "{B}", "B": "b"}, {"template": "{A}"}, "{B}"),
        ({"A": "?"}, {"from": "A", "options": {"a": "b"}}, "(absent)"),  # W08
        ({"A": "?"}, {"from": "A", "options": {"a": "b"}, "default": "d"}, "d"),
        ({"A": "?"}, {"from": "A", "options": {"a": "b"}, "when_unknown": "create"}, "?"),
        ({"A": "?"}, {"from": "A", "convert": "number", "when_unknown": "create"}, "?"),
        ({"A": "?"}, {"from": "A", "convert": "number"}, "(absent)"),
    ],
)  # fmt: skip
def test_N04_N05_N06_N07_N08_N11_W08_W09_value_by_rule(
    case: dict[str, Any], rule: Rules, expected: Any
) -> None:
    assert mapped(case, **rule) == expected


@pytest.mark.parametrize("rule", [{"options": {"a": "b"}}, {"convert": "number"}, {"convert": "date"}])
def test_W08_rejected_value_puts_the_case_on_record_without_the_value(rule: Rules) -> None:
    outcome = made({"A": "private word"}, fields={"x": {"from": "A", "when_unknown": "reject", **rule}})
    assert isinstance(outcome, Rejection)
    assert (outcome.record["code"], outcome.record["field"]) == ("UNKNOWN_VALUE", "A")
    assert "rules.fields.x" in outcome.record["message"]
    assert "private" not in str(outcome.record)


def test_N16_N17_owner_by_email_and_queues_by_a_lookup() -> None:
    """A queue has no e-mail of its own that an owner of HubSpot's would have."""
    lookups = {"queues": {"Tier 1": "lead@acme.example"}}
    fields = {"hubspot_owner_email": {"from": "Owner__Name", "lookup": "queues"}}
    assert (
        ticket({"Owner__Name": "tier 1"}, lookups=lookups, fields=fields)["hubspot_owner_email"]
        == "lead@acme.example"
    )
    assert "hubspot_owner_email" not in ticket({"Owner__Name": "Ada Park"}, lookups=lookups, fields=fields)
    assert ticket({"Owner__Email": "ada@acme.example"})["hubspot_owner_email"] == "ada@acme.example"


def test_W18_ticket_links_back_to_its_case() -> None:
    found = ticket({"CaseNumber": "00001042", "_sf_case_url": "https://acme.my.salesforce.com/500"})
    assert (found["salesforce_case_number"], found["salesforce_case_url"]) == (
        "00001042",
        "https://acme.my.salesforce.com/500",
    )


# -- pipelines


def test_S17_each_process_has_its_pipeline_and_W01_each_status_its_stage() -> None:
    pipelines = {
        "A": {"pipeline": "PA", "stages": {"New": "1"}},
        "B": {"pipeline": 7, "stages": {"New": 2}},
        **PIPELINES,
    }
    places = [ticket({"BusinessProcess__Name": name}, pipelines=pipelines) for name in ("A", "B", None, "?")]
    assert [(t["hs_pipeline"], t["hs_pipeline_stage"]) for t in places] == [
        ("PA", "1"),
        ("7", "2"),
        ("Support", "N"),
        ("Support", "N"),
    ]


def test_S17_any_column_may_pick_the_pipeline() -> None:
    rules = {
        "pipeline_by": "RecordType__DeveloperName",
        "pipelines": {"Tech": {"pipeline": "T", "stages": {"New": "1"}}, **PIPELINES},
    }
    assert ticket({"RecordType__DeveloperName": "Tech"}, **rules)["hs_pipeline"] == "T"


@pytest.mark.parametrize("status", ["New", "Working", "Closed", "Odd"])
@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("rule", ["reject", "skip", "default_stage", "same_name"])
def test_W01_every_status_has_the_stage_or_the_fate_that_the_rules_say(
    status: str, is_closed: bool, rule: str
) -> None:
    """The table first, then the closed stage for a closed case, then the rule for what is left."""
    pipelines = {"default": {**PIPELINES["default"], "default_stage": "D"}}
    outcome = made(
        {"Status": status, "CaseStatus__IsClosed": is_closed}, pipelines=pipelines, unmapped_status=rule
    )
    left = {"reject": Rejection, "skip": Skipped, "default_stage": "D", "same_name": status}[rule]
    expected = {"New": "N", "Working": "W"}.get(status, "C" if is_closed else left)
    assert (outcome.record["hs_pipeline_stage"] if isinstance(outcome, Ticket) else type(outcome)) == expected


def test_closed_case_without_a_rule_lands_in_a_closed_stage() -> None:
    """Whatever unmapped_status says of the others."""
    pipelines = {"default": {"pipeline": "P", "stages": {}, "default_stage": "D"}}
    for rule in ("reject", "skip", "default_stage", "same_name"):
        found = ticket({"Status": "Solved", "IsClosed": True}, pipelines=pipelines, unmapped_status=rule)
        assert found["hs_pipeline_stage"] == "@closed"


# -- filter


@pytest.mark.parametrize(
    ("condition", "fitting", "others"),
    [
        ({"is": "High"}, ["High", "high"], ["Low", None, 7]),
        ({"is": True}, [True], [False, 1, "true", None]),
        ({"is_not": "High"}, ["Low", None], ["HIGH"]),
        ({"one_of": ["High", 7]}, ["high", 7], ["Low", None, 8]),
        ({"none_of": ["High", 7]}, ["Low", None], ["High", 7]),
        ({"contains": "PUMP"}, ["a pump b"], ["valve", None, 7]),
        ({"starts_with": "pump"}, ["Pump P-7"], ["a pump", None]),
        ({"at_least": 5}, [5, 6.5], [4, None, "6", True]),
        ({"at_most": "2026-01-31"}, ["2026-01-05T09:00:00.000Z"], ["2026-02-01", None, 7]),
        ({"at_least": "2026-01-01", "at_most": "2026-12-31"}, ["2026-06-01"], ["2025-12-31", "2027-01-01"]),
        ({"filled": True}, ["x", 0, False], [None, ""]),
        ({"filled": False}, [None, ""], ["x", 0]),
    ],
)
def test_W02_condition_over_a_field(condition: Rules, fitting: list[Any], others: list[Any]) -> None:
    only = {"filter": {"all": [{"field": "A", **condition}]}}
    assert all(isinstance(made({"A": value}, **only), Ticket) for value in fitting)
    assert all(isinstance(made({"A": value}, **only), Skipped) for value in others)


def test_W02_all_of_all_and_one_of_any_have_to_hold() -> None:
    rules = {
        "filter": {
            "all": [{"field": "A", "filled": True}],
            "any": [{"field": "B", "is": 1}, {"field": "C", "is": 1}],
        }
    }
    cases = [{"A": 1, "B": 1}, {"A": 1, "C": 1}, {"A": 1}, {"B": 1}]
    assert [isinstance(made(case, **rules), Ticket) for case in cases] == [True, True, False, False]


@pytest.mark.parametrize(
    ("types", "fitting"),
    [
        ({"include": ["technical support"]}, ["Technical Support"]),
        ({"include": ["Technical_Support", "none"]}, ["Technical Support", None]),
        ({"exclude": ["Billing"]}, ["Technical Support", None]),
        ({"exclude": ["none"]}, ["Technical Support", "Billing"]),
        ({"include": ["Billing"], "exclude": ["Billing"]}, []),
    ],
)
def test_W02_record_types_by_label_or_developer_name(types: Rules, fitting: list[Any]) -> None:
    def case(label: str | None) -> dict[str, Any]:
        return {"RecordType__Name": label, "RecordType__DeveloperName": label and label.replace(" ", "_")}

    found = [label for label in ("Technical Support", "Billing", None) if isinstance(made(case(label), filter={"record_types": types}), Ticket)]  # fmt: skip
    assert found == fitting


@pytest.mark.parametrize(("otherwise", "kind"), [("leave", Skipped), ("delete_ticket", Tombstone)])
def test_W02_case_that_no_longer_fits_is_left_alone_or_deleted(otherwise: str, kind: type) -> None:
    """Even under on_case_deleted: do_nothing, since the filter has a rule of its own; and its tombstone says when."""
    rules = {"filter": {"all": [{"field": "A", "filled": True}], "otherwise": otherwise}}
    outcome = made({"A": None, "SystemModstamp": "2026-01-07T11:30:00.000Z"}, **rules)
    assert isinstance(outcome, kind)
    if isinstance(outcome, Tombstone):
        assert outcome.record["_sdc_deleted_at"] == "2026-01-07T11:30:00.000Z"
        without_stamp = made({"A": None}, **rules)
        assert isinstance(without_stamp, Tombstone)
        assert without_stamp.record["_sdc_deleted_at"]
