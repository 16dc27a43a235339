"""Lookups: each value finds its record in few calls, and the same one again without any."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, PreflightError
from target_hubspot_tickets.lookup_queue import LookupQueue
from target_hubspot_tickets.protocol import Lane
from target_hubspot_tickets.records import Way, Wish
from target_hubspot_tickets.remembered import Remembered
from target_hubspot_tickets.searches import Key, Match, Place, Room, Sought

from .linked_portal import ACCOUNT, KEY, LinkedPortal, company, company_id


@contextmanager
def held_up(client: HubSpotClient, *lanes: Lane) -> Iterator[None]:
    """No work of these lanes begins inside: as many tickets are under way as there may be, and more wait."""
    is_free = threading.Event()
    for lane in lanes:
        for _ in range(50):
            client.submit(lane, lambda _: is_free.wait(60), None)
    try:
        yield
    finally:
        is_free.set()


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_unique_property_is_read_in_batches_of_100(portal: LinkedPortal) -> None:
    """250 values are three calls and no search; that some are not there is no fault."""
    ids = portal.companies(*({"erp_number": f"ERP-{n}"} for n in range(200)))
    finds = portal.lookups.find([company(f"erp-{n} ", by="erp_number") for n in range(250)])
    assert finds.ids == [*ids, *[None] * 50]
    assert len(portal.calls("companies/batch/read")) == 3
    assert not portal.calls("search")


def test_value_is_looked_for_once_per_run_found_or_not(portal: LinkedPortal) -> None:
    """In any spelling; and the properties of an object are read once."""
    (a,) = portal.companies({ACCOUNT: "Acme"})
    asked = [company(value) for value in ("ACME", "acme ", "nobody", "Acme")]
    for _ in range(3):
        assert portal.lookups.find(asked).ids == [a, a, None, a]
    assert len(portal.calls("search")) == 1
    assert len(portal.calls("properties")) == 1


def test_missing_ticket_is_looked_for_again(portal: LinkedPortal) -> None:
    """It may be written later in the same run."""
    wish = Wish(to="tickets", ways=(Way(by=KEY, value="later"),))
    assert portal.lookups.find([wish]).ids == [None]
    ticket = portal.tickets("later")["later"]
    assert portal.lookups.find([wish]).ids == [ticket.ticket_id]


def test_search_stays_within_hubspots_limits(portal: LinkedPortal) -> None:
    """Long values, quotes and other alphabets: no call is refused, each value is found, one that no search can hold is not."""
    values = [f'{n:03} "größe" 名前 ' + "x" * 60 for n in range(120)]
    ids = portal.companies(*({ACCOUNT: value.replace("x", "X")} for value in values))
    finds = portal.lookups.find([company(value) for value in [*values, "y" * 3_000]])
    assert finds.ids == [*ids, None]
    searches = portal.calls("search")
    assert {call["status"] for call in searches} == {200}
    assert max(call["bytes_in"] for call in searches) < 3_000


def test_search_holds_as_many_values_as_its_body(portal: LinkedPortal) -> None:
    """256 Salesforce ids are two searches: 100 a filter, in two filter groups, below 3,000 characters."""
    accounts = [f"001{n:012}AAA" for n in range(256)]
    ids = portal.companies(*({ACCOUNT: account} for account in accounts))
    assert portal.lookups.find([company(account) for account in accounts]).ids == ids
    searches = portal.calls("search")
    assert len(searches) == 2
    assert 2_950 < max(call["bytes_in"] for call in searches) < 3_000


def test_rounds_share_their_searches(portal: LinkedPortal) -> None:
    """Twelve rounds at once that ask for 20 companies each, half of them known to another: far fewer searches than rounds."""
    accounts = [f"account {n}" for n in range(130)]
    ids = dict(zip(accounts, portal.companies(*({ACCOUNT: account} for account in accounts)), strict=True))
    portal.sandbox.faults(
        [{"half": "hubspot", "path": "companies/search", "action": "latency", "latency_ms": 1_500}]
    )
    rounds = [accounts[start : start + 20] for start in range(0, 120, 10)]
    with ThreadPoolExecutor(len(rounds)) as pool:
        finds = list(pool.map(lambda part: portal.lookups.find([company(one) for one in part]), rounds))
    assert [one.ids for one in finds] == [[ids[one] for one in part] for part in rounds]
    # Those that were sent before the others came, and one or two for all of these.
    assert len(portal.calls("search")) <= 8


def test_look_ahead_waits_for_nothing_and_is_what_find_finds(portal: LinkedPortal) -> None:
    """Asked for once; tickets are not, for the round that looks ahead may be about to write them."""
    ids = portal.companies({ACCOUNT: "A"}, {"erp_number": "2"})
    ticket = Wish(to="tickets", ways=(Way(by=KEY, value="next"),))
    asked = [company("A"), company("2", by="erp_number")]
    portal.lookups.find([company("unknown"), company("0", by="erp_number")])  # reads the properties
    portal.forget_calls()
    with held_up(portal.client, "search", "general"):
        portal.lookups.look_ahead([*asked, ticket])
        portal.lookups.look_ahead(asked)
        assert not portal.calls("companies")
    assert portal.lookups.find(asked).ids == ids
    assert len(portal.calls("companies/search")) == len(portal.calls("companies/batch/read")) == 1
    assert not portal.calls("tickets/batch/read")


def test_look_ahead_goes_on_to_the_next_way_where_the_first_finds_nothing(portal: LinkedPortal) -> None:
    """Before anybody waits for it; a value that is known to find nothing is gone past at once."""
    (a,) = portal.companies({ACCOUNT: "A", "erp_number": "1"})
    two_ways = [Wish(to="companies", ways=(Way(by=ACCOUNT, value=v), Way(by="erp_number", value="1"))) for v in ("A", "B", "C")]  # fmt: skip
    portal.lookups.find([company("B"), company("0", by="erp_number")])
    portal.forget_calls()
    portal.lookups.hurry()
    portal.lookups.look_ahead(two_ways[:2])
    wait_until(lambda: portal.calls("companies/batch/read"))
    portal.lookups.look_ahead(two_ways)
    wait_until(lambda: len(portal.calls("companies/search")) == 2)
    assert portal.lookups.find(two_ways).ids == [a, a, a]
    assert len(portal.calls("companies/batch/read")) == 1


def test_next_ways_wait_until_they_fill_a_call(portal: LinkedPortal) -> None:
    """Searches are few a second: none is spent on a handful of values that look-ahead came upon."""
    ids = portal.companies(*({"erp_number": f"{n}"} for n in range(100)))
    wishes = [Wish(to="companies", ways=(Way(by=ACCOUNT, value=f"nobody {n}"), Way(by="erp_number", value=f"{n}"))) for n in range(100)]  # fmt: skip
    portal.lookups.find([*(company(f"nobody {n}") for n in range(100)), company("none", by="erp_number")])
    portal.forget_calls()
    portal.lookups.look_ahead(wishes[:60])
    portal.lookups.look_ahead(wishes[:60])
    assert not portal.calls("companies")
    portal.lookups.look_ahead(wishes[60:])
    wait_until(lambda: portal.calls("companies/batch/read"))
    assert portal.lookups.find(wishes).ids == ids
    assert len(portal.calls("companies/batch/read")) == 1


def test_calls_that_are_not_full_go_when_the_input_is_over(portal: LinkedPortal) -> None:
    """They wait in line for more values until then: here behind tickets that take a while."""
    (a,) = portal.companies({"erp_number": "1"})
    portal.lookups.find([company("0", by="erp_number")])  # reads the properties
    with held_up(portal.client, "general"), ThreadPoolExecutor(1) as pool:
        found = pool.submit(portal.lookups.find, [company("1", by="erp_number")])
        with pytest.raises(TimeoutError):
            found.result(0.3)
        portal.lookups.hurry()
        assert found.result(30).ids == [a]


def test_values_of_several_properties_that_fill_no_call_are_all_asked_for(portal: LinkedPortal) -> None:
    """Of two hundred that wait one property has 120, the other 80."""
    numbered = portal.companies(*({"erp_number": f"{n}"} for n in range(120)))
    others = portal.companies(*({} for _ in range(80)))
    asked = [company(f"{n}", by="erp_number") for n in range(120)] + [company_id(one) for one in others]
    assert portal.lookups.find(asked).ids == [*numbered, *others]


def test_full_calls_wait_for_nobody(portal: LinkedPortal) -> None:
    """Rounds that came earlier wait for them."""
    ids = portal.companies(*({"erp_number": f"{n}"} for n in range(100)))
    portal.lookups.find([company("none", by="erp_number")])
    with held_up(portal.client, "general"), ThreadPoolExecutor(1) as pool:
        found = pool.submit(portal.lookups.find, [company(f"{n}", by="erp_number") for n in range(100)])
        assert found.result(30).ids == ids


def test_failure_is_told_to_all_who_wait_and_not_remembered(portal: LinkedPortal) -> None:
    """A proxy's redirect in place of a search: every round that waits for it has the error; later the value is found."""
    (a,) = portal.companies({ACCOUNT: "A"})
    portal.sandbox.faults([{"half": "hubspot", "path": "companies/search", "action": "redirect", "times": 1}])
    with pytest.raises(HubSpotAnswerError):
        portal.lookups.find([company("A")])
    assert portal.lookups.find([company("A")]).ids == [a]


