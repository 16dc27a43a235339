"""Whole runs whose vendors lie: answers with a piece changed, cut, doubled, under another status, by `lying.py`; and lines that are none.

A run may fail, in one line and with an exit code that its README knows: no fault of the program, no hang, no growing. And when the lies stop, a full refresh
makes good what they did: each case has its ticket, with its values.
"""

import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.testing import RunningSandbox

from .expected import differences
from .faults import LEAKS
from .forked import Forks, Pipeline, Process, environment
from .lying import Liar
from .mutating import memory_bytes, mutated_bytes, several
from .test_fuzzed_cores import fuzzed_lines, sample_lines

pytestmark = pytest.mark.faults

SOAKS = os.environ.get("SOAK") == "1"
SEEDS = 80 if SOAKS else 8
RUNS = 8  # of each seed
LIES = 1.5  # at least, of a run, on average; a run that fails early hears few
STREAMS = 20  # into each program
KINDS = {"status", "bytes", "json"}
MOST_BYTES = 500_000_000  # of a plugin's memory: about 100,000,000 is what it takes to start


# The endings that the READMEs of the programs know, without those of their command lines and of signals.
CODES: dict[str, set[int]] = {"tap": {0, 1, 3, 4, 5, 6}, "mapper": {0, 1}, "target": {0, 1, *range(3, 11)}}
# Meltano, and `Running.end`, kill what is left when the target has ended.
CODES_BESIDE_TARGET = {name: codes | ({-signal.SIGKILL} if name != "target" else set()) for name, codes in CODES.items()}  # fmt: skip
# The tap's word on an answer of another form than Salesforce's, and on its own faults: the error, and where it came up.
OF_FORM = re.compile(
    r"an answer of Salesforce's that is none, or a fault of this program: (\w+) in (\w+\.py), line \d+"
)
# What Python says of a value that has another form than the one that is read of it, and the files that read answers.
FORM_ERRORS = {"KeyError", "TypeError", "AttributeError", "ValueError", "IndexError"}
READERS = {
    "bulk_jobs.py", "composite.py", "deletes.py", "delete_log.py", "describe.py", "describing.py", "case_stream.py", "rest_query.py",
    "rows.py", "moments.py", "ids.py", "login.py", "listing.py",
}  # fmt: skip


def faults_of(log: str, *, heard_lies: bool) -> list[str]:
    """What no log may hold: tracebacks, secrets, faults. The tap's own word stands for a lie where it heard some and reads answers."""

    def put_aside(found: re.Match[str]) -> str:
        is_of_a_lie = heard_lies and found[1] in FORM_ERRORS and found[2] in READERS
        return "an answer that is none" if is_of_a_lie else found[0]

    return LEAKS.findall(OF_FORM.sub(put_aside, log))


@pytest.mark.parametrize("seed", range(SEEDS), ids="seed{}".format)
def test_R48_R72_vendors_that_lie(sandbox: RunningSandbox, forks: Forks, tmp_path: Path, seed: int) -> None:
    """Eight runs of lies on both sides, then the truth."""
    dice = random.Random(seed)
    sandbox.seed(60, random_seed=seed)
    truth = Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox, target={"unknown_owner": "clear"})
    lies: Counter[str] = Counter()
    forms: Counter[tuple[str | Any, ...]] = Counter()
    codes: Counter[tuple[str, int]] = Counter()
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
            heard = salesforce.lies.total()
            sandbox.mutate(edits=5, deletes=1, adds=2, random_seed=dice.randrange(1_000))
            running = told.start()
            most = 0
            while not running.processes["target"].has_ended(0.1):
                most = max(most, *(memory_bytes(p.pid, "VmHWM") for p in running.processes.values()))
            ended = running.end()
            assert not faults_of(ended.log, heard_lies=salesforce.lies.total() > heard), ended.log
            wrong_codes = {n: code for n, code in ended.codes.items() if code not in CODES_BESIDE_TARGET[n]}
            assert not wrong_codes, ended.log
            forms.update(found.groups() for found in OF_FORM.finditer(ended.log))
            codes.update(ended.codes.items())
            assert most < MOST_BYTES
        lies = salesforce.lies + hubspot.lies
    print(dict(lies), dict(codes), dict(forms))
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
        assert not LEAKS.search(log), log
        assert code in CODES[plugin], log
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
