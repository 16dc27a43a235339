"""How often the sync runs, and what runs it: intervals, crontab lines, systemd units, Meltano's own schedule."""

import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_console.errors import CommandLineError
from case_sync_console.intervals import EVEN, Interval, interval_of_cron, plain_cron, read_interval
from case_sync_console.schedule_entry import next_run
from case_sync_console.schedule_text import (
    Job,
    cron_line,
    crontab_with,
    is_in_crontab,
    service_text,
    timer_text,
)

from .conftest import Project

JOB = Job(
    name="case-ticket-sync-prod",
    command=["/opt/my sync/case-sync", "--project", "/opt/my sync", "--environment", "prod", "run"],
    folder="/opt/my sync",
    variables={"CASE_SYNC_MELTANO": "/opt/100%/meltano"},
    log="/opt/my sync/.meltano/case-sync-prod.log",
)
# A crontab of a file: what the real program does, for who has no right to it.
CRONTAB = """#!/bin/sh
if [ "$1" = "-l" ]; then cat "$CRONTAB_FILE" 2>/dev/null || { echo "no crontab for me" >&2; exit 1; }; fi
if [ "$1" = "-" ]; then cat > "$CRONTAB_FILE"; fi
"""
SYSTEMCTL = '#!/bin/sh\necho "$@" >> "$SYSTEMCTL_FILE"\nexit ${SYSTEMCTL_EXIT:-0}\n'


# -- intervals


@pytest.mark.parametrize(
    ("text", "cron", "calendar", "words"),
    [
        ("1m", "* * * * *", "*:0/1", "every minute"),
        ("15m", "*/15 * * * *", "*:0/15", "every 15 minutes"),
        (" 5 min ", "*/5 * * * *", "*:0/5", "every 5 minutes"),
        ("60m", "0 * * * *", "0/1:00", "every hour"),
        ("1h", "0 * * * *", "0/1:00", "every hour"),
        ("2H", "0 */2 * * *", "0/2:00", "every 2 hours"),
        ("24h", "0 0 * * *", "*-*-* 00:00", "every day"),
        ("1d", "0 0 * * *", "*-*-* 00:00", "every day"),
    ],
)
def test_N01_an_interval_in_three_languages(text: str, cron: str, calendar: str, words: str) -> None:
    found = read_interval(text)
    assert (found.cron, found.calendar, found.words) == (cron, calendar, words)


@pytest.mark.parametrize(
    "text", ["", "15", "m", "0m", "-5m", "1w", "7m", "90m", "5h", "2d", "15m; rm", "1e3m"]
)
def test_an_interval_that_cron_can_t_keep_is_refused(text: str) -> None:
    with pytest.raises(CommandLineError, match="--every"):
        read_interval(text)


def test_a_refused_interval_names_its_neighbours() -> None:
    with pytest.raises(CommandLineError, match=r"near it are 6m and 10m|near it are 5m and 6m|6m"):
        read_interval("7m")


