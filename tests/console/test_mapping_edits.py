"""Field mappings: what `case-sync mappings` adds, changes and deletes, and what it refuses; judged by the mapper's own findings."""

from typing import Any

import pytest

from case_sync_console.both_sides import field_named, property_named
from case_sync_console.errors import RefusedEditError
from case_sync_console.mapping_edits import Wish, added, deleted, edited
from case_sync_console.option_matching import matching_options
from case_sync_console.rule_changes import changes

from .recordings import PROJECT, after, findings, known, rules_in, sides


def refusal(act: Any, *args: Any) -> str:
    with pytest.raises(RefusedEditError) as caught:
        act(*args)
    return "\n".join(caught.value.problems)


def mapping(text: str, name: str) -> Any:
    """The mapping of a property in effect, and no problem with the rules."""
    found = findings(text)
    assert found["problems"] == []
    return next((one for one in found["rules"]["fields"] if one["property"] == name), None)


# -- S32 add


@pytest.mark.parametrize(
    ("property_", "field", "rule"),
    [
        ("source_ref", "External_Reference__c", "External_Reference__c"),
        ("source_ref", "Internal_Notes__c", {"from": "Internal_Notes__c", "convert": "text"}),
        ("source_ref", "Account__Website", "Account__Website"),
        ("closed_date", "ClosedDate", {"from": "ClosedDate", "convert": "datetime"}),
        ("created_by", "Units_Affected__c", {"from": "Units_Affected__c", "convert": "number"}),
        ("created_by", "Discount__c", {"from": "Discount__c", "convert": "percent"}),
    ],
)
def test_S32_a_mapping_is_added_as_the_types_ask_for(property_: str, field: str, rule: Any) -> None:
    text = after(added(property_, Wish(source=field), known()))
    assert rules_in(text)["fields"][property_] == rule
    assert mapping(text, property_)["from"] == [field]


def test_S32_a_picklist_takes_the_options_that_are_called_as_its_values() -> None:
    """N04: by value, else by label, whatever the case of letters; or as the admin says."""
    freed = after(deleted("hs_ticket_priority", known()))
    text = after(added("hs_ticket_priority", Wish(source="Priority"), known(freed)), freed)
    assert rules_in(text)["fields"]["hs_ticket_priority"] == {
        "from": "Priority",
        "options": {"High": "HIGH", "Medium": "MEDIUM", "Low": "LOW"},
    }
    said = Wish(source="Reason", options={"Breakdown": "ISSUE_FIXED"})
    assert mapping(after(added("hs_resolution", said, known())), "hs_resolution")["options"] == {
        "Breakdown": "ISSUE_FIXED"
    }
    told = refusal(added, "hs_resolution", Wish(source="Reason"), known())
    assert "--option" in told
    assert "Breakdown" in told
    assert "ISSUE_FIXED" in told


def test_S32_a_constant_can_stand_in_place_of_a_field() -> None:
    assert (
        mapping(after(added("source_ref", Wish(value="Salesforce"), known())), "source_ref")["constant"]
        == "Salesforce"
    )


@pytest.mark.parametrize("value", ["IN_PROGRESS", "in progress", "In-Progress"])
def test_N04_names_are_compared_as_people_do(value: str) -> None:
    assert matching_options({value: value}, {"x1": "In progress"}) == {value: "x1"}


# -- N02, N03, S13: refused


@pytest.mark.parametrize(
    ("property_", "field", "words"),
    [
        (
            "created_by",
            "Subject",
            ["'Subject' (Text)", "'created_by' (Number)", "Units_Affected__c", "source_ref"],
        ),
        ("closed_date", "Priority", ["(Picklist)", "(Date and time picker)"]),
        ("hs_resolution", "Topics__c", ["(Picklist (Multi-Select))", "(Radio select)"]),
        ("hs_resolution", "IsClosed", ["(Checkbox)"]),
    ],
)
def test_N02_types_that_do_not_fit_are_refused_with_what_would(
    property_: str, field: str, words: list[str]
) -> None:
    told = refusal(added, property_, Wish(source=field), known())
    assert all(word in told for word in words), told


def test_N03_a_property_receives_from_one_field_only_and_the_message_says_by_what() -> None:
    told = refusal(added, "content", Wish(source="Internal_Notes__c"), known())
    assert "'content' receives Description already" in told
    assert "case-sync mappings edit content" in told
    told = refusal(edited, "content", "source_type", Wish(), known(), {})
    assert "'source_type' receives Origin already" in told


def test_N03_one_field_may_go_into_several_properties() -> None:
    text = after(added("source_ref", Wish(source="CaseNumber"), known()))
    assert (
        mapping(text, "source_ref")["from"]
        == mapping(text, "salesforce_case_number")["from"]
        == ["CaseNumber"]
    )


@pytest.mark.parametrize("required", ["subject", "content"])
def test_S13_a_required_property_can_not_be_left_without_a_mapping(required: str) -> None:
    """`subject` by every portal, another because this portal says so."""
    here = known(required=("content",))
    assert f"requires the ticket property '{required}'" in refusal(deleted, required, here)
    assert "requires" in refusal(edited, required, "source_ref", Wish(), here, {})


# -- S16, S34 delete


def test_S16_S34_a_mapping_that_the_rules_name_is_taken_out_of_them() -> None:
    text = after(deleted("hs_ticket_category", known()))
    assert mapping(text, "hs_ticket_category") is None
    assert "hs_ticket_category" not in text


