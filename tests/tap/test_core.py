"""The pure core of the tap: moments, logins, verdicts, quota, progress, settings."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_salesforce_cases.api_errors import Verdict, bulk_refusal, verdict
from tap_salesforce_cases.configuration import problems_of, with_defaults
from tap_salesforce_cases.errors import LoginRefusedError
from tap_salesforce_cases.login import (
    ASSERTION_SECONDS,
    assertion_claims,
    read_token,
    rotated_token,
    same_site,
    token_form,
)
from tap_salesforce_cases.moments import from_wire, to_wire, wire_datetime
from tap_salesforce_cases.progress import Progress, duration
from tap_salesforce_cases.quota import Allowance, Usage, overdrawn, read_usage
from tap_salesforce_cases.settings import JSON_SCHEMA, PROPERTIES

aware = st.datetimes(min_value=datetime(1999, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

# -- moments


@given(aware)
def test_moment_survives_the_wire_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert from_wire(to_wire(moment)) == moment


@pytest.mark.parametrize(
    "text", ["2026-01-05T09:00:00.000+0000", "2026-01-05T09:00:00.000Z", "2026-01-05T10:00:00.000+01:00"]
)
def test_rest_and_bulk_moments_are_one_on_the_wire(text: str) -> None:
    assert wire_datetime(text) == "2026-01-05T09:00:00.000Z"


# -- logins

SETTINGS = with_defaults(
    {
        "login_url": "https://login.salesforce.com/",
        "client_id": "id",
        "client_secret": "secret",
        "refresh_token": "rt",
        "username": "u",
    }
)
ANSWER = {"access_token": "t", "instance_url": "https://x.my.salesforce.com", "id": "https://login.salesforce.com/id/00D5g00000SandBEAA/0055g00000LmNopAAC"}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("client_credentials", {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}),
        ("refresh_token", {"grant_type": "refresh_token", "client_id": "id", "client_secret": "secret", "refresh_token": "rt"}),
        ("jwt_bearer", {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}),
    ],
)  # fmt: skip
def test_each_login_sends_what_its_flow_takes_and_no_more(method: str, form: dict[str, str]) -> None:
    assert token_form(SETTINGS | {"auth_method": method}, assertion="a.b.c", refresh_token="rt") == form


@pytest.mark.parametrize(
    ("body", "sent", "new"),
    [
        ({"refresh_token": "new"}, "old", "new"),
        ({"refresh_token": "old"}, "old", None),
        ({}, "old", None),
        ({"refresh_token": "new"}, None, None),
    ],
)
def test_rotated_token_is_one_that_differs_from_what_was_sent(
    body: dict[str, Any], sent: str | None, new: str | None
) -> None:
    assert rotated_token(body, sent) == new


@pytest.mark.parametrize(
    ("login_url", "audience"),
    [
        ("https://login.salesforce.com/", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
    ],
)
def test_N33_jwt_claims_for_production_a_sandbox_and_my_domain(login_url: str, audience: str) -> None:
    claims = assertion_claims(SETTINGS | {"login_url": login_url}, 1000.9)
    assert claims == {"iss": "id", "sub": "u", "aud": audience, "exp": 1000 + ASSERTION_SECONDS}


def test_S1_session_never_shows_its_token() -> None:
    session = read_token(200, ANSWER | {"access_token": "00D!private"}, "https://login.salesforce.com")
    assert (session.organization_id, session.user_id) == ("00D5g00000SandBEAA", "0055g00000LmNopAAC")
    assert "private" not in repr(session)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            400,
            {"error": "invalid_client", "error_description": "invalid client credentials"},
            "check client_secret",
        ),
        (
            400,
            {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"},
            "this machine's clock",
        ),
        (400, {"error": "unsupported_grant_type"}, "enable this flow"),
        (400, "no JSON", "check login_url"),
        (200, {"no": "token"}, "refused the login"),
        (200, ANSWER | {"access_token": 7}, "no header can hold"),
        (200, ANSWER | {"access_token": "t\u00f6ken"}, "no header can hold"),
        (200, ANSWER | {"instance_url": "https://evil.example"}, "no Salesforce host"),
        (200, ANSWER | {"instance_url": "http://x.my.salesforce.com"}, "no Salesforce host"),
    ],
)
def test_login_refusal_says_what_to_check(status: int, body: Any, told: str) -> None:
    with pytest.raises(LoginRefusedError, match=re.escape(told)):
        read_token(status, body, "https://login.salesforce.com")


@pytest.mark.parametrize(
    ("instance", "is_same"),
    [
        ("https://acme.my.salesforce.com", True),
        ("https://acme.lightning.force.com", True),
        ("https://salesforce.com.evil.example", False),
        ("https://evilsalesforce.com", False),
    ],
)
def test_S8_token_goes_to_salesforce_only(instance: str, is_same: bool) -> None:
    assert same_site("https://login.salesforce.com", instance) is is_same


# -- verdicts and quota


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"records": []}, Verdict.USE),
        (304, None, Verdict.USE),
        (200, None, Verdict.TRY_AGAIN),
        (302, None, Verdict.TRY_AGAIN),
        (401, [{"errorCode": "INVALID_SESSION_ID"}], Verdict.LOGIN_AGAIN),
        (400, [{"errorCode": "INVALID_QUERY_LOCATOR"}], Verdict.ASK_AGAIN),
        (400, [{"errorCode": "QUERY_TIMEOUT"}], Verdict.HALVE),
        (400, [{"errorCode": "INVALID_FIELD"}], Verdict.DESCRIBE_AGAIN),
        (400, [{"errorCode": "INVALID_REPLICATION_DATE"}], Verdict.RECONCILE),
        (400, [{"errorCode": "EXCEEDED_ID_LIMIT"}], Verdict.FEWER_IDS),
        (400, [{"errorCode": "MALFORMED_QUERY"}], Verdict.GIVE_UP),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], Verdict.STOP_FOR_TODAY),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}], Verdict.TRY_AGAIN),
        (500, [{"errorCode": "UNKNOWN_EXCEPTION"}], Verdict.TRY_AGAIN),
        (503, None, Verdict.TRY_AGAIN),
        (420, None, Verdict.TRY_AGAIN),
        (404, [{"errorCode": "NOT_FOUND"}], Verdict.GIVE_UP),
        (400, [], Verdict.GIVE_UP),
        (400, ["?"], Verdict.GIVE_UP),
    ],
)  # fmt: skip
def test_answer_asks_for(status: int, body: Any, expected: Verdict) -> None:
    assert verdict(status, body) is expected


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("INVALIDENTITY", "Entity 'CaseStatus' is not supported by the Bulk API.", False),
        ("FEATURENOTENABLED", "", True),
        ("LIMIT_EXCEEDED", "Max bulk v2 query jobs (10000) per rolling 24 hrs exceeded", True),
        ("MALFORMED_QUERY", "unexpected token", None),
    ],
)
def test_what_bulk_refuses_is_read_by_rest(code: str, message: str, expected: bool | None) -> None:
    """For this query, for the whole run, or not at all: then it is an error of its own."""
    assert bulk_refusal(code, message) is expected


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=25/5000", Usage(used=25, allowed=5000)),
        ("per-app-api-usage=17/250(appName=sample)", None),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", Usage(used=25, allowed=5000, app_used=17, app_allowed=250)),
        ("per-app-api-usage=17/250(appName=sample); api-usage=25/5000", Usage(used=25, allowed=5000, app_used=17, app_allowed=250)),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_usage_is_the_orgs_wherever_it_stands(header: str | None, usage: Usage | None) -> None:
    assert read_usage(header) == usage


@pytest.mark.parametrize(
    ("usage", "calls", "told"),
    [
        (Usage(used=90, allowed=100), 5, None),
        (Usage(used=91, allowed=100), 5, "quota_percent=90"),
        (Usage(used=60, allowed=100), 51, "quota_percent_per_run=50"),
        (Usage(used=5, allowed=100, app_used=10, app_allowed=10), 5, "this app's 10"),
    ],
)
def test_R71_run_stops_at_its_share_and_says_which(usage: Usage, calls: int, told: str | None) -> None:
    reason = overdrawn(usage, calls, Allowance(total_percent=90, run_percent=50))
    assert (told in reason) if told and reason else reason is told


@pytest.mark.parametrize(
    ("rows", "total", "seconds", "line"),
    [
        (50, 200, 10.0, "cases: 50 rows, 5 rows/s, 25% of 200, 30 s left"),
        (50, None, 10.0, "cases: 50 rows, 5 rows/s"),
        (250, 200, 10.0, "cases: 250 rows, 25 rows/s, 100% of 200"),
        (0, 200, 0.0, "cases: 0 rows, 0 rows/s, 0% of 200"),
    ],
)
def test_progress_tells_rows_rate_share_and_time_left(
    rows: int, total: int | None, seconds: float, line: str
) -> None:
    assert Progress(stream="cases", rows=rows, total=total, seconds=seconds).line() == line


@pytest.mark.parametrize(("seconds", "text"), [(12.4, "12 s"), (200, "3 min"), (3_900, "1 h 5 min")])
def test_duration_is_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# -- settings

ENOUGH = {"login_url": "https://acme.my.salesforce.com", "client_id": "id", "client_secret": "token-of-ours"}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"client_id": "id", "client_secret": "s"}, "login_url is missing"),
        (ENOUGH | {"login_url": "http://acme.my.salesforce.com"}, "login_url must start with https://"),
        (ENOUGH | {"login_url": "https://acme.my.salesforce.com/path"}, "login_url must start with https://"),
        (
            ENOUGH | {"client_secret": None},
            "client_secret is missing: auth_method client_credentials needs it",
        ),
        (ENOUGH | {"auth_method": "jwt_bearer"}, "private_key or private_key_path is missing"),
        (ENOUGH | {"auth_method": "password"}, "auth_method must be one of"),
        (ENOUGH | {"client_secret": ["token-of-ours"]}, "client_secret must be of type string"),
        (ENOUGH | {"page_size": 1}, "page_size must be at least 200 and at most 2000"),
        (ENOUGH | {"api_version": "v66"}, "api_version must look like 66.0"),
        (ENOUGH | {"start_date": "yesterday"}, "start_date must be an ISO 8601"),
        (
            ENOUGH | {"where": "Id = '1' ORDER BY Id"},
            "where must be a condition only: ORDER can't stand in it",
        ),
        (ENOUGH | {"relationship_fields": ["Asset"]}, "relationship_fields: 'Asset' is no path"),
        (ENOUGH | {"record_types_include": [7]}, "record_types_include must be a list of names"),
        (ENOUGH | {"api_mode": "soap"}, "api_mode must be one of: auto, rest, bulk"),
    ],
)
def test_S3_wrong_setting_is_told_by_name_without_its_value(config: dict[str, Any], told: str) -> None:
    problems = problems_of(config)
    assert any(told in problem for problem in problems), problems
    assert "token-of-ours" not in str(problems)


@given(
    st.dictionaries(
        st.sampled_from(sorted(JSON_SCHEMA["properties"])),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=2),
    )
)
@example({**ENOUGH, "where": "("})
@example({**ENOUGH, "relationship_fields": "0"})
def test_any_configuration_has_a_list_of_problems(config: dict[str, Any]) -> None:
    named = {problem.split(maxsplit=1)[0].rstrip(":") for problem in problems_of(config)}
    assert named <= set(JSON_SCHEMA["properties"])


def test_S2_secrets_are_marked_as_such() -> None:
    secrets = {name for name, schema in PROPERTIES.items() if schema.get("secret")}
    assert secrets == {"client_secret", "refresh_token", "private_key"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_tries", "7", 7),
        ("retry_wait_seconds", "0.25", 0.25),
        ("retry_wait_seconds", Decimal("0.25"), 0.25),
        ("reconcile", "true", True),
        ("record_types_include", "Billing, 'Returns'", ["Billing", "Returns"]),
        ("record_types_include", "", []),
    ],
)
def test_environment_texts_become_what_the_setting_is_of(name: str, text: Any, value: Any) -> None:
    assert with_defaults({name: text})[name] == value
