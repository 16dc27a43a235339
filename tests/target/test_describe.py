"""--describe: what a program asks of a portal before a sync is set up."""

import json
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import PORTAL, Target, schema, ticket

SCHEMA_SCOPES = ["crm.schemas.custom.read", "crm.objects.custom.read", "oauth"]


def described(target: Target, **settings: Any) -> dict[str, Any]:
    done = target.ask("--describe", **settings)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_portal_is_one_object(sandbox: RunningSandbox, target: Target) -> None:
    """Before the first run there is no key property, so no ticket can be counted; what HubSpot lists comes as it lists it."""
    sandbox.settings(required_on_create=["hs_ticket_priority"])
    before = described(target)
    assert before["portal_id"] == PORTAL
    assert before["tickets"] is None
    assert {"name", "label", "type", "fieldType"} <= before["properties"]["results"][0].keys()
    assert {stage["label"] for p in before["pipelines"]["results"] for stage in p["stages"]} >= {
        "New",
        "Closed",
    }
    assert before["required_properties"] == [
        "subject",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_priority",
    ]
    assert before["owners"] > 0
    assert 0 < before["api_calls_used_today"] < before["api_calls_allowed_a_day"]


def test_tickets_with_the_key_are_counted_and_nothing_is_written(
    sandbox: RunningSandbox, target: Target
) -> None:
    target.load([schema(), *map(ticket, range(3))])
    sandbox.admin("POST", "hubspot/load", {"tickets": [{"subject": "by hand"}]})
    writes = len(sandbox.writes())
    assert described(target)["tickets"] == 3
    assert len(sandbox.writes()) == writes


def test_what_the_token_may_not_read_is_left_out(sandbox: RunningSandbox, target: Target) -> None:
    """The form of the portal and the owners are nothing that a sync can't do without."""
    sandbox.settings(
        required_on_create=["content"], missing_scopes=[*SCHEMA_SCOPES, "crm.objects.owners.read"]
    )
    found = described(target)
    assert found["required_properties"] == ["subject", "hs_pipeline", "hs_pipeline_stage"]
    assert found["owners"] is None


def test_a_refused_token_is_one_message(target: Target) -> None:
    done = target.ask("--describe", access_token="not-the-token")
    assert (done.returncode, done.stdout) == (4, "")
    assert "HubSpot refused access_token" in done.stderr


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("schemas/tickets", {"requiredProperties": 1}, "the schema of tickets"),
        ("owners", {"results": 7}, "owners"),
        ("properties/2026-09/tickets", {"results": ["name"]}, "properties"),
        ("search", {"total": "many"}, "a number of tickets"),
    ],
)
def test_an_answer_of_another_form_is_told_by_what_was_asked(
    sandbox: RunningSandbox, target: Target, path: str, body: dict[str, Any], what: str
) -> None:
    target.load([schema(), ticket(1)])
    sandbox.faults([{"half": "hubspot", "path": path, "action": "answer", "status": 200, "body": body}])
    done = target.ask("--describe")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"HubSpot's answer with {what} has not the form" in done.stderr
