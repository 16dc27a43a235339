"""Shell: a dry run of a few cases: what the sync would do with each."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from case_sync_console.case_filter import of_ids
from case_sync_console.run_ends import failure_of
from case_sync_console.workplace import Workplace

DRY = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_RECONCILE": "false",
    "TAP_SALESFORCE_CASES_RECONCILE_DAYS": "0",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "false",
    "TARGET_HUBSPOT_TICKETS_DRY_RUN": "true",
}
OPTIONS = ("--full-refresh", "--no-state-update", "--state-id-suffix", "preview")


def plan_of(workplace: Workplace, ids: Sequence[str]) -> list[dict[str, Any]]:
    """A line for each case that the rules do not leave out; the target's README says what it holds.

    Raises:
        ConsoleError: the dry run did not go through.
    """
    with tempfile.TemporaryDirectory(prefix="case-sync-") as folder:
        path = Path(folder) / "plan.jsonl"
        variables = {
            **DRY,
            "TARGET_HUBSPOT_TICKETS_PLAN_PATH": str(path),
            "TAP_SALESFORCE_CASES_WHERE": of_ids(ids),
        }
        end = workplace.meltano.given(variables).run(*OPTIONS)
        if problem := failure_of(end):
            raise problem
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]