def test_S16_S34_a_mapping_that_comes_with_the_sync_is_taken_away_by_null() -> None:
    text = after(deleted("content", known()))
    assert rules_in(text)["fields"]["content"] is None
    assert mapping(text, "content") is None


def test_S16_a_default_does_not_come_back_when_its_own_mapping_is_deleted() -> None:
    own = after(edited("content", None, Wish(source="Internal_Notes__c"), known(), {}))
    text = after(deleted("content", known(own)), own)
    assert mapping(text, "content") is None


def test_what_is_not_mapped_can_be_neither_edited_nor_deleted() -> None:
    for told in (
        refusal(deleted, "source_ref", known()),
        refusal(edited, "source_ref", None, Wish(source="Reason"), known(), {}),
    ):
        assert "'source_ref' is not mapped" in told
        assert "mappings add source_ref" in told


# -- S15, S33 edit


def test_S33_a_property_gets_another_field() -> None:
    text = after(edited("content", None, Wish(source="Internal_Notes__c"), known(), {}))
    assert mapping(text, "content")["from"] == ["Internal_Notes__c"]


def test_S15_S33_a_field_moves_to_another_property() -> None:
    text = after(edited("content", "source_ref", Wish(), known(), {}))
    assert mapping(text, "source_ref")["from"] == ["Description"]
    assert mapping(text, "content") is None


def test_S15_a_mapping_that_the_rules_name_moves_in_its_place() -> None:
    first = after(added("source_ref", Wish(source="Reason"), known()))
    block = rules_in(first)
    text = after(
        edited("source_ref", "hs_resolution", Wish(options={"Other": "DUPLICATE"}), known(first), block),
        first,
    )
    assert list(rules_in(text)["fields"]) == ["hs_ticket_category", "hs_resolution"]
    assert mapping(text, "hs_resolution")["options"] == {"Other": "DUPLICATE"}


def test_S33_an_empty_subject_still_falls_back_to_the_case_number() -> None:
    """HubSpot requires a ticket name: another field may be empty as well."""
    text = after(edited("subject", None, Wish(source="External_Reference__c"), known(), {}))
    assert rules_in(text)["fields"]["subject"] == {
        "from": "External_Reference__c",
        "or_template": "Case {CaseNumber}",
    }


def test_S33_a_rule_of_several_fields_moves_as_it_is() -> None:
    own = PROJECT.replace(
        "          fields:\n",
        "          fields:\n            source_ref: {from: [SuppliedEmail, Contact__Email], when_empty: keep}\n",
    )
    freed = after(deleted("content", known(own)), own)
    text = after(edited("source_ref", "content", Wish(), known(freed), rules_in(freed)), freed)
    assert rules_in(text)["fields"]["content"] == {
        "from": ["SuppliedEmail", "Contact__Email"],
        "when_empty": "keep",
    }
    assert "source_ref" not in rules_in(text)["fields"]


# -- N12 what a ticket that exists keeps


def test_N12_a_mapping_says_what_a_ticket_that_exists_keeps() -> None:
    """Of a default, of one that is written down, and back to what it was."""
    text = after(edited("content", None, Wish(write="if_empty"), known(), {}))
    assert rules_in(text)["fields"]["content"] == {
        "from": "Description",
        "convert": "text",
        "write": "if_empty",
    }
    assert mapping(text, "content")["write"] == "if_empty"
    back = after(edited("content", None, Wish(write="always"), known(text), rules_in(text)), text)
    assert "write" not in rules_in(back)["fields"]["content"]
    assert mapping(back, "content") == mapping(PROJECT, "content") | {"is_default": False}


def test_N12_the_options_of_a_default_stay_when_only_its_writing_changes() -> None:
    text = after(edited("hs_ticket_priority", None, Wish(write="create_only"), known(), {}))
    kept = mapping(text, "hs_ticket_priority")
    assert kept["options"] == mapping(PROJECT, "hs_ticket_priority")["options"]
    assert kept["write"] == "create_only"


def test_N12_another_field_keeps_the_rule() -> None:
    text = after(added("source_ref", Wish(source="Reason", write="if_empty"), known()))
    assert rules_in(text)["fields"]["source_ref"] == {"from": "Reason", "write": "if_empty"}
    other = after(
        edited("source_ref", None, Wish(source="Type"), known(text), rules_in(text)),
        text,
    )
    assert mapping(other, "source_ref")["write"] == "if_empty"
    assert mapping(other, "source_ref")["from"] == ["Type"]


# -- what an edit says of itself


def test_S21_one_edit_is_one_changed_line() -> None:
    text = after(edited("content", None, Wish(source="Internal_Notes__c"), known(), {}))
    assert changes(known().rules, known(text).rules) == (
        "mappings / content: Description -> Internal_Notes__c",
    )


# -- names that people type


def test_fields_and_properties_are_found_by_label_too() -> None:
    assert field_named("case reason", sides()) == "Reason"
    assert property_named("Ticket Description", sides()) == "content"
    assert field_named("Owner__Name", sides()) == "Owner__Name"


@pytest.mark.parametrize(("typed", "words"), [("Reson", "did you mean 'Reason'"), ("Zzzz", "and 35 more")])
def test_an_unknown_field_is_answered_with_the_nearest_or_what_there_is(typed: str, words: str) -> None:
    assert words in refusal(field_named, typed, sides())
