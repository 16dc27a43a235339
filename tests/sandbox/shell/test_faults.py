"""Faults: the plan as a pure function, and each kind of fault over real HTTP."""

import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.faults import FaultPlan, FaultRuleError, rule_from_json
from case_sync_sandbox.testing import RunningSandbox
from case_sync_sandbox.vendor_faults import READY_MADE

DETAILS = "/account-info/2026-09/details"
AUTH = {"authorization": "Bearer sandbox-token"}


def decide(plan: FaultPlan, times: int, target: Any = "/x?") -> list[bool]:
    return [bool(plan.decide("hubspot", "POST", target)) for _ in range(times)]


@given(st.integers(1, 20))
def test_nth_hits_that_request_only(nth: int) -> None:
    """Counting starts at the first match."""
    hits = decide(FaultPlan([rule_from_json({"nth": nth, "status": 500})]), 25)
    assert [n for n, hit in enumerate(hits, 1) if hit] == [nth]


@given(st.integers(1, 6), st.integers(0, 4))
def test_every_hits_each_so_many_until_times_are_used_up(every: int, times: int) -> None:
    """every=n hits n, 2n, ...; times ends it."""
    hits = decide(FaultPlan([rule_from_json({"every": every, "times": times, "status": 500})]), 30)
    assert [n for n, hit in enumerate(hits, 1) if hit] == [
        every * k for k in range(1, times + 1) if every * k <= 30
    ]


@given(st.integers(), st.floats(0, 1))
def test_the_same_seed_decides_alike(seed: int, probability: float) -> None:
    """Two plans with one seed hit the same requests; 0 hits none and 1 all."""
    rule = {"probability": probability, "status": 500}
    one, two = (decide(FaultPlan([rule_from_json(rule)], random_seed=seed), 40) for _ in range(2))
    assert one == two
    if probability in (0, 1):
        assert set(one) == {bool(probability)}


def test_probability_is_about_the_share_of_hits() -> None:
    """Of 4,000 requests a probability of 0.25 hits between 900 and 1,100 with this seed."""
    assert 900 < sum(decide(FaultPlan([rule_from_json({"probability": 0.25, "status": 500})]), 4000)) < 1100


def test_latencies_add_up_and_one_answer_wins() -> None:
    """All latency rules apply; of the others the first that hits."""
    rules = [{"latency_ms": 5}, {"status": 500}, {"latency_ms": 7}, {"status": 503}]
    actions = FaultPlan([rule_from_json(rule) for rule in rules]).decide("hubspot", "GET", "/?")
    assert [(a.kind, a.latency_ms, a.status) for a in actions if a.kind == "answer"] == [("answer", 0.0, 500)]
    assert [a.latency_ms for a in actions if a.kind == "latency"] == [5, 7]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"action": "explode"}, "explode"),
        ({"half": "sap"}, "sap"),
        ({"path": "("}, "path"),
        ({"nth": 1, "every": 2}, "at most one"),
        ({"tmies": 1}, "tmies"),
        ({"half": "salesforce", "action": "423"}, "423"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(rule: Any, word: str) -> None:
    """The message names the member or value."""
    with pytest.raises(FaultRuleError, match=word):
        rule_from_json(rule)


@pytest.mark.parametrize(("half", "name"), sorted(READY_MADE))
def test_each_ready_made_answer_arrives_as_its_vendor_words_it(
    sandbox: RunningSandbox, half: str, name: str
) -> None:
    """Status, headers and body are those of the table, on its half only; the request is not run."""
    sandbox.faults([{"half": half, "action": name}])
    ready = READY_MADE[half, name]
    urls = {"salesforce": sandbox.salesforce_url + "/services/data", "hubspot": sandbox.hubspot_url + DETAILS}
    answer = httpx.get(urls.pop(half), headers=AUTH, trust_env=False)
    assert answer.status_code == ready.status
    assert (answer.text if isinstance(ready.body, str) else answer.json()) == ready.body
    assert {k: answer.headers[k] for k in ready.headers} == dict(ready.headers)
    assert httpx.get(next(iter(urls.values())), headers=AUTH, trust_env=False).status_code == 200


@pytest.mark.parametrize(("kind", "is_written"), [("drop_before_commit", False), ("drop_after_commit", True)])
def test_a_dropped_connection_ran_the_request_or_not(
    sandbox: RunningSandbox, kind: str, is_written: bool
) -> None:
    """The client gets no answer; whether the ticket is there is what tells the two apart. The log has no status."""
    sandbox.faults([{"method": "POST", "path": "tickets", "times": 1, "action": kind}])
    with pytest.raises(httpx.TransportError):
        httpx.post(
            f"{sandbox.hubspot_url}/crm/v3/objects/tickets",
            json={"properties": {"subject": "x"}},
            headers=AUTH,
            trust_env=False,
        )
    assert (len(sandbox.tickets()) == 1) is is_written
    entry = sandbox.requests()[0]
    assert (entry["status"], entry["fault"]) == (None, kind)


def test_a_truncated_body_promises_more_than_it_sends(sandbox: RunningSandbox) -> None:
    """The client sees the connection end inside the body."""
    sandbox.faults([{"action": "truncate_body"}])
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False)


def test_a_slow_drip_ends_with_the_true_answer(sandbox: RunningSandbox) -> None:
    """Between the pieces a short read time-out strikes; a patient client gets it all."""
    true = httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False).json()
    sandbox.faults([{"action": "slow_drip", "latency_ms": 150, "pieces": 3}])
    assert httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False).json() == true
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False, timeout=0.02)


def test_a_page_in_between_and_a_redirect_are_no_vendor_answers(sandbox: RunningSandbox) -> None:
    """html_200 is a login page with status 200; redirect points where the rule says."""
    sandbox.faults([{"action": "html_200", "times": 1}, {"action": "redirect", "location": "/login"}])
    page = httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    moved = httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False)
    assert (moved.status_code, moved.headers["location"]) == (302, "/login")


def test_latency_is_waited_before_the_answer(sandbox: RunningSandbox) -> None:
    """A time-out shorter than the latency strikes, and the request runs nevertheless."""
    sandbox.faults([{"action": "latency", "latency_ms": 300}])
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{sandbox.hubspot_url}/crm/v3/objects/tickets",
            json={"properties": {"subject": "x"}},
            headers=AUTH,
            trust_env=False,
            timeout=0.05,
        )
    for _ in range(100):
        if sandbox.tickets():
            break
        time.sleep(0.02)
    assert len(sandbox.tickets()) == 1


def test_an_answer_of_ones_own_with_headers(sandbox: RunningSandbox) -> None:
    """status, headers and body of a rule are sent as they are; nth and path choose the request."""
    rule = {"path": "details", "nth": 2, "status": 429, "headers": {"Retry-After": "7"}, "body": {"a": 1}}
    sandbox.faults([rule])
    answers = [httpx.get(sandbox.hubspot_url + DETAILS, headers=AUTH, trust_env=False) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 429, 200]
    assert (answers[1].headers["retry-after"], answers[1].json()) == ("7", {"a": 1})
    told = sandbox.admin("GET", "faults")["rules"]
    assert [(rule["matched"], rule["hit"]) for rule in told] == [(3, 1)]
    assert sandbox.admin("DELETE", "faults") == {"rules": []}
