"""The three logins that the sandbox's Salesforce takes, its refusals, and the end of a session."""

from typing import Any

import httpx
import jwt
import pytest

from .conftest import LOGIN, Org

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
REFRESH = {**LOGIN, "grant_type": "refresh_token", "refresh_token": "sandbox-refresh"}
EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def login(org: Org, form: dict[str, str], **headers: str) -> httpx.Response:
    return httpx.post(f"{org.sandbox.salesforce_url}/services/oauth2/token", data=form, headers=headers)


def assertion(org: Org, key: dict[str, str], *, seconds: float = 180, **changes: Any) -> dict[str, str]:
    """The form of a JWT login; `changes` are to its claims."""
    claims = {
        "iss": key["client_id"],
        "sub": key["username"],
        "aud": "https://login.salesforce.com",
        "exp": int(org.now().timestamp() + seconds),
        **changes,
    }
    signed = jwt.encode(claims, key["private_key"], algorithm="RS256")
    return {"grant_type": JWT_BEARER, "assertion": signed}


def limits(org: Org, authorization: str) -> httpx.Response:
    url = f"{org.sandbox.salesforce_url}/services/data/v67.0/limits"
    return httpx.get(url, headers={"Authorization": authorization} if authorization else {})


@pytest.mark.parametrize("flow", ["client_credentials", "jwt_bearer", "refresh_token"])
def test_each_flow_opens_a_session(empty_org: Org, flow: str) -> None:
    """The answer names the org, has no lifetime and no refresh token, and its token is taken as Bearer and as OAuth."""
    form = {
        "client_credentials": lambda: LOGIN,
        "jwt_bearer": lambda: assertion(empty_org, empty_org.act("jwt-key")),
        "refresh_token": lambda: REFRESH,
    }[flow]()
    answer = login(empty_org, form)
    assert answer.status_code == 200
    token = answer.json()
    assert {
        "access_token", "signature", "token_format", "instance_url", "id", "token_type", "issued_at",
    } == set(token)  # fmt: skip
    assert (empty_org.sandbox.salesforce_url, "Bearer") == (token["instance_url"], token["token_type"])
    organization, user = token["id"].rsplit("/", 2)[1:]
    assert (organization[:3], user[:3]) == ("00D", "005")
    assert token["access_token"].startswith(organization[:15] + "!")
    for scheme in ("Bearer", "OAuth"):
        assert limits(empty_org, f"{scheme} {token['access_token']}").status_code == 200


def test_client_credentials_may_stand_in_a_basic_header(empty_org: Org) -> None:
    """The client names itself in the form or in the header; a wrong header is refused like a wrong form."""
    form = {"grant_type": "client_credentials"}
    right = httpx.BasicAuth("sandbox-client", "sandbox-secret")
    url = f"{empty_org.sandbox.salesforce_url}/services/oauth2/token"
    assert httpx.post(url, data=form, auth=right).status_code == 200
    wrong = httpx.post(url, data=form, auth=httpx.BasicAuth("sandbox-client", "nope"))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    assert login(empty_org, form, authorization="Basic ***").json()["error"] == "invalid_client_id"


@pytest.mark.parametrize(
    ("change", "error", "description"),
    [
        ({"client_id": "nope"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "nope"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "password"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": ""}, "unsupported_grant_type", "grant type not supported"),
        ({"refresh_token": "nope"}, "invalid_grant", "expired access/refresh token"),
    ],
)
def test_refused_logins_say_why(empty_org: Org, change: dict[str, str], error: str, description: str) -> None:
    """A refusal is 400 with the two members of an OAuth error, not with REST's array."""
    answer = login(empty_org, {**REFRESH, **change})
    assert (400, {"error": error, "error_description": description}) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"iss": "nope"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@sandbox.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"seconds": -5}, "invalid_grant", "expired authorization code"),
        ({"seconds": 900}, "invalid_grant", "expired authorization code"),
        ({"exp": "soon"}, "invalid_grant", "expired authorization code"),
    ],
)
def test_refused_assertions_say_why(
    empty_org: Org, claims: dict[str, Any], error: str, description: str
) -> None:
    """Audience, issuer, user and an exp at most five minutes ahead are checked, by the sandbox's clock."""
    answer = login(empty_org, assertion(empty_org, empty_org.act("jwt-key"), **claims))
    assert (400, {"error": error, "error_description": description}) == (answer.status_code, answer.json())


