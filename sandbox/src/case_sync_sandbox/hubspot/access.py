"""Core: who may call: tokens, their expiry, scopes, and the OAuth refresh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from case_sync_sandbox.hubspot.defaults import PORTAL_ID
from case_sync_sandbox.hubspot.errors import HubSpotError

STATIC_TOKEN = "sandbox-token"  # noqa: S105  (public, of the sandbox)
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105
EXPIRES_IN_SECONDS = 1_800  # "OAuth tokens": expires_in

SCOPES = (
    "tickets",
    "oauth",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.owners.read",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthAnswer:
    """What the token endpoint says."""

    status: int
    body: dict[str, Any]


def _refused(status: str, message: str, error: str) -> OAuthAnswer:
    return OAuthAnswer(
        status=400, body={"status": status, "message": message, "error": error, "error_description": message}
    )


class Access:
    """The tokens of one portal. Times are seconds since the epoch, given by the caller."""

    def __init__(self) -> None:
        self._expires: dict[str, float] = {}
        self._static_is_valid = True
        self._refresh_token: str | None = REFRESH_TOKEN
        self._issued = 0
        self.rotates_refresh_tokens = False

    def check(self, authorization: str | None, now: float) -> bool:
        """Whether the token is an OAuth one; the static one is not.

        Raises:
            HubSpotError: 401, INVALID_AUTHENTICATION or EXPIRED_AUTHENTICATION.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorised(
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more"
                " details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            )
        if token == STATIC_TOKEN and self._static_is_valid:
            return False
        if token not in self._expires:
            raise _unauthorised("The access token is not known.")
        if self._expires[token] <= now:
            raise HubSpotError(
                status=401,
                category="EXPIRED_AUTHENTICATION",
                message="The OAuth token used to make this call is expired.",
            )
        return True

    def expire_tokens(self, *, static: bool = False) -> int:
        """Let all OAuth tokens be expired, and with `static` the static one be unknown; says how many OAuth ones."""
        self._expires = dict.fromkeys(self._expires, 0.0)
        self._static_is_valid = self._static_is_valid and not static
        return len(self._expires)

    def revoke_refresh_token(self) -> None:
        """From now on a refresh is refused."""
        self._refresh_token = None

    def token(self, form: Mapping[str, str], now: float, missing_scopes: tuple[str, ...]) -> OAuthAnswer:
        """Answer a refresh ("OAuth tokens": refresh). The refresh token stays unless the sandbox is told to rotate."""
        if form.get("grant_type") != "refresh_token":
            return _refused("BAD_GRANT_TYPE", "missing or unknown grant_type", "unsupported_grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused("BAD_CLIENT", "client_id or client_secret is wrong", "invalid_client")
        if self._refresh_token is None or form.get("refresh_token") != self._refresh_token:
            return _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token", "invalid_grant")
        self._issued += 1
        access_token = f"sandbox-access-{self._issued}"
        self._expires[access_token] = now + EXPIRES_IN_SECONDS
        if self.rotates_refresh_tokens:
            self._refresh_token = f"{REFRESH_TOKEN}-{self._issued}"
        return OAuthAnswer(
            status=200,
            body={
                "token_type": "bearer",
                "access_token": access_token,
                "refresh_token": self._refresh_token,
                "expires_in": EXPIRES_IN_SECONDS,
                "hub_id": PORTAL_ID,
                "scopes": [scope for scope in SCOPES if scope not in missing_scopes],
            },
        )


def _unauthorised(message: str) -> HubSpotError:
    return HubSpotError(status=401, category="INVALID_AUTHENTICATION", message=message)


def require_scopes(any_of: tuple[str, ...], missing: tuple[str, ...]) -> None:
    """At least one of the scopes must be held ("Scopes").

    Raises:
        HubSpotError: 403 MISSING_SCOPES that names them.
    """
    if not any_of or any(scope not in missing for scope in any_of):
        return
    raise HubSpotError(
        status=403,
        category="MISSING_SCOPES",
        message="This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(any_of)},
            }
        ],
    )
