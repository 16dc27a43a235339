"""Core: the conditionally required properties that the 2026-09 API enforces on writes."""

from __future__ import annotations

from collections.abc import Mapping

from case_sync_sandbox.hubspot.errors import ValueProblem
from case_sync_sandbox.hubspot.settings import PortalSettings


def missing_required(
    settings: PortalSettings, before: Mapping[str, str], changes: Mapping[str, str]
) -> list[ValueProblem]:
    """What a write leaves out ("CRM API write validation enforcement"); `before` is empty for a new record."""
    after = {**before, **changes}
    problems = [
        ValueProblem(
            property_name=name,
            code="MISSING_REQUIRED_PROPERTY",
            message=f'Property "{name}" is required to create a record',
        )
        for name in settings.required_on_create
        if not before and not after.get(name)
    ]
    for name, conditions in settings.required_when.items():
        needed = conditions.get(after.get(name, ""))
        if name in changes and needed and not after.get(needed):
            problems.append(
                ValueProblem(
                    property_name=needed,
                    code="MISSING_CONDITIONAL_REQUIRED_PROPERTY",
                    message=f'Property "{needed}" is required when "{name}" is "{after[name]}"',
                )
            )
    return problems
