"""Shell: what a run would do with some real cases: a dry run of the whole pipeline in a temporary folder, of which nothing stays."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from case_sync_console.case_filter import of_case
from case_sync_console.case_numbers import known_cases
from case_sync_console.case_rows import number_in
from case_sync_console.errors import ConsoleError
from case_sync_console.run_ends import failure_of
from case_sync_console.scoping import case_condition
from case_sync_console.workplace import Workplace

EARLIEST = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which cases: the `sample` that changed last, or those of an Id or CaseNumber."""

    sample: int = 0
    cases: tuple[str, ...] = ()

    @property
    def is_any(self) -> bool:
        return bool(self.sample or self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Lines of the dry run, and why it ended early, if it did; `numbers`: Id -> CaseNumber of cases that the lines do not number."""

    lines: tuple[Mapping[str, Any], ...]
    failure: ConsoleError | None
    numbers: Mapping[str, str] = field(default_factory=dict)


def checked_cases(cases: Sequence[str]) -> tuple[str, ...]:
    """Ids and numbers of cases as they may stand in a condition.

    Raises:
        CommandLineError: one is neither.
    """
    for case in cases:
        of_case(case)
    return tuple(dict.fromkeys(cases))


def sampled_with_numbers(workplace: Workplace, asked: Asked) -> Sampled:
    """A dry run, and the numbers of cases that its lines know by Id only: those that would not be created."""
    found = sampled(workplace, asked)
    names = [str(line["key"]) for line in found.lines if not number_in(line)]
    if found.failure or not (names or asked.cases):
        return found
    return replace(found, numbers=known_cases(workplace, [*asked.cases, *names]))


def sampled(workplace: Workplace, asked: Asked) -> Sampled:
    """A dry run of `meltano run`: no ticket, no state, no row in the ledger, no file stays."""
    with tempfile.TemporaryDirectory(prefix="case-sync-") as name:
        folder = Path(name)
        plan = folder / "plan.jsonl"
        end = workplace.meltano.given(_variables(workplace, asked, folder, plan)).run(
            "--full-refresh", "--no-state-update", "--state-id-suffix=preview"
        )
        lines = plan.read_text(encoding="utf-8").splitlines() if plan.exists() else []
    return Sampled(lines=tuple(map(json.loads, lines)), failure=failure_of(end))


def _variables(workplace: Workplace, asked: Asked, folder: Path, plan: Path) -> dict[str, str]:
    """A ledger of its own: a run that is under way neither waits nor is waited for."""
    variables = {
        "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
        "TAP_SALESFORCE_CASES_START_DATE": EARLIEST,
        "TAP_SALESFORCE_CASES_SAMPLE_SIZE": str(asked.sample or len(asked.cases)),
        "TARGET_HUBSPOT_TICKETS_DRY_RUN": "true",
        "TARGET_HUBSPOT_TICKETS_PLAN_PATH": str(plan),
        "TARGET_HUBSPOT_TICKETS_LEDGER_URL": str(folder / "ledger.db"),
        "TARGET_HUBSPOT_TICKETS_DELETES_PATH": str(folder / "deletes.csv"),
        "TARGET_HUBSPOT_TICKETS_REPORT_PATH": "",
        "TAP_SALESFORCE_CASES_REPORT_PATH": "",
    }
    if asked.cases:
        variables["TAP_SALESFORCE_CASES_WHERE"] = case_condition(workplace, asked.cases)
    return variables
