"""Core: the switches of the HubSpot half, where the vendor's behaviour is unknown or a test wants trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args, get_type_hints


class SettingError(ValueError):
    """An unknown switch or a value that it can't take; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSettings:
    """Each switch with its default."""

    # Upsert on a key that an archived ticket holds: "new" makes another ticket, "error" refuses the input. Undocumented.
    archived_key: str = "new"
    # Which record keeps the unique value after a merge: "primary" | "secondary" (the merged one's moves over) | "both".
    merged_key: str = "primary"
    # Whether values of unique properties that differ only in case are different. Undocumented.
    unique_is_case_sensitive: bool = False
    # Whether results[] of upserts repeat the input's objectWriteTraceId (optional in the schema).
    echo_trace_ids: bool = False
    # Whether results[] come in an order of their own, as HubSpot's do.
    shuffle_results: bool = True
    # Seconds until a write shows in search.
    search_lag_seconds: float = 0.0
    # Properties that 2026-09 wants on create; v3 and 2026-03 do not enforce them.
    required_on_create: tuple[str, ...] = ()
    # {property: {value: required property}}: 2026-09 enforces it on each write.
    required_when: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Most associations that a record may have to another type: {"companies": 10000} counts from the `to` side.
    association_limits: Mapping[str, int] = field(default_factory=dict)
    # Inputs that associate/default takes; HubSpot documents 2,000 for batch/create only.
    associate_default_limit: int = 2_000
    # Scopes taken away from every token.
    missing_scopes: tuple[str, ...] = ()
    # The ticket properties that the write log copies.
    key_property: str = "salesforce_case_id"
    version_property: str = "salesforce_system_modstamp"
    # Answer batch upserts with an empty 200 and write nothing (reported as "silent success").
    silent_batches: int = 0


_CHOICES = {"archived_key": {"new", "error"}, "merged_key": {"primary", "secondary", "both"}}


def changed(settings: PortalSettings, changes: Mapping[str, Any]) -> PortalSettings:
    """The settings with `changes` from JSON.

    Raises:
        SettingError: a name or value that there is not.
    """
    known = {f.name for f in fields(PortalSettings)}
    if unknown := set(changes) - known:
        raise SettingError(f"unknown settings {sorted(unknown)}; there are {sorted(known)}")
    for name, choices in _CHOICES.items():
        if name in changes and changes[name] not in choices:
            raise SettingError(f"{name} must be one of {sorted(choices)}, not {changes[name]!r}")
    hints = get_type_hints(PortalSettings)
    return replace(settings, **{name: _typed(name, value, hints[name]) for name, value in changes.items()})


def _typed(name: str, value: Any, hint: Any) -> Any:
    if hint in (bool, str, int) and type(value) is hint:
        return value
    if hint is float and type(value) in (int, float):
        return float(value)
    if get_args(hint) and isinstance(value, list):
        return tuple(value)
    if get_args(hint) and isinstance(value, dict):
        return value
    raise SettingError(f"{name} can't be {value!r}")
