"""What HubSpot's own feature promises, by number (native-sync.md), over the whole pipeline: tap, mapper and target as programs.

Those about one package stand in its folder; those about the console in tests/console.
"""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

from .expected import by_id, differences
from .forked import Ended, Forks, Pipeline

KEY = "salesforce_case_id"
ROOT = Path(__file__).parents[2]
# Salesforce's calls that read: login, describe (alone or several at once), query with its pages, the delete log, limits, and Bulk
# jobs, of which only queries are asked for. A job that is done with is deleted, which takes no record away.
READS = re.compile(
    r"POST /services/oauth2/token"
    r"|GET /services/data/v[\d.]+/(query|queryAll)(/.*)?"
    r"|GET /services/data/v[\d.]+/sobjects(/\w+/(describe|deleted/|updated/))?"
    r"|GET /services/data/v[\d.]+/limits/?"
    r"|POST /services/data/v[\d.]+/composite/?"
    r"|(POST|GET|PATCH|DELETE) /services/data/v[\d.]+/jobs/query(/\w+(/results|/resultPages)?)?"
)
Sync = Callable[..., Ended]


@pytest.fixture
def pipeline(forks: Forks, sandbox: RunningSandbox, tmp_path: Path) -> Pipeline:
    return Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox)


def synced(pipeline: Pipeline) -> Ended:
    """A run behind Salesforce's present second, so that it need not be read twice."""
    time.sleep(1.1)
    ended = pipeline.run()
    assert ended.is_clean, ended.log
    return ended


def change(sandbox: RunningSandbox, action: str, case_id: str, **more: Any) -> None:
    sandbox.admin("POST", "salesforce/records", {"action": action, "id": case_id, **more})


def tickets_of(sandbox: RunningSandbox, case_id: str) -> list[dict[str, Any]]:
    return [one for one in sandbox.tickets() if one["properties"].get(KEY) == case_id]


def ticket_of(sandbox: RunningSandbox, case_id: str) -> dict[str, Any]:
    (found,) = tickets_of(sandbox, case_id)
    return found


def any_case(sandbox: RunningSandbox, **wanted: Any) -> dict[str, Any]:
    """A live case whose fields are so; True stands for any value."""
    for case in by_id(sandbox, "Case").values():
        if not case["IsDeleted"] and all(
            case[name] if value is True else case[name] == value for name, value in wanted.items()
        ):
            return case
    raise AssertionError(f"the sandbox has no such case: {wanted}")


# -- S01 to S03, S07 to S11


@pytest.mark.parametrize("mode", ["rest", "bulk"])
def test_S01_S11_nothing_in_salesforce_is_written(
    sandbox: RunningSandbox, pipeline: Pipeline, mode: str
) -> None:
    """Import, changes, deletions, reconciliation: every call is one that reads, and so is each part of a composite one."""
    sandbox.seed(40)
    sandbox.admin("POST", "requests", {"keep_bodies": True})
    pipeline.tap = {"api_mode": mode}
    synced(pipeline)
    sandbox.mutate(edits=3, closes=2, deletes=2, adds=2)
    before = by_id(sandbox, "Case")
    pipeline.tap |= {"reconcile": True}
    synced(pipeline)
    requests = sandbox.requests(half="salesforce")
    calls = [f"{one['method']} {one['path'].split('?')[0]}" for one in requests]
    assert [call for call in calls if not READS.fullmatch(call)] == []
    assert len(calls) > 5
    bodies = [
        json.loads(one["body"]) for one in requests if one["method"] == "POST" and "/data/" in one["path"]
    ]
    parts = [part["method"] for body in bodies for part in body.get("compositeRequest", ())]
    assert set(parts) == {"GET"}
    assert {body["operation"] for body in bodies if "operation" in body} <= {"query", "queryAll"}
    assert by_id(sandbox, "Case") == before


