"""Mirror mode under faults: an association of ours stays ours, and one that should go does, whatever answer was lost (R67, R68)."""

from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, case_id, schema, state, ticket
from .whole_runs import asks

MIRROR = {"association_mode": "mirror", "max_tries": 2}
ASSOCIATE = {"half": "hubspot", "path": "associate/default"}
REFUSED = {"status": "error", "category": "VALIDATION_ERROR", "message": "one of them", "correlationId": "x"}


def companies_of(sandbox: RunningSandbox, number: int) -> set[str]:
    return {one["id"] for one in by_key(sandbox)[case_id(number)]["associations"].get("companies", ())}


def two_companies(sandbox: RunningSandbox) -> list[tuple[str, str]]:
    """Account and id of each."""
    found = sandbox.admin("GET", "hubspot/records/companies")["results"]
    return [(one["properties"]["salesforceaccountid"], one["id"]) for one in found[:2]]


LOST: dict[str, list[dict[str, Any]]] = {
    # The run ends: every answer is lost behind the commit.
    "lost": [{**ASSOCIATE, "action": "drop_after_commit", "headers": {"Retry-After": "0.01"}}],
    # The run goes on: what was made is refused when it is sent again.
    "refused again": [
        {**ASSOCIATE, "nth": 1, "action": "drop_after_commit"},
        {**ASSOCIATE, "nth": 2, "action": "answer", "status": 400, "body": REFUSED},
    ],
}


@pytest.mark.parametrize("faults", LOST)
def test_R67_R68_an_association_whose_answer_was_lost_is_ours_and_goes_when_the_case_moves(
    sandbox: RunningSandbox, target: Target, faults: str
) -> None:
    (first, first_id), (second, second_id) = two_companies(sandbox)
    target.load([schema(), ticket(1)], **MIRROR)
    sandbox.faults(LOST[faults])
    target.load([schema(), ticket(1, associations=asks(first))], **MIRROR)
    assert companies_of(sandbox, 1) == {first_id}
    sandbox.admin("DELETE", "faults")
    moved = target.load([schema(), ticket(1, associations=asks(second))], **MIRROR)
    assert companies_of(sandbox, 1) == {second_id}, moved.log


def test_R68_a_refused_association_that_somebody_makes_by_hand_is_not_ours(
    sandbox: RunningSandbox, target: Target
) -> None:
    """It was on record as coming; that it did not come is on record, too."""
    (first, first_id), (second, second_id) = two_companies(sandbox)
    target.load([schema(), ticket(1)], **MIRROR)
    sandbox.faults([{**ASSOCIATE, "action": "answer", "status": 400, "body": REFUSED}])
    target.load([schema(), ticket(1, associations=asks(first))], **MIRROR)
    assert companies_of(sandbox, 1) == set()
    sandbox.admin("DELETE", "faults")
    by_hand(sandbox, by_key(sandbox)[case_id(1)]["id"], first_id)
    target.load([schema(), ticket(1, associations=asks(second))], **MIRROR)
    assert companies_of(sandbox, 1) == {first_id, second_id}


def test_R69_an_answer_that_is_no_refusal_ends_the_run_instead_of_leaving_associations_undone(
    sandbox: RunningSandbox, target: Target
) -> None:
    """A proxy's redirect in place of what a ticket is associated with: no state, and the next run takes away what has to go."""
    (first, _), (second, second_id) = two_companies(sandbox)
    target.load([schema(), ticket(1, associations=asks(first))], **MIRROR)
    sandbox.faults(
        [
            {
                "half": "hubspot",
                "path": "associations/.*/batch/read",
                "action": "redirect",
                "location": "/login",
            }
        ]
    )
    moved = [schema(), ticket(1, associations=asks(second)), state("moved")]
    ended = target.load(moved, **MIRROR)
    assert (ended.returncode, ended.states) == (1, []), ended.log
    sandbox.admin("DELETE", "faults")
    assert target.load(moved, **MIRROR).states == ["moved"]
    assert companies_of(sandbox, 1) == {second_id}


def by_hand(sandbox: RunningSandbox, ticket_id: str, company_id: str) -> None:
    httpx.put(
        f"{sandbox.hubspot_url}/crm/objects/2026-09/tickets/{ticket_id}/associations/default/companies/{company_id}",
        headers={"authorization": "Bearer sandbox-token"},
    ).raise_for_status()
