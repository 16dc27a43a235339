"""The pure parts of associating: halves, limits, codes, and what is ours, for all inputs."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_tickets.errors import HubSpotAnswerError
from target_hubspot_tickets.halving import HOPELESS_CALLS, accepted_size, ask
from target_hubspot_tickets.mirroring import made_now, pair_of, removal
from target_hubspot_tickets.outcomes import MadeAssociation
from target_hubspot_tickets.pairs import (
    HUBSPOT_DEFINED,
    Links,
    LinkType,
    Pair,
    Reading,
    code_of,
    named_pairs,
    note_links,
    reasons,
)
from target_hubspot_tickets.protocol import Api, Call
from target_hubspot_tickets.records import Way, Wish
from target_hubspot_tickets.searches import Found, Place, Sought, in_order, note, search_room, take
from target_hubspot_tickets.wanted import PRIMARY, Link, Plan, with_primary

PLACE = Place("companies", "salesforceaccountid")


def refusal(status: int = 400, **body: Any) -> HubSpotAnswerError:
    return HubSpotAnswerError(
        status=status,
        category=str(body.get("category", "")),
        message="",
        correlation_id="",
        call="",
        body=body,
    )


def call_of(items: Sequence[int]) -> Call:
    return Call(method="POST", path="", body={"inputs": list(items)})


class Server:
    """Takes at most `limit` numbers in a call, none of them bad."""

    def __init__(self, bad: set[int], limit: int) -> None:
        self.bad, self.limit, self.calls = bad, limit, 0

    def send_all(self, calls: Sequence[Call]) -> list[dict[str, Any] | HubSpotAnswerError]:
        self.calls += len(calls)
        return [self._answer(call.body["inputs"]) for call in calls]  # type: ignore[call-overload, index]

    def _answer(self, inputs: list[int]) -> dict[str, Any] | HubSpotAnswerError:
        return refusal() if len(inputs) > self.limit or self.bad & set(inputs) else {"results": inputs}


@given(
    st.integers(1, 300), st.sets(st.integers(0, 299), max_size=5), st.integers(10, 400), st.integers(1, 300)
)
def test_each_thing_has_one_answer_and_only_what_is_at_fault_is_refused(
    count: int, bad: set[int], limit: int, size: int
) -> None:
    """Whatever is at fault, the size of the call or some things in it."""
    server = Server(bad, limit)
    numbers = list(range(count))
    parts = ask(server.send_all, [numbers[n : n + size] for n in range(0, count, size)], call_of)
    assert sorted(item for part in parts for item in part.items) == numbers
    assert {item for part in parts if part.error for item in part.items} == bad & set(numbers)
    learnt = accepted_size(parts)
    assert learnt is None or learnt <= limit


@given(st.integers(128, 4_000))
def test_where_nothing_goes_well_few_calls_are_spent(count: int) -> None:
    server = Server(set(range(count)), count)
    parts = ask(server.send_all, [list(range(count))], call_of)
    assert sorted(item for part in parts for item in part.items) == list(range(count))
    assert server.calls < 2 * HOPELESS_CALLS


def test_size_is_learnt_from_a_call_that_only_its_size_was_wrong_with() -> None:
    """Not where a thing was at fault: then halves tell nothing of the size."""
    numbers = list(range(200))
    assert accepted_size(ask(Server(set(), 60).send_all, [numbers], call_of)) == 50
    assert accepted_size(ask(Server({7}, 60).send_all, [numbers], call_of)) is None
    assert accepted_size(ask(Server(set(), 200).send_all, [numbers], call_of)) is None


SHORT, LONG = st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=3_200)


@given(st.one_of(st.lists(SHORT, max_size=500), st.lists(st.one_of(SHORT, LONG), max_size=150)))
def test_searches_hold_each_value_once_and_fit_a_call(values: list[str]) -> None:
    """At most 200 values, 100 in a filter, less than 3,000 characters; a call that is not full would be too long with the next value."""
    api = Api("2026-09")

    def body_of(values: Sequence[str]) -> bytes:
        return msgspec.json.encode(in_order(api.search(*PLACE, values)).body)

    room = search_room(lambda values: in_order(api.search(*PLACE, values)))
    asked = [Sought((PLACE, value.lower()), value) for value in values]
    fitting = [one for one in asked if room.holds(one)]
    assert all(len(body_of([one.value])) >= 2_900 for one in asked if one not in fitting)
    queue = deque(fitting)
    taken: list[Sought] = []
    while queue:
        group = [one.value for one in take(queue, room)]
        body = body_of(group)
        filters = [f for g in msgspec.json.decode(body)["filterGroups"] for f in g["filters"]]
        assert len(body) < 3_000
        assert max(len(one["values"]) for one in filters) <= 100
        assert (
            [value for one in filters for value in one["values"]]
            == group
            == [one.value for one in fitting[len(taken) :][: len(group)]]
        )
        assert not queue or len(group) == 200 or len(body_of([*group, queue[0].value])) >= 2_900
        taken += fitting[len(taken) :][: len(group)]
    assert taken == fitting


@given(st.lists(st.integers(0, 30), min_size=1, max_size=400), st.integers(1, 50))
def test_cut_answers_end_with_the_lowest_id_of_each_value(owners: list[int], page: int) -> None:
    """Records in the order of their ids, shown by the page: asking again for what was not shown finds all, and ends."""
    found: Found = {}
    waiting = [Sought((PLACE, f"v{value}"), "") for value in range(40)]
    rounds = 0
    while waiting:
        rounds += 1
        wanted = {one.value for one in waiting}
        rows = [
            {"id": str(n), "properties": {PLACE.by: f"V{o}"}}
            for n, o in enumerate(owners)
            if f"v{o}" in wanted
        ]
        body = {
            "results": rows[:page],
            "paging": {"next": {"after": str(page)}} if len(rows) > page else None,
        }
        waiting = note(found, waiting, body)
    assert {value: min(ids) for (_, value), ids in found.items()} == {
        f"v{o}": owners.index(o) for o in set(owners)
    }
    assert rounds <= 1 + len(set(owners))


def test_answer_that_matches_nothing_is_not_asked_for_again() -> None:
    body = {"results": [{"id": "1", "properties": {PLACE.by: "other"}}], "paging": {"next": {"after": "1"}}}
    assert note({}, [Sought((PLACE, "a"), "a")], body) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_IDENTIFIER"}, "INVALID_IDENTIFIER"),
        ({"category": "VALIDATION_ERROR", "context": {"INVALID_OBJECT_IDS": ["CONTACT=1 is not valid"]}}, "INVALID_OBJECT_IDS"),
        ({"category": "VALIDATION_ERROR", "errors": [{"code": "ASSOCIATION_LIMIT_EXCEEDED"}]}, "ASSOCIATION_LIMIT_EXCEEDED"),
        ({"category": "OBJECT_NOT_FOUND", "context": {"ids": ["1"]}}, "OBJECT_NOT_FOUND"),
        ({"category": "VALIDATION_ERROR", "context": {"id": ["1"]}}, "REFUSED"),
        ({}, "REFUSED"),
        ({"subCategory": "someone@example.com"}, "REFUSED"),
    ],
)  # fmt: skip
def test_code_says_what_hubspot_says_and_nothing_of_a_value(error: dict[str, Any], code: str) -> None:
    assert code_of(error) == code


def test_reason_is_that_of_the_error_that_names_the_pair() -> None:
    """Both ends before one; no number that is no id counts."""
    one, two, three = (
        Pair("companies", "1", "500"),
        Pair("companies", "2", "500"),
        Pair("companies", "3", "7"),
    )
    limit = {"subCategory": "x.LIMIT", "context": {"fromObjectId": ["1"], "toObjectId": ["500"]}}
    unknown = {"subCategory": "x.UNKNOWN", "context": {"INVALID_OBJECT_IDS": ["COMPANY=500 is not valid"]}}
    size = {"category": "VALIDATION_ERROR", "context": {"numInputs": ["7"], "limit": ["3"]}}
    body = {"errors": [unknown, limit]}
    assert reasons([one, two, three], body) == {one: "LIMIT", two: "UNKNOWN", three: "REFUSED"}
    assert named_pairs([one, two, three], {"errors": [limit]}) == [one]
    assert named_pairs([one, two, three], {"errors": [unknown]}) == [one, two]
    assert named_pairs([one, two, three], size) == []


def test_ticket_that_an_answer_is_silent_about_is_not_taken_to_have_none() -> None:
    """Only where HubSpot says so; nothing is ours of a ticket that we know nothing of."""
    none = {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": {"fromObjectId": ["1"]}}
    broken = {"subCategory": "crm.associations.BROKEN", "context": {"fromObjectId": ["2"]}}
    links = Links()
    readings = [Reading("companies", number) for number in ("1", "2", "3", "4")]
    page = {
        "from": {"id": 4},
        "to": [{"toObjectId": 7, "associationTypes": []}],
        "paging": {"next": {"after": "9"}},
    }
    assert note_links(links, readings, {"results": [page], "errors": [none, broken]}) == [
        Reading("companies", "4", "9")
    ]
    assert links.unread == {("companies", "2"): "BROKEN", ("companies", "3"): "REFUSED"}
    assert set(links.types) == {Pair("companies", "4", "7")}


WISHES = st.lists(
    st.builds(
        Wish,
        to=st.sampled_from(["companies", "contacts"]),
        ways=st.just((Way(by="a", value="b"),)),
        label=st.sampled_from([None, "Buyer", "Primary"]),
    ),
    max_size=4,
)


@given(WISHES)
def test_one_company_becomes_primary_and_no_wish_is_lost(wishes: list[Wish]) -> None:
    """A label of its own stays beside it."""
    made = with_primary(wishes)
    companies = [wish for wish in wishes if wish.to == "companies"]
    assert sum(1 for wish in made if wish.label == PRIMARY) == bool(companies)
    assert [w for w in made if w.to == "contacts"] == [w for w in wishes if w.to == "contacts"]
    assert {w.label for w in companies} - {None, "Primary"} <= {w.label for w in made}


UNLABELLED = LinkType(HUBSPOT_DEFINED, 339)
LABELS = [LinkType("USER_DEFINED", number) for number in (1_000, 1_001)]
PAIRS = [Pair("companies", ticket_id, to_id) for ticket_id in ("1", "2") for to_id in ("7", "8")]
TYPES = st.sets(st.sampled_from(LABELS)).map(lambda labels: labels | {UNLABELLED})
ROWS = st.sets(st.tuples(st.sampled_from(PAIRS), st.sampled_from(["", "1000", "1001"])))


@given(
    st.dictionaries(st.sampled_from(PAIRS), TYPES), ROWS,
    st.dictionaries(st.sampled_from(PAIRS), st.sets(st.sampled_from(LABELS))), st.sets(st.sampled_from(["1", "2"])),
)  # fmt: skip
def test_nothing_that_is_not_ours_is_taken_away_and_nothing_of_ours_is_left(
    there: dict[Pair, set[LinkType]],
    rows: set[tuple[Pair, str]],
    wanted: dict[Pair, set[LinkType]],
    unread: set[str],
) -> None:
    """A removed pair is ours as a whole, with no label of others on it; a row that nothing asks for goes, unless its ticket is unread."""
    ours = [
        MadeAssociation(key=p.ticket_id, ticket_id=p.ticket_id, to=p.to, to_id=p.to_id, type_id=t)
        for p, t in sorted(rows)
    ]
    plan = Plan(links={p: Link(key=p.ticket_id, wishes=[], types=types) for p, types in wanted.items()})
    links = Links(types=there, unread={("companies", ticket_id): "X" for ticket_id in unread})
    going = removal(ours, plan, links)
    for pair in going.pairs:
        assert pair not in wanted
        assert (pair, "") in rows
        assert {str(kind.type_id) for kind in there[pair] if kind.is_label} <= {
            t for p, t in rows if p == pair
        }
    for pair, types in going.label_types.items():
        assert {(pair, str(kind.type_id)) for kind in types} <= rows
        assert types <= there[pair] - wanted.get(pair, set())
    gone = [
        *going.gone,
        *(r for rs in going.pairs.values() for r in rs),
        *(r for rs in going.labels.values() for r in rs),
    ]
    kept = [
        row for row in ours
        if pair_of(row).ticket_id in unread
        or (pair_of(row) in wanted and row.type_id in {"", *(str(kind.type_id) for kind in wanted[pair_of(row)])})
    ]  # fmt: skip
    assert sorted(map(repr, gone)) == sorted(repr(row) for row in ours if row not in kept)


@given(
    st.dictionaries(st.sampled_from(PAIRS), TYPES),
    st.dictionaries(st.sampled_from(PAIRS), st.sets(st.sampled_from(LABELS))),
)
def test_ours_is_what_was_not_there_before(
    there: dict[Pair, set[LinkType]], wanted: dict[Pair, set[LinkType]]
) -> None:
    plan = Plan(links={p: Link(key="k", wishes=[], types=types) for p, types in wanted.items()})
    made = made_now(wanted, plan, Links(types=there), {})
    assert {(pair_of(row), row.type_id) for row in made} == {
        (pair, type_id)
        for pair, types in wanted.items()
        for type_id in ["", *(str(kind.type_id) for kind in types)]
        if (
            pair not in there
            if not type_id
            else type_id not in {str(kind.type_id) for kind in there.get(pair, ())}
        )
    }
