"""Shell: asks the ledger, meltano.yml and Meltano's states how the sync stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from case_sync_console.case_filter import SUFFIX
from case_sync_console.definition import PAUSED, SAVED, has_rules, sync_status
from case_sync_console.errors import ConsoleError
from case_sync_console.interrupted_imports import commands
from case_sync_console.looking import together
from case_sync_console.meltano import TARGET
from case_sync_console.schedule_entry import interval_text, next_run
from case_sync_console.scheduling import installed
from case_sync_console.status_screen import NOT_SET_UP, WORDS_OF_SYNC, as_json, screen
from case_sync_console.sync_status import (
    Interrupted,
    Status,
    bookmark_of,
    hubspot_budget,
    last_continuous,
    on_record,
    read_until,
    run_shown,
    salesforce_budget,
    told_apart,
)
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace


def status(workplace: Workplace) -> Status:
    """How the sync stands; asks neither Salesforce nor writes anything.

    Raises:
        ConsoleError: the ledger, or HubSpot, which says whose ledger it is, can't be reached.
    """
    document = workplace.definition().document
    with waiting(workplace.screen, "Looking ..."):
        lines, states = together(
            lambda: workplace.meltano.invoke_lines(
                TARGET, "--config=ENV", "--runs", "--rejected=list", "--pending=list", "--deletes=list"
            ),
            workplace.meltano.state_ids,
        )
    lists, is_set_up = told_apart(lines), has_rules(document)
    has_state = workplace.meltano.state_id() in states
    last = last_continuous(lists.runs)
    interval = interval_text(document)
    now = datetime.now(UTC)
    return Status(
        environment=workplace.environment,
        sync=_sync(document, sync_status(document, workplace.environment), has_state, last),
        now=now,
        runs=tuple(map(run_shown, lists.runs)),
        read_until=read_until(lists.runs)
        if is_set_up
        else None,  # what was removed has no place to go on from
        bookmark=bookmark_of(last["state"]) if last and is_set_up else None,
        next_run=next_run(interval, now.astimezone()),
        interval=interval,
        installed=installed(workplace),
        salesforce=salesforce_budget(lists.runs),
        hubspot=hubspot_budget(lists.runs),
        on_record=on_record(lists),
        deletions=lists.deletions,
        interrupted=_interrupted(workplace, states),
    )


def _sync(document: Mapping[str, Any], status_in_file: str, has_state: object, last_run: object) -> str:
    """A file that says nothing is a sync that is on if it has a place to go on from."""
    if not has_rules(document):
        return NOT_SET_UP
    if status_in_file in (PAUSED, SAVED) or has_state or last_run:
        return status_in_file
    return "new"


def _without_the_ledger(workplace: Workplace) -> str:
    document = workplace.definition().document
    chosen = sync_status(document, workplace.environment)
    where = _sync(document, chosen, workplace.meltano.state_id() in workplace.meltano.state_ids(), None)
    return f"Sync  {WORDS_OF_SYNC[where]} (environment {workplace.environment}). What it did can't be told: HubSpot, which says whose ledger is to be read, was not reached."


def _interrupted(workplace: Workplace, states: list[str]) -> tuple[Interrupted, ...]:
    known = commands(workplace)
    suffixes = [one.rsplit(":", maxsplit=1)[-1] for one in states]
    return tuple(
        Interrupted(suffix=suffix, command=known.get(suffix))
        for suffix in suffixes
        if suffix.startswith(SUFFIX)
    )


def show(workplace: Workplace, *, for_programs: bool) -> None:
    """Print it; where the ledger can't be reached, whether the sync is on.

    Raises:
        ConsoleError: the ledger can't be reached.
    """
    try:
        found = status(workplace)
    except ConsoleError:
        if not for_programs:
            workplace.screen.print(_without_the_ledger(workplace))
        raise
    if for_programs:
        print(json.dumps(as_json(found), indent=2, ensure_ascii=False))  # noqa: T201 - what was asked for
    else:
        workplace.screen.print(screen(found))