def test_duplicates_hide_no_other_value(portal: LinkedPortal) -> None:
    """A search shows 200 records: of two values with 300 each and 98 more all are found, the lowest id of each."""
    crowd = portal.companies(*({ACCOUNT: f"crowd {n % 2}"} for n in range(600)))
    others = portal.companies(*({ACCOUNT: f"other {n}"} for n in range(98)))
    asked = [company(f"crowd {n}") for n in range(2)] + [company(f"other {n}") for n in range(98)]
    finds = portal.lookups.find(asked)
    assert finds.ids == [*crowd[:2], *others]
    assert finds.ambiguous_count == 2
    assert len(portal.calls("search")) == 2


def test_R70_oldest_of_several_companies_is_taken_and_said_once(
    portal: LinkedPortal, caplog: pytest.LogCaptureFixture
) -> None:
    """20 accounts with three companies each: the lowest id each time; one line in the log, without a value; all are counted."""
    rows = [{ACCOUNT: f"account {n}"} for n in range(20) for _ in range(3)]
    random.Random(1).shuffle(rows)
    ids = portal.companies(*rows)
    oldest = {row[ACCOUNT]: i for row, i in reversed(list(zip(rows, ids, strict=True)))}
    asked = [company(f"Account {n}") for n in range(20)]
    with caplog.at_level(logging.WARNING):
        finds = [portal.lookups.find(asked), portal.lookups.find(asked)]
        portal.companies({ACCOUNT: "late"}, {ACCOUNT: "late"})
        portal.lookups.find([company("late")])
    assert [one.ids for one in finds] == [[oldest[f"account {n}"] for n in range(20)]] * 2
    assert [one.ambiguous_count for one in finds] == [20, 20]
    (line,) = [r.getMessage() for r in caplog.records if "several" in r.getMessage()]
    assert line == f"20 values of {ACCOUNT} belong to several companies each; the oldest (lowest id) is taken"


