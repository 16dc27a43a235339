"""What the target makes of a stream, read on the HubSpot side."""

from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import KEY, Message, Target, by_key, case_id, schema, state, ticket, tombstone


def test_each_record_becomes_one_ticket_and_a_repeat_changes_nothing(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message]
) -> None:
    """As many tickets as records, with their values; the same stream again updates the same tickets."""
    stream = [schema(), *seeded_tickets, state("all")]
    first = target.load(stream)
    assert (first.returncode, first.states) == (0, ["all"]), first.log
    made = by_key(sandbox)
    assert {k: t["properties"].get("content", "") for k, t in made.items()} == {
        m["record"][KEY]: m["record"]["content"] or "" for m in seeded_tickets
    }
    again = target.load(stream)
    assert (again.report["created"], again.report["updated"]) == (0, len(seeded_tickets))
    assert by_key(sandbox).keys() == made.keys()
    assert {t["id"] for t in by_key(sandbox).values()} == {t["id"] for t in made.values()}


def test_key_property_is_made_once_with_unique_values(sandbox: RunningSandbox, target: Target) -> None:
    """In a portal that has never seen the target, so that HubSpot itself refuses a second ticket of a case."""
    made = "created the ticket properties 'salesforce_case_id'"
    first, second = target.load([schema(), ticket(1)]), target.load([schema(), ticket(2)])
    assert made in first.log
    assert made not in second.log
    answer = httpx.post(
        f"{sandbox.hubspot_url}/crm/objects/2026-09/tickets",
        headers={"authorization": "Bearer sandbox-token"},
        json={"properties": {**ticket(1)["record"], "hs_pipeline": "0", "hs_pipeline_stage": "1"}},
    )
    assert answer.status_code == 400
    assert "already has that value" in answer.text


def test_report_adds_up(target: Target) -> None:
    """Each record is counted once, under what became of it."""
    target.load([schema(), *map(ticket, range(5))])
    loaded = target.load(
        [schema(), ticket(0, subject="x"), ticket(0, subject="y"), ticket(7), tombstone(1), tombstone(9), ticket(8, hs_pipeline_stage="Nowhere")],
        on_delete="archive",
    )  # fmt: skip
    report = loaded.report
    counted = (
        "created",
        "updated",
        "held_deletes",
        "ignored_deletes",
        "superseded",
        "rejected",
        "unchanged",
        "stale",
    )
    assert {name: report[name] for name in counted} == {
        "created": 1, "updated": 1, "held_deletes": 2, "ignored_deletes": 0, "superseded": 1, "rejected": 1, "unchanged": 0, "stale": 0,
    }  # fmt: skip
    assert report["records"] == sum(report[name] for name in counted) == 6
    assert (report["archived"], report["already_gone"]) == (1, 1)


def test_later_of_two_records_with_one_key_wins(sandbox: RunningSandbox, target: Target) -> None:
    """HubSpot refuses a key twice in one call; the stream's order says which holds."""
    target.load([schema(), ticket(1, subject="first"), ticket(2), ticket(1, subject="second")])
    assert by_key(sandbox)[case_id(1)]["properties"]["subject"] == "second"


def test_one_bad_record_holds_back_no_other(sandbox: RunningSandbox, target: Target) -> None:
    """An option that HubSpot does not have: that record is on record with property and code, without its values."""
    stream = [schema(), *(ticket(n) for n in range(130)), ticket(500, hs_ticket_priority="private word"), state("all")]  # fmt: skip
    loaded = target.load(stream)
    assert (loaded.returncode, loaded.states) == (0, ["all"])
    assert set(by_key(sandbox)) == {case_id(n) for n in range(130)}
    (rejected,) = loaded.rejected
    assert rejected["key"] == case_id(500)
    assert "hs_ticket_priority" in rejected["message"]
    assert "private" not in str(rejected) + loaded.log


def test_closed_stage_is_the_first_that_hubspot_calls_closed(sandbox: RunningSandbox, target: Target) -> None:
    target.load([schema(), ticket(1, hs_pipeline_stage="@closed"), ticket(2, hs_pipeline="Billing", hs_pipeline_stage="@closed")])  # fmt: skip
    tickets = by_key(sandbox)
    assert {t["properties"]["hs_is_closed"] for t in tickets.values()} == {"true"}
    assert len({t["properties"]["hs_pipeline"] for t in tickets.values()}) == 2


@pytest.mark.parametrize("changes", [{"hs_pipeline": "No such"}, {"hs_pipeline_stage": "No such"}])
def test_unknown_pipeline_or_stage_is_told_with_what_there_is(
    sandbox: RunningSandbox, target: Target, changes: dict[str, str]
) -> None:
    loaded = target.load([schema(), ticket(1), ticket(2, **changes)])
    assert loaded.returncode == 0
    assert set(by_key(sandbox)) == {case_id(1)}
    (rejected,) = loaded.rejected
    assert "No such" in rejected["message"]
    assert "it has" in rejected["message"]


@pytest.mark.parametrize(
    ("on_delete", "active", "archived"), [("archive", {2}, {1}), ("ignore", {1, 2}, set())]
)
def test_deletion_archives_only_where_it_may(
    sandbox: RunningSandbox, target: Target, on_delete: str, active: set[int], archived: set[int]
) -> None:
    """And neither way a property of a ticket is blanked."""
    target.load([schema(), ticket(1), ticket(2)])
    loaded = target.load([schema(), tombstone(1), tombstone(3)], on_delete=on_delete)
    assert loaded.returncode == 0
    assert set(by_key(sandbox)) == {case_id(n) for n in active}
    gone = by_key(sandbox, archived=True)
    assert set(gone) == {case_id(n) for n in archived}
    assert all(t["properties"]["subject"] for t in [*by_key(sandbox).values(), *gone.values()])


