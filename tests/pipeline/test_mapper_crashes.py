"""R04: the mapper dies. What it had said is a beginning; what the target confirms of it is written; the next run mends the rest."""

import io
import json
import random
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import TargetError
from target_hubspot_tickets.target import TargetHubspotTickets

from .chain import Chain, is_record, rules, states_in

KEY = "salesforce_case_id"
CASES = 1_600
STATE_EVERY = 1_000  # rows of the tap's
CUTS = 100
DICE = random.Random(4)


@pytest.fixture
def chain(sandbox: RunningSandbox, tmp_path: Path) -> Chain:
    sandbox.seed(CASES)
    return Chain(folder=tmp_path, sandbox=sandbox)


def subjects(sandbox: RunningSandbox) -> dict[str, str]:
    """Case id -> subject of its ticket; fails when two active ones share a case."""
    tickets = sandbox.tickets()
    found = {t["properties"][KEY]: t["properties"]["subject"] for t in tickets}
    assert len(found) == len(tickets), "two tickets of one case"
    return found


def wanted(sandbox: RunningSandbox) -> dict[str, str]:
    """What the rules say of the org."""
    live = (c for c in sandbox.admin("GET", "salesforce/records?object=Case") if not c["IsDeleted"])
    return {c["Id"]: c["Subject"] or f"Case {c['CaseNumber']}" for c in live}


def covered_by(lines: list[bytes], state: Any) -> set[str]:
    """The cases of the records before a state."""
    parsed = [json.loads(line) for line in lines]
    end = max(n for n, m in enumerate(parsed) if m["type"] == "STATE" and m["value"] == state)
    return {m["record"]["Id"] for m in parsed[:end] if m["type"] == "RECORD" and m["stream"] == "cases"}


@pytest.mark.parametrize("after", [1, CASES // 2, CASES, *sorted(DICE.sample(range(2, CASES), 2))])
def test_R04_killed_mapper_loses_nothing_and_the_next_run_mends_it(chain: Chain, after: int) -> None:
    """At the first record, in the middle, at the last, and by the dice: I6 at each state, I1 and I2 behind a plain rerun."""
    died = chain.run(kill_mapper_after=after)
    assert sum(map(is_record, died.handed_on)) == after
    there = subjects(chain.sandbox)
    for state in died.states:
        assert covered_by(died.handed_on, state) <= there.keys(), "a state left before its tickets"
    assert len(there) <= after
    again = chain.run(died.states[-1] if died.states else None)
    assert again.returncode == 0, again.log
    assert subjects(chain.sandbox) == wanted(chain.sandbox)
    if after > STATE_EVERY * 1.2:  # what the pipes hold can be lost, no more: no mere second import
        assert sum(map(is_record, again.handed_on)) <= CASES - STATE_EVERY / 2


def said_of(chain: Chain) -> list[bytes]:
    """What the mapper says, line by line, of a small org, with a state behind every few cases that counts them."""
    with chain.start("tap_salesforce_cases", chain.tap_settings()) as tap:
        lines, _ = tap.communicate(timeout=60)
    text, records = b"", 0
    for line in lines.splitlines(keepends=True):
        records += is_record(line)
        text += line if json.loads(line)["type"] != "STATE" else b""
        if is_record(line) and records % 7 == 0:
            text += json.dumps({"type": "STATE", "value": {"read": records}}).encode() + b"\n"
    with chain.start("case_ticket_mapper", {"rules": rules()}, stdin=subprocess.PIPE) as mapper:
        out, _ = mapper.communicate(text, timeout=60)
    return list(out.splitlines(keepends=True))


def load(chain: Chain, text: str) -> tuple[list[int], TargetError | None]:
    """One run of the target in this process: the states that left, and what ended it early."""
    out, error = io.StringIO(), None
    with redirect_stdout(out):
        try:
            TargetHubspotTickets(config=chain.target_settings()).listen_and_report(io.StringIO(text))
        except TargetError as found:
            error = found
    return [state["read"] for state in states_in(out.getvalue())], error


def test_R04_whatever_of_the_mappers_words_arrives_no_state_runs_ahead(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """Cut at 100 random bytes, in lines and between them: what a state covers is written; the whole input again mends it."""
    chain = Chain(folder=tmp_path, sandbox=sandbox)
    sandbox.seed(60)
    lines, whole = said_of(chain), wanted(sandbox)
    said, order = b"".join(lines), [json.loads(line)["record"][KEY] for line in lines if is_record(line)]
    in_a_line = early = 0
    for cut in DICE.sample(range(len(lines[0]), len(said)), CUTS):
        sandbox.reset()
        sandbox.seed(60)
        (tmp_path / "ledger.db").unlink(missing_ok=True)
        states, error = load(chain, said[:cut].decode(errors="ignore"))
        assert set(order[: max(states, default=0)]) <= subjects(sandbox).keys(), cut
        in_a_line += error is not None
        early += len(subjects(sandbox)) < len(whole)
        assert load(chain, said.decode())[1] is None, cut
        assert subjects(sandbox) == whole, cut
    assert min(in_a_line, early) > CUTS / 2, "too few cuts met something"
