"""Shell: compares both systems: a dry run of the whole pipeline over all cases in scope; it leaves nothing behind.

What the ledger remembers has no part in it: each ticket is read. Little is held in memory, however many cases there are.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from case_sync_console import case_lists
from case_sync_console.comparison import Comparison, Terms, as_json, as_line, may_differ
from case_sync_console.errors import ConsoleError
from case_sync_console.import_progress import told
from case_sync_console.looking import shown_rules, together
from case_sync_console.meltano import TARGET, Meltano
from case_sync_console.private_files import check_is_new, new_private_file
from case_sync_console.run_ends import failure_of
from case_sync_console.scoping import plugin_setting
from case_sync_console.target_progress import progress_file
from case_sync_console.verify_screen import comparison_screen
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

OPTIONS = ("--full-refresh", "--no-state-update", "--state-id-suffix=verify")
NO_LIMIT = "1000000000"
# The scope stays the sync's. Nothing that a run skips, limits or refuses may hide a difference: all is looked at.
VARIABLES = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_START_NOW": "false",
    "TAP_SALESFORCE_CASES_SAMPLE_SIZE": "0",
    "TAP_SALESFORCE_CASES_SOFT_DELETES": "true",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "false",  # the ids of all cases tell of purged ones
    "TAP_SALESFORCE_CASES_RECONCILE": "true",
    "TARGET_HUBSPOT_TICKETS_DRY_RUN": "true",
    "TARGET_HUBSPOT_TICKETS_PLAN_ASSOCIATIONS": "true",
    "TARGET_HUBSPOT_TICKETS_ONLY_PROPERTIES": "[]",
    "TARGET_HUBSPOT_TICKETS_ON_DELETE": "archive",
    "TARGET_HUBSPOT_TICKETS_CONFIRM_DELETES": NO_LIMIT,
    "TARGET_HUBSPOT_TICKETS_FAIL_ON_REJECTED": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A comparison, and the file with a JSON line for each difference, values and all."""

    comparison: Comparison
    file: Path

    def lines(self) -> Iterator[dict[str, Any]]:
        """The differences, one by one."""
        with self.file.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def verify(workplace: Workplace, *, for_programs: bool, output: Path | None) -> int:
    """Compare and tell; returns 0 when both systems are equal, 7 when not.

    Raises:
        CommandLineError: the output is there already.
        ConsoleError: the systems could not be compared.
    """
    if output:
        check_is_new(output)
    if for_programs:  # standard output is for the answer
        workplace = replace(workplace, screen=Console(file=sys.stderr, highlight=False))
    with verified(workplace) as found:
        if output:
            with new_private_file(output) as copy, found.file.open(encoding="utf-8") as file:
                shutil.copyfileobj(file, copy)
    if for_programs:
        print(json.dumps(as_json(found.comparison), indent=2))  # noqa: T201 - what was asked for
    else:
        workplace.screen.print(comparison_screen(found.comparison, output=str(output) if output else None))
    return found.comparison.exit_code


@contextmanager
def verified(workplace: Workplace) -> Iterator[Verified]:
    """Compare both systems; the file of differences is there until the block ends.

    Raises:
        ConsoleError: the dry run did not come to its end: nothing is said then.
    """
    with tempfile.TemporaryDirectory(prefix="case-sync-") as name:
        folder = Path(name)
        kept, _ = together(lambda: _kept(workplace), lambda: _dry_run(workplace, folder))
        tap, target = _report(folder / "tap.json"), _report(folder / "target.json")
        found = Comparison(
            at=datetime.fromisoformat(tap["server_time"]),
            cases=tap["rows"].get("cases", 0) - tap["tombstones"],
            tickets=target["marked_tickets"],
            must_walk="snapshot" not in kept,
        )
        plan, file = folder / "plan.jsonl", folder / "differences.jsonl"
        with waiting(workplace.screen, "Looking at what changed meanwhile ..."):
            terms = _terms(workplace, plan, kept, found.at)
        with new_private_file(file) as differences:
            for line in _lines(plan):
                if one := found.take(line, terms):
                    differences.write(json.dumps(as_line(line, one)) + "\n")
        yield Verified(comparison=found, file=file)


def _kept(workplace: Workplace) -> frozenset[str]:
    """What evidence of a case that is gone deletes no ticket: as the rules say, and the target's own setting."""
    if plugin_setting(workplace, TARGET, "on_delete") == "ignore":
        return frozenset({"record", "snapshot"})
    rules = shown_rules(workplace.meltano, workplace.rules_file().path)
    return frozenset() if rules["on_case_deleted"] == "delete_ticket" else frozenset({"snapshot"})


def _terms(workplace: Workplace, plan: Path, kept: Collection[str], began: datetime) -> Terms:
    """Asked for only where something may differ."""
    if not any(may_differ(line) for line in _lines(plan)):
        return Terms(kept=kept)
    changed, rejected = together(
        lambda: case_lists.changed_since(workplace.meltano, began), lambda: rejected_keys(workplace.meltano)
    )
    return Terms(kept=kept, changed=changed, on_record=rejected)


def rejected_keys(meltano: Meltano) -> set[str]:
    """Ids of cases that are on record as rejected."""
    return {str(row["key"]) for row in meltano.invoke_lines(TARGET, "--config=ENV", "--rejected=list")}


# -- the dry run


def _dry_run(workplace: Workplace, folder: Path) -> None:
    with progress_file() as file, _total(workplace) as total, told(workplace.screen, file.counts, total):
        end = workplace.meltano.given({**VARIABLES, **_places(folder), **file.variables}).run(*OPTIONS)
    if failure := failure_of(end):
        raise failure


def _total(workplace: Workplace) -> AbstractContextManager[Callable[[], int | None]]:
    """How many cases there are, for the bar of a terminal."""
    if workplace.screen.is_terminal:
        return case_lists.counted(workplace.meltano)
    return nullcontext(lambda: None)


def _places(folder: Path) -> Mapping[str, str]:
    """A ledger of its own: a run that is under way neither waits nor is waited for."""
    return {
        "TARGET_HUBSPOT_TICKETS_PLAN_PATH": str(folder / "plan.jsonl"),
        "TARGET_HUBSPOT_TICKETS_LEDGER_URL": str(folder / "ledger.db"),
        "TARGET_HUBSPOT_TICKETS_DELETES_PATH": str(folder / "deletes.csv"),
        "TARGET_HUBSPOT_TICKETS_REPORT_PATH": str(folder / "target.json"),
        "TAP_SALESFORCE_CASES_REPORT_PATH": str(folder / "tap.json"),
    }


def _lines(plan: Path) -> Iterator[dict[str, Any]]:
    """The lines of the target's plan; it makes none where there was no record."""
    if not plan.exists():
        return
    with plan.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConsoleError(
            "the dry run left no report: are the plugins of this version? `meltano install` renews them"
        ) from None
    return dict(found)
