"""only_properties (N13): a new mapping for old tickets; of a ticket that exists nothing else is touched."""

from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.narrowing import narrowing_of, narrowing_problems

from .conftest import KEY, Target, by_key, case_id, schema, ticket
from .whole_runs import PRIORITY, asks

ONLY = {"only_properties": ["content"]}


def properties(sandbox: RunningSandbox, number: int) -> dict[str, Any]:
    found: dict[str, Any] = by_key(sandbox)[case_id(number)]["properties"]
    return found


def accounts(sandbox: RunningSandbox) -> list[str]:
    companies = sandbox.admin("GET", "hubspot/records/companies")["results"]
    return [c["properties"]["salesforceaccountid"] for c in companies[:2]]


def test_a_ticket_that_exists_gets_these_properties_and_no_other(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Another subject, stage and company come along and are left alone; the write holds the property and the key. A new one is whole."""
    first, second = accounts(sandbox)
    target.load([schema(), ticket(1, subject="by hand", associations=asks(first))])
    changed = {
        "subject": "of the case",
        "hs_pipeline_stage": "Closed",
        "content": "new",
        "associations": asks(second),
    }
    before = len(sandbox.writes())
    loaded = target.load([schema(), ticket(1, **changed), ticket(2, **changed)], **ONLY)
    assert (loaded.report["updated"], loaded.report["created"]) == (1, 1), loaded.log
    old, new = by_key(sandbox)[case_id(1)], by_key(sandbox)[case_id(2)]
    assert (old["properties"]["subject"], old["properties"]["content"]) == ("by hand", "new")
    assert (new["properties"]["subject"], new["properties"]["content"]) == ("of the case", "new")
    assert old["properties"]["hs_pipeline_stage"] != new["properties"]["hs_pipeline_stage"]
    assert old["associations"]["companies"] != new["associations"]["companies"]
    assert len(old["associations"]["companies"]) == 1
    assert len(sandbox.writes()) > before


def test_what_is_wrong_with_other_columns_does_not_matter(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1)])
    loaded = target.load(
        [schema(), ticket(1, content="new", hs_pipeline_stage="No such", **PRIORITY)], **ONLY
    )
    assert (loaded.report["updated"], loaded.rejected) == (1, [])
    assert properties(sandbox, 1)["content"] == "new"


def test_what_is_on_record_stays(sandbox: RunningSandbox, target: Target) -> None:
    """A whole record that was rejected is not forgotten because a part of its ticket was written; the next full run writes it."""
    target.load([schema(), ticket(1)])
    target.load([schema(), ticket(1, subject="newer", **PRIORITY)])
    part = target.load([schema(), ticket(1, content="new")], **ONLY)
    assert (part.report["retried"], part.report["updated"]) == (0, 1)
    assert [row["key"] for row in part.rejected] == [case_id(1)]
    idle = target.load([schema()])
    assert idle.report["retried"] == 1


def test_a_record_without_them_changes_nothing(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1)])
    writes = len(sandbox.writes())
    loaded = target.load([schema(), ticket(1, subject="other")], **ONLY)
    assert (loaded.report["unchanged"], loaded.report["updated"]) == (1, 0)
    assert len(sandbox.writes()) == writes


def test_mode_changed_writes_them_all_the_same_and_then_knows_less(
    sandbox: RunningSandbox, target: Target
) -> None:
    """The record is the one of before, the ticket was changed by hand: it is written; the next run writes the whole record again."""
    record = ticket(1, content="of the case")
    target.load([schema(), record], write_mode="changed")
    part = target.load([schema(), record], write_mode="changed", **ONLY)
    assert (part.report["updated"], part.report["unchanged"]) == (1, 0)
    whole = target.load([schema(), record], write_mode="changed")
    assert (whole.report["updated"], whole.report["unchanged"]) == (1, 0)


def test_a_dry_run_tells_what_it_would_write(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1)])
    target.load(
        [schema(), ticket(1, subject="other", content="new"), ticket(2, content="new")], dry_run=True, **ONLY
    )
    old, new = target.plan()
    assert (old["would"], old["changes"].keys()) == ("update", {"content"})
    assert (new["would"], new["properties"]["subject"]) == ("create", "Ticket 2")


@pytest.mark.parametrize("named", ["hubspot_owner_id", "hubspot_owner_email"])
def test_the_owner_is_written_only_where_it_is_named(
    sandbox: RunningSandbox, target: Target, named: str
) -> None:
    """By either of its names; a record without an owner takes none away from a ticket of which other properties are written."""
    headers = {"authorization": "Bearer sandbox-token"}
    owners = httpx.get(f"{sandbox.hubspot_url}/crm/owners/2026-09", headers=headers).json()["results"]
    first, second = owners[:2]
    target.load([schema(), ticket(1, hubspot_owner_email=first["email"])])
    target.load([schema(), ticket(1, content="new")], unknown_owner="clear", **ONLY)
    assert properties(sandbox, 1)["hubspot_owner_id"] == first["id"]
    loaded = target.load(
        [schema(), ticket(1, subject="other", hubspot_owner_email=second["email"])], only_properties=[named]
    )
    assert loaded.report["updated"] == 1, loaded.log
    assert properties(sandbox, 1)["hubspot_owner_id"] == second["id"]
    assert properties(sandbox, 1)["subject"] == "Ticket 1"


def test_a_stage_goes_with_its_pipeline(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1)])
    before = properties(sandbox, 1)["hs_pipeline_stage"]
    loaded = target.load(
        [schema(), ticket(1, hs_pipeline_stage="Closed", subject="other")],
        only_properties=["hs_pipeline_stage"],
    )
    assert loaded.report["updated"] == 1, loaded.log
    assert properties(sandbox, 1)["hs_pipeline_stage"] != before
    assert properties(sandbox, 1)["subject"] == "Ticket 1"


def test_a_name_that_the_stream_does_not_send_is_told_before_anything_is_written(
    sandbox: RunningSandbox, target: Target
) -> None:
    loaded = target.load([schema(), ticket(1)], only_properties=["content", "subjct"])
    assert loaded.returncode == 3
    assert "only_properties names 'subjct'" in loaded.log
    assert "'subject'" in loaded.log
    assert sandbox.tickets() == []
    assert target.load([schema()], only_properties={"content": True}).returncode == 3
    assert target.load([schema()], only_properties=[1]).returncode == 3


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (["content"], {KEY, "content"}),
        (["hs_pipeline"], {KEY, "hs_pipeline", "hs_pipeline_stage"}),
        (["hs_pipeline_stage"], {KEY, "hs_pipeline", "hs_pipeline_stage"}),
        (["hubspot_owner_id"], {KEY, "hubspot_owner_id", "hubspot_owner_email"}),
    ],
)
def test_what_goes_together_is_written_together(only: list[str], names: set[str]) -> None:
    found = narrowing_of(only, KEY)
    assert found
    assert found.names == names
    columns = {KEY: {}, "content": {}, "hs_pipeline": {}, "hs_pipeline_stage": {}, "hubspot_owner_email": {}}
    assert narrowing_problems(only, columns) == []
    assert narrowing_of([], KEY) is None


def test_an_empty_variable_of_the_environment_narrows_nothing(
    sandbox: RunningSandbox, target: Target
) -> None:
    """The SDK reads it as a list with one empty text."""
    target.load([schema(), ticket(1)])
    target.load([schema(), ticket(1, subject="other")], only_properties=[""])
    assert properties(sandbox, 1)["subject"] == "other"
