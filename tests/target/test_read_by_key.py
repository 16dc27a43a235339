"""Tickets read by their key before a write: a read that is refused as a whole goes again in halves, and ends no run."""

from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, case_id, schema, ticket

REFUSAL = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c"}


@pytest.mark.parametrize("settings", [{"stale_guard": True}, {"dry_run": True}])
def test_a_refused_read_is_halved(sandbox: RunningSandbox, target: Target, settings: dict[str, Any]) -> None:
    """Of four keys; the run knows all tickets all the same: an older record is passed over, the plan has no creation."""
    column = {"type": ["string", "null"], "format": "date-time"}
    announced = schema(salesforce_system_modstamp=column)
    days = ["2026-01-20T00:00:00.000Z", "2026-01-10T00:00:00.000Z"]
    newer, older = (
        [ticket(n, subject=day, salesforce_system_modstamp=day) for n in range(4)] for day in days
    )
    target.load([announced, *newer])
    sandbox.faults([{"half": "hubspot", "path": "batch/read", "times": 3, "status": 400, "body": REFUSAL}])
    loaded = target.load([announced, *older], **settings)
    assert loaded.returncode == 0, loaded.log
    assert (loaded.report["created"], loaded.report["rejected"]) == (0, 0)
    assert by_key(sandbox)[case_id(0)]["properties"]["subject"] == days[0]
    assert loaded.report["stale" if "stale_guard" in settings else "updated"] == 4
