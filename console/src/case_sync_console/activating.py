"""Shell: switches the sync on and off: activate, save for later, pause, resume."""

from __future__ import annotations

from case_sync_console.definition import ACTIVE, PAUSED, SAVED, has_rules, setting
from case_sync_console.errors import ConfigurationError
from case_sync_console.file_edits import put_setting
from case_sync_console.meltano import TAP
from case_sync_console.run_ends import failure_of
from case_sync_console.scheduling import installed
from case_sync_console.switching import FROM_NOW, Step, position, step
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

NOTHING_RUNS_IT = "Nothing on this machine runs it yet. Let cron do it: case-sync schedule install --every 15m. Once, now: case-sync run"
# A run that reads no case and leaves a bookmark at Salesforce's clock; the preflight of all three plugins happens.
START_NOW = {
    "TAP_SALESFORCE_CASES_START_NOW": "true",
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TARGET_HUBSPOT_TICKETS_RUN_NAME": "activate",
}


def activate(workplace: Workplace) -> None:
    """Switch the continuous sync on; existing cases do not come.

    Raises:
        PluginError: the preflight found problems; meltano.yml is as it was.
        ConfigurationError: it is paused: that is another command.
    """
    needs_rules(workplace)
    _carry_out(workplace, step("activate", _position(workplace)))


def needs_rules(workplace: Workplace) -> None:
    """Before a run that would end with the mapper's words about each part of the rules.

    Raises:
        ConfigurationError: there are none.
    """
    if not has_rules(workplace.definition().document):
        raise ConfigurationError("there are no rules yet, by which cases become tickets: case-sync setup")


def save_for_later(workplace: Workplace) -> None:
    """Keep the settings, and sync nothing; a sync that was on is paused, so that its place is kept."""
    _carry_out(workplace, step("save", _position(workplace)))


def pause(workplace: Workplace) -> None:
    """Switch the sync off; its place is kept."""
    _carry_out(workplace, step("pause", _position(workplace)))


def resume(workplace: Workplace, from_now: bool = False) -> None:  # noqa: FBT001, FBT002 - the one choice there is
    """Switch a paused sync on again: where it stopped, or from now on.

    Raises:
        ConfigurationError: it is not paused.
    """
    _carry_out(workplace, step("resume from now" if from_now else "resume", _position(workplace)))


def _position(workplace: Workplace) -> str:
    status = setting(workplace.definition().document, workplace.environment, TAP, "sync_status")
    if status in (PAUSED, SAVED):
        return str(status)
    with waiting(workplace.screen, "Looking where the sync stands ..."):
        return position(status, has_state=workplace.meltano.state() is not None)


def _carry_out(workplace: Workplace, what: Step) -> None:
    """The bookmark first, then the file: a start that fails leaves the file as it was."""
    starts_now = what.starts_from == FROM_NOW or (
        what.starts_from is not None and workplace.meltano.state() is None
    )
    if starts_now:
        start_from_now(workplace)
    if what.status:
        write_status(workplace, what.status)
    workplace.screen.print(what.words)
    if what.status == ACTIVE and installed(workplace) is None:
        workplace.screen.print(NOTHING_RUNS_IT)


def start_from_now(workplace: Workplace) -> None:
    """Put the bookmark at Salesforce's clock.

    Raises:
        ConsoleError: it did not go through; the message has the numbered problems.
    """
    with waiting(workplace.screen, "Looking at both systems, and starting from now ..."):
        end = workplace.meltano.given(START_NOW).run("--full-refresh")
    if problem := failure_of(end):
        raise problem


def write_status(workplace: Workplace, status: str) -> None:
    """Write sync_status into the environment in meltano.yml."""
    workplace.edit(
        lambda document: (put_setting(document, workplace.environment, TAP, "sync_status", status),)
    )
