"""The pure core of the tap: SOQL, rows, describe, logins, verdicts, settings."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.salesforce.soql import parse
from tap_salesforce_cases.api_errors import Verdict, verdict
from tap_salesforce_cases.describe import read_describe, selected
from tap_salesforce_cases.errors import LoginRefusedError, TapError
from tap_salesforce_cases.login import ASSERTION_SECONDS, assertion_claims, read_token, same_site, token_form
from tap_salesforce_cases.moments import from_wire, to_wire, wire_datetime
from tap_salesforce_cases.quota import Usage, read_usage
from tap_salesforce_cases.rows import CaseStatus, Joins, SupportProcess, row_of
from tap_salesforce_cases.settings import JSON_SCHEMA, SECRETS, problems_of, with_defaults
from tap_salesforce_cases.soql import (
    Position,
    Window,
    checked_name,
    datetime_literal,
    select_cases,
    string_literal,
)

UNTIL = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
aware = st.datetimes(min_value=datetime(1999, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

# -- SOQL


@given(st.text(max_size=40))
def test_string_literal_is_one_string_whatever_is_in_it(text: str) -> None:
    """No text closes its own quotes: injection has no way in."""
    literal = string_literal(text)
    assert re.fullmatch(r"'(\\.|[^'\\\n\r])*'", literal, re.DOTALL)


@given(st.text(max_size=20))
def test_name_is_letters_digits_underscores_and_dots(text: str) -> None:
    try:
        assert re.fullmatch(r"[A-Za-z0-9_.]+", checked_name(text))
    except ValueError:
        assert not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text)


@given(aware, st.sampled_from([UTC, timezone(timedelta(hours=9))]))
def test_datetime_literal_is_the_moment_to_the_second_in_utc(moment: datetime, zone: timezone) -> None:
    assert datetime.fromisoformat(datetime_literal(moment.astimezone(zone))) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("window", "after", "condition"),
    [
        (Window(since=None, until=UNTIL), None, "WHERE SystemModstamp <= 2026-01-05T09:00:00Z ORDER"),
        (
            Window(since=datetime(2026, 1, 1, tzinfo=UTC), until=UNTIL),
            None,
            "AND SystemModstamp >= 2026-01-01T00:00:00Z ORDER",
        ),
        (
            Window(since=None, until=UNTIL),
            Position(stamp=datetime(2026, 1, 2, tzinfo=UTC), record_id="5005g00000AbCdEAAV"),
            "((SystemModstamp = 2026-01-02T00:00:00Z AND Id > '5005g00000AbCdEAAV') OR SystemModstamp > 2026-01-02T00:00:00Z)",
        ),
    ],
)
def test_query_of_a_window_and_of_what_is_left_of_it(
    window: Window, after: Position | None, condition: str
) -> None:
    """Closed at both ends, ordered with a tie-break, and after a position among equals; it parses as SOQL."""
    soql = select_cases(["Id", "Account.Name"], window, after)
    assert condition in soql
    assert soql.endswith("ORDER BY SystemModstamp, Id")
    parse(soql)


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


# -- describe and rows


def described(*extra: dict[str, Any]) -> dict[str, Any]:
    fields = [("Id", "id"), ("IsDeleted", "boolean"), ("SystemModstamp", "datetime"), ("Status", "picklist"), ("RecordTypeId", "reference"), ("AccountId", "reference"), ("MasterRecordId", "reference"), ("LastViewedDate", "datetime")]  # fmt: skip
    return {"fields": [*({"name": name, "type": kind} for name, kind in fields), *extra]}


def test_describe_gives_every_readable_field_with_its_type() -> None:
    """And none that no API can deliver; parents come only through fields that are there."""
    columns = read_describe(
        described({"name": "Weight__c", "type": "double"}, {"name": "Blob__c", "type": "base64"}, {"name": "Due__c", "type": "date"}),
        excluded=["lastvieweddate", "id"],
    )  # fmt: skip
    assert set(columns.fields) == {"Id", "IsDeleted", "SystemModstamp", "Status", "RecordTypeId", "AccountId", "MasterRecordId", "Weight__c", "Due__c"}  # fmt: skip
    assert columns.schema["properties"]["Weight__c"] == {"type": ["number", "null"]}
    assert columns.schema["properties"]["Due__c"]["format"] == "date"
    assert {"RecordType.Name", "Account.Website"} <= set(columns.related)
    assert not any(path.startswith("Contact.") for path in columns.related)


def test_user_without_an_essential_field_is_told() -> None:
    with pytest.raises(TapError, match="can't read SystemModstamp"):
        read_describe(
            {"fields": [{"name": "Id", "type": "id"}, {"name": "IsDeleted", "type": "boolean"}]}, excluded=[]
        )


def test_field_with_the_name_of_a_joined_column_is_told() -> None:
    with pytest.raises(TapError, match="exclude_fields"):
        read_describe(described({"name": "BusinessProcess__Name", "type": "string"}), excluded=[])


def test_catalog_takes_columns_away_but_not_what_the_sync_needs() -> None:
    columns = selected(
        read_describe(described(), excluded=[]), {"CaseStatus__IsClosed", "BusinessProcess__Name"}
    )
    assert set(columns.fields) == {"Id", "IsDeleted", "SystemModstamp", "Status"}
    assert columns.related == ("RecordType.BusinessProcessId",)


JOINS = Joins(
    organization_id="00D5g00000SandBEAA", instance_url="https://x.my.salesforce.com",
    processes={"0195g000000PrOcAAG": SupportProcess(name="Technical", is_active=True)},
    statuses={"New": CaseStatus(is_closed=False, sort_order=1)},
)  # fmt: skip
values = st.none() | st.text(max_size=20) | st.integers() | st.booleans()


@given(
    st.fixed_dictionaries({"Status": st.sampled_from(["New", "Odd", None]), "AccountId": values}),
    st.booleans(),
)
def test_row_has_every_selected_column_and_a_tombstone_none_of_them(
    record: dict[str, Any], is_deleted: bool
) -> None:
    columns = read_describe(described(), excluded=[])
    whole = {
        **record,
        "Id": "5005g00000AbCdEAAV",
        "IsDeleted": is_deleted,
        "SystemModstamp": "2026-01-05T09:00:00.000+0000",
        "Account": None,
    }
    row = row_of(whole, columns, JOINS)
    assert row["SystemModstamp"] == "2026-01-05T09:00:00.000Z"
    if is_deleted:
        assert set(row) == {
            "Id",
            "IsDeleted",
            "SystemModstamp",
            "_sdc_deleted_at",
            "_sf_delete_kind",
            "_sf_organization_id",
        }
    else:
        assert set(row) == set(columns.schema["properties"]) - {"_sf_delete_kind"}
        assert row["_sdc_deleted_at"] is None
        assert row["Account__Name"] is None
        assert row["CaseStatus__IsClosed"] == (False if record["Status"] == "New" else None)


def test_merged_case_names_its_master() -> None:
    record = {
        "Id": "5005g00000AbCdEAAV",
        "IsDeleted": True,
        "SystemModstamp": "2026-01-05T09:00:00.000+0000",
        "MasterRecordId": "5005g00000AbCdFAAV",
    }
    row = row_of(record, read_describe(described(), excluded=[]), JOINS)
    assert (row["_sf_delete_kind"], row["MasterRecordId"]) == ("merged", "5005g00000AbCdFAAV")


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
    assert token_form(SETTINGS | {"auth_method": method}, "a.b.c") == form


@pytest.mark.parametrize(
    ("login_url", "audience"),
    [
        ("https://login.salesforce.com/", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
    ],
)
def test_jwt_claims(login_url: str, audience: str) -> None:
    claims = assertion_claims(SETTINGS | {"login_url": login_url}, 1000.9)
    assert claims == {"iss": "id", "sub": "u", "aud": audience, "exp": 1000 + ASSERTION_SECONDS}


def test_session_never_shows_its_token() -> None:
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
def test_token_goes_to_salesforce_only(instance: str, is_same: bool) -> None:
    assert same_site("https://login.salesforce.com", instance) is is_same


# -- verdicts and quota


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"records": []}, Verdict.USE),
        (304, None, Verdict.USE),
        (200, None, Verdict.TRY_AGAIN),
        (302, None, Verdict.GIVE_UP),
        (401, [{"errorCode": "INVALID_SESSION_ID"}], Verdict.LOGIN_AGAIN),
        (400, [{"errorCode": "INVALID_QUERY_LOCATOR"}], Verdict.ASK_AGAIN),
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
    ("header", "usage"),
    [
        ("api-usage=25/5000", Usage(used=25, allowed=5000)),
        ("per-app-api-usage=17/250(appName=sample)", None),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", Usage(used=25, allowed=5000)),
        ("per-app-api-usage=17/250(appName=sample); api-usage=25/5000", Usage(used=25, allowed=5000)),
        ("", None),
        (None, None),
    ],
)
def test_usage_is_the_orgs_wherever_it_stands(header: str | None, usage: Usage | None) -> None:
    assert read_usage(header) == usage


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
        (ENOUGH | {"auth_method": "jwt_bearer"}, "private_key is missing"),
        (ENOUGH | {"auth_method": "password"}, "auth_method must be one of"),
        (ENOUGH | {"client_secret": ["token-of-ours"]}, "client_secret must be of type string"),
        (ENOUGH | {"page_size": 1}, "page_size must be at least 200 and at most 2000"),
        (ENOUGH | {"api_version": "v66"}, "api_version must look like 66.0"),
        (ENOUGH | {"start_date": "yesterday"}, "start_date must be an ISO 8601"),
    ],
)
def test_wrong_setting_is_told_by_name_without_its_value(config: dict[str, Any], told: str) -> None:
    problems = problems_of(config)
    assert any(told in problem for problem in problems), problems
    assert "token-of-ours" not in str(problems)


@given(
    st.dictionaries(
        st.sampled_from(sorted(JSON_SCHEMA["properties"])),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=2),
    )
)
def test_any_configuration_has_a_list_of_problems(config: dict[str, Any]) -> None:
    assert all(problem.split(maxsplit=1)[0] in JSON_SCHEMA["properties"] for problem in problems_of(config))


def test_secrets_are_marked_as_such() -> None:
    assert set(SECRETS) == {"client_secret", "refresh_token", "private_key"}