def test_an_assertion_of_another_key_is_refused(empty_org: Org) -> None:
    """The key that was registered last counts; what is no JWT, or signed by a shared secret, is refused, too."""
    old = empty_org.act("jwt-key")
    assert login(empty_org, assertion(empty_org, old)).status_code == 200
    empty_org.act("jwt-key")
    shared = jwt.encode({"iss": "sandbox-client"}, "x" * 32, algorithm="HS256")
    for form in (
        assertion(empty_org, old),
        {"grant_type": JWT_BEARER, "assertion": "nope"},
        {"grant_type": JWT_BEARER, "assertion": shared},
        {"grant_type": JWT_BEARER},
    ):
        answer = login(empty_org, form)
        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_the_exp_of_an_assertion_may_be_a_text(empty_org: Org) -> None:
    """Public clients send the moment as digits in quotes."""
    exp = str(int(empty_org.now().timestamp()) + 120)
    assert login(empty_org, assertion(empty_org, empty_org.act("jwt-key"), exp=exp)).status_code == 200


def test_a_rotated_refresh_token_counts_once(empty_org: Org) -> None:
    """With rotation the answer holds the next refresh token, and the old one is refused."""
    empty_org.switch(rotate_refresh_tokens=True)
    second = login(empty_org, REFRESH).json()["refresh_token"]
    assert login(empty_org, REFRESH).json()["error_description"] == "expired access/refresh token"
    third = login(empty_org, {**REFRESH, "refresh_token": second}).json()["refresh_token"]
    assert len({"sandbox-refresh", second, third}) == 3


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer nope", "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ="]
)
def test_a_call_without_a_session_is_refused(empty_org: Org, authorization: str) -> None:
    """401 with the array body that every REST error has."""
    answer = limits(empty_org, authorization)
    assert (answer.status_code, answer.json()) == (401, EXPIRED)


def test_expired_tokens_are_refused_until_the_next_login(org: Org) -> None:
    """Each resource answers 401 INVALID_SESSION_ID, and a new login gives a token that works."""
    org.act("expire-tokens")
    for path in ("/limits", "/sobjects/Case/describe", "/query?q=SELECT+Id+FROM+Case", "/jobs/query/750"):
        answer = org.http.get(f"/services/data/v67.0{path}")
        assert (answer.status_code, answer.json()) == (401, EXPIRED)
    org.login()
    assert org.get("/limits").status_code == 200


def test_a_session_lasts_two_hours_from_its_last_use(empty_org: Org) -> None:
    """Use extends it; two idle hours end it."""
    clock = empty_org.sandbox.admin
    clock("POST", "clock", {"freeze": True})
    for _ in range(3):
        clock("POST", "clock", {"advance": 7_100})
        assert empty_org.get("/limits").status_code == 200
    clock("POST", "clock", {"advance": 7_201})
    assert ((answer := empty_org.get("/limits")).status_code, answer.json()) == (401, EXPIRED)


def test_logins_can_be_refused_and_lead_to_another_org(empty_org: Org) -> None:
    """The administrator's switches: a refusal by name, and another organization's id."""
    first = login(empty_org, LOGIN).json()["id"]
    empty_org.act("refuse-logins", {"error": "inactive_org"})
    assert ((answer := login(empty_org, LOGIN)).status_code, answer.json()["error"]) == (400, "inactive_org")
    empty_org.act("refuse-logins", {"error": None})
    empty_org.switch(organization_id="00D5g0000000999EAA")
    moved = login(empty_org, LOGIN).json()
    assert moved["id"] != first
    assert moved["access_token"].startswith("00D5g0000000999!")