def test_S02_a_created_case_is_one_ticket_however_often_it_is_synced(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    sandbox.seed(5)
    case_id = any_case(sandbox)["Id"]
    synced(pipeline)
    first = ticket_of(sandbox, case_id)["id"]
    pipeline.state = None  # everything once more
    synced(pipeline)
    assert ticket_of(sandbox, case_id)["id"] == first
    assert len(sandbox.tickets()) == 5


def test_S03_an_updated_case_updates_that_same_ticket(sandbox: RunningSandbox, pipeline: Pipeline) -> None:
    sandbox.seed(5)
    case_id = any_case(sandbox)["Id"]
    synced(pipeline)
    before = ticket_of(sandbox, case_id)
    change(
        sandbox,
        "update",
        case_id,
        values={
            "Priority": "Low" if before["properties"]["hs_ticket_priority"] == "HIGH" else "High",
            "Subject": "Another",
        },
    )
    synced(pipeline)
    after = ticket_of(sandbox, case_id)
    assert (after["id"], after["properties"]["subject"]) == (before["id"], "Another")
    assert after["properties"]["hs_ticket_priority"] != before["properties"]["hs_ticket_priority"]


@pytest.mark.parametrize("account", [True, False])
@pytest.mark.parametrize("contact", [True, False])
def test_S07_S08_S09_S10_S11_each_switch_links_its_own_and_off_asks_nothing(
    sandbox: RunningSandbox, pipeline: Pipeline, account: bool, contact: bool
) -> None:
    """On: the ticket has the company (contact). Off: it has none, and no company (contact) is even looked up."""
    sandbox.seed(60)
    pipeline.rules = pipeline.rules | {"associations": {"account": account, "contact": contact}}
    pipeline.target = {"create_properties": True}
    synced(pipeline)
    tickets = [one["associations"] for one in sandbox.tickets()]
    assert any(one.get("companies") for one in tickets) is account
    assert any(one.get("contacts") for one in tickets) is contact
    asked = [call["path"] for call in sandbox.requests(half="hubspot")]
    assert any("companies" in path for path in asked) is account
    assert any("contacts" in path for path in asked) is contact


# -- owners, lookups


def test_N18_an_unknown_owner_is_left_out_and_counted_and_the_ticket_syncs(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    sandbox.seed(5)
    case = any_case(sandbox)
    known = synced(pipeline).report["unknown_owners"]
    sandbox.admin(
        "POST", "salesforce/records",
        {"action": "write", "object": "User", "id": case["OwnerId"], "values": {"Email": "nobody@elsewhere.example"}},
    )  # fmt: skip
    change(sandbox, "update", case["Id"], values={"Subject": "Another"})
    before = ticket_of(sandbox, case["Id"])["properties"].get("hubspot_owner_id")
    ended = synced(pipeline)
    after = ticket_of(sandbox, case["Id"])["properties"]
    assert (known, ended.report["unknown_owners"], ended.report["rejected"]) == (0, 1, 0), ended.log
    assert (after["subject"], after.get("hubspot_owner_id")) == ("Another", before)
    assert "with an owner whom HubSpot does not have" in ended.logs["target"]


def test_N10_a_lookup_arrives_as_the_name_of_its_record(sandbox: RunningSandbox, pipeline: Pipeline) -> None:
    sandbox.seed(20)
    case = any_case(sandbox, AccountId=True)
    pipeline.rules = pipeline.rules | {
        "fields": {**pipeline.rules["fields"], "salesforce_account_name": "Account__Name"}
    }
    synced(pipeline)
    name = by_id(sandbox, "Account")[case["AccountId"]]["Name"]
    assert ticket_of(sandbox, case["Id"])["properties"]["salesforce_account_name"] == name


def test_N22_a_merged_account_leads_to_the_winners_company(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    """Salesforce moves the cases to the winner. Its company is not in HubSpot yet: the link waits, and comes without the case changing."""
    sandbox.seed(60)
    case = any_case(sandbox, AccountId=True)
    accounts = by_id(sandbox, "Account")
    winner = "0015g00000WiNnErAAA"
    new = {**accounts[case["AccountId"]], "Id": winner, "Name": "Winner", "Website": None}
    sandbox.admin("POST", "salesforce/records", {"action": "insert", "object": "Account", "records": [new]})
    synced(pipeline)
    sandbox.admin(
        "POST", "salesforce/records",
        {"action": "merge", "object": "Account", "winner": winner, "losers": [case["AccountId"]]},
    )  # fmt: skip
    change(sandbox, "update", case["Id"], values={"Subject": "After the merge"})
    pipeline.target = {"association_mode": "mirror"}
    waiting = synced(pipeline)
    assert waiting.report["pending_associations"] >= 1, waiting.log
    made = httpx.post(
        f"{sandbox.hubspot_url}/crm/v3/objects/companies",
        json={"properties": {"name": "Winner", "salesforceaccountid": winner}},
        headers={"authorization": "Bearer sandbox-token"},
    ).json()
    later = synced(pipeline)
    linked = ticket_of(sandbox, case["Id"])["associations"]["companies"]
    assert made["id"] in [one["id"] for one in linked], later.log


# -- logins and permissions


def test_N34_another_integration_user_goes_on_from_the_state(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    """The state belongs to the org, not to who reads it: nothing is read again, nothing is refused."""
    sandbox.seed(20)
    synced(pipeline)
    sandbox.admin("POST", "salesforce/switches", {"user_id": "0055g00000OtherUAAU"})
    sandbox.mutate(edits=2)
    ended = synced(pipeline)
    assert (ended.report["records"], len(sandbox.tickets())) == (2, 20), ended.log


def test_N36_a_hidden_field_is_warned_of_and_one_that_rules_read_stops_the_run_before_a_ticket_is_emptied(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    """Nothing tells a field that was hidden from one that was emptied, once it is not sent: so the rules decide, not the silence."""
    sandbox.seed(20)
    case = any_case(sandbox, Priority="High")
    synced(pipeline)
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Reason"]]})
    change(sandbox, "update", case["Id"], values={"Subject": "Another"})
    ended = synced(pipeline)
    assert "Case.Reason can't be read any more" in ended.logs["tap"]
    assert ticket_of(sandbox, case["Id"])["properties"]["subject"] == "Another"

    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Priority"]]})
    change(sandbox, "update", case["Id"], values={"Subject": "A third"})
    time.sleep(1.1)
    refused = pipeline.run()
    assert not refused.is_clean
    assert "the tap sends no column 'Priority'" in refused.logs["mapper"]
    assert ticket_of(sandbox, case["Id"])["properties"]["hs_ticket_priority"] == "HIGH"
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": []})
    synced(pipeline)
    assert ticket_of(sandbox, case["Id"])["properties"]["subject"] == "A third"


def test_N37_a_change_without_a_stamp_comes_with_the_next_full_read_and_nothing_else_is_written(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    """A formula moves without its record being stamped: no poll sees it. A full read under write_mode `changed` does."""
    sandbox.seed(20)
    case_id = any_case(sandbox)["Id"]
    pipeline.target = {"write_mode": "changed"}
    synced(pipeline)
    change(sandbox, "write", case_id, values={"Subject": "By a formula"})
    assert synced(pipeline).report["updated"] == 0
    pipeline.state = None
    full = synced(pipeline)
    assert (full.report["updated"], full.report["unchanged"]) == (1, 19), full.log
    assert ticket_of(sandbox, case_id)["properties"]["subject"] == "By a formula"
    assert "formula" in (ROOT / "README.md").read_text(encoding="utf-8").lower()


def test_N38_a_change_of_an_unmapped_field_writes_nothing_to_hubspot(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    sandbox.seed(20)
    case_id = any_case(sandbox)["Id"]
    pipeline.target = {"write_mode": "changed"}
    synced(pipeline)
    before = len(sandbox.writes())
    change(sandbox, "update", case_id, values={"Internal_Notes__c": "for us alone"})
    ended = synced(pipeline)
    assert (ended.report["records"], ended.report["unchanged"]) == (1, 1), ended.log
    assert sandbox.writes()[before:] == []


def test_N39_an_undeleted_case_has_one_active_ticket_again(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    sandbox.seed(60)
    case_id = any_case(sandbox)["Id"]
    pipeline.rules = pipeline.rules | {"on_case_deleted": "delete_ticket"}
    synced(pipeline)
    change(sandbox, "delete", case_id)
    synced(pipeline)
    assert tickets_of(sandbox, case_id) == []
    change(sandbox, "undelete", case_id)
    synced(pipeline)
    assert len(tickets_of(sandbox, case_id)) == 1
    assert differences(sandbox) == []


def test_N40_read_permission_is_enough_and_the_documents_ask_for_no_more() -> None:
    """S01 holds the calls to it; here the documents: API Enabled, View All for completeness, and never a right to change."""
    for name in ("README.md", "tap-salesforce-cases/README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "API Enabled" in text
        assert "View All" in text
        assert "Modify All" not in text
