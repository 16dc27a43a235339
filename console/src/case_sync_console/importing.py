"""Shell: an import: all cases, or some, with a state of its own; it goes on where it was cut off, and adds up at its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from case_sync_console import case_lists
from case_sync_console.activating import needs_rules
from case_sync_console.case_filter import Wanted, both, command_line, scope, suffix
from case_sync_console.counts_words import count, result_line
from case_sync_console.errors import CONFIGURATION, OK, PARTIAL, ConsoleError, PluginError
from case_sync_console.events import Event, RunEnd
from case_sync_console.import_balance import SHOWN, Balance, balance, left_out_of_plan, unexplained
from case_sync_console.import_progress import told
from case_sync_console.import_screen import balance_screen
from case_sync_console.interrupted_imports import forget, remember
from case_sync_console.meltano import TARGET, Meltano, side_by_side
from case_sync_console.private_files import write_privately
from case_sync_console.run_ends import failure_of
from case_sync_console.sampling import Asked, sampled
from case_sync_console.scoping import scope_settings
from case_sync_console.target_progress import progress_file
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

# Nothing of an import speaks of cases that it does not read: no reconciliation, no recycle bin, no delete log (a gap in it asks
# for a reconciliation). What is deleted is the continuous sync's.
VARIABLES = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_RECONCILE": "false",
    "TAP_SALESFORCE_CASES_RECONCILE_DAYS": "0",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "false",
    "TAP_SALESFORCE_CASES_SOFT_DELETES": "false",
    "TARGET_HUBSPOT_TICKETS_RUN_NAME": "import",
}
SETTING, OPTION = "check the setting `where`", "check --where"  # the tap's words, and ours
SKIPPED = re.compile(r"^cases mapped: .*?(\d+) skipped by the rules")
CLOCKS_DIFFER = timedelta(minutes=2)
LOOKED_AT_ONE_BY_ONE = 200  # cases without a ticket whose reason is looked for with a dry run of just them


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: what it reads, where its state is."""

    workplace: Workplace
    asked: Wanted
    where: str
    suffix: str

    @property
    def meltano(self) -> Meltano:
        """Meltano with this import's settings."""
        chosen = {"TAP_SALESFORCE_CASES_WHERE": self.where} if self.where else {}
        return self.workplace.meltano.given({**VARIABLES, **chosen})


def run_import(workplace: Workplace, asked: Wanted, *, restart: bool) -> int:
    """Bring cases in; returns the exit code: 0 when none is missing, 7 when some were rejected.

    Raises:
        ConsoleError: it was cut off; what came stays, and the same command goes on there.
    """
    needs_rules(workplace)
    started = datetime.now(UTC)
    with waiting(workplace.screen, "Looking ..."):
        states = workplace.meltano.state_ids()
    config = scope_settings(workplace)
    where = scope(config, asked)
    this = Import(workplace=workplace, asked=asked, where=where, suffix=suffix(config, where))
    goes_on = workplace.meltano.state_id(this.suffix) in states and not restart
    workplace.screen.print(_beginning(this, goes_on=goes_on), markup=False)
    if asked.where:
        _try_condition(this)
    remember(workplace, this.suffix, command_line(asked))
    skipped = _Skipped()
    counts = _read(this, ["--full-refresh"] if restart else [], skipped, goes_on=goes_on)
    with waiting(workplace.screen, "Comparing both systems ..."):
        found, _none = side_by_side(
            lambda: _compared(this, started, None if goes_on else skipped.count),
            lambda: _end_of_interruptions(this),
        )
    _tell(this, found, count(counts, "rejected"))
    return found.exit_code or (PARTIAL if count(counts, "rejected") else OK)


def _try_condition(this: Import) -> None:
    """Before a run looks at HubSpot, which may have properties to be made.

    Raises:
        PluginError: Salesforce refuses the condition.
    """
    try:
        with waiting(this.workplace.screen, "Looking ..."):
            case_lists.count_cases(this.meltano)
    except PluginError as error:
        raise PluginError(error.plugin, error.exit_code, error.message.replace(SETTING, OPTION)) from None


