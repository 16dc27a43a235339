"""The command line itself: files of --config, and signals that come in numbers."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, clean_environment, lines, read_states, schema, state, ticket


@pytest.mark.parametrize(
    ("content", "exit_code", "told"),
    [
        (None, 2, "there is no such file"),
        ("{", 3, "can't be read as a JSON object"),
        ('["hidden-word"]', 3, "can't be read as a JSON object"),
        ('{"access_token": "hidden-word"', 3, "can't be read as a JSON object"),
    ],
)
def test_a_config_file_that_is_none_is_told_in_a_line(
    tmp_path: Path, content: str | None, exit_code: int, told: str
) -> None:
    """No traceback, and nothing of what it holds."""
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "target_hubspot_tickets", f"--config={path}", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=clean_environment(),
    )
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert told in done.stderr
    assert "config.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden-word" not in done.stderr


def test_a_burst_of_signals_ends_the_run_once(sandbox: RunningSandbox, target: Target) -> None:
    """Many at a time, in the middle of calls: the exit code is the first one's, and what was confirmed has its state."""
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "probability": 1.0, "latency_ms": 300}])
    process = target.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), ticket(1), state(1)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [1]
    process.stdin.write(lines([*map(ticket, range(2, 2_500)), state(2)]))
    process.stdin.flush()
    while process.poll() is None:  # to its very end, when Python has taken its handlers down
        process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM, log
    assert "Traceback" not in log
