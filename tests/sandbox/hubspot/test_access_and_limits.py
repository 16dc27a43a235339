"""Tokens, scopes, request budgets, and the notes that the sandbox keeps about them."""

import threading
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.hubspot.errors import HubSpotError
from case_sync_sandbox.hubspot.flights import Flights
from case_sync_sandbox.hubspot.rate_limits import Limits, RateLimits

DETAILS = "/account-info/2026-09/details"
REFRESH = {
    "grant_type": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh",
}


def status_with(portal: Any, token: str) -> httpx.Response:
    return httpx.get(
        f"{portal.sandbox.hubspot_url}{DETAILS}", headers={"authorization": token}, trust_env=False
    )


def test_a_missing_or_unknown_token_is_not_authenticated(portal: Any) -> None:
    """401 INVALID_AUTHENTICATION, with a correlation id in body and header."""
    for token in ("", "Bearer nonsense", "Basic sandbox-token"):
        answer = status_with(portal, token)
        assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
        assert answer.json()["correlationId"] == answer.headers["x-hubspot-correlation-id"]


@pytest.mark.parametrize("path", ["/oauth/2026-09/token", "/oauth/v3/token", "/oauth/v1/token"])
def test_a_refreshed_token_works_until_it_expires(portal: Any, path: str) -> None:
    """The token works, then on demand EXPIRED_AUTHENTICATION, then a new refresh works again."""
    first = portal.http.post(path, data=REFRESH).json()
    assert (first["expires_in"], first["token_type"], first["hub_id"]) == (1800, "bearer", 44556677)
    bearer = f"Bearer {first['access_token']}"
    assert status_with(portal, bearer).status_code == 200
    portal.sandbox.admin("POST", "hubspot/expire-tokens")
    expired = status_with(portal, bearer)
    assert (expired.status_code, expired.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    second = portal.http.post(path, data=REFRESH).json()
    assert status_with(portal, f"Bearer {second['access_token']}").status_code == 200


def test_a_token_expires_by_the_sandboxs_clock(portal: Any) -> None:
    """After 1,800 seconds it is over."""
    token = portal.http.post("/oauth/v3/token", data=REFRESH).json()["access_token"]
    portal.sandbox.admin("POST", "clock", {"advance": 1790})
    assert status_with(portal, f"Bearer {token}").status_code == 200
    portal.sandbox.admin("POST", "clock", {"advance": 11})
    assert status_with(portal, f"Bearer {token}").status_code == 401


def test_a_wrong_refresh_is_told_by_its_status(portal: Any) -> None:
    """BAD_REFRESH_TOKEN for the token (also once revoked), BAD_CLIENT for the client."""
    bad_client = portal.http.post("/oauth/v3/token", data={**REFRESH, "client_secret": "x"})
    assert (bad_client.status_code, bad_client.json()["error"]) == (400, "invalid_client")
    portal.sandbox.admin("POST", "hubspot/refresh-tokens", {"revoked": True})
    revoked = portal.http.post("/oauth/v3/token", data=REFRESH)
    assert (revoked.status_code, revoked.json()["status"]) == (400, "BAD_REFRESH_TOKEN")


def test_a_rotated_refresh_token_replaces_the_old_one(portal: Any) -> None:
    """With rotation on, each refresh gives a new token and the old one is refused."""
    portal.sandbox.admin("POST", "hubspot/refresh-tokens", {"rotate": True})
    new = portal.http.post("/oauth/v3/token", data=REFRESH).json()["refresh_token"]
    assert new != "sandbox-refresh"
    assert portal.http.post("/oauth/v3/token", data=REFRESH).status_code == 400
    assert portal.http.post("/oauth/v3/token", data={**REFRESH, "refresh_token": new}).status_code == 200


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("tickets", "/crm/objects/2026-09/tickets"),
        ("tickets", "/crm/properties/2026-09/tickets"),
        ("crm.objects.companies.read", "/crm/objects/2026-09/companies"),
        ("crm.objects.owners.read", "/crm/owners/2026-09"),
    ],
)
def test_a_missing_scope_is_named(portal: Any, scope: str, path: str) -> None:
    """403 MISSING_SCOPES lists the granular scopes that would do; other calls go on working."""
    assert portal.get(path).status_code == 200
    portal.sandbox.settings(missing_scopes=[scope])
    refused = portal.get(path)
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    assert scope in refused.json()["errors"][0]["context"]["requiredGranularScopes"]
    assert portal.get(DETAILS).status_code == 200