@pytest.mark.parametrize(("empty_values", "left"), [("clear", ""), ("keep", "text")])
def test_null_clears_or_keeps_and_absent_leaves_alone(
    sandbox: RunningSandbox, target: Target, empty_values: str, left: str
) -> None:
    target.load([schema(), ticket(1, content="text"), ticket(2, content="text")])
    target.load([schema(), ticket(1, content=None), ticket(2)], empty_values=empty_values)
    tickets = by_key(sandbox)
    assert tickets[case_id(1)]["properties"].get("content", "") == left
    assert tickets[case_id(2)]["properties"]["content"] == "text"


def test_associations_are_those_asked_for_the_first_way_that_finds(
    sandbox: RunningSandbox, target: Target
) -> None:
    """By the first property, else by the next; what no way finds is counted as waiting and the ticket is there."""
    company = sandbox.admin("GET", "hubspot/records/companies")["results"][0]
    contact = sandbox.admin("GET", "hubspot/records/contacts")["results"][0]
    account, domain = (company["properties"][n] for n in ("salesforceaccountid", "domain"))
    nowhere = {"to": "company", "by": "salesforceaccountid", "value": "001000000000000AAA"}
    loaded = target.load(
        [
            schema(),
            ticket(1, associations=[{"to": "company", "by": "salesforceaccountid", "value": account}]),
            ticket(2, associations=[nowhere | {"otherwise": [{"by": "domain", "value": domain}]}]),
            ticket(3, associations=[nowhere]),
            ticket(4, associations=[{"to": "contact", "by": "email", "value": contact["properties"]["email"].upper()}]),
            ticket(5, associations=None),
        ]
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.log
    found = {
        number: {to: [a["id"] for a in linked] for to, linked in by_key(sandbox)[case_id(number)]["associations"].items() if linked}
        for number in range(1, 6)
    }  # fmt: skip
    assert found == {1: {"companies": [company["id"]]}, 2: {"companies": [company["id"]]}, 3: {}, 4: {"contacts": [contact["id"]]}, 5: {}}  # fmt: skip
    assert (loaded.report["associations"], loaded.report["pending_associations"]) == (3, 1)


def test_ticket_of_a_parent_case_written_in_the_same_run_is_found(
    sandbox: RunningSandbox, target: Target
) -> None:
    child = ticket(2, associations=[{"to": "ticket", "by": KEY, "value": case_id(1)}])
    assert target.load([schema(), child, ticket(1)]).returncode == 0
    tickets = by_key(sandbox)
    assert [a["id"] for a in tickets[case_id(2)]["associations"]["tickets"]] == [tickets[case_id(1)]["id"]]


def test_owner_is_found_by_email_and_left_alone_where_there_is_none(
    sandbox: RunningSandbox, target: Target
) -> None:
    """By owner id, not user id; an unknown e-mail neither fails nor takes the owner away."""
    owners = sandbox.admin("GET", "salesforce/records?object=User")
    email = next(o["Email"] for o in owners if o["Email"])
    target.load([schema(), ticket(1, hubspot_owner_email=email.upper()), ticket(2, hubspot_owner_email="nobody@nowhere.example")])  # fmt: skip
    tickets = by_key(sandbox)
    owner = tickets[case_id(1)]["properties"]["hubspot_owner_id"]
    assert owner
    assert not tickets[case_id(2)]["properties"].get("hubspot_owner_id")
    target.load([schema(), ticket(1, hubspot_owner_email="nobody@nowhere.example")])
    assert by_key(sandbox)[case_id(1)]["properties"]["hubspot_owner_id"] == owner
    target.load([schema(), ticket(1, hubspot_owner_email=None)], unknown_owner="clear")
    assert not by_key(sandbox)[case_id(1)]["properties"].get("hubspot_owner_id")


@pytest.mark.parametrize("api_version", ["2026-09", "2026-03", "v3"])
def test_every_api_version_does_the_same(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message], api_version: str
) -> None:
    loaded = target.load(
        [schema(), *seeded_tickets, tombstone(1)], api_version=api_version, on_delete="archive"
    )
    assert (loaded.returncode, loaded.report["created"]) == (0, len(seeded_tickets)), loaded.log
    paths = {r["path"] for r in sandbox.requests(half="hubspot")}
    assert all(
        api_version in path or (api_version == "v3" and "/v4/associations" in path) for path in paths
    ), paths


def texts(**properties: Any) -> Message:
    return ticket(1, **properties)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("größer 😀\r\n\tTab “quotes” \u200b", "größer 😀\r\n\tTab “quotes” \u200b"),
        ("nul\x00bell\x07", "nulbell"),
        ("lone \ud83d surrogate", "lone  surrogate"),
        ("x" * 65_536, "x" * 65_536),
        ("x" * 70_000, "x" * 65_530 + "\n[cut]"),
    ],
    ids=["unicode", "control", "surrogate", "longest", "too-long"],
)
def test_text_arrives_as_it_is_but_for_what_hubspot_refuses(
    sandbox: RunningSandbox, target: Target, sent: str, stored: str
) -> None:
    assert target.load([schema(), texts(content=sent)]).returncode == 0
    assert by_key(sandbox)[case_id(1)]["properties"]["content"] == stored
