"""The newcomer's first minute: a clone in an empty folder, and `make demo`, twice."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_make_demo_from_a_fresh_clone_twice(tmp_path: Path) -> None:
    """Nothing is installed by hand; both runs end with the summary, no warning, and nothing rejected."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    env = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("VIRTUAL_ENV", "MELTANO", "TAP_", "TARGET_", "MAKE", "MFLAGS"))
    }
    for _ in range(2):
        done = subprocess.run(
            ["make", "demo"], cwd=clone, env=env, capture_output=True, text=True, check=False, timeout=280
        )
        screen = done.stdout + done.stderr
        assert done.returncode == 0, screen
        assert re.search(r"tickets created\s+│\s+1,000 │\s+8 │", done.stdout), screen
        assert re.search(r"tickets updated\s+│\s+0 │\s+30 │", done.stdout), screen
        assert re.search(r"tickets archived\s+│\s+0 │\s+5 │", done.stdout), screen
        assert re.search(r"rejected\s+│\s+0 │\s+0 │", done.stdout), screen
        assert "What to type next" in done.stdout
        log = (clone / ".sandbox" / "demo.log").read_text(encoding="utf-8")
        assert not re.search(r"warning|deprecat|traceback", screen + log, re.IGNORECASE), log
    left = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout
    assert left == "", "the demo leaves files that git would track"
