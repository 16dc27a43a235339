"""A command line that is wrong: the usage or the help, exit code 2, and never a fault of the program."""

import subprocess
import sys
from pathlib import Path

import pytest

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
