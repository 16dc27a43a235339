"""Shell: the token endpoint: client credentials, JWT bearer and refresh token, and the sessions that it opened.

Sources: Salesforce Help, OAuth 2.0 Client Credentials Flow, JWT Bearer Flow (remoteaccess_oauth_jwt_flow), Refresh Token Flow,
Authorization Errors (remoteaccess_oauth_flow_errors). Errors are answered 400; texts that those pages don't show are known by use.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.store import INTEGRATION_USER_ID, ORGANIZATION_ID

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - public, of a server on loopback
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105
USERNAME = "integration@sandbox.example"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
MAX_ASSERTION_SECONDS = 300  # JWT Bearer Flow: the assertion's exp is at most 3 to 5 minutes ahead
SESSION_LASTS = timedelta(
    hours=2
)  # Salesforce, session settings: the default timeout, counted from the last use


@dataclass(frozen=True, slots=True)
class OAuthError(Exception):
    """400 with the two members of an OAuth error (RFC 6749, 5.2); Salesforce's own texts."""

    error: str
    description: str

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": self.description}


@dataclass(slots=True)
class Sessions:
    """Who may call: the open sessions, the refresh tokens that count, and the keys of JWT logins by client."""

    clock: Clock
    rotate: bool = False
    organization_id: str = ORGANIZATION_ID
    user_id: str = INTEGRATION_USER_ID
    open: dict[str, datetime] = field(default_factory=dict)  # token -> last use
    refresh_tokens: set[str] = field(default_factory=lambda: {REFRESH_TOKEN})
    public_keys: dict[str, str] = field(default_factory=dict)
    refuse: str | None = None
    logins: int = 0

    def expire(self) -> None:
        """All sessions end; the next call is answered INVALID_SESSION_ID."""
        self.open.clear()

    def holds(self, authorization: str) -> bool:
        """Whether the header names a session that was used in the last two hours; its use extends it.

        `Bearer` and the older `OAuth` are both taken (Salesforce REST API: authorization header).
        """
        scheme, _, token = authorization.partition(" ")
        used = self.open.get(token)
        if scheme.lower() not in {"bearer", "oauth"} or used is None:
            return False
        now = self.clock.now()
        if now - used > SESSION_LASTS:
            self.open.pop(token, None)
            return False
        self.open[token] = max(now, used)
        return True

    def login(self, form: Mapping[str, str], base_url: str, authorization: str = "") -> dict[str, str]:
        """The token answer for a form; it has no expires_in, and client credentials and JWT get no refresh token.

        Args:
            form: the fields of the form.
            base_url: where the org is reached, which becomes `instance_url`.
            authorization: the header; Basic may name the client instead of the form (Client Credentials Flow).

        Raises:
            OAuthError: the grant is refused.
        """
        if self.refuse:
            raise OAuthError(self.refuse, "the sandbox was told to refuse logins")
        grants = {
            "client_credentials": self._client_credentials,
            JWT_BEARER: self._jwt_bearer,
            "refresh_token": self._refresh,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        extra = grant({**form, **basic_credentials(authorization)}, base_url)
        token = f"{self.organization_id[:15]}!{secrets.token_urlsafe(48)}"
        self.open[token] = self.clock.now()
        self.logins += 1
        return {
            "access_token": token,
            "signature": secrets.token_urlsafe(16),
            "token_format": "opaque",
            "instance_url": base_url,
            "id": f"https://login.salesforce.com/id/{self.organization_id}/{self.user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(self.clock.now().timestamp() * 1000)),
            **extra,
        }

    def _client_credentials(self, form: Mapping[str, str], _: str) -> dict[str, str]:
        if form.get("client_id") != CLIENT_ID:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != CLIENT_SECRET:
            raise OAuthError("invalid_client", "invalid client credentials")
        return {}

    def _refresh(self, form: Mapping[str, str], base_url: str) -> dict[str, str]:
        """With rotation on, each refresh token counts once and the answer holds its successor (Help: refresh token rotation)."""
        self._client_credentials(form, base_url)
        used = form.get("refresh_token", "")
        if used not in self.refresh_tokens:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if not self.rotate:
            return {}
        self.refresh_tokens.discard(used)
        new = secrets.token_urlsafe(24)
        self.refresh_tokens.add(new)
        return {"refresh_token": new}

    def _jwt_bearer(self, form: Mapping[str, str], base_url: str) -> dict[str, str]:
        """RS256 only; iss = client id, sub = user name, aud = the login host or the site, exp soon (JWT Bearer Flow)."""
        key = self.public_keys.get(CLIENT_ID)
        if key is None:
            raise OAuthError("invalid_client_id", "no certificate is registered for this client")
        try:
            claims = jwt.decode(
                form.get("assertion", ""), key, algorithms=["RS256"], issuer=CLIENT_ID, audience=[*AUDIENCES, base_url],
                options={"require": ["exp", "iss", "sub", "aud"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.InvalidIssuerError as error:
            raise OAuthError("invalid_client_id", "client identifier invalid") from error
        except jwt.InvalidAudienceError as error:
            raise OAuthError("invalid_grant", "audience is invalid") from error
        except jwt.PyJWTError as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if not 0 < seconds_of(claims["exp"]) - self.clock.now().timestamp() <= MAX_ASSERTION_SECONDS:
            raise OAuthError("invalid_grant", "expired authorization code")
        if claims["sub"] != USERNAME:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return {}


def seconds_of(exp: Any) -> float:
    """A NumericDate, which widely used clients send as a text; what is no number has expired long ago (RFC 7519, 4.1.4)."""
    try:
        return float(exp)
    except (TypeError, ValueError):
        return 0.0


def basic_credentials(authorization: str) -> dict[str, str]:
    """`client_id` and `client_secret` of a Basic header, empty without one (Client Credentials Flow; RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": client_id, "client_secret": secret}
