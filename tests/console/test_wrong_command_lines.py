"""A command line that is wrong: the usage or the help, exit code 2, and never a fault of the program."""

import subprocess
import sys
from pathlib import Path

import pytest

from case_sync_console.end_words import last_words

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("pln", "No such command 'pln'"),
        ("plan --smple 3", "No such option: --smple"),
        ("plan --sample x", "Invalid value for '--sample'"),
        ("mappings add", "Missing argument"),
        ("", "Usage: case-sync"),
        ("mappings", "Usage: case-sync mappings"),
    ],
)
def test_wrong_command_line_is_told_with_the_usage(arguments: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "case_sync_console", "--project", str(ROOT), *arguments.split()] if arguments else [sys.executable, "-m", "case_sync_console"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 2, told
    assert words.lower() in told.lower().replace("python -m case_sync_console", "case-sync")
    assert "fault of this program" not in told


def test_unknown_environment_is_told_with_those_that_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "case_sync_console", "--project", str(ROOT), "-e", "prodd", "status"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "Error: meltano.yml has no environment 'prodd'; it has prod, sandbox\n"


def test_sandbox_that_is_not_running_is_told_with_how_to_start_it() -> None:
    unreached = "no answer from http://127.0.0.1:8352 (ConnectionError); gave up"
    assert "make sandbox" in last_words(unreached)
    for other in ("no answer from https://api.hubapi.com/x", "login_url http://127.0.0.1:8351 is missing"):
        assert last_words(other) == other
