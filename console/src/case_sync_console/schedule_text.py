"""Core: what runs the sync by itself, as the texts that cron and systemd read, and where they stand among others' lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from case_sync_console.errors import ANOTHER_RUN, PARTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be run.

    Attributes:
        name: of this project and environment, such as case-ticket-sync-prod: names units and marks lines of a crontab.
        command: absolute program and its arguments.
        folder: absolute, of the project.
        variables: what the program needs in its environment.
        log: absolute path of the file that cron's output goes to.
    """

    name: str
    command: Sequence[str]
    folder: str
    variables: Mapping[str, str]
    log: str


# -- cron


def cron_line(job: Job, cron: str) -> str:
    """One line for a crontab; crontab(5): a percent sign would end the command."""
    assigned = [f"{name}={shlex.quote(value)}" for name, value in job.variables.items()]
    words = [*assigned, *map(shlex.quote, job.command), ">>", shlex.quote(job.log), "2>&1"]
    return f"{cron} {' '.join(words)}".replace("%", r"\%")


def _marks(job: Job) -> tuple[str, str]:
    return f"# {job.name}: begin (case-sync schedule)", f"# {job.name}: end"


def crontab_with(text: str, job: Job, line: str | None) -> str:
    """A crontab with our lines as asked; None takes them out. Others' lines stay as they are."""
    begin, end = _marks(job)
    block = re.compile(rf"^{re.escape(begin)}\n.*?^{re.escape(end)}\n?", re.MULTILINE | re.DOTALL)
    ours = f"{begin}\n{line}\n{end}\n" if line else ""
    if block.search(text):
        return block.sub(lambda _found: ours, text, count=1)
    separator = "" if not text or text.endswith("\n") or not ours else "\n"
    return f"{text}{separator}{ours}"


def is_in_crontab(text: str, job: Job) -> bool:
    return _marks(job)[0] in text.splitlines()


# -- systemd


def service_text(job: Job) -> str:
    """A unit that syncs once. Rejected records, and a run that another one waits for, are no failure of the unit."""
    variables = [f"Environment={_unit_word(f'{name}={value}')}" for name, value in job.variables.items()]
    lines = [
        "[Unit]",
        f"Description=Salesforce cases to HubSpot tickets ({job.name})",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={job.folder.replace('%', '%%')}",
        *variables,
        f"ExecStart={' '.join(map(_unit_word, job.command))}",
        f"SuccessExitStatus={PARTIAL} {ANOTHER_RUN}",
    ]
    return "\n".join(lines) + "\n"


def timer_text(job: Job, calendar: str) -> str:
    """A timer that starts the unit; a time that was slept through is made up for."""
    lines = [
        "[Unit]",
        f"Description=When {job.name} runs",
        "",
        "[Timer]",
        f"OnCalendar={calendar}",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def _unit_word(word: str) -> str:
    """systemd.service(5), "Command lines": quotes, backslashes, % and $ are signs of its own."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;$]", word) else escaped
