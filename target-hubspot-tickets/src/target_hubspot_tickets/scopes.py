"""Core: what a token may not do, told by the scopes to add.

Sources: HubSpot, scopes; error handling: 403 MISSING_SCOPES names them in `errors[].context.requiredGranularScopes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MISSING_SCOPES = "MISSING_SCOPES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """A call that HubSpot does not allow; `purpose` completes "it can't", `scopes` are those of which one is enough."""

    purpose: str
    scopes: tuple[str, ...] = ()


def forbidden(purpose: str, body: Mapping[str, Any]) -> Forbidden:
    """What a 403 says."""
    errors: Iterable[Mapping[str, Any]] = body.get("errors") or ()
    scopes = [scope for e in errors for scope in (e.get("context") or {}).get("requiredGranularScopes") or ()]
    return Forbidden(purpose=purpose, scopes=tuple(dict.fromkeys(str(scope) for scope in scopes)))


def scope_problems(refused: Iterable[Forbidden]) -> list[str]:
    """One problem for each scope, with all that it is wanted for."""
    purposes: dict[tuple[str, ...], list[str]] = {}
    for one in refused:
        purposes.setdefault(one.scopes, []).append(one.purpose)
    return [_problem(scopes, ", ".join(those)) for scopes, those in purposes.items()]


def _problem(scopes: tuple[str, ...], purposes: str) -> str:
    if not scopes:
        return f"HubSpot does not allow access_token to {purposes}: check the permissions of the service key or app, and of its user"
    return f"access_token lacks a scope to {purposes}: add {' or '.join(scopes)} to the service key or app in HubSpot"
