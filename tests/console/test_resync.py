"""Reading cases again: one by Id or number, or chosen properties of all; the sync's own place is not moved."""

import time
from typing import Any

import httpx
import pytest

from case_sync_console.case_filter import of_case
from case_sync_console.errors import CommandLineError
from case_sync_console.fields_chosen import names_in, properties_meant

from .conftest import Ended, Project

pytestmark = [pytest.mark.xdist_group("console-resync"), pytest.mark.timeout(1200)]
RULES = {
    "fields": [
        {"property": "subject", "from": ["Subject"], "template": "Case {CaseNumber}"},
        {"property": "content", "from": ["Description"], "template": None},
        {"property": "salesforce_case_number", "from": ["CaseNumber"], "template": None},
        {"property": "source", "from": [], "template": None},
    ]
}


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["content"], {"content"}),
        (["Description"], {"content"}),
        (["casenumber"], {"subject", "salesforce_case_number"}),
        (["SUBJECT"], {"subject"}),
        (["content", "Description"], {"content"}),
    ],
)
def test_N13_fields_are_ticket_properties_or_case_fields(names: list[str], meant: set[str]) -> None:
    assert set(properties_meant(names, RULES)) == meant


def test_N13_an_unknown_field_is_named_with_what_there_is() -> None:
    with pytest.raises(CommandLineError, match=r"nothing: .* salesforce_case_number"):
        properties_meant(["content", "nothing"], RULES)
    with pytest.raises(CommandLineError, match="--fields"):
        names_in(" , ")


def test_N14_a_case_is_named_by_id_or_number() -> None:
    assert of_case("5005g0000000001") == "Id = '5005g0000000001'"
    assert of_case("5005g0000000001AAA") == "Id = '5005g0000000001AAA'"
    assert of_case("00001042") == "CaseNumber = '00001042'"


@pytest.mark.parametrize("name", ["", "x", "' OR Id != '", "5005g00000000011", "0015g0000000001", "12 OR 1"])
def test_what_is_no_case_is_refused(name: str) -> None:
    with pytest.raises(CommandLineError, match="--case"):
        of_case(name)


# -- a real one


def by_hand(project: Project, case: str, **properties: str) -> None:
    """Somebody edits a ticket in HubSpot."""
    ticket = project.tickets()[case]["id"]
    answer = httpx.patch(
        f"{project.sandbox.hubspot_url}/crm/v3/objects/tickets/{ticket}",
        json={"properties": properties},
        headers={"Authorization": "Bearer sandbox-token"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def synced(module_project: Project) -> str:
    """25 cases with tickets; the state of the continuous sync."""
    module_project.sandbox.seed(25)
    time.sleep(2)
    module_project.switch_on()
    ended = module_project.console("run")
    assert ended.exit_code == 0, ended.output
    return module_project.state()


@pytest.fixture(scope="module")
def one(module_project: Project, synced: str) -> tuple[Ended, dict[str, Any], set[str]]:
    """A ticket is edited by hand, its case is synced again by number; its properties then, and the cases written."""
    case = next(iter(module_project.tickets()))
    by_hand(module_project, case, subject="by hand", content="by hand")
    seen = len(module_project.sandbox.writes())
    ended = module_project.console("resync", "--case", module_project.cases()[case]["CaseNumber"])
    written = {write["key"] for write in module_project.sandbox.writes()[seen:] if write["op"] != "associate"}
    return ended, module_project.tickets()[case]["properties"], written


def test_N14_one_case_is_synced_again_by_its_number(module_project: Project, synced: str, one: Any) -> None:
    """Its ticket is as the case is; no other is written; the continuous sync stays where it was."""
    ended, properties, written = one
    assert ended.exit_code == 0, ended.output
    case = module_project.cases()[properties["salesforce_case_id"]]
    assert (properties["subject"], properties["content"]) == (case["Subject"], case["Description"])
    assert written == {case["Id"]}
    assert "1 case: tickets 0 new, 1 updated" in ended.stdout
    assert module_project.state() == synced


def test_N13_a_new_mapping_comes_to_old_tickets_on_request(
    module_project: Project, synced: str, one: Any
) -> None:
    """Only the property that was asked for is written: what somebody wrote into another by hand stays."""
    case = next(iter(module_project.tickets()))
    by_hand(module_project, case, subject="by hand")
    module_project.change_rules(
        lambda rules: rules["fields"].update({"content": {"template": "From {CaseNumber}"}})
    )
    ended = module_project.console("resync", "--fields", "content")
    assert ended.exit_code == 0, ended.output
    tickets, cases = module_project.tickets(), module_project.cases()
    assert len(tickets) == 25
    assert all(
        ticket["properties"]["content"] == f"From {cases[i]['CaseNumber']}" for i, ticket in tickets.items()
    )
    assert tickets[case]["properties"]["subject"] == "by hand"
    assert module_project.state() == synced


def test_a_case_that_is_not_there_is_said(module_project: Project, one: Any) -> None:
    ended = module_project.console("resync", "--case", "99999999")
    assert ended.exit_code == 2, ended.output
    assert "Salesforce has no case 99999999" in ended.stderr


def test_nothing_asked_for_is_refused(module_project: Project) -> None:
    ended = module_project.console("resync")
    assert ended.exit_code == 2, ended.output
    assert "--case" in ended.stderr
