"""Shell: mends what a comparison found, and nothing else: reads those cases again; archives only past the target's own limits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

import typer

from case_sync_console.case_filter import Wanted, both, scope
from case_sync_console.comparison import Comparison, Way
from case_sync_console.errors import DELETIONS_TO_CONFIRM, CommandLineError, ConsoleError
from case_sync_console.id_batches import batches, condition_of
from case_sync_console.run_ends import failure_of
from case_sync_console.scoping import scope_settings
from case_sync_console.verify_screen import comparison_screen, work_words
from case_sync_console.verifying import Verified, verified
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

OPTIONS = ("--full-refresh", "--no-state-update", "--state-id-suffix=repair")
VARIABLES = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_START_NOW": "false",
    "TAP_SALESFORCE_CASES_SAMPLE_SIZE": "0",
    "TAP_SALESFORCE_CASES_RECONCILE": "false",
    "TAP_SALESFORCE_CASES_RECONCILE_DAYS": "0",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "false",
    "TAP_SALESFORCE_CASES_SOFT_DELETES": "false",
    "TARGET_HUBSPOT_TICKETS_WRITE_MODE": "all",
    "TARGET_HUBSPOT_TICKETS_STALE_GUARD": "false",
    "TARGET_HUBSPOT_TICKETS_ONLY_PROPERTIES": "[]",
    "TARGET_HUBSPOT_TICKETS_RETRY_EARLIER": "false",  # what else is on record is not the repair's
    "TARGET_HUBSPOT_TICKETS_RUN_NAME": "repair",
}
CONFIRM = "TARGET_HUBSPOT_TICKETS_CONFIRM_DELETES"
NO_DELETION = {"TARGET_HUBSPOT_TICKETS_ON_DELETE": "ignore"}
DELETED_TOO = {"TAP_SALESFORCE_CASES_SOFT_DELETES": "true"}
ONLY_IDS = {
    "TAP_SALESFORCE_CASES_RECONCILE": "true",
    "TAP_SALESFORCE_CASES__SELECT": '["case_snapshots.*"]',
}


def repair(workplace: Workplace, *, yes: bool) -> int:
    """Compare, ask, mend, compare again; returns 0 when both systems are equal now.

    Raises:
        CommandLineError: nobody is there to be asked, and --yes was not given.
        ConsoleError: a run did not come to its end; what was mended stays, and the same command goes on.
    """
    asks = not yes
    if asks and not sys.stdin.isatty():
        raise CommandLineError("nobody is here to be asked: give --yes")
    with verified(workplace) as found:
        workplace.screen.print(comparison_screen(found.comparison))
        if not found.comparison.mendable:
            workplace.screen.print("There is nothing that a repair could mend.")
            return found.comparison.exit_code
        workplace.screen.print(work_words(found.comparison), markup=False)
        if asks and not typer.confirm("Do it?"):
            raise typer.Abort
        refused = list(_mend(workplace, found))
    with verified(workplace) as after:
        return _tell(workplace, after.comparison, refused)


def _mend(workplace: Workplace, found: Verified) -> Iterator[ConsoleError]:
    """Tickets first, then deletions; those that the target refuses as too many hold up nothing else."""
    _read_again(workplace, found, Way.READ_AGAIN, NO_DELETION)
    if found.comparison.ways[Way.DELETE]:
        yield from _refusal(lambda: _read_again(workplace, found, Way.DELETE, DELETED_TOO))
    if found.comparison.ways[Way.RECONCILE]:
        yield from _refusal(lambda: _run(workplace, ONLY_IDS, "Comparing ids ..."))


def _refusal(work: Callable[[], None]) -> Iterator[ConsoleError]:
    try:
        work()
    except ConsoleError as error:
        if error.exit_code != DELETIONS_TO_CONFIRM:
            raise
        yield error


def _read_again(workplace: Workplace, found: Verified, way: Way, variables: Mapping[str, str]) -> None:
    settings, done = scope_settings(workplace), 0
    for keys in batches(_keys(found, way)):
        where = both(scope(settings, Wanted()), condition_of(keys))
        words = f"Reading cases again: {done:,} of {found.comparison.ways[way]:,} done ..."
        _run(workplace, {**variables, "TAP_SALESFORCE_CASES_WHERE": where}, words)
        done += len(keys)


def _keys(found: Verified, way: Way) -> Iterator[str]:
    wanted = way.name.lower()
    return (str(line["key"]) for line in found.lines() if line["way"] == wanted)


def _run(workplace: Workplace, variables: Mapping[str, str], words: str) -> None:
    with waiting(workplace.screen, words):
        end = workplace.meltano.given({**VARIABLES, **variables}).run(*OPTIONS)
    if failure := failure_of(end):
        raise failure


def _tell(workplace: Workplace, after: Comparison, refused: list[ConsoleError]) -> int:
    workplace.screen.print("After the repair:")
    workplace.screen.print(comparison_screen(after, offers_repair=not refused))
    for error in refused:
        workplace.screen.print(f"Not archived: {error}", markup=False)
    if refused and after.differences:
        count = after.ways[Way.DELETE] + after.ways[Way.RECONCILE]
        workplace.screen.print(f"By a repair: {CONFIRM}={count} case-sync repair", markup=False)
        return DELETIONS_TO_CONFIRM
    return after.exit_code