def test_each_bucket_refuses_on_its_own_with_its_body(portal: Any) -> None:
    """A full search bucket says SECONDLY, a full general one TEN_SECONDLY_ROLLING; associations go on."""
    portal.sandbox.admin("POST", "hubspot/limits", {"general": 3, "search": 1})
    search = "/crm/objects/2026-09/tickets/search"
    assert [portal.post(search, {}).status_code for _ in range(2)] == [200, 429]
    assert portal.post(search, {}).json()["policyName"] == "SECONDLY"
    remaining = [portal.get(DETAILS).headers["x-hubspot-ratelimit-remaining"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    refused = portal.get(DETAILS)
    assert (refused.status_code, refused.json()["errorType"]) == (429, "RATE_LIMIT")
    assert refused.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert portal.get("/crm/associations/2026-09/tickets/companies/labels").status_code == 200
    report = portal.sandbox.admin("GET", "hubspot/limits")
    assert report["maxima"]["general"] == 3
    assert report["refused"] == {"general": 1, "associations": 0, "search": 2, "daily": 0}


def test_the_headers_say_what_is_enforced(portal: Any) -> None:
    """Max and interval on general calls, daily ones for static tokens only, none on search."""
    portal.sandbox.admin("POST", "hubspot/limits", {"real": True})
    general = portal.get(DETAILS).headers
    assert (general["x-hubspot-ratelimit-max"], general["x-hubspot-ratelimit-interval-milliseconds"]) == (
        "190",
        "10000",
    )
    assert general["x-hubspot-ratelimit-daily"] == "625000"
    token = portal.http.post("/oauth/v3/token", data=REFRESH).json()["access_token"]
    assert "x-hubspot-ratelimit-daily" not in status_with(portal, f"Bearer {token}").headers
    search = portal.post("/crm/objects/2026-09/tickets/search", {}).headers
    assert not [name for name in search if name.startswith("x-hubspot-ratelimit")]


def test_a_spent_day_refuses_everything(portal: Any) -> None:
    """DAILY for every bucket."""
    portal.sandbox.admin("POST", "hubspot/limits", {"daily": 1})
    assert portal.get(DETAILS).status_code == 200
    for answer in (portal.get(DETAILS), portal.post("/crm/objects/2026-09/tickets/search", {})):
        assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")


def test_an_unknown_limit_is_refused(portal: Any) -> None:
    """A misspelled bucket is an error, not a silent nothing."""
    answer = portal.post("/_sandbox/hubspot/limits", {"generel": 5})
    assert answer.status_code == 400
    assert "generel" in answer.json()["error"]


@given(st.integers(1, 6), st.lists(st.floats(0, 30, allow_nan=False), max_size=60))
def test_no_window_of_ten_seconds_holds_more_than_the_limit(limit: int, moments: list[float]) -> None:
    """Whatever the arrival times, any 10 s window of accepted calls holds at most `limit`, and no call is refused without need."""
    rates = RateLimits(Limits(general=limit, associations=1, search=1, daily=10_000))
    accepted = []
    for moment in sorted(moments):
        window = [one for one in accepted if one > moment - 10]
        if len(window) < limit:
            rates.take("general", moment)
            accepted.append(moment)
        else:
            with pytest.raises(HubSpotError, match="ten_secondly"):
                rates.take("general", moment)


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 10), st.sets(st.sampled_from("abcd"), max_size=3)),
        min_size=1,
        max_size=8,
    )
)
def test_an_overlap_is_noticed_exactly_when_two_flights_of_a_key_share_time(flights: Any) -> None:
    """Pairs of requests that share a key and a moment are counted; those that follow each other are not."""
    times = [
        (start * 100 + n, (start + length) * 100 + n + 50, keys)
        for n, (start, length, keys) in enumerate(flights)
    ]
    expected = sum(
        len(one[2] & other[2])
        for n, one in enumerate(times)
        for other in times[:n]
        if one[0] < other[1] and other[0] < one[1]
    )
    seen = Flights()
    events = [(start, 0, n) for n, (start, _, _) in enumerate(times)] + [
        (end, 1, n) for n, (_, end, _) in enumerate(times)
    ]
    for moment, kind, n in sorted(events):
        if kind == 0:
            seen.arrive(n, moment)
            seen.write(n, times[n][2])
        else:
            seen.end(n, moment)
    assert sum(seen.overlaps.values()) == expected


def test_two_slow_requests_with_one_key_are_noticed(portal: Any) -> None:
    """A latency fault holds two upserts of a key in flight together; the sandbox counts the key."""
    portal.sandbox.faults([{"path": "batch/upsert", "action": "latency", "latency_ms": 200}])
    threads = [threading.Thread(target=portal.upsert, args=("A1",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    portal.upsert("A1")
    flights = portal.sandbox.admin("GET", "hubspot/flights")
    assert flights["overlaps"] == {"A1": 1}
    assert flights["most_at_once"] == 2


def test_a_request_whose_answer_broke_off_is_over_for_who_sends_it_again(portal: Any) -> None:
    """The client sees the end of the connection and repeats the call at once: the two were never in flight together."""
    for _ in range(5):
        portal.sandbox.faults([{"path": "batch/upsert", "action": "truncate_body", "times": 1}])
        with pytest.raises(httpx.RemoteProtocolError):
            portal.upsert("A1")
        portal.upsert("A1")
    flights = portal.sandbox.admin("GET", "hubspot/flights")
    assert (flights["overlaps"], flights["most_at_once"]) == ({}, 1)