def _beginning(this: Import, *, goes_on: bool) -> str:
    words = f"Import of {this.asked.words()}"
    if this.where != both(*this.asked.conditions()):
        words += f", in the sync's scope: {this.where}"
    if goes_on:
        words += (
            ". One of the same cases was interrupted: it goes on where it stopped (--restart begins anew)"
        )
    return f"{words}."


class _Skipped:
    """Hears how many cases the mapper's rules skipped; None until it said so."""

    count: int | None = None

    def hear(self, event: Event) -> None:
        if found := SKIPPED.search(event.text):
            self.count = int(found[1])


# -- the run


def _read(this: Import, options: list[str], skipped: _Skipped, *, goes_on: bool) -> Mapping[str, Any]:
    """The run itself, with its progress on the screen; returns its counts."""
    screen = this.workplace.screen
    with progress_file() as file, case_lists.counted(this.meltano) as total:
        try:
            with told(screen, file.counts, total):
                end = this.meltano.given(file.variables).run(
                    "--state-id-suffix", this.suffix, *options, watch=skipped.hear
                )
        except (KeyboardInterrupt, SystemExit):
            screen.print(_how_to_go_on(), markup=False)
            raise
        counts = file.counts()
    _check(this, end, is_begun=goes_on or bool(count(counts, "records")))
    screen.print(result_line(counts, end.seconds), markup=False)
    return counts


def _end_of_interruptions(this: Import) -> None:
    """It went through: the same command would begin anew."""
    this.workplace.meltano.clear_state(this.suffix)
    forget(this.workplace, this.suffix)


def _check(this: Import, end: RunEnd, *, is_begun: bool) -> None:
    problem = failure_of(end)
    if problem is None:
        return
    if problem.exit_code == CONFIGURATION and not is_begun:  # there is nothing to go on with
        _end_of_interruptions(this)
    else:
        this.workplace.screen.print(_how_to_go_on(), markup=False)
    raise problem


def _how_to_go_on() -> str:
    return "The import did not come to its end. What came stays; the same command goes on where it stopped."


# -- how it adds up


def _compared(this: Import, started: datetime, skipped: int | None) -> Balance:
    compared = case_lists.compare(this.meltano, started - CLOCKS_DIFFER)
    rejected = _rejected(this.workplace) if compared.without_ticket else set()
    open_ids = unexplained(compared.without_ticket, rejected, ())
    return balance(
        cases=compared.cases,
        tickets=compared.tickets,
        without_ticket=compared.without_ticket,
        rejected=rejected,
        changed_since=compared.changed_since,
        left_out=_left_out(this, open_ids, skipped),
    )


def _rejected(workplace: Workplace) -> set[str]:
    rows = workplace.meltano.invoke_lines(TARGET, "--config=ENV", "--rejected=list")
    return {str(row["key"]) for row in rows}


def _left_out(this: Import, ids: list[str], skipped: int | None) -> set[str]:
    """Those that a rule leaves out: few are looked at one by one; of many, the mapper's own count has to agree."""
    if not ids:
        return set()
    if len(ids) <= LOOKED_AT_ONE_BY_ONE:
        return left_out_of_plan(ids, _dry_run(this.workplace, ids))
    return set(ids) if skipped == len(ids) else set()


def _dry_run(workplace: Workplace, ids: list[str]) -> tuple[Mapping[str, Any], ...]:
    found = sampled(workplace, Asked(cases=tuple(ids)))
    if found.failure:
        raise found.failure
    return found.lines


def _tell(this: Import, found: Balance, rejected: int) -> None:
    name = None
    if len(found.missing) > SHOWN:
        name = f"case-sync-missing-{this.suffix.removeprefix('import-')}.txt"
        _write(this.workplace.folder / name, found.missing)
    this.workplace.screen.print(balance_screen(found, name, rejected))


def _write(path: Path, ids: tuple[str, ...]) -> None:
    try:
        write_privately(path, "".join(f"{one}\n" for one in ids))
    except OSError as error:
        raise ConsoleError(f"{path.name} can't be written: {error.strerror}") from None
