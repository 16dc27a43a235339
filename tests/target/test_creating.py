"""What a portal lacks is created before the first ticket, once, and what can't be is told."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from target_hubspot_tickets.errors import AnswerFormError, PreflightError
from target_hubspot_tickets.option_adding import MOST_ADDED, OptionAdder
from target_hubspot_tickets.protocol import Api

from .gates import FULL, KEY, LISTED_AT, REFUSED, TEXT, Gate, answer, property_of

OPTIONS = [
    {"label": "Low", "value": "LOW", "displayOrder": 3, "hidden": False, "description": "a"},
    {"label": "Old", "value": "OLD", "displayOrder": 4, "hidden": True, "description": ""},
]


def test_own_properties_are_created_by_the_type_of_their_column_in_their_group(gate: Gate) -> None:
    """The group as well; the key is a text with unique values whatever its column is."""
    columns = {
        "salesforce_case_url": TEXT,
        "salesforce_closed": TEXT | {"format": "date-time"},
        "salesforce_due": {"type": ["string", "null"], "format": "date"},
        "salesforce_hours": {"type": ["number", "integer", "null"]},
        "salesforce_escalated": {"type": ["boolean", "null"]},
        "salesforce_mixed": {"type": ["string", "number", "boolean", "null"]},
        KEY: {"type": "integer"},
    }
    gate.open(columns, property_group="sync_fields")
    made = {name: gate.property(name) for name in columns}
    assert {name: (p["type"], p["fieldType"]) for name, p in made.items()} == {
        "salesforce_case_url": ("string", "text"),
        "salesforce_closed": ("datetime", "date"),
        "salesforce_due": ("date", "date"),
        "salesforce_hours": ("number", "number"),
        "salesforce_escalated": ("bool", "booleancheckbox"),
        "salesforce_mixed": ("string", "text"),
        KEY: ("string", "text"),
    }
    assert {p["groupName"] for p in made.values()} == {"sync_fields"}
    assert [name for name, p in made.items() if p["hasUniqueValue"]] == [KEY]
    assert made[KEY]["label"] == "Salesforce Case ID"
    group = next(g for g in gate.definitions()[1] if g["name"] == "sync_fields")
    assert group["label"] == "Sync Fields"
    assert gate.open(columns, property_group="sync_fields").notes == ()


@pytest.mark.parametrize(
    "fault", [{"action": "answer", "status": 400, "body": REFUSED}, {"action": "drop_after_commit"}]
)
def test_what_a_call_for_all_did_not_create_is_created_alone(gate: Gate, fault: dict[str, Any]) -> None:
    """Whether it made none, or its answer was lost behind the commit: nothing is made twice."""
    gate.sandbox.faults(
        [{"half": "hubspot", "method": "POST", "path": "tickets/batch/create", "nth": 1, **fault}]
    )
    assert gate.open().portal.properties[KEY].is_unique
    assert len([p for p in gate.definitions()[0] if p["name"] == KEY]) == 1


def test_an_answer_of_another_form_to_what_was_created_is_told(gate: Gate) -> None:
    gate.sandbox.faults(
        [answer("POST", "tickets/batch/create", status=201, body={"results": ["salesforce_case_id"]})]
    )
    with pytest.raises(AnswerFormError, match="properties that were created"):
        gate.open()


def test_properties_are_created_in_one_call(gate: Gate) -> None:
    gate.open()
    made = [
        r["path"]
        for r in gate.sandbox.requests(half="hubspot")
        if r["method"] == "POST" and "properties" in r["path"]
    ]
    assert len(made) == 1, made


def test_runs_that_start_at_once_create_each_property_once(gate: Gate) -> None:
    """That another was faster is no error."""
    gate.client.send(Api("2026-09").account())
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: gate.open(property_group="sync"), range(4)))
    assert all(one.portal.properties[KEY].is_unique for one in opened)
    made = [p for p in gate.definitions()[0] if p["name"] == KEY]
    assert len(made) == 1


def test_nine_unique_properties_leave_room_for_the_key(gate: Gate) -> None:
    """HubSpot's own unique ones do not count to its limit of ten."""
    gate.load(properties=FULL[:9])
    assert gate.open().portal.properties[KEY].is_unique


@pytest.mark.parametrize(
    "together",
    [{"status": 400, "body": REFUSED}, {"status": 207, "body": {"results": [], "errors": [REFUSED]}}],
)
def test_refused_creation_is_told(gate: Gate, together: dict[str, Any]) -> None:
    """Of several that are created in one call each is asked for alone, whose answer says why."""
    gate.sandbox.faults(
        [
            answer("POST", "tickets/batch/create", **together),
            answer("POST", LISTED_AT, status=400, body=REFUSED),
        ]
    )
    with pytest.raises(PreflightError) as raised:
        gate.open()
    (told,) = raised.value.problems
    assert told.startswith(f"HubSpot refuses to create the ticket property '{KEY}'")
    assert "c-1" in told
    assert "quotes" not in told


def test_new_property_is_waited_for_until_hubspot_lists_it(gate: Gate) -> None:
    before = {"results": gate.definitions()[0]}
    gate.sandbox.faults([answer("GET", LISTED_AT, nth=2, status=200, body=before)])
    assert gate.open().portal.properties[KEY].is_unique
    assert len([r for r in gate.sandbox.requests(half="hubspot") if r["fault"]]) == 1


def test_key_that_comes_back_from_the_archive_without_unique_values_is_refused(gate: Gate) -> None:
    """HubSpot restores an archived property of the name instead of creating one."""
    old = [{"name": name, "type": "string"} for name in (KEY, "salesforce_case_url")]
    gate.sandbox.faults([answer("GET", LISTED_AT, nth=2, status=200, body={"results": old})])
    with pytest.raises(PreflightError, match="came back, and does not require unique values"):
        gate.open()


def test_missing_options_are_added_to_those_that_are_there(gate: Gate) -> None:
    """Each once, in any letters; what is there stays as it is, hidden ones too."""
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    opened = gate.open({"level": TEXT | {"option_values": ["Low", "old", "New", "new", "Other"]}}, may_create_options=True)  # fmt: skip
    options = gate.property("level")["options"]
    assert options[:2] == OPTIONS
    assert [(o["value"], o["label"], o["hidden"]) for o in options[2:]] == [("New", "New", False), ("new", "new", False), ("Other", "Other", False)]  # fmt: skip
    assert list(opened.portal.properties["level"].options) == ["LOW", "OLD", "New", "new", "Other"]


def test_options_of_records_are_added_by_threads_without_losing_any(gate: Gate) -> None:
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    adder = OptionAdder(gate.client, Api("2026-09"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: adder.add("level", [f"Option {n % 12}"]), range(36)))
    values = [option["value"] for option in gate.property("level")["options"]]
    assert sorted(values) == sorted(["LOW", "OLD", *(f"Option {n}" for n in range(12))])


def test_options_are_not_added_without_end_nor_where_there_are_none(gate: Gate) -> None:
    """A column of free texts is no list of choices."""
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    adder = OptionAdder(gate.client, Api("2026-09"))
    assert adder.add("level", [str(n) for n in range(MOST_ADDED)]) is not None
    assert adder.add("level", ["one more"]) is None
    assert adder.add("level", ["7", "low"]) is not None
    assert adder.add("hubspot_owner_id", ["x"]) is None
    assert adder.add("no_such", ["x"]) is None
