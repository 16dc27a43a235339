"""Mirror mode: what is ours and no longer holds goes, and nothing else."""

import random

import pytest
from msgspec.structs import replace

from .linked_portal import ACCOUNT, INVALID, LinkedPortal, company, company_id, keys


def test_R57_ticket_made_anew_gets_its_associations_again(portal: LinkedPortal) -> None:
    """After an undelete: 50 tickets under new ids have all their companies, and no row of the old ids is left."""
    portal.next_run(mode="mirror")
    ids = portal.companies({}, {})
    tickets = portal.tickets(*keys(50))
    portal.associate(tickets, *map(company_id, ids))
    portal.archive("tickets", *(t.ticket_id for t in tickets.values()))
    anew = portal.tickets(*keys(50))
    portal.associate(anew, *map(company_id, ids))
    assert all(set(links) == set(ids) for links in portal.links().values())
    rows = {(row.ticket_id, row.to_id) for rows in portal.ledger.made.values() for row in rows}
    assert rows == {(ticket.ticket_id, i) for ticket in anew.values() for i in ids}


def test_R68_case_that_moves_takes_only_our_link_along(portal: LinkedPortal) -> None:
    """From A to B: our A goes, a hand-made link to A or C stays, B comes and is primary; 200 of each."""
    portal.next_run(mode="mirror")
    a, b, c = portal.companies({ACCOUNT: "A"}, {ACCOUNT: "B"}, {ACCOUNT: "C"})
    ours, theirs = portal.tickets(*keys(200)), portal.tickets(*(f"hand {key}" for key in keys(200)))
    portal.link_by_hand(*((ticket.ticket_id, a) for ticket in theirs.values()))
    theirs = {key: replace(ticket, is_new=False) for key, ticket in theirs.items()}
    portal.associate(ours | theirs, company("A"))
    portal.link_by_hand(*((ticket.ticket_id, c) for ticket in ours.values()))
    portal.associate(ours | theirs, company("B"), replay=True)
    links = portal.links()
    assert {tuple(sorted(links[key])) for key in ours} == {(b, c)}
    assert {tuple(sorted(links[key])) for key in theirs} == {(a, b)}


@pytest.mark.parametrize("seed", range(3))
def test_R68_any_history_ends_as_a_model_of_it_says(portal: LinkedPortal, seed: int) -> None:
    """60 tickets, each with its own history of 8 steps: moved, silent, replayed, made anew; linked and unlinked by hand."""
    portal.next_run(mode="mirror")
    draw = random.Random(seed)
    choices = portal.companies(*({} for _ in range(4)))
    tickets = portal.tickets(*keys(60), is_new=False)
    links: dict[str, set[str]] = {key: set() for key in tickets}
    ours: dict[str, set[str]] = {key: set() for key in tickets}
    for _ in range(8):
        added = {key: draw.choice(choices) for key in draw.sample(list(tickets), 15)}
        portal.link_by_hand(*((tickets[key].ticket_id, c) for key, c in added.items()))
        dropped = {key: draw.choice(choices) for key in draw.sample(list(tickets), 15)}
        portal.unlink_by_hand(*((tickets[key].ticket_id, c) for key, c in dropped.items()))
        anew = draw.sample(list(tickets), 5)
        portal.archive("tickets", *(tickets[key].ticket_id for key in anew))
        for key in tickets:
            links[key] = (links[key] | {added[key]} if key in added else links[key]) - {dropped.get(key, "")}
        for key, ticket in portal.tickets(*anew).items():
            tickets[key], links[key], ours[key] = ticket, set(), set()
        wanted: dict[str, set[str] | None] = {
            key: None if draw.random() < 0.2 else set(draw.sample(choices, draw.randrange(4)))
            for key in tickets
        }
        asked = {
            key: replace(
                ticket, wishes=None if (w := wanted[key]) is None else tuple(map(company_id, sorted(w)))
            )
            for key, ticket in tickets.items()
        }
        portal.associate(asked)
        for key, w in wanted.items():
            if w is not None:
                links[key], ours[key] = links[key] - (ours[key] - w) | w, (ours[key] & w) | (w - links[key])
        tickets = {key: replace(ticket, is_new=False) for key, ticket in tickets.items()}
        portal.associate({key: replace(ticket, is_new=False) for key, ticket in asked.items()})
        assert {key: set(found) for key, found in portal.links().items()} == links
        assert all(len(rows) == len(set(rows)) for rows in portal.ledger.made.values())


def test_R68_label_put_on_our_pair_by_hand_keeps_it(portal: LinkedPortal) -> None:
    """What a user said of a pair is not thrown away with it."""
    portal.next_run(mode="mirror")
    a, b = portal.companies({}, {})
    payer = portal.add_label("Payer")
    tickets = portal.tickets("one")
    portal.associate(tickets, company_id(a))
    portal.label_by_hand(tickets["one"].ticket_id, a, payer)
    portal.associate(tickets, company_id(b), replay=True)
    assert portal.links() == {"one": {a: [26, 339, payer], b: [339]}}
    assert [row.to_id for row in portal.ledger.made["one"]] == [b]


