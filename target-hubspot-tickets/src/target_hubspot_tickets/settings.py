"""Core: the target's settings: their schema for `--about`, and every problem of a configuration in one list."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from target_hubspot_tickets.narrowing import Narrowing, narrowing_of
from target_hubspot_tickets.tickets import Choices
from target_hubspot_tickets.write_rules import RULES

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# A scheme, a host and a port, and nothing that two readers of addresses could read in two ways (a backslash, an @, other alphabets).
ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+|\[::1\])(?::\d{1,5})?/?", re.ASCII | re.IGNORECASE)
# A name, and no number in disguise: its last label begins with a letter.
HOST_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII | re.IGNORECASE
)
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
    "array": list,
    "object": dict,
}
BOOLEANS = {
    "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip
OAUTH = ("client_id", "client_secret", "refresh_token")
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
        "client_id": _setting("string", "OAuth client id", "Of an OAuth app, in place of access_token; needs client_secret and refresh_token."),
        "client_secret": _setting("string", "OAuth client secret", "Of an OAuth app.", secret=True, writeOnly=True),
        "refresh_token": _setting("string", "OAuth refresh token", "Of an OAuth app; tokens are renewed from it.", secret=True, writeOnly=True),
        "base_url": _setting("string", "Base URL", "HubSpot's API; https only, unless the host is this machine.", default="https://api.hubapi.com"),
        "api_version": _choice("API version", "Dated version of HubSpot's API, or v3. 2026-03 and v3 do not enforce the portal's required properties.", "2026-09", *API_VERSIONS),
        # what a record is
        "key_property": _setting(
            "string", "Key property", "Ticket property with unique values that a record is found by; the stream has a column of this name.", default="salesforce_case_id"
        ),
        "source_property": _setting(
            "string", "Source property", "Ticket property that holds the mark of the org which a record came from; only tickets with the same mark are ever archived.", default="salesforce_org_id"
        ),
        "version_property": _setting(
            "string", "Version property", "Date and time property that holds when a record was changed last; stale_guard and reconciliation compare it.", default="salesforce_system_modstamp"
        ),
        "unknown_columns": _choice("Unknown columns", "Columns that are no ticket property: refused before anything is written, or ignored.", "refuse", "refuse", "ignore"),
        "create_properties": _setting("boolean", "Create properties", "Create the key property and other missing salesforce_* properties.", default=True),
        "property_group": _setting("string", "Property group", "Group of the properties that are created; made if it is missing.", default="ticketinformation"),
        "create_options": _setting("boolean", "Create options", "Add options that a stream announces and a property does not have.", default=False),
        # values
        "empty_values": _choice("Empty values", "What null, or an empty text, does to a property.", "clear", "clear", "keep"),
        "long_text": _choice("Long text", "A text above HubSpot's 65,536 characters is cut with a visible mark, or its record is rejected.", "cut", "cut", "reject"),
        "unknown_owner": _choice("Unknown owner", "What becomes of the owner when no HubSpot owner has the e-mail.", "leave", "leave", "clear", "default", "reject"),
        "default_owner": _setting("string", "Default owner", "E-mail or id of the owner that unknown_owner: default means."),
        # writing
        "write_mode": _choice("Write mode", "Write all records, or only those that the ledger does not know to be written with the same values.", "all", "all", "changed"),
        "stale_guard": _setting("boolean", "Stale guard", "Before writing, read the tickets' version_property and pass over records that are older; one more call per 100 records.", default=False),
        "max_in_flight": _setting("integer", "Calls in flight", "The most calls at once; fewer while HubSpot is slow or locks.", default=32, minimum=1),
        "request_timeout_seconds": _setting("integer", "Time-out", "Seconds to wait for an answer; HubSpot's own limit is 100.", default=120, minimum=1),
        "max_tries": _setting("integer", "Tries", "How often a call is tried before the run ends.", default=6, minimum=1),
        "dry_run": _setting("boolean", "Dry run", "Write nothing: plan_path tells what a run would do with each record. No state is let out.", default=False),
        "plan_path": _setting("string", "Plan file", "JSON lines of a dry run, one for each record.", default="tickets-plan.jsonl"),
        "plan_associations": _setting(
            "boolean", "Plan associations", "A dry run also reads which of the associations asked for the tickets have; a call per 1,000 tickets and object.", default=False
        ),
        "only_properties": _setting(
            "array", "Only these properties", "Of tickets that exist, write only these properties and nothing else; new ones are created whole. One more call per 100 records.",
            items={"type": "string"}, default=[],
        ),
        "write_rules": _setting(
            "object", "Write rules", "Properties that a ticket which exists keeps: property to if_empty (written while it is empty) or create_only (written with a new "
            "ticket only), besides those that the stream announces. One more call per 100 records.",
            additionalProperties={"type": "string", "enum": list(RULES)}, default={},
        ),
        # associations
        "association_mode": _choice(
            "Association mode", "add: only makes associations; mirror: also removes those that this target made and that no longer hold.", "add", "add", "mirror"
        ),
        "primary_company": _setting("boolean", "Primary company", "The associated company becomes the ticket's primary one.", default=False),
        # deletions
        "on_delete": _choice("On delete", "What becomes of the ticket of a record with _sdc_deleted_at.", "ignore", "ignore", "archive"),
        "max_deletes": _setting("integer", "Most deletions", "A run archives at most this many tickets, or max_delete_ratio of them, if that is more.", default=50, minimum=0),
        "max_delete_ratio": _setting("number", "Most deletions, as a share", "Share of the active tickets that a run may archive.", default=0.01, minimum=0),
        "confirm_deletes": _setting("integer", "Confirm deletions", "For one run: archive up to this many tickets, whatever the two limits say.", minimum=0),
        "deletes_path": _setting("string", "Deletions to confirm", "CSV file of the tickets that a run did not archive because they were too many.", default="deletes-to-confirm.csv"),
        # the ledger
        "ledger_url": _setting(
            "string", "Ledger", "File, or database URL, of what is remembered between runs: rejected records, waiting associations, deletions to confirm. "
            "PostgreSQL on another machine is used over TLS only (sslmode=require); give ?sslmode=verify-full&sslrootcert=FILE to have its certificate checked.",
            secret=True, writeOnly=True, default="hubspot-tickets-ledger.db",
        ),
        "lock_wait_seconds": _setting("integer", "Wait for the lock", "Seconds to wait for another run on the same portal before this one is refused.", default=30, minimum=0),
        "keep_rejected_payloads": _setting("boolean", "Keep rejected records", "Keep rejected records whole, so that later runs try them again; without, the case has to be read again.", default=True),
        "retry_earlier": _setting(
            "boolean", "Retry earlier ones", "Try rejected records and waiting associations of earlier runs again; off for a run that is to write what comes, and nothing else.", default=True
        ),
        "retry_below_percent": _setting(
            "integer", "Retry below", "Rejected records of earlier runs are tried again only while no more than this share of the day's HubSpot calls, in percent, is used.", default=75, minimum=0
        ),
        "retention_days": _setting("integer", "Retention", "Days after which the ledger forgets the values of rejected records, and runs.", default=30, minimum=1),
        "fail_on_rejected": _setting("boolean", "Fail on rejected", "End with exit code 7 if a record was rejected.", default=False),
        "max_rejected": _setting("integer", "Most rejected", "Stop a run that rejects more records than this.", minimum=0),
        "max_rejected_ratio": _setting("number", "Most rejected, as a share", "Stop a run that rejects more than this share of its records, counted from 1,000 on.", minimum=0),
        "max_same_rejections": _setting(
            "integer", "Most alike", "Stop a run in which so many records one after the other are rejected for the same reason: the fault is not theirs.", default=1000, minimum=1
        ),
        "run_name": _setting("string", "Name of the run", "What the run is for, as --runs shows it.", default="sync"),
        "progress_path": _setting("string", "Progress file", "JSON file that is replaced about every second during a run: the counts so far, and the phase."),
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
    """The configuration with every setting: null, empty and absent ones get their default; texts become what their setting is of."""
    return {
        name: schema.get("default")
        if config.get(name) in (None, "")
        else _typed(config[name], schema["type"][0])
        for name, schema in JSON_SCHEMA["properties"].items()
    }


def _typed(value: Any, kind: str) -> Any:
    """What an environment variable's text means, and a Decimal, as which the SDK reads 0.5; anything else as it is."""
    if kind == "number" and isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, str) or kind == "string":
        return value
    text = value.strip()
    if kind == "boolean":
        return BOOLEANS.get(text.lower(), value)
    if kind == "array":
        return _names(text)
    if kind == "object":
        return _object(text)
    number = r"-?\d{1,18}" if kind == "integer" else r"\d{1,18}(\.\d+)?"
    return (int(text) if kind == "integer" else float(text)) if re.fullmatch(number, text) else value


