"""Core: a preview as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from case_sync_console.preview import Preview


def as_json(preview: Preview) -> dict[str, Any]:
    """All of it; of the two systems only what tells which they are."""
    sides = preview.sides
    return {
        "would_run": preview.would_run,
        "environment": preview.now.environment,
        "sync": preview.now.sync,
        "salesforce": {"instance_url": sides.org, "cases": sides.cases},
        "hubspot": {"portal_id": sides.portal, "tickets": sides.tickets},
        "rules": {setting.name: setting.value for setting in preview.settings},
        "required": [asdict(one) for one in preview.required],
        "mappings": [asdict(one) for one in preview.mappings],
        "switched_off": list(preview.switched_off),
        "places": [dict(one) for one in preview.places],
        "problems": [asdict(one) for one in preview.now.problems],
        "notes": list(preview.now.notes),
        "changes": None if preview.now.changes is None else list(preview.now.changes),
        "cases": None if preview.now.cases is None else [asdict(one) for one in preview.now.cases],
    }
