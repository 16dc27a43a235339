"""Shell: removes the sync: what it was set to do, its schedule, its states, on request its ledger. Tickets stay."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from case_sync_console.activating import write_status
from case_sync_console.definition import SAVED, rules_place, setting
from case_sync_console.errors import CommandLineError, ConsoleError
from case_sync_console.file_edits import TAP, removal_splices
from case_sync_console.meltano import STATE_ID, TARGET
from case_sync_console.schedule_entry import entry
from case_sync_console.scheduling import installed
from case_sync_console.scheduling import remove as unschedule
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to remove.

    Attributes:
        states: ids of this environment's states.
        others: other environments that use the same rules and schedule entry: while there are some, both stay.
    """

    states: tuple[str, ...]
    others: tuple[str, ...]
    installed: str | None


def remove(workplace: Workplace, *, yes: bool, empty_ledger: bool) -> None:
    """Ask, then remove.

    Raises:
        CommandLineError: nobody is there to be asked, and --yes was not given.
    """
    with waiting(workplace.screen, "Looking ..."):
        found = _look(workplace)
    workplace.screen.print(_announcement(workplace, found, empty_ledger=empty_ledger), markup=False)
    _ask(yes=yes)
    for line in _carry_out(workplace, found, empty_ledger=empty_ledger):
        workplace.screen.print(line, markup=False)


def _look(workplace: Workplace) -> Found:
    document = workplace.definition().document
    states = workplace.meltano.all_state_ids()
    own = [one for one in states if _environment_of(one) == workplace.environment]
    others = {one for one in map(_environment_of, states) if one and one != workplace.environment}
    return Found(
        states=tuple(own),
        others=tuple(sorted(others | _switched(document, workplace.environment))),
        installed=installed(workplace),
    )


def _environment_of(state_id: str) -> str | None:
    environment, _, rest = state_id.partition(":")
    return environment if rest.partition(":")[0] == STATE_ID else None


def _switched(document: Mapping[str, Any], environment: str) -> set[str]:
    """Other environments in which the sync has been switched on, paused or saved."""
    names = [str(one.get("name")) for one in document.get("environments") or ()]
    return {n for n in names if n != environment and setting(document, n, TAP, "sync_status")}


def _announcement(workplace: Workplace, found: Found, *, empty_ledger: bool) -> str:
    what = [f"the sync's settings of the environment {workplace.environment} in meltano.yml"]
    what += [
        ""
        if found.others
        else "the rules (fields, pipelines, associations, deletions) and the schedule entry in meltano.yml"
    ]
    what += [f"what {found.installed} runs on this machine" if found.installed else ""]
    what += [
        f"{len(found.states)} bookmark(s): of the sync, and of interrupted imports" if found.states else ""
    ]
    what += [
        "all that the ledger holds: rejected records, waiting associations, run history"
        if empty_ledger
        else ""
    ]
    stays = ["all tickets", "the logins: .env, and what meltano.yml says of both connections"]
    stays += (
        [f"rules and schedule entry, which {', '.join(found.others)} uses as well"] if found.others else []
    )
    stays += [] if empty_ledger else ["the ledger (--empty-ledger empties it)"]
    return f"This removes:\n{_listed(what)}\nThese stay:\n{_listed(stays)}"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"  - {line}" for line in lines if line)


def _ask(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandLineError("nobody is here to be asked: give --yes")
    if not typer.confirm("Remove it?"):
        raise typer.Abort


def _carry_out(workplace: Workplace, found: Found, *, empty_ledger: bool) -> list[str]:
    """The switch first: from then on nothing runs."""
    write_status(workplace, SAVED)
    done = [*unschedule(workplace), *_file(workplace, found)]
    with waiting(workplace.screen, "Removing ..."):
        for state in found.states:
            workplace.meltano.clear_state(
                state.removeprefix(f"{workplace.environment}:{STATE_ID}").lstrip(":")
            )
        done += [f"{len(found.states)} bookmark(s)"] if found.states else []
        done += [_emptied(workplace)] if empty_ledger else []
    (workplace.folder / ".meltano" / f"case-sync-{workplace.environment}.json").unlink(missing_ok=True)
    (workplace.folder / ".meltano" / f"case-sync-imports-{workplace.environment}.json").unlink(
        missing_ok=True
    )
    return [
        f"Removed: {'; '.join(done)}.",
        "meltano.yml says sync_status: saved for this environment, so that a forgotten `meltano run` reads nothing.",
        "To set it up again: case-sync setup",
    ]


def _file(workplace: Workplace, found: Found) -> list[str]:
    document = workplace.definition().document
    is_elsewhere = rules_place(document).file
    had_entry = entry(document) is not None
    workplace.edit(
        lambda document: removal_splices(document, workplace.environment, with_shared=not found.others)
    )
    done = [f"settings of {workplace.environment}"]
    if not found.others:
        done += [f"not the rules: they are a file of their own, {is_elsewhere}" if is_elsewhere else "rules"]
        done += ["schedule entry"] if had_entry else []
    return done


def _emptied(workplace: Workplace) -> str:
    """A ledger that can't be reached is said, and ends nothing: the admin may have revoked the token already."""
    try:
        workplace.meltano.invoke(TARGET, "--config=ENV", "--empty-ledger")
    except ConsoleError as error:
        return f"not the ledger ({error}): delete its file or table"
    return "what the ledger held"