def test_R68_link_among_hundreds_made_by_hand_is_not_ours(portal: LinkedPortal) -> None:
    """HubSpot shows 500 associations of a ticket at a time: all pages are read before a pair is taken to be new."""
    portal.next_run(mode="mirror")
    ids = portal.companies(*({} for _ in range(601)))
    tickets = portal.tickets("one", is_new=False)
    portal.link_by_hand(*((tickets["one"].ticket_id, i) for i in ids[:600]))
    outcome = portal.associate(tickets, company_id(ids[599]), company_id(ids[600]))
    assert [row.to_id for row in outcome.made] == [ids[600]]
    portal.associate({"one": replace(tickets["one"], wishes=())})
    assert set(portal.links()["one"]) == set(ids[:600])


def test_R68_what_cannot_be_read_is_never_ours_and_stays(portal: LinkedPortal) -> None:
    """The pair is made all the same; as long as HubSpot does not show a ticket's associations none is taken away."""
    portal.next_run(mode="mirror")
    a, b, c = portal.companies({}, {}, {})
    tickets = portal.tickets("one")
    portal.associate(tickets, company_id(c))
    portal.link_by_hand((tickets["one"].ticket_id, a))
    portal.lookups.find([company_id(a), company_id(b)])
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "associations.*batch/read", "status": 400, "body": INVALID}]
    )
    outcome = portal.associate(tickets, company_id(a), company_id(b), replay=True)
    assert (outcome.made, outcome.removed, outcome.pending, outcome.made_count) == ([], [], [], 2)
    portal.sandbox.admin("DELETE", "faults")
    portal.associate({"one": replace(tickets["one"], is_new=False, wishes=())})
    assert set(portal.links()["one"]) == {a, b}


def test_link_that_hubspot_does_not_take_away_stays_ours(portal: LinkedPortal) -> None:
    """The rest goes; the next time the record comes it is tried again."""
    portal.next_run(mode="mirror")
    ids = portal.companies({}, {})
    tickets = portal.tickets("one")
    portal.associate(tickets, *map(company_id, ids))
    error = {
        "subCategory": "x.LOCKED",
        "context": {"fromObjectId": [tickets["one"].ticket_id], "toObjectId": [ids[0]]},
    }
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "batch/archive", "status": 207, "body": body, "times": 1}]
    )
    nothing = {"one": replace(tickets["one"], is_new=False, wishes=())}
    assert portal.associate(nothing).removed_count == 1
    assert [row.to_id for row in portal.ledger.made["one"]] == [ids[0]]
    portal.unlink_by_hand((tickets["one"].ticket_id, ids[1]))
    portal.associate(nothing)
    assert portal.links() == {"one": {}}


def test_mirror_keeps_what_a_search_misses(portal: LinkedPortal) -> None:
    """A company that search does not show at the moment, but that still has the value, stays associated."""
    portal.next_run(mode="mirror")
    (a,) = portal.companies({ACCOUNT: "A"})
    tickets = portal.tickets("one")
    portal.associate(tickets, company("A"))
    portal.next_run()
    empty = {"total": 0, "results": []}
    portal.sandbox.faults([{"half": "hubspot", "path": "/search", "status": 200, "body": empty}])
    outcome = portal.associate(tickets, company("A"), replay=True)
    assert (outcome.pending, outcome.removed) == ([], [])
    assert portal.links() == {"one": {a: [26, 339]}}
    gone = portal.associate(tickets, company("B"), replay=True)
    assert (len(gone.pending), gone.removed_count) == (1, 1)
    assert portal.links() == {"one": {}}


def test_replay_changes_nothing_and_keeps_what_is_ours(portal: LinkedPortal) -> None:
    portal.next_run(mode="mirror")
    a, _ = portal.companies({}, {})
    tickets = portal.tickets(*keys(3))
    first = portal.associate(tickets, company_id(a))
    assert (len(first.made), first.made_count) == (3, 3)
    assert not portal.calls("associations.*batch/read")  # new tickets have none
    portal.forget_calls()
    again = portal.associate(tickets, company_id(a), replay=True)
    assert (again.made, again.removed, again.made_count) == ([], [], 3)
    assert not portal.calls("associate|create|archive")
    assert {row.to_id for rows in portal.ledger.made.values() for row in rows} == {a}


def test_mirror_takes_its_label_back_and_leaves_the_pair_that_was_there(portal: LinkedPortal) -> None:
    portal.next_run(mode="mirror")
    payer, _ = portal.add_label("Payer"), portal.add_label("Buyer")
    (a,) = portal.companies({})
    tickets = portal.tickets("one", is_new=False)
    portal.label_by_hand(tickets["one"].ticket_id, a, payer)
    portal.associate(tickets, company_id(a, label="Buyer"))
    outcome = portal.associate(tickets, company_id(a))
    assert outcome.removed_count == 1
    assert portal.links() == {"one": {a: [26, 339, payer]}}
    assert portal.ledger.made == {"one": []}


def test_mirror_leaves_a_pair_whose_label_hubspot_lacks(portal: LinkedPortal) -> None:
    """A label that was renamed in HubSpot is no reason to take the association away."""
    portal.next_run(mode="mirror")
    (a,) = portal.companies({})
    tickets = portal.tickets("one")
    portal.associate(tickets, company_id(a))
    outcome = portal.associate(tickets, company_id(a, label="Renamed"), replay=True)
    assert [p.reason for p in outcome.pending] == ["UNKNOWN_LABEL"]
    assert portal.links() == {"one": {a: [26, 339]}}
