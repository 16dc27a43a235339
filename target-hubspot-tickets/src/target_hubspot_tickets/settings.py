"""Core: the target's settings: their schema for `--about`, and every problem of a configuration in one list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
JSON_TYPES = {"string": str, "integer": int, "boolean": bool}
API_VERSIONS = ("2026-09", "2026-03", "v3")


def _setting(kind: str, title: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], "title": title, "description": description, **more}


def _choice(title: str, description: str, default: str, *values: str) -> dict[str, Any]:
    return _setting(
        "string", title, description, allowed_values=list(values), enum=[*values, None], default=default
    )


JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "access_token": _setting(
            "string", "Access token", "Token of a service key or private app. Scopes: tickets, crm.objects.companies.read and .write, "
            "crm.objects.contacts.read and .write, crm.objects.owners.read, crm.schemas.companies.read, crm.schemas.contacts.read.",
            secret=True, writeOnly=True,
        ),
        "base_url": _setting("string", "Base URL", "HubSpot's API; https only, unless the host is this machine.", default="https://api.hubapi.com"),
        "api_version": _choice("API version", "Dated version of HubSpot's API, or v3.", "2026-09", *API_VERSIONS),
        "key_property": _setting(
            "string", "Key property", "Ticket property with unique values that a record is found by; the stream has a column of this name.", default="salesforce_case_id"
        ),
        "create_properties": _setting("boolean", "Create properties", "Create the key property and other missing salesforce_* properties.", default=True),
        "on_delete": _choice("On delete", "What becomes of the ticket of a record with _sdc_deleted_at.", "ignore", "ignore", "archive"),
        "empty_values": _choice("Empty values", "What null does to a property.", "clear", "clear", "keep"),
        "unknown_owner": _choice("Unknown owner", "What becomes of the owner when no HubSpot owner has the e-mail.", "leave", "leave", "clear"),
        "request_timeout_seconds": _setting("integer", "Time-out", "Seconds to wait for an answer; HubSpot's own limit is 100.", default=120, minimum=1),
        "max_tries": _setting("integer", "Tries", "How often a call is tried before the run ends.", default=6, minimum=1),
        "rejected_path": _setting("string", "Rejected records", "File that rejected records are appended to, as JSON lines: key and reason, no values.", default="rejected-tickets.jsonl"),
        "report_path": _setting("string", "Report file", "JSON file that a run leaves: counts, API calls, seconds, status."),
    },
}  # fmt: skip
SECRETS = tuple(name for name, schema in JSON_SCHEMA["properties"].items() if schema.get("secret"))
# What the SDK adds to every target's configuration by itself; it has no meaning here and is let pass.
SDK_SETTINGS = {
    "add_record_metadata",
    "load_method",
    "batch_size_rows",
    "validate_records",
    "stream_maps",
    "stream_map_config",
    "flattening_enabled",
}


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every setting: null and absent ones get their default."""
    schema = JSON_SCHEMA["properties"]
    return {
        name: config[name] if config.get(name) is not None else schema[name].get("default") for name in schema
    }


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    return f"TARGET_HUBSPOT_TICKETS_{name.upper()}"


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
    if not full["access_token"]:
        found.append(
            f"access_token is missing: give the token of a HubSpot service key or private app (environment: {variable('access_token')})"
        )
    if not is_allowed_url(full["base_url"]):
        found.append(
            "base_url must start with https:// and name a host only (http is allowed for 127.0.0.1 and localhost)"
        )
    return found


def _type_problem(name: str, value: Any, schema: Mapping[str, Any]) -> str | None:
    if value is None:
        return None
    kind = schema["type"][0]
    if not isinstance(value, JSON_TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return f"{name} must be of type {kind}"
    if "allowed_values" in schema and value not in schema["allowed_values"]:
        return f"{name} must be one of: {', '.join(schema['allowed_values'])}"
    if schema.get("minimum") is not None and value < schema["minimum"]:
        return f"{name} must be at least {schema['minimum']}"
    return None


def is_allowed_url(url: str) -> bool:
    """https, or http to this very machine; no user, no password, no path: the token goes nowhere else."""
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
