"""Core: a configuration with its defaults, and all of its problems in one list."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from tap_salesforce_cases.errors import SettingError
from tap_salesforce_cases.filters import checked_where
from tap_salesforce_cases.settings import NEEDED, PROPERTIES
from tap_salesforce_cases.soql import NAME

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# A scheme, a host and a port, and nothing that two readers of addresses could read in two ways (a backslash, an @, other alphabets).
ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+|\[::1\])(?::\d{1,5})?/?", re.ASCII | re.IGNORECASE)
# A name, and no number in disguise: its last label begins with a letter.
HOST_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII | re.IGNORECASE
)
JSON_TYPES: dict[str, tuple[type[Any], ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "array": (list,), "boolean": (bool,),
}  # fmt: skip
BOOLEANS = {
    "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


# What the SDK adds to every tap's configuration by itself; what of it has a meaning is the SDK's.
SDK_SETTINGS = {
    "stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth", "flattening_max_key_length",
    "flattening_separator", "batch_config",
}  # fmt: skip


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every setting: null and absent ones get their default; texts become what their setting is of."""
    return {
        name: schema.get("default")
        if config.get(name) in (None, "")
        else _typed(config[name], schema["type"][0])
        for name, schema in PROPERTIES.items()
    }


def _typed(value: Any, kind: str) -> Any:
    """What an environment variable's text means, and a Decimal, as which the SDK reads 0.5; anything else as it is."""
    if isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, str) or kind == "string":
        return value
    text = value.strip()
    if kind == "boolean":
        return BOOLEANS.get(text.lower(), value)
    if kind == "array":
        return _names(text)
    number = r"-?\d{1,18}" if kind == "integer" else r"-?\d{1,18}(\.\d+)?"
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


def problems_of(config: Mapping[str, Any]) -> list[str]:
    """Every problem, each naming its setting and never a value of a secret; empty when all is well."""
    full = with_defaults(config)
    found = [p for name, schema in PROPERTIES.items() if (p := _type_problem(name, full[name], schema))]
    found += [_unknown(name) for name in config if name not in PROPERTIES and name not in SDK_SETTINGS]
    if found:
        return found
    found += _login_url_problems(full["login_url"])
    found += [p for need in NEEDED[full["auth_method"]] if (p := _need_problem(need, full))]
    if not re.fullmatch(r"\d{2}\.0", full["api_version"]):
        found.append("api_version must look like 66.0")
    if full["start_date"] and not _is_datetime(full["start_date"]):
        found.append("start_date must be an ISO 8601 date or date-time, such as 2026-01-31T00:00:00Z")
    found += [f"relationship_fields: {path!r} is no path such as Asset.SerialNumber" for path in full["relationship_fields"] if not _is_path(path)]  # fmt: skip
    return found + _where_problems(full["where"])


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, PROPERTIES, 1)
    return f"{name} is no setting of this tap" + (f": did you mean {near[0]}?" if near else "")


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    return f"TAP_SALESFORCE_CASES_{name.upper()}"


def _need_problem(need: str, full: Mapping[str, Any]) -> str | None:
    names = need.split("|")
    if any(full[name] for name in names):
        return None
    variables = " or ".join(map(variable, names))
    return f"{' or '.join(names)} is missing: auth_method {full['auth_method']} needs it (environment: {variables})"


def _type_problem(name: str, value: Any, schema: Mapping[str, Any]) -> str | None:
    if value is None:
        return None
    kind = schema["type"][0]
    if not isinstance(value, JSON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{name} must be of type {kind}"
    if kind == "array" and not all(isinstance(item, str) for item in value):
        return f"{name} must be a list of names"
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
    if is_allowed_url(url):
        return []
    return [
        "login_url must start with https:// and name a host only (http is allowed for 127.0.0.1 and localhost)"
    ]


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


def _is_datetime(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_path(path: str) -> bool:
    return bool(NAME.fullmatch(path)) and 1 <= path.count(".") <= 5


def _where_problems(where: str | None) -> list[str]:
    if where and where.strip():
        try:
            checked_where(where)
        except SettingError as error:
            return [str(error)]
    return []
