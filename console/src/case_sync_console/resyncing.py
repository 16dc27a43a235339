"""Shell: reads cases again and writes their tickets: one case, or some properties of all. The sync's own place is not moved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from case_sync_console import case_lists
from case_sync_console.case_filter import Wanted, both, of_case, scope
from case_sync_console.counts_words import count, counted, result_line
from case_sync_console.errors import OK, PARTIAL, CommandLineError
from case_sync_console.events import RunEnd
from case_sync_console.fields_chosen import names_in, properties_meant
from case_sync_console.import_progress import told
from case_sync_console.looking import shown_rules
from case_sync_console.meltano import Meltano
from case_sync_console.run_ends import failure_of
from case_sync_console.scoping import scope_settings
from case_sync_console.target_progress import progress_file
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

VARIABLES = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_RECONCILE": "false",
    "TAP_SALESFORCE_CASES_RECONCILE_DAYS": "0",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "false",
    "TAP_SALESFORCE_CASES_SOFT_DELETES": "false",  # the whole recycle bin would come, too
    "TARGET_HUBSPOT_TICKETS_WRITE_MODE": "all",
    "TARGET_HUBSPOT_TICKETS_RUN_NAME": "resync",
}
OPTIONS = ("--full-refresh", "--no-state-update", "--state-id-suffix", "resync")


def resync(workplace: Workplace, cases: Sequence[str], fields: str | None) -> int:
    """Read cases again; returns the exit code.

    Args:
        workplace: the project.
        cases: Ids or numbers; none is all cases, which needs `fields`.
        fields: ticket properties or Case fields with commas: only these are written. None is everything.

    Raises:
        CommandLineError: neither is given, or a name is unknown.
    """
    if not cases and fields is None:
        raise CommandLineError(
            "say what to sync again: --case ID for one case, --fields a,b for some properties of all tickets, "
            "or use case-sync import for all cases whole"
        )
    conditions = [of_case(one) for one in cases]
    names = names_in(fields) if fields is not None else []
    rules: Mapping[str, Any] = {}
    if names:
        with waiting(workplace.screen, "Looking at the rules ..."):
            rules = shown_rules(workplace.meltano, workplace.rules_file().path)
    properties = properties_meant(names, rules) if names else {}
    where = both(scope(scope_settings(workplace), Wanted()), " OR ".join(conditions))
    _say_beginning(workplace, cases, properties)
    return _run(workplace, _variables(where, list(properties)), cases)


def _say_beginning(workplace: Workplace, cases: Sequence[str], properties: Mapping[str, list[str]]) -> None:
    what = f"case {', '.join(cases)}" if cases else "all cases"
    if properties:
        what += f"; only these properties of tickets that exist: {', '.join(properties)}"
    workplace.screen.print(f"Syncing again: {what}.", markup=False)


def _variables(where: str, properties: list[str]) -> dict[str, str]:
    chosen = {**VARIABLES, **({"TAP_SALESFORCE_CASES_WHERE": where} if where else {})}
    if not properties:
        return chosen
    return chosen | {
        "TARGET_HUBSPOT_TICKETS_ONLY_PROPERTIES": json.dumps(properties),
        "TARGET_HUBSPOT_TICKETS_ON_DELETE": "ignore",  # some properties were asked for, and nothing else
    }


def _run(workplace: Workplace, variables: Mapping[str, str], cases: Sequence[str]) -> int:
    end, counts = read_again(workplace, workplace.meltano.given(variables), shows_progress=not cases)
    if problem := failure_of(end):
        raise problem
    if cases and not count(counts, "records"):
        raise CommandLineError(
            f"--case: Salesforce has no case {', '.join(cases)} in the sync's scope, the Salesforce user may not see it, or a rule "
            "leaves it out; case-sync plan --case tells which"
        )
    workplace.screen.print(result_line(counts, end.seconds), markup=False)
    if len(cases) > count(counts, "records"):
        workplace.screen.print(f"Of {counted(len(cases), 'case')}, {count(counts, 'records')} were found.")
    if rejected := count(counts, "rejected"):
        workplace.screen.print(f"Why {rejected:,} were rejected, and what to do: case-sync errors")
        return PARTIAL
    return OK


def read_again(
    workplace: Workplace, meltano: Meltano, *, shows_progress: bool
) -> tuple[RunEnd, dict[str, Any]]:
    """A run without a state; how it ended, and its counts."""
    with progress_file() as file:
        given = meltano.given(file.variables)
        if shows_progress:
            with case_lists.counted(meltano) as total, told(workplace.screen, file.counts, total):
                end = given.run(*OPTIONS)
        else:
            with waiting(workplace.screen, "Syncing ..."):
                end = given.run(*OPTIONS)
        return end, file.counts()


def read_cases_again(workplace: Workplace, condition: str) -> None:
    """Read the cases of a condition again, whole.

    Raises:
        ConsoleError: the run did not go through.
    """
    where = both(scope(scope_settings(workplace), Wanted()), condition)
    end, _counts = read_again(workplace, workplace.meltano.given(_variables(where, [])), shows_progress=False)
    if problem := failure_of(end):
        raise problem