def test_second_way_is_tried_only_where_the_first_found_nothing(portal: LinkedPortal) -> None:
    """An empty value is no way, nor is one that can't be sent."""
    a, b = portal.companies(
        {"erp_number": "1", "domain": "one.example"}, {"erp_number": "2", "domain": "two.example"}
    )

    def wish(*ways: tuple[str, str]) -> Wish:
        return Wish(to="companies", ways=tuple(Way(by=by, value=value) for by, value in ways))

    found = [wish(("erp_number", "1"), ("domain", "two.example"))]
    assert portal.lookups.find(found).ids == [a]
    assert not portal.calls("search")
    asked = [
        wish(("erp_number", "9"), ("domain", "two.example")),
        wish(("erp_number", ""), ("domain", " TWO.example")),
        wish(("erp_number", "  "), ("domain", "lone \ud83d")),
        wish(),
    ]
    assert portal.lookups.find(asked).ids == [b, b, None, None]
    portal.next_run()
    portal.forget_calls()
    assert portal.lookups.find(asked[2:]).ids == [None, None]
    assert not portal.calls("")


def test_several_properties_are_asked_side_by_side(portal: LinkedPortal) -> None:
    """Of one record by its id, others by properties, in one look-up."""
    a, b, c = portal.companies({}, {"erp_number": "2"}, {ACCOUNT: "A"})
    asked = [company_id(a), company("2", by="erp_number"), company("A"), company_id("999999")]
    assert portal.lookups.find(asked).ids == [a, b, c, None]


def test_value_that_hubspot_refuses_hides_no_other(portal: LinkedPortal) -> None:
    """A text where a number belongs is not even asked for; of a refused call each half is asked for alone."""
    portal.add_property("size", "companies", type="number", fieldType="number")
    portal.add_property("since", "companies", type="date", fieldType="date")
    ids = portal.companies(*({"size": str(n), "since": f"2026-01-0{n}"} for n in range(1, 9)))
    sizes = [company(str(n), by="size") for n in range(1, 9)]
    assert portal.lookups.find([*sizes, company("large", by="size")]).ids == [*ids, None]
    assert {call["status"] for call in portal.calls("search")} == {200}
    dates = [company(f"2026-01-0{n}", by="since") for n in range(1, 9)]
    assert portal.lookups.find([*dates, company("yesterday", by="since")]).ids == [*ids, None]


def test_property_that_hubspot_lacks_is_told(portal: LinkedPortal) -> None:
    with pytest.raises(PreflightError, match="no property 'nowhere' of companies"):
        portal.lookups.find([company("x", by="nowhere")])


def _known(remembered: Remembered, keys: Sequence[Key]) -> list[Key]:
    return list(remembered.want({key: Sought(key, key[1]) for key in keys}).known)


def test_queue_serves_each_property_in_turn() -> None:
    """Calls hold values of one property, in their order, and no property waits for the end of another."""
    queue = LookupQueue(lambda _place: Room(values=2))
    first, second = Place("companies", ACCOUNT), Place("contacts", "email")
    queue.put([Sought((first, str(n)), str(n)) for n in range(4)])
    queue.put([Sought((second, "x"), "x")])
    taken = [[(one.place, one.value) for one in queue.take()] for _ in range(4)]
    assert taken == [[(first, "0"), (first, "1")], [(second, "x")], [(first, "2"), (first, "3")], []]


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    """Of 100 entries never more than 100 are kept, and always the newest 75."""
    remembered = Remembered(100)
    place = Place("companies", ACCOUNT)
    for number in range(10_000):
        remembered.keep({(place, str(number)): Match(record_id=str(number))})
        assert len(remembered) <= 100
    newest = [(place, str(number)) for number in range(9_925, 10_000)]
    assert set(_known(remembered, newest)) == set(newest)
    assert not _known(remembered, [(place, "1")])
    remembered.keep({(place, f"at once {number}"): None for number in range(1_000)})
    assert len(remembered) <= 100
