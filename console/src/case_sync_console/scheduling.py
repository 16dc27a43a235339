"""Shell: gives the sync to what runs things by themselves: the user's crontab, or systemd's user units; shows, installs, removes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from case_sync_console.definition import ACTIVE, setting
from case_sync_console.errors import CommandLineError, ConfigurationError, ConsoleError
from case_sync_console.file_edits import schedule_splices
from case_sync_console.intervals import Interval, interval_of_cron, plain_cron, read_interval
from case_sync_console.meltano import TAP, program
from case_sync_console.private_files import OWNER_ONLY, write_privately
from case_sync_console.schedule_entry import interval_text
from case_sync_console.schedule_text import (
    Job,
    cron_line,
    crontab_with,
    is_in_crontab,
    service_text,
    timer_text,
)
from case_sync_console.workplace import Workplace

CRON, SYSTEMD = "cron", "systemd"
DEFAULT = Interval(minutes=15)
LINGER = "It runs while you are logged in; to let it run always: loginctl enable-linger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When: cron's five fields, and systemd's calendar, where the cron expression has one."""

    cron: str
    interval: Interval | None


def job_of(workplace: Workplace) -> Job:
    """What the schedule is to run."""
    project = str(workplace.definition().document.get("project_id") or workplace.folder.name)
    environment = workplace.environment
    return Job(
        name="".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in f"{project}-{environment}"),
        command=[
            str(_own_program()),
            "--project",
            str(workplace.folder),
            "--environment",
            environment,
            "run",
        ],
        folder=str(workplace.folder),
        variables={"CASE_SYNC_MELTANO": str(program(workplace.folder).absolute())},
        log=str(workplace.folder / ".meltano" / f"case-sync-{environment}.log"),
    )


def _own_program() -> Path:
    """case-sync as a schedule finds it: by its absolute path."""
    beside = Path(sys.executable).parent / "case-sync"
    return beside if beside.is_file() else Path(shutil.which("case-sync") or sys.argv[0]).absolute()


def times_of(workplace: Workplace, every: str | None) -> Times:
    """As asked, or as meltano.yml says, or every 15 minutes.

    Raises:
        CommandLineError: what was asked is no interval.
    """
    if every is not None:
        interval = read_interval(every)
        return Times(cron=interval.cron, interval=interval)
    written = interval_text(workplace.definition().document)
    cron = plain_cron(written) if written else None
    if cron is None:
        return Times(cron=DEFAULT.cron, interval=DEFAULT)
    return Times(cron=cron, interval=interval_of_cron(cron))


# -- show


def show(workplace: Workplace, every: str | None) -> None:
    """All forms, to copy; nothing is changed."""
    times, job = times_of(workplace, every), job_of(workplace)
    where = installed(workplace)
    say = workplace.screen
    say.print(
        f"Installed on this machine: {where}" if where else "Not installed on this machine.", markup=False
    )
    say.print("\nA line for `crontab -e`:", markup=False)
    say.print(cron_line(job, times.cron), markup=False, soft_wrap=True)
    say.print(f"\nOr units for systemd, in {_units()}:", markup=False)
    if times.interval is None:
        say.print(
            f"(meltano.yml says '{times.cron}', which has no plain form for systemd: give --every)",
            markup=False,
        )
    else:
        for name, text in _unit_files(job, times.interval).items():
            say.print(f"--- {name}\n{text}", markup=False, soft_wrap=True)
    say.print("Or Airflow, and others that read Meltano's own schedule: see `schedules` in meltano.yml.")
    say.print("\nTo have it done: case-sync schedule install", markup=False)


# -- install


def install(workplace: Workplace, kind: str | None, every: str | None) -> None:
    """Let cron or systemd run the sync. Doing it again only changes what is different.

    Raises:
        ConfigurationError: neither is there.
    """
    times, job = times_of(workplace, every), job_of(workplace)
    chosen = kind or _default_kind()
    if chosen not in (CRON, SYSTEMD):
        raise CommandLineError(f"--as can be {CRON} or {SYSTEMD}")
    (workplace.folder / ".meltano").mkdir(exist_ok=True)
    _INSTALL[chosen](workplace, job, times)
    if every is not None and (interval := times.interval):
        workplace.edit(lambda document: schedule_splices(document, interval))
    how_often = times.interval.words if times.interval else f"at '{times.cron}'"
    workplace.screen.print(f"Installed with {chosen}: the sync runs {how_often}.", markup=False)
    if setting(workplace.definition().document, workplace.environment, TAP, "sync_status") != ACTIVE:
        workplace.screen.print(
            "The sync is not switched on yet. Begin with what changes from now on: case-sync activate"
        )


