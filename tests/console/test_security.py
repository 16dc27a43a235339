"""What the console starts, writes and lets into a query; numbers of reliability.md, section S (S10 and later are not the sync's)."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from case_sync_console.case_filter import CASE_ID, CASE_NUMBER, both, of_case, wanted
from case_sync_console.errors import CommandLineError, ConfigurationError
from case_sync_console.meltano import Meltano
from case_sync_console.private_files import write_privately
from case_sync_console.project_file import YamlFile
from case_sync_console.sampling import checked_cases
from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.soql import Logic, parse
from tap_salesforce_cases.errors import SettingError
from tap_salesforce_cases.filters import checked_where

from .conftest import Project

# In Meltano's place: it leaves a file as Meltano leaves the plugins' settings, and answers with its mode.
MELTANO = """#!/bin/sh
umask >> umasks
touch settings.json
echo "{}"
"""
PIECES = (
    "'", "\\", "\\'", "\\\\", '"', "(", ")", "\n", "\0", ";", "--", " OR ", " AND ", "Id != null", " LIMIT 1", " ORDER BY Id", "SELECT Id FROM User",
    " FROM User", "Priority", "High", "=", " IN ", "NOT ", "null", "500", "00001042", "''",
)  # fmt: skip


REACHING_OUT = [
    "Id != null) AND (Id != null",
    "Id != null) OR (Id != null",
    "Subject = '\\') AND (Id != null",
    "Id != null) LIMIT 1 --(",
]


def texts(count: int) -> list[str]:
    """Injections, the same in each run: pieces of SOQL, quotes and escapes in any order."""
    drawn = random.Random(7)
    return ["".join(drawn.choices(PIECES, k=drawn.randint(1, 7))) for _ in range(count)]


# -- S5


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As on a machine whose user lets everybody read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


def started(meltano: Meltano) -> None:
    with meltano.started("tap-salesforce-cases", stdout=subprocess.DEVNULL):
        pass


STARTS: dict[str, Callable[[Meltano], Any]] = {
    "run": lambda meltano: meltano.run(),
    "invoke": lambda meltano: meltano.invoke("tap-salesforce-cases", "--about"),
    "started": started,
    "state": lambda meltano: meltano.state(),
    "clear": lambda meltano: meltano.clear_state(),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.usefixtures("open_umask")
def test_S5_meltano_is_started_with_a_umask_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """It writes the logins into files while it runs, and leaves them behind when it is killed (D5)."""
    program = tmp_path / "meltano"
    program.write_text(MELTANO, encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("CASE_SYNC_MELTANO", str(program))
    STARTS[start](Meltano(folder=tmp_path))
    assert set((tmp_path / "umasks").read_text(encoding="utf-8").split()) == {"0077"}
    assert (tmp_path / "settings.json").stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("open_umask")
def test_S5_what_the_console_writes_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "missing.txt"
    path.touch(mode=0o666)
    write_privately(path, "500000000000001AAA\n")
    assert {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {"missing.txt": 0o600}


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_S5_a_schedule_runs_the_console_and_not_meltano_itself(
    project: Project, tmp_path: Path, kind: str
) -> None:
    """So that the umask holds there, too; what is left of it is its owner's."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("crontab", "systemctl"):
        (programs / name).write_text(f'#!/bin/sh\n[ "$1" = "-" ] && cat > "{programs}/installed"\nexit 0\n')
        (programs / name).chmod(0o700)
    ended = project.console("schedule", "install", "--as", kind, PATH=f"{programs}:/usr/bin:/bin")
    assert ended.exit_code == 0, ended.output
    units = project.folder / ".config/systemd/user"
    made = [project.folder / ".meltano/case-sync-sandbox.log"] if kind == "cron" else list(units.iterdir())
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    text = "\n".join(path.read_text() for path in [*units.glob("*.service"), *programs.glob("installed")])
    assert f"/case-sync --project {project.folder} --environment sandbox run" in text
    assert "meltano run" not in text


# -- S6


def test_S6_a_condition_of_the_command_line_stays_in_its_brackets() -> None:
    """3,000 texts as --where: refused here or by the tap, or one term beside the sync's own, which it can't undo."""
    passed = 0
    for text in REACHING_OUT + [
        f"{fine}{text}" for fine in ("", "Id != null", "Priority = 'High") for text in texts(1_000)
    ]:
        with suppress(CommandLineError, SettingError, SalesforceError):
            asked = wanted(text, None, None, "created")
            condition = checked_where(both("Priority = 'High'", *asked.conditions()))
            found = parse(f"SELECT Id FROM Case WHERE {condition}")
            assert (found.entity, found.limit, found.order) == ("Case", None, ())
            if text.strip():
                assert isinstance(found.where, Logic)
                assert (found.where.kind, len(found.where.terms)) == ("AND", 2), text
                passed += 1
    assert passed > 10


@pytest.mark.parametrize("name", ["--since", "--until"])
def test_S6_a_moment_of_the_command_line_is_a_moment_or_refused(name: str) -> None:
    for text in texts(1_000):
        with pytest.raises(CommandLineError, match=name):
            wanted(None, *((text, None) if name == "--since" else (None, text)), "created")


def test_S6_a_case_of_the_command_line_is_an_id_or_a_number_or_refused() -> None:
    for text in texts(1_000):
        if not (CASE_ID.fullmatch(text) or CASE_NUMBER.fullmatch(text)):
            for refuses in (of_case, lambda one: checked_cases([one])):
                with pytest.raises(CommandLineError, match="--case"):
                    refuses(text)


# -- S17


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch ran']",
        "a: !!python/name:os.system",
        "!!python/object/new:os.system ['touch ran']",
        "a: !!python/module:os",
    ],
)
def test_S17_a_project_file_makes_no_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Refused, or read as the text or list that it is, with its tag."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "meltano.yml"
    path.write_text(text, encoding="utf-8")
    with suppress(ConfigurationError):
        value = YamlFile.read(path).document["a"]
        assert type(value).__module__.startswith("ruamel.yaml")
    assert [one.name for one in tmp_path.iterdir()] == ["meltano.yml"]


def test_S17_a_project_file_nested_without_end_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "meltano.yml"
    path.write_text("a: " + "[" * 20_000, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        YamlFile.read(path)
