"""Core: which settings a login needs, by the way to log in, and which of them are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Alternatives of settings, of which each needs one; the first is what is asked for.
Needed = tuple[tuple[str, ...], ...]
SALESFORCE: dict[str, Needed] = {
    "client_credentials": (("login_url",), ("client_id",), ("client_secret",)),
    "jwt_bearer": (("login_url",), ("client_id",), ("username",), ("private_key_path", "private_key")),
    "refresh_token": (("login_url",), ("client_id",), ("refresh_token", "refresh_token_path")),
}
HUBSPOT_TOKEN: Needed = (("access_token",),)
HUBSPOT_APP: Needed = (("client_id",), ("client_secret",), ("refresh_token",))
SECRETS = frozenset({"client_secret", "private_key", "refresh_token", "access_token"})
PLACEHOLDER = "https://NAME.my.salesforce.com"  # of .env.example
WORDS = {
    "login_url": "My Domain of the Salesforce org, such as https://acme.my.salesforce.com",
    "client_id": "Consumer key of the app in Salesforce",
    "client_secret": "Consumer secret of the app in Salesforce",
    "username": "Salesforce user name that the app logs in as",
    "private_key_path": "File with the private key of the app's certificate",
    "refresh_token": "Refresh token",
    "access_token": "HubSpot token: of a service key or a private app",
}
Settings = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A login setting that nobody gave: of which plugin, what it is, whether it is a secret."""

    plugin: str
    name: str
    words: str
    is_secret: bool


def names_of(plugin: str) -> tuple[str, ...]:
    """All settings of a plugin that a login may need."""
    ways = (
        (*SALESFORCE.values(), HUBSPOT_TOKEN, HUBSPOT_APP)
        if plugin.startswith("tap")
        else (HUBSPOT_TOKEN, HUBSPOT_APP)
    )
    names = {name for way in ways for alternatives in way for name in alternatives}
    return ("auth_method", *sorted(names))


def missing_logins(tap: str, salesforce: Settings, target: str, hubspot: Settings) -> tuple[Missing, ...]:
    """What has to be given before either system can be asked anything."""
    way = SALESFORCE.get(salesforce.get("auth_method") or "client_credentials", ())
    app = any(hubspot.get(name) for (name,) in HUBSPOT_APP)
    return (
        *_missing(tap, way, salesforce),
        *_missing(target, HUBSPOT_APP if app else HUBSPOT_TOKEN, hubspot),
    )


def _missing(plugin: str, way: Needed, given: Settings) -> list[Missing]:
    return [
        Missing(
            plugin=plugin, name=names[0], words=WORDS.get(names[0], names[0]), is_secret=names[0] in SECRETS
        )
        for names in way
        if not any(given.get(name) and given.get(name) != PLACEHOLDER for name in names)
    ]
