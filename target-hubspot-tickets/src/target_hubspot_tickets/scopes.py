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
    return Forbidden(purpose=purpose, scopes=required_scopes(body))


def required_scopes(body: Any) -> tuple[str, ...]:
    """The scopes that a refusal names; none where it has another form, for a refusal it is all the same."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    contexts = (
        [e.get("context") for e in errors if isinstance(e, Mapping)] if isinstance(errors, list) else []
    )
    named = [c.get("requiredGranularScopes") for c in contexts if isinstance(c, Mapping)]
    return tuple(dict.fromkeys(str(scope) for some in named if isinstance(some, list) for scope in some))


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