def _names(text: str) -> list[Any]:
    """The names of a list: JSON, Python's own writing (in which Meltano hands on a list of the file), or with commas between them."""
    if text.startswith("["):
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                found = read(text)
                if isinstance(found, list):
                    return found
    return [part.strip(" \"'") for part in text.strip("[]").split(",") if part.strip(" \"'")]


def _object(text: str) -> Any:
    """The JSON of a text, or the text where it is none: then it is of the wrong type."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    return f"TARGET_HUBSPOT_TICKETS_{name.upper()}"


def problems_of(config: Mapping[str, Any]) -> list[str]:
    """Every problem, each naming its setting and never a value of a secret; empty when all is well."""
    full = with_defaults(config)
    found = [
        p
        for name, schema in JSON_SCHEMA["properties"].items()
        if (p := _type_problem(name, full[name], schema))
    ]
    found += [
        _unknown(name)
        for name in config
        if name not in JSON_SCHEMA["properties"] and name not in SDK_SETTINGS
    ]
    if found:
        return found
    found += _token_problems(full)
    if full["unknown_owner"] == "default" and not full["default_owner"]:
        found.append("default_owner is missing: unknown_owner is 'default', so say which owner that is")
    if not is_allowed_url(full["base_url"]):
        found.append(
            "base_url must start with https:// and name a host only (http is allowed for 127.0.0.1 and localhost)"
        )
    return found


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, JSON_SCHEMA["properties"], 1)
    return f"{name} is no setting of this target" + (f": did you mean {near[0]}?" if near else "")


def _token_problems(full: Mapping[str, Any]) -> list[str]:
    if full["access_token"]:
        return []
    missing = [name for name in OAUTH if not full[name]]
    if len(missing) == len(OAUTH):
        return [
            f"access_token is missing: give the token of a HubSpot service key or private app (environment: {variable('access_token')})"
        ]
    return [f"{name} is missing: an OAuth app needs {', '.join(OAUTH)}" for name in missing]


def _type_problem(name: str, value: Any, schema: Mapping[str, Any]) -> str | None:
    if value is None:
        return None
    kind = schema["type"][0]
    if not isinstance(value, JSON_TYPES[kind]) or (kind in {"integer", "number"} and isinstance(value, bool)):
        return f"{name} must be of type {kind}"
    if problem := _contents_problem(name, value):
        return problem
    if "allowed_values" in schema and value not in schema["allowed_values"]:
        return f"{name} must be one of: {', '.join(schema['allowed_values'])}"
    if schema.get("minimum") is not None and value < schema["minimum"]:
        return f"{name} must be at least {schema['minimum']}"
    return None


def _contents_problem(name: str, value: Any) -> str | None:
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        return f"{name} must be a list of texts"
    if isinstance(value, dict) and not all(one in RULES for one in value.values()):
        return f"{name} must be a mapping of ticket properties to one of: {', '.join(RULES)}"
    return None


def is_allowed_url(url: str) -> bool:
    """A host by its name and https, or this very machine; no address by number, no user, no path: tokens go nowhere else."""
    found = ADDRESS.fullmatch(url)
    if found is None or not _has_port_of_tcp(url):
        return False
    scheme, host = found[1].lower(), found[2].strip("[]").lower()
    return host in LOOPBACK or (scheme == "https" and bool(HOST_NAME.fullmatch(host)))


def _has_port_of_tcp(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that decide what a round does."""

    key_property: str
    source_property: str
    version_property: str
    archives: bool
    only_changed: bool
    stale_guard: bool
    keeps_payloads: bool
    mirrors: bool
    narrowing: Narrowing | None = None


def policy_of(full: Mapping[str, Any]) -> Policy:
    """What the settings decide about a round; `full` has every setting."""
    return Policy(
        key_property=full["key_property"],
        source_property=full["source_property"],
        version_property=full["version_property"],
        archives=full["on_delete"] == "archive",
        only_changed=full["write_mode"] == "changed",
        stale_guard=full["stale_guard"],
        keeps_payloads=full["keep_rejected_payloads"],
        mirrors=full["association_mode"] == "mirror",
        # An empty variable of the environment comes as one empty name.
        narrowing=narrowing_of(filter(str.strip, full["only_properties"]), full["key_property"]),
    )


def choices_of(full: Mapping[str, Any]) -> Choices:
    """What the settings decide about values; `full` has every setting."""
    return Choices(
        key_property=full["key_property"],
        empty_values=full["empty_values"],
        unknown_owner=full["unknown_owner"],
        default_owner=full["default_owner"],
        long_text=full["long_text"],
        unknown_columns=full["unknown_columns"],
    )
