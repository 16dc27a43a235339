"""Core: the token request of each way to log in, and what its answer means.

Source: Salesforce OAuth 2.0: client credentials flow, JWT bearer flow, refresh token flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from tap_salesforce_cases.configuration import is_allowed_url
from tap_salesforce_cases.errors import LoginRefusedError
from tap_salesforce_cases.ids import to_18

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = (
    180  # Salesforce takes three to five minutes; a clock that is off is its most common failure
)
LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")
# What to look at first, by OAuth's error code.
ADVICE = {
    "invalid_client": "check client_secret",
    "invalid_client_id": "check client_id",
    "invalid_grant": "check refresh_token, username or private_key, the user's permission for the app, and this machine's clock",
    "unsupported_grant_type": "enable this flow for the app in Salesforce, and use your My Domain as login_url",
}

HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open session. The org and user ids have 18 characters."""

    access_token: str
    instance_url: str
    organization_id: str
    user_id: str

    def __repr__(self) -> str:
        return f"Session(instance_url={self.instance_url!r})"


def token_form(
    settings: Mapping[str, Any], *, assertion: str | None, refresh_token: str | None
) -> dict[str, str]:
    """The form to post to the token endpoint; `assertion` is the signed JWT for jwt_bearer."""
    client = {"client_id": settings["client_id"]}
    secret = {"client_secret": settings["client_secret"]} if settings["client_secret"] else {}
    forms: dict[str, dict[str, str]] = {
        "client_credentials": {"grant_type": "client_credentials", **client, **secret},
        "refresh_token": {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token or "",
            **client,
            **secret,
        },
        "jwt_bearer": {"grant_type": JWT_BEARER, "assertion": assertion or ""},
    }
    return forms[settings["auth_method"]]


def rotated_token(body: Mapping[str, Any], sent: str | None) -> str | None:
    """The new refresh token of an answer, when Salesforce rotates them (refresh token flow); None when the old one stays."""
    new = body.get("refresh_token")
    return str(new) if sent and new and new != sent else None


def assertion_claims(settings: Mapping[str, Any], now_seconds: float) -> dict[str, Any]:
    """The claims of a JWT login at a moment (epoch seconds)."""
    host = urlsplit(settings["login_url"]).hostname
    audience = f"https://{host}" if host in LOGIN_HOSTS else settings["login_url"].rstrip("/")
    return {
        "iss": settings["client_id"],
        "sub": settings["username"],
        "aud": audience,
        "exp": int(now_seconds) + ASSERTION_SECONDS,
    }


def read_token(status: int, body: Any, login_url: str, *, sent: Iterable[str] = ()) -> Session:
    """The session of a token answer; `sent` is what may not be repeated of the form, should the answer quote it.

    Raises:
        LoginRefusedError: the grant was refused, or the answer can't be trusted with a token.
    """
    if status != 200 or not isinstance(body, dict) or "access_token" not in body:
        raise LoginRefusedError(refusal(status, body, login_url, sent))
    token = body["access_token"]
    if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
        raise LoginRefusedError(
            "the login answer has an access_token that no header can hold: check login_url"
        )
    instance_url = str(body.get("instance_url", "")).rstrip("/")
    if not is_allowed_url(instance_url) or not same_site(login_url, instance_url):
        raise LoginRefusedError(
            "the login answer names an instance_url that is no Salesforce host; nothing was sent to it"
        )
    organization_id, user_id = [*str(body.get("id", "")).rstrip("/").split("/")[-2:], "", ""][:2]
    return Session(
        access_token=token,
        instance_url=instance_url,
        organization_id=to_18(organization_id),
        user_id=to_18(user_id),
    )


def refusal(status: int, body: Any, login_url: str, sent: Iterable[str] = ()) -> str:
    """Salesforce's reason and what to check; nothing of `sent`."""
    error = str(body.get("error", "")) if isinstance(body, dict) else ""
    told = str(body.get("error_description", "")) if isinstance(body, dict) else ""
    advice = ADVICE.get(error, "check login_url and the app's settings in Salesforce")
    reason = f"{status} {error}: {told}"
    # The longest first: none is left over for having another one in it. As they are, and as a form has them.
    quoted = {way(value) for value in sent if value for way in (str, quote, quote_plus)}
    for value in sorted(quoted, key=len, reverse=True):
        reason = reason.replace(value, HIDDEN)
    return f"Salesforce refused the login at {login_url} ({reason}): {advice}"


def same_site(login_url: str, instance_url: str) -> bool:
    """A token may go where the login was, or to a host of Salesforce's."""
    login, instance = urlsplit(login_url).hostname or "", urlsplit(instance_url).hostname or ""
    salesforce = (".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com")
    return instance == login or (login.endswith(salesforce) and instance.endswith(salesforce))
