"""Associations: what waits is made later, and no ticket is held back by one; labels, primary companies, versions."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace

from target_hubspot_tickets.errors import QuotaReachedError
from target_hubspot_tickets.outcomes import MadeAssociation
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Way, Wish

from .linked_portal import ACCOUNT, COMPANIES, INVALID, KEY, LinkedPortal, company, company_id, keys


def test_R66_company_that_comes_later_is_linked_in_the_next_run(portal: LinkedPortal) -> None:
    """Without the case changing: of 1,000 associations that waited none is left, and each ticket has its company."""
    tickets = portal.tickets(*keys(1_000))
    wanted = {key: replace(ticket, wishes=(company(f"account {key}"),)) for key, ticket in tickets.items()}
    outcome = portal.associate(wanted)
    assert {(p.key, p.reason) for p in outcome.pending} == {(key, "NOT_FOUND") for key in tickets}
    made = dict(
        zip(tickets, portal.companies(*({ACCOUNT: f"ACCOUNT {key}"} for key in tickets)), strict=True)
    )
    portal.next_run()
    portal.retry()
    assert portal.ledger.waiting() == []
    assert portal.links() == {key: {made[key]: [26, 339]} for key in tickets}


def test_what_waits_follows_its_ticket(portal: LinkedPortal) -> None:
    """A ticket that is gone waits for nothing; one that was made anew is linked under its new id; the rest goes on waiting."""
    tickets = portal.tickets("gone", "again", "still")
    portal.associate(
        {k: replace(t, wishes=(company(k), company("never"), company(k))) for k, t in tickets.items()}
    )
    portal.archive("tickets", tickets["gone"].ticket_id, tickets["again"].ticket_id)
    anew = portal.tickets("again")["again"]
    (made,) = portal.companies({ACCOUNT: "again"})
    portal.next_run()
    outcome = portal.retry().associations
    assert outcome.settled == {"gone", "again", "still"}
    assert len(outcome.pending) == 3
    assert {(p.key, p.ticket_id, p.wish.ways[0].value) for p in outcome.pending} == {
        ("again", anew.ticket_id, "never"),
        ("still", tickets["still"].ticket_id, "still"),
        ("still", tickets["still"].ticket_id, "never"),
    }
    assert portal.links() == {"again": {made: [26, 339]}, "still": {}}


def test_record_that_says_nothing_of_associations_leaves_them_and_what_waits(portal: LinkedPortal) -> None:
    """And one that asks for none asks for no call about companies either."""
    tickets = portal.tickets("silent", "none")
    silent, none = tickets["silent"], replace(tickets["none"], wishes=())
    outcome = portal.associate({"silent": silent, "none": none})
    assert outcome.settled == {"none"}
    assert not portal.calls("companies|contacts|associations")


def test_add_mode_reads_takes_away_and_remembers_nothing(portal: LinkedPortal) -> None:
    a, b = portal.companies({}, {})
    tickets = portal.tickets("one")
    portal.associate(tickets, company_id(a))
    row = MadeAssociation(key="one", ticket_id=tickets["one"].ticket_id, to="companies", to_id=a)
    outcome = portal.associator.associate(
        {"one": replace(tickets["one"], is_new=False, wishes=(company_id(b),))}, {"one": [row]}
    )
    assert (outcome.made, outcome.removed) == ([], [])
    assert set(portal.links()["one"]) == {a, b}
    assert {call["path"] for call in portal.calls("associations")} == {f"{COMPANIES}/batch/associate/default"}


def test_R69_company_with_as_many_tickets_as_it_may_have(portal: LinkedPortal) -> None:
    """200 of 300 are refused, each with HubSpot's code and all waiting; the others are made."""
    (full,) = portal.companies({})
    portal.sandbox.settings(association_limits={"companies_to_tickets": 100})
    tickets = portal.tickets(*keys(300))
    outcome = portal.associate(tickets, company_id(full))
    assert (outcome.made_count, len(outcome.pending)) == (100, 200)
    assert {p.reason for p in outcome.pending} == {"ASSOCIATION_LIMIT_EXCEEDED"}
    assert outcome.settled == set(tickets)
    assert sum(1 for links in portal.links().values() if links) == 100
    portal.sandbox.settings(association_limits={"companies_to_tickets": 300})
    portal.next_run()
    portal.retry()
    assert portal.ledger.waiting() == []
    assert all(portal.links().values())


def test_R69_company_that_goes_in_the_middle_of_a_run(portal: LinkedPortal) -> None:
    """The one that was found before is gone: its associations wait, others are made, and it is looked up anew the next time."""
    old, other = portal.companies({ACCOUNT: "A"}, {ACCOUNT: "B"})
    tickets = portal.tickets(*keys(4))
    portal.lookups.find([company("A")])
    portal.archive("companies", old)
    outcome = portal.associate(tickets, company("A"), company("B"))
    assert {(p.key, p.reason) for p in outcome.pending} == {(key, "TO_OBJECT_NOT_FOUND") for key in tickets}
    (new,) = portal.companies({ACCOUNT: "A"})
    portal.retry()
    assert {tuple(sorted(links)) for links in portal.links().values()} == {(other, new)}


