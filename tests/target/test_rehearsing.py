"""What a dry run tells beyond records: associations that tickets lack, tickets that are spared; and a run that leaves earlier ones."""

from typing import Any

import httpx

from case_sync_sandbox.testing import RunningSandbox

from .conftest import KEY, Target, by_key, case_id, schema, ticket
from .marked_portal import ORG, SOURCE, case_ids
from .test_delete_runs import marked_schema, marked_ticket, snapshot_messages
from .whole_runs import PRIORITY, add_option, asks

HEADERS = {"authorization": "Bearer sandbox-token"}
COMPARES = {"dry_run": True, "plan_associations": True}


def account(sandbox: RunningSandbox) -> tuple[str, str]:
    """A company's Salesforce account, and its id."""
    company = sandbox.admin("GET", "hubspot/records/companies")["results"][0]
    return company["properties"]["salesforceaccountid"], company["id"]


def told(target: Target) -> dict[str, dict[str, Any]]:
    return {line["key"]: line for line in target.plan()}


def test_R77_a_dry_run_tells_which_associations_are_missing(sandbox: RunningSandbox, target: Target) -> None:
    """Made, taken away by hand, waiting for a company that is not there, and of a ticket that is not there."""
    known, company = account(sandbox)
    stream = [
        schema(),
        ticket(1, associations=asks(known)),
        ticket(2, associations=asks(known)),
        ticket(3, associations=asks("no such account")),
        ticket(4),
    ]
    target.load(stream)
    pair = {"from": {"id": by_key(sandbox)[case_id(2)]["id"]}, "to": [{"id": company}]}
    url = f"{sandbox.hubspot_url}/crm/associations/2026-09/tickets/companies/batch/archive"
    httpx.post(url, headers=HEADERS, json={"inputs": [pair]}).raise_for_status()
    stream.append(ticket(5, associations=asks(known)))
    dry = target.load(stream, **COMPARES)
    lines = told(target)
    assert {key: line["would"] for key, line in lines.items()} == {
        case_id(1): "unchanged",
        case_id(2): "update",
        case_id(3): "unchanged",
        case_id(4): "unchanged",
        case_id(5): "create",
    }
    assert lines[case_id(2)]["associations"] == [{"to": "companies", "id": company}]
    assert lines[case_id(2)]["changes"] == {}
    assert [key for key, line in lines.items() if line.get("waiting")] == [case_id(3)]
    assert (dry.report["updated"], dry.report["unchanged"], dry.report["created"]) == (1, 3, 1)
    target.load(stream, dry_run=True)
    assert told(target)[case_id(2)]["would"] == "unchanged"  # as the setting says


def test_R77_the_label_of_an_association_counts(sandbox: RunningSandbox, target: Target) -> None:
    known, _ = account(sandbox)
    stream = [schema(), ticket(1, associations=asks(known))]
    target.load(stream)
    target.load(stream, **COMPARES, primary_company=True)
    first = told(target)[case_id(1)]["would"]
    target.load(stream, primary_company=True)
    target.load(stream, **COMPARES, primary_company=True)
    assert told(target)[case_id(1)]["would"] == "unchanged"
    assert first in {
        "update",
        "unchanged",
    }  # HubSpot makes a ticket's first company the primary one by itself


def test_R77_a_dry_run_tells_of_all_whatever_a_run_may_reject(
    sandbox: RunningSandbox, target: Target
) -> None:
    stream = [schema(), *(ticket(n, **PRIORITY) for n in range(20)), ticket(20)]
    limits = {"max_rejected": 1, "max_same_rejections": 2}
    assert target.load(stream, **limits).returncode == 7
    dry = target.load(stream, dry_run=True, **limits)
    assert (dry.returncode, len(target.plan())) == (0, 21), dry.log


def test_R77_a_dry_run_lists_the_marked_tickets_that_it_spares(
    sandbox: RunningSandbox, target: Target
) -> None:
    """One without a version, and a copy without a key; the report has the number of the org's tickets."""
    target.load([marked_schema(), marked_ticket(1), marked_ticket(2)])
    place = {n: by_key(sandbox)[case_id(1)]["properties"][n] for n in ("hs_pipeline", "hs_pipeline_stage")}
    extra = {**place, "subject": "x", SOURCE: ORG}
    loaded = sandbox.admin(
        "POST",
        "hubspot/load",
        {"tickets": [{**extra, KEY: case_id(9)}, extra, {**place, "subject": "other"}]},
    )
    dry = target.load([marked_schema(), *snapshot_messages(case_ids(1))], dry_run=True, on_delete="archive")
    lines = [(line["key"], line["would"], line["ticket_id"]) for line in target.plan()]
    assert sorted(lines) == [
        ("", "spare", loaded["tickets"][1]),
        (case_id(2), "archive", by_key_id(sandbox, 2)),
        (case_id(9), "spare", loaded["tickets"][0]),
    ]
    assert dry.report["marked_tickets"] == 3


def by_key_id(sandbox: RunningSandbox, number: int) -> str:
    return next(str(t["id"]) for t in sandbox.tickets() if t["properties"].get(KEY) == case_id(number))


def test_R78_a_run_can_leave_what_earlier_ones_left(sandbox: RunningSandbox, target: Target) -> None:
    """retry_earlier off: neither the rejected record nor the waiting association of another key is tried; on command it is."""
    target.load([schema(), ticket(1, **PRIORITY), ticket(2, associations=asks("comes later"))])
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    url = f"{sandbox.hubspot_url}/crm/objects/2026-09/companies"
    body = {"properties": {"name": "Later", "salesforceaccountid": "comes later"}}
    httpx.post(url, headers=HEADERS, json=body).raise_for_status()
    narrow = target.load([schema(), ticket(3)], retry_earlier=False)
    assert (narrow.report["retried"], narrow.report["created"]) == (0, 1), narrow.log
    assert case_id(1) not in by_key(sandbox)
    assert not by_key(sandbox)[case_id(2)]["associations"].get("companies")
    assert target.ask("--rejected=retry", "--pending=retry", retry_earlier=False).returncode == 0
    assert by_key(sandbox)[case_id(1)]
    assert by_key(sandbox)[case_id(2)]["associations"]["companies"]
