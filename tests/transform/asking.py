"""The mapper's commands, run as an admin or the console runs them: a process, in the project's folder."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "case_ticket_mapper", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def options_of(paths: list[str]) -> list[str]:
    return [part for path in paths for part in ("--metadata", path)]