@pytest.mark.parametrize(
    ("answer", "most_calls"),
    [
        ({"status": 400, "body": INVALID}, 127),
        ({"status": 404, "body": {"status": "error", "message": "no such path"}}, 1),
        ({"status": 200, "body": {"status": "COMPLETE", "results": []}}, 1),
    ],
    ids=["400", "404", "silent"],
)
def test_R69_calls_that_are_refused_whole_end_no_run_and_spend_no_quota(
    portal: LinkedPortal, answer: dict[str, Any], most_calls: int
) -> None:
    """Whatever HubSpot refuses, all 1,000 wait, after a few calls and not after 2,000; the next run makes them."""
    (a,) = portal.companies({})
    tickets = portal.tickets(*keys(1_000))
    portal.sandbox.faults([{"half": "hubspot", "path": "associate/default", **answer}])
    outcome = portal.associate(tickets, company_id(a))
    assert {p.key for p in outcome.pending} == outcome.settled == set(tickets)
    assert len(portal.calls("associate/default")) <= most_calls
    portal.sandbox.admin("DELETE", "faults")
    portal.next_run()
    portal.retry()
    assert portal.ledger.waiting() == []
    assert all(portal.links().values())


def test_R69_whole_call_that_names_the_pair_at_fault_costs_three(portal: LinkedPortal) -> None:
    """The rest is sent again without it, in halves, and made."""
    bad, good = portal.companies({}, {})
    tickets = portal.tickets(*keys(200))
    wishes = {key: company_id(bad if number == 77 else good) for number, key in enumerate(tickets)}
    body = INVALID | {"context": {"INVALID_OBJECT_IDS": [f"COMPANY={bad} is not valid"]}}
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "associate/default", "status": 400, "body": body, "times": 1}]
    )
    outcome = portal.associate(
        {key: replace(ticket, wishes=(wishes[key],)) for key, ticket in tickets.items()}
    )
    assert [(p.key, p.reason) for p in outcome.pending] == [("case-0077", "INVALID_OBJECT_IDS")]
    assert outcome.made_count == 199
    assert len(portal.calls("associate/default")) == 3


def test_call_too_large_for_hubspot_is_halved_and_later_ones_are_smaller(portal: LinkedPortal) -> None:
    """HubSpot documents no number for associate/default: the size that went well is kept for the run."""
    portal.sandbox.settings(associate_default_limit=500)
    (a,) = portal.companies({})
    tickets = portal.tickets(*keys(2_000))
    assert portal.associate(tickets, company_id(a)).made_count == 2_000
    assert [c["status"] for c in portal.calls("associate/default")] == [400] * 3 + [200] * 4
    portal.forget_calls()
    assert portal.associate(tickets, company_id(a)).made_count == 2_000
    assert [c["status"] for c in portal.calls("associate/default")] == [200] * 4


def test_labels_of_a_pair_are_kept_when_one_is_added(portal: LinkedPortal) -> None:
    """batch/create replaces a pair's labels, so those that are there are sent along; names are the same in any case."""
    payer, buyer = portal.add_label("Payer"), portal.add_label("Buyer")
    (a,) = portal.companies({})
    tickets = portal.tickets("one", "two")
    portal.label_by_hand(tickets["one"].ticket_id, a, payer)
    for _ in range(2):
        outcome = portal.associate(
            tickets, company_id(a, label="bUYER"), company_id(a, label="Nobody's"), replay=True
        )
        assert {(p.key, p.reason) for p in outcome.pending} == {
            ("one", "UNKNOWN_LABEL"),
            ("two", "UNKNOWN_LABEL"),
        }
    assert portal.links() == {"one": {a: [26, 339, payer, buyer]}, "two": {a: [26, 339, buyer]}}
    assert len(portal.calls("labels$")) == 1 + 2


def test_no_label_is_put_at_risk_where_the_present_ones_cannot_be_read(portal: LinkedPortal) -> None:
    """Then the association with the label waits."""
    payer, _ = portal.add_label("Payer"), portal.add_label("Buyer")
    (a,) = portal.companies({})
    tickets = portal.tickets("one", is_new=False)
    portal.label_by_hand(tickets["one"].ticket_id, a, payer)
    body = {"status": "error", "category": "VALIDATION_ERROR", "subCategory": "crm.associations.BROKEN"}
    portal.sandbox.faults([{"half": "hubspot", "path": "batch/read", "status": 400, "body": body}])
    portal.lookups.find([company("x")])
    outcome = portal.associate(
        tickets, company("x"), Wish(to="companies", ways=(Way(by="domain", value="y"),))
    )
    assert len(outcome.pending) == 2
    portal.sandbox.admin("DELETE", "faults")
    portal.lookups.find([company_id(a)])
    portal.sandbox.faults([{"half": "hubspot", "path": "companies/batch/read", "status": 400, "body": body}])
    outcome = portal.associate(tickets, company_id(a, label="Buyer"))
    assert [p.reason for p in outcome.pending] == ["BROKEN"]
    assert portal.links() == {"one": {a: [26, 339, payer]}}