def _default_kind() -> str:
    if shutil.which("crontab"):
        return CRON
    if shutil.which("systemctl"):
        return SYSTEMD
    raise ConfigurationError(
        "this machine has neither crontab nor systemctl: let what starts your jobs call the line that `case-sync schedule show` prints"
    )


def _install_cron(workplace: Workplace, job: Job, times: Times) -> None:
    del workplace
    Path(job.log).touch(mode=OWNER_ONLY)  # the shell that cron starts only appends to it
    _write_crontab(crontab_with(_crontab(), job, cron_line(job, times.cron)))


def _install_systemd(workplace: Workplace, job: Job, times: Times) -> None:
    if times.interval is None:
        raise CommandLineError(
            f"meltano.yml says '{times.cron}', which has no plain form for systemd: give --every"
        )
    folder = _units()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _unit_files(job, times.interval).items():
            write_privately(folder / name, text)
    except OSError as error:
        raise ConfigurationError(f"{folder} can't be written: {error.strerror}") from None
    commands = (["daemon-reload"], ["enable", "--now", f"{job.name}.timer"])
    if not all(_systemctl(*one) for one in commands):
        typed = "\n".join(f"  systemctl --user {' '.join(one)}" for one in commands)
        workplace.screen.print(
            f"The units are written to {folder}. systemd could not be reached from here; type:\n{typed}",
            markup=False,
        )
    workplace.screen.print(LINGER)


_INSTALL = {CRON: _install_cron, SYSTEMD: _install_systemd}


# -- remove


def remove(workplace: Workplace) -> list[str]:
    """Take the sync out of cron and systemd; says what was taken out."""
    job, done = job_of(workplace), []
    if shutil.which("crontab") and is_in_crontab(text := _crontab(), job):
        _write_crontab(crontab_with(text, job, None))
        done.append("the lines in the crontab")
    units = [_units() / f"{job.name}.{ending}" for ending in ("timer", "service")]
    if any(unit.exists() for unit in units):
        _systemctl("disable", "--now", f"{job.name}.timer")
        for unit in units:
            unit.unlink(missing_ok=True)
        _systemctl("daemon-reload")
        done.append("systemd's units")
    return done


def installed(workplace: Workplace) -> str | None:
    """What runs the sync on this machine, for this user."""
    job = job_of(workplace)
    if (_units() / f"{job.name}.timer").exists():
        return SYSTEMD
    try:
        found = bool(shutil.which("crontab")) and is_in_crontab(_crontab(), job)
    except ConsoleError:
        return None
    return CRON if found else None


# -- the two programs


def _crontab() -> str:
    """The user's crontab; "" where there is none yet."""
    done = _program("crontab", "-l")
    if done.returncode and "no crontab" not in done.stderr.lower():
        raise ConfigurationError(f"crontab -l failed: {done.stderr.strip() or 'it said nothing'}")
    return "" if done.returncode else done.stdout


def _write_crontab(text: str) -> None:
    done = _program("crontab", "-", given=text)
    if done.returncode:
        raise ConfigurationError(f"crontab refused the lines: {done.stderr.strip() or 'it said nothing'}")


def _program(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigurationError(
            f"this machine has no {words[0]}: install it, or choose --as {SYSTEMD if words[0] == 'crontab' else CRON}"
        ) from None


def _systemctl(*words: str) -> bool:
    return bool(shutil.which("systemctl")) and _program("systemctl", "--user", *words).returncode == 0


def _units() -> Path:
    """systemd.unit(5), "Unit File Load Path", of user units."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _unit_files(job: Job, interval: Interval) -> dict[str, str]:
    return {
        f"{job.name}.service": service_text(job),
        f"{job.name}.timer": timer_text(job, interval.calendar),
    }