@given(st.sampled_from(EVEN), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - made aware below
def test_runs_come_at_even_distances(minutes: int, start: datetime) -> None:
    """The distance between two runs is what was asked for, at any time of any day."""
    cron = Interval(minutes=minutes).cron
    first = next_run(cron, start.replace(tzinfo=UTC))
    assert first is not None
    second = next_run(cron, first)
    assert second is not None
    assert second - first == timedelta(minutes=minutes)


@given(st.sampled_from(EVEN))
def test_a_cron_expression_leads_back_to_its_interval(minutes: int) -> None:
    assert interval_of_cron(Interval(minutes=minutes).cron) == Interval(minutes=minutes)


@given(st.text(max_size=12))
def test_any_text_is_an_interval_or_refused(text: str) -> None:
    with suppress(CommandLineError):
        assert read_interval(text).minutes in EVEN


def test_meltano_s_names_are_understood() -> None:
    assert (plain_cron("@daily"), plain_cron("@manual")) == ("0 0 * * *", None)
    assert next_run("@none", datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert next_run("not cron", datetime(2026, 1, 1, tzinfo=UTC)) is None


# -- crontab and units


def test_a_crontab_line_quotes_paths_and_percent_signs() -> None:
    line = cron_line(JOB, "*/15 * * * *")
    assert line.startswith(r"*/15 * * * * CASE_SYNC_MELTANO=/opt/100\%/meltano '/opt/my sync/case-sync' ")
    assert line.endswith(">> '/opt/my sync/.meltano/case-sync-prod.log' 2>&1")


@given(st.lists(st.sampled_from(["0 5 * * * /bin/backup", "# a comment", "", "MAILTO=me"]), max_size=6))
def test_a_crontab_keeps_the_lines_of_others(lines: list[str]) -> None:
    """In and out again is the same file; in twice is in once; only the last line may gain its end."""
    text = "".join(f"{line}\n" for line in lines)
    once = crontab_with(text, JOB, cron_line(JOB, "* * * * *"))
    assert crontab_with(once, JOB, cron_line(JOB, "* * * * *")) == once
    assert is_in_crontab(once, JOB)
    assert crontab_with(once, JOB, None) == text
    again = crontab_with(once, JOB, cron_line(JOB, "0 * * * *"))
    assert again.count("case-sync schedule") == 1
    assert crontab_with(again, JOB, None) == text


def test_a_unit_quotes_its_words() -> None:
    text = service_text(JOB)
    assert 'ExecStart="/opt/my sync/case-sync" --project "/opt/my sync" --environment prod run' in text
    assert "Environment=CASE_SYNC_MELTANO=/opt/100%%/meltano" in text
    assert "SuccessExitStatus=7 9" in text
    assert "OnCalendar=*:0/15" in timer_text(JOB, "*:0/15")


# -- the commands


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """A crontab program and systemctl that write files, first on the PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in (("crontab", CRONTAB), ("systemctl", SYSTEMCTL)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "CRONTAB_FILE": str(tmp_path / "crontab.txt"),
        "SYSTEMCTL_FILE": str(tmp_path / "systemctl.txt"),
    }


def test_S22_the_schedule_is_installed_with_cron_shown_and_removed(
    project: Project, programs: dict[str, str]
) -> None:
    """Installing again changes only the interval; Meltano's own schedule keeps in step; others' lines stay."""
    crontab = Path(programs["CRONTAB_FILE"])
    crontab.write_text("0 5 * * * /bin/backup\n", encoding="utf-8")
    first = project.console("schedule", "install", **programs)
    assert first.exit_code == 0, first.output
    assert crontab.read_text().count(f"--project {project.folder} --environment sandbox run") == 1
    assert "*/15 * * * * CASE_SYNC_MELTANO=" in crontab.read_text()

    before = project.text()
    again = project.console("schedule", "install", "--every", "5m", **programs)
    assert again.exit_code == 0, again.output
    lines = crontab.read_text().splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("*/5 * * * * ")
    assert project.text() == before.replace("'*/15 * * * *'", "'*/5 * * * *'").replace(
        "case-sync-every-15-minutes", "case-sync-every-5-minutes"
    )
    assert "Installed on this machine: cron" in project.console("schedule", "show", **programs).stdout

    removed = project.console("schedule", "remove", **programs)
    assert (removed.exit_code, removed.stdout) == (0, "Removed: the lines in the crontab.\n")
    assert crontab.read_text() == "0 5 * * * /bin/backup\n"


def test_the_schedule_is_installed_with_systemd(project: Project, programs: dict[str, str]) -> None:
    ended = project.console("schedule", "install", "--as", "systemd", "--every", "1h", **programs)
    assert ended.exit_code == 0, ended.output
    units = project.folder / ".config/systemd/user"
    assert "OnCalendar=0/1:00" in (units / "case-ticket-sync-sandbox.timer").read_text()
    assert f"--project {project.folder}" in (units / "case-ticket-sync-sandbox.service").read_text()
    called = Path(programs["SYSTEMCTL_FILE"]).read_text().splitlines()
    assert called == ["--user daemon-reload", "--user enable --now case-ticket-sync-sandbox.timer"]

    removed = project.console("schedule", "remove", **programs)
    assert "systemd's units" in removed.stdout
    assert list(units.iterdir()) == []


def test_where_systemd_can_t_be_reached_the_commands_are_told(
    project: Project, programs: dict[str, str]
) -> None:
    ended = project.console("schedule", "install", "--as", "systemd", **programs, SYSTEMCTL_EXIT="1")
    assert ended.exit_code == 0, ended.output
    assert "systemctl --user enable --now case-ticket-sync-sandbox.timer" in ended.stdout


def test_a_machine_without_either_is_told_what_to_do(project: Project, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir(mode=stat.S_IRWXU)
    ended = project.console("schedule", "install", PATH=str(empty))
    assert ended.exit_code == 3, ended.output
    assert "case-sync schedule show" in ended.stderr


def test_a_wrong_interval_changes_nothing(project: Project, programs: dict[str, str]) -> None:
    before = project.text()
    ended = project.console("schedule", "install", "--every", "7m", **programs)
    assert ended.exit_code == 2, ended.output
    assert project.text() == before
    assert not Path(programs["CRONTAB_FILE"]).exists()