def test_first_company_asked_for_becomes_primary(portal: LinkedPortal) -> None:
    """Of all that the ticket has, also when it comes only later; labels stay; a repeat sends nothing."""
    portal.next_run(primary=True)
    hand, later, other = portal.companies({}, {ACCOUNT: "unknown yet"}, {})
    payer = portal.add_label("Payer")
    tickets = portal.tickets("one", is_new=False)
    portal.link_by_hand((tickets["one"].ticket_id, hand))
    portal.label_by_hand(tickets["one"].ticket_id, other, payer)
    portal.archive("companies", later)
    portal.associate(tickets, company("A"), company_id(other))
    assert portal.links() == {"one": {hand: [26, 339], other: [339, payer]}}
    (first,) = portal.companies({ACCOUNT: "A"})
    portal.next_run()
    portal.retry()
    assert portal.links() == {"one": {hand: [339], other: [339, payer], first: [26, 339]}}
    portal.forget_calls()
    portal.associate(tickets, company("A"))
    assert not portal.calls("batch/create|associate/default|labels$")


def test_ticket_of_the_same_round_is_known(portal: LinkedPortal) -> None:
    """A parent that was just written is found without a look at HubSpot, whatever the case of its key."""
    tickets = portal.tickets("Parent", "child")
    wish = Wish(to="tickets", ways=(Way(by=KEY, value="PARENT"),))
    portal.associate(tickets | {"child": replace(tickets["child"], wishes=(wish,))})
    found = {
        t["properties"][KEY]: [a["id"] for a in t["associations"].get("tickets", ())]
        for t in portal.sandbox.tickets()
    }
    assert found["child"] == [tickets["Parent"].ticket_id]
    assert not portal.calls("batch/read|search|properties")


@pytest.mark.parametrize("version", ["2026-03", "v3"])
def test_other_versions_of_the_api_read_alike(portal: LinkedPortal, version: str) -> None:
    """Ids are numbers there and success is 204: ours are still told from others', and taken away."""
    portal.api = Api(version)
    portal.next_run(mode="mirror")
    a, b = portal.companies({}, {})
    buyer = portal.add_label("Buyer")
    tickets = portal.tickets("one", is_new=False)
    portal.link_by_hand((tickets["one"].ticket_id, a))
    portal.associate(tickets, company_id(a, label="Buyer"), company_id(b))
    assert portal.links() == {"one": {a: [26, 339, buyer], b: [339]}}
    portal.associate(tickets)
    portal.associate({"one": replace(tickets["one"], wishes=())})
    assert portal.links() == {"one": {a: [26, 339]}}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR"}},
        {"status": 200, "body": {"status": "COMPLETE", "results": []}},
    ],
    ids=["refused", "silent"],
)
def test_key_of_which_hubspot_says_nothing_waits_on(portal: LinkedPortal, answer: dict[str, Any]) -> None:
    """What is not said to be gone is not given up."""
    portal.associate(portal.tickets("one"), company("A"))
    portal.sandbox.faults([{"half": "hubspot", "path": "tickets/batch/read", **answer}])
    assert portal.retry().associations.settled == set()
    assert [row.key for row in portal.ledger.waiting()] == ["one"]


def test_what_ends_the_run_ends_it_here_too(portal: LinkedPortal) -> None:
    """The day's calls are used up: no association is taken to wait for something of its own."""
    tickets, ids = portal.tickets("one"), portal.companies({})
    portal.lookups.find([company_id(ids[0])])
    portal.sandbox.faults([{"half": "hubspot", "path": "associate/default", "action": "429_daily"}])
    with pytest.raises(QuotaReachedError):
        portal.associate(tickets, company_id(ids[0]))


def test_rounds_side_by_side_share_what_they_find(portal: LinkedPortal) -> None:
    """Eight at once, with common companies: each ticket has its own, and the next round asks for nothing."""
    made = portal.companies(*({"erp_number": str(n)} for n in range(300)))
    tickets = portal.tickets(*keys(400))
    wanted = {
        key: replace(ticket, wishes=(company(str(number % 300), by="erp_number"),))
        for number, (key, ticket) in enumerate(tickets.items())
    }
    rounds = [dict(list(wanted.items())[n::8]) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda one: portal.associator.associate(one, {}), rounds))
    assert [(outcome.made_count, outcome.pending) for outcome in outcomes] == [(50, [])] * 8
    assert portal.links() == {key: {made[n % 300]: [26, 339]} for n, key in enumerate(tickets)}
    portal.forget_calls()
    portal.lookups.find([company(str(n), by="erp_number") for n in range(300)])
    assert not portal.calls("")
