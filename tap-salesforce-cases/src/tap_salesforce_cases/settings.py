"""Core: the tap's settings: their schema for `--about`, and every problem of a configuration in one list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# The settings that each way to log in needs.
NEEDED: dict[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt_bearer": ("client_id", "username", "private_key"),
    "refresh_token": ("client_id", "refresh_token"),
}


def _setting(kind: str | list[str], title: str, description: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind if isinstance(kind, list) else [kind, "null"],
        "title": title,
        "description": description,
        **more,
    }


def _secret(title: str, description: str) -> dict[str, Any]:
    return _setting("string", title, description, secret=True, writeOnly=True)


JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "login_url": _setting(
            "string",
            "Login URL",
            "Where to log in: https://login.salesforce.com, https://test.salesforce.com, or your My Domain "
            "(https://NAME.my.salesforce.com), which client_credentials needs. https only, unless the host is this machine.",
        ),
        "auth_method": _setting("string", "Authentication", "How to log in.", allowed_values=list(NEEDED), enum=[*NEEDED, None], default="client_credentials"),
        "client_id": _setting("string", "Client id", "Consumer key of the External Client App or Connected App."),
        "client_secret": _secret("Client secret", "Consumer secret of the app; for client_credentials and refresh_token."),
        "refresh_token": _secret("Refresh token", "For auth_method refresh_token."),
        "username": _setting("string", "User name", "User that a JWT logs in; for auth_method jwt_bearer."),
        "private_key": _secret("Private key", "RS256 private key (PEM) that signs the JWT; for auth_method jwt_bearer."),
        "api_version": _setting("string", "API version", "Version of the Salesforce API.", default="66.0"),
        "start_date": _setting("string", "Start date", "First SystemModstamp to read on a run without state; absent means all cases.", format="date-time"),
        "lookback_seconds": _setting(
            "integer", "Lookback", "Seconds that the bookmark stays behind Salesforce's clock, so that a row committed late is still read.", default=600, minimum=0
        ),
        "page_size": _setting("integer", "Page size", "Rows asked for in one page (Salesforce gives 200 to 2,000).", default=2000, minimum=200, maximum=2000),
        "exclude_fields": _setting(
            "array", "Excluded fields", "Case fields never read. The default are two that change for each user who looks at a case.",
            items={"type": "string"}, default=["LastViewedDate", "LastReferencedDate"],
        ),
        "request_timeout_seconds": _setting("integer", "Time-out", "Seconds to wait for an answer.", default=120, minimum=1),
        "max_tries": _setting("integer", "Tries", "How often a call is tried before the run ends.", default=5, minimum=1),
        "quota_percent": _setting("integer", "Quota", "The run ends, with its state, when more than this share of the org's daily API calls is used, by whomever.", default=90, minimum=1, maximum=100),
        "hard_deletes": _setting("boolean", "Hard deletes", "Read the delete log for cases that are gone from the recycle bin, too.", default=True),
        "report_path": _setting("string", "Report file", "JSON file that a run leaves: rows, tombstones, API calls, seconds, status."),
    },
}  # fmt: skip
SECRETS = tuple(name for name, schema in JSON_SCHEMA["properties"].items() if schema.get("secret"))
JSON_TYPES = {"string": str, "integer": int, "array": list, "boolean": bool}


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every setting: null and absent ones get their default."""
    schema = JSON_SCHEMA["properties"]
    return {
        name: config[name] if config.get(name) is not None else schema[name].get("default") for name in schema
    }


def problems_of(config: Mapping[str, Any]) -> list[str]:
    """Every problem, each naming its setting and never a value of a secret; empty when all is well."""
    found = [
        p
        for name, schema in JSON_SCHEMA["properties"].items()
        if (p := _type_problem(name, config.get(name), schema))
    ]
    if found:
        return found
    full = with_defaults(config)
    found += _login_url_problems(full["login_url"])
    method = full["auth_method"]
    found += [
        f"{name} is missing: auth_method {method} needs it (environment: {variable(name)})"
        for name in NEEDED[method]
        if not full[name]
    ]
    if not re.fullmatch(r"\d{2}\.0", full["api_version"]):
        found.append("api_version must look like 66.0")
    if full["start_date"] and not _is_datetime(full["start_date"]):
        found.append("start_date must be an ISO 8601 date or date-time, such as 2026-01-31T00:00:00Z")
    return found


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    return f"TAP_SALESFORCE_CASES_{name.upper()}"


def _type_problem(name: str, value: Any, schema: Mapping[str, Any]) -> str | None:
    if value is None:
        return None
    kind = schema["type"][0]
    if not isinstance(value, JSON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{name} must be of type {kind}"
    if "allowed_values" in schema and value not in schema["allowed_values"]:
        return f"{name} must be one of: {', '.join(schema['allowed_values'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{name} must be at least {low}" + (f" and at most {high}" if high is not None else "")
    return None


def _login_url_problems(url: str | None) -> list[str]:
    if not url:
        return [
            f"login_url is missing: give your My Domain, such as https://NAME.my.salesforce.com (environment: {variable('login_url')})"
        ]
    return (
        []
        if is_allowed_url(url)
        else [
            "login_url must start with https:// and name a host only (http is allowed for 127.0.0.1 and localhost)"
        ]
    )


def is_allowed_url(url: str) -> bool:
    """https, or http to this very machine; no user, no password, no path: tokens go nowhere else."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = parts.scheme == "http" and host in LOOPBACK
    return (
        bool(host)
        and (parts.scheme == "https" or plain)
        and not parts.username
        and parts.path in {"", "/"}
        and not parts.query
    )


def _is_datetime(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
