"""Whole runs whose vendors lie: answers with a piece changed, cut, doubled, under another status, by `lying.py`; and lines that are none.

A run may fail, in one line and with an exit code of its own: no traceback, no hang, no growing. And when the lies stop, a full refresh
makes good what they did: each case has its ticket, with its values.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.testing import RunningSandbox

from .expected import differences
from .forked import Forks, Pipeline, Process, environment
from .lying import Liar
from .mutating import mutated_bytes, several
from .test_fuzzed_cores import fuzzed_lines, sample_lines

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
SEEDS = 80 if SOAKS else 8
RUNS = 8  # of each seed
LIES = 1.5  # at least, of a run, on average; a run that fails early hears few
STREAMS = 20  # into each program
KINDS = {"status", "bytes", "json"}
MOST_BYTES = 500_000_000  # of a plugin's memory: about 100,000,000 is what it takes to start


def memory_bytes(process: Process) -> int:
    """The most that it ever had; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


@pytest.mark.parametrize("seed", range(SEEDS), ids="seed{}".format)
def test_R48_R72_vendors_that_lie(sandbox: RunningSandbox, forks: Forks, tmp_path: Path, seed: int) -> None:
    """Eight runs of lies on both sides, then the truth."""
    dice = random.Random(seed)
    sandbox.seed(60, random_seed=seed)
    truth = Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox, target={"unknown_owner": "clear"})
    lies: Counter[str] = Counter()
    with (
        Liar(sandbox.salesforce_url, seed, share=0.2) as salesforce,
        Liar(sandbox.hubspot_url, seed, share=0.2) as hubspot,
    ):
        tap = {"login_url": salesforce.url, "max_tries": 3, "bulk_timeout_seconds": 2}
        told = Pipeline(
            forks=forks, folder=tmp_path, sandbox=sandbox, tap=tap, target={"base_url": hubspot.url, "max_tries": 3, "unknown_owner": "clear"}
        )  # fmt: skip
        for _ in range(RUNS):
            told.tap |= dice.choice(({"api_mode": "rest"}, {"api_mode": "bulk"}))
            told.state = dice.choice((None, told.state))
            sandbox.mutate(edits=5, deletes=1, adds=2, random_seed=dice.randrange(1_000))
            running = told.start()
            most = 0
            while not running.processes["target"].has_ended(0.1):
                most = max(most, *map(memory_bytes, running.processes.values()))
            ended = running.end()
            assert "Traceback" not in ended.log, ended.log
            assert ended.codes["target"] >= 0, ended.codes
            assert most < MOST_BYTES
        lies = salesforce.lies + hubspot.lies
    print(dict(lies))
    last = truth.run()
    assert last.is_clean, last.log
    wrong = [one for one in differences(sandbox, exact_links=False) if "a ticket too many" not in one]
    assert wrong == []
    assert lies.keys() == KINDS
    assert lies.total() >= RUNS * LIES, lies


@pytest.mark.parametrize("plugin", ["mapper", "target"])
def test_R15_R48_lines_that_are_none(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, plugin: str
) -> None:
    """The program itself, on a pipe: whatever comes in, it ends by itself with one line of words, or reads to the end."""
    sandbox.seed(20)
    dice = random.Random(plugin)
    pipeline = Pipeline(
        forks=forks, folder=tmp_path, sandbox=sandbox, target={"max_same_rejections": 100_000}
    )
    arguments = pipeline.arguments(plugin)
    stream_name = "cases" if plugin == "mapper" else "tickets"
    lines, records = list(fuzzed_lines(stream_name, dice)), fuzzed_records(stream_name, dice)
    ends: Counter[int] = Counter()
    for number in range(STREAMS):
        stream = [sample_lines(stream_name)[0], *islice(records, dice.choice((1, 30, 300)))]
        if number % 2:
            stream += dice.sample(lines, dice.choice((1, 3)))
        if number % 4 == 1:
            stream.append(mutated_bytes(b"".join(stream), dice))
        code, log = fed(forks, tmp_path, plugin, arguments, b"\n".join(stream))
        ends[code] += 1
        assert "Traceback" not in log, log
        assert code >= 0, log
    print(dict(ends))
    assert ends[0] >= STREAMS // 4, ends
    assert ends.total() - ends[0] >= STREAMS // 4, ends


def fuzzed_records(stream: str, dice: random.Random) -> Iterator[bytes]:
    """Records that have a key; all else may be anything."""
    key = "Id" if stream == "cases" else "salesforce_case_id"
    known = [m["record"] for line in sample_lines(stream) if (m := json.loads(line))["type"] == "RECORD"]
    while True:
        record = several(dice.choice(known), dice)
        if isinstance(record, dict):
            record |= {key: make_id("Case", dice.randrange(1, 500))}
            yield json.dumps({"type": "RECORD", "stream": stream, "record": record}).encode()


def fed(forks: Forks, folder: Path, plugin: str, arguments: list[str], content: bytes) -> tuple[int, str]:
    """Exit code and log of a plugin that gets this on stdin."""
    given, log = folder / "given", folder / "log"
    given.write_bytes(content)
    descriptors = [os.open(given, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)]  # fmt: skip
    asked = {"plugin": plugin, "argv": arguments, "cwd": str(folder), "env": environment()}
    process = Process(forks, forks.ask(asked, descriptors)["pid"])
    for descriptor in descriptors:
        os.close(descriptor)
    return process.wait(), log.read_text(encoding="utf-8", errors="replace")
