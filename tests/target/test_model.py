"""Random streams under random faults against a model: the portal ends exactly as the model says, nothing lost, nothing double.

Seeds are printed by pytest's ids: `-k seed7` runs one again.
"""

from __future__ import annotations

import io
import json
import random
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import TargetError
from target_hubspot_tickets.target import TargetHubspotTickets

from .conftest import KEY, Message, by_key, lines, schema, ticket, tombstone

OPERATIONS_OF_A_RUN = 300
RUNS = 8
SEEDS = range(6)  # 6 x 8 x 300 = 14,400 operations
KEYS = 150
COMPANIES = 30
SOON = {"Retry-After": "0.01"}  # so that a test need not wait as long as HubSpot would have it
FAULTS: list[dict[str, Any]] = [
    {"action": "429_ten_secondly", "headers": SOON},
    {"action": "423", "headers": SOON},
    {"action": "500", "headers": SOON},
    {"action": "502", "headers": {"content-type": "text/html", **SOON}},
    {"action": "drop_before_commit"},
    {"action": "drop_after_commit"},
    {"action": "truncate_body"},
    {"action": "html_200"},
]
STAGES = ["New", "Waiting on contact", "Waiting on us", "Closed"]


def company_id(number: int) -> str:
    return f"001000000{number:06d}AAA"


@dataclass(slots=True)
class Model:
    """What the portal has to hold: values by key, and the companies that each ticket asks for or ever asked for."""

    tickets: dict[str, dict[str, str]] = field(default_factory=dict)
    company: dict[str, str | None] = field(default_factory=dict)
    ever: dict[str, set[str]] = field(default_factory=dict)

    def apply(self, message: Message) -> None:
        record = message["record"]
        key = record[KEY]
        if record.get("_sdc_deleted_at"):
            self.tickets.pop(key, None)
            self.company.pop(key, None)  # not `ever`: deleted and upserted in one round, a ticket is kept
            return
        self.tickets[key] = {n: record[n] for n in ("subject", "content", "hs_ticket_priority")}
        asked = [a["value"] for a in record["associations"]]
        self.company[key] = asked[0] if asked else None
        self.ever.setdefault(key, set()).update(asked)


def random_stream(dice: random.Random, number: int) -> list[Message]:
    """Upserts, deletions and undeletions of few keys, so that each meets itself often."""
    stream = []
    for step in range(OPERATIONS_OF_A_RUN):
        key = dice.randrange(KEYS)
        if dice.random() < 0.15:
            stream.append(tombstone(key))
            continue
        company = dice.randrange(COMPANIES + 1)
        associations = [{"to": "company", "by": "salesforceaccountid", "value": company_id(company)}] if company else []  # fmt: skip
        stream.append(
            ticket(
                key,
                subject=f"{number}.{step}",
                content=dice.choice(["", "text", "Zeile\nzwei", "\U0001f6e0 Größe"]) or None,
                hs_pipeline_stage=dice.choice(STAGES),
                hs_ticket_priority=dice.choice(["LOW", "HIGH", None]),
                associations=associations,
            )
        )
    return stream


def run(config: dict[str, Any], messages: list[Message]) -> tuple[list[int], bool]:
    """One run in this process: the states that it let out, and whether it came to its end."""
    out = io.StringIO()
    with redirect_stdout(out):
        target = TargetHubspotTickets(config=config)
        try:
            target.listen_and_report(io.StringIO(lines(messages)))
            ended = True
        except TargetError:
            ended = False
    states = [json.loads(line)["bookmarks"]["n"] for line in out.getvalue().splitlines()]
    assert states == sorted(states)
    return states, ended


def checkpointed(stream: list[Message]) -> list[Message]:
    """With a state after each fifty, that says how many of them came before it."""
    messages = [schema()]
    for number, message in enumerate(stream, start=1):
        messages.append(message)
        if number % 50 == 0 or number == len(stream):
            messages.append({"type": "STATE", "value": {"bookmarks": {"n": number}}})
    return messages


def compare(sandbox: RunningSandbox, model: Model, mode: str, companies: dict[str, str]) -> None:
    """HubSpot equals the model, to the ticket, the value and the association."""
    there = by_key(sandbox)
    assert there.keys() == model.tickets.keys()
    for key, expected in model.tickets.items():
        values = there[key]["properties"]
        assert {n: values.get(n) or None for n in expected} == expected, key
        linked = {companies[a["id"]] for a in there[key]["associations"].get("companies", ())}
        wanted = {model.company[key]} - {None}
        if mode == "mirror":
            assert linked == wanted, key
        else:
            assert wanted <= linked <= model.ever[key], key


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_R12_random_streams_under_faults_end_as_the_model_says(
    sandbox: RunningSandbox, tmp_path: Path, seed: int
) -> None:
    """Upserts, deletions, undeletions, replays, runs that fail, companies that come late: as the model says, after one quiet run."""
    dice = random.Random(seed)
    mode, write_mode = dice.choice(["add", "mirror"]), dice.choice(["all", "changed"])
    config = {
        "base_url": sandbox.hubspot_url, "access_token": "sandbox-token", "ledger_url": str(tmp_path / "ledger.db"),
        "on_delete": "archive", "max_deletes": 100_000, "association_mode": mode, "write_mode": write_mode, "max_tries": 6,
    }  # fmt: skip
    sandbox.seed(20)
    late = set(dice.sample(range(1, COMPANIES + 1), 10))
    load = lambda numbers: sandbox.admin("POST", "hubspot/load", {"companies": [{"name": f"C{n}", "salesforceaccountid": company_id(n)} for n in numbers]})  # noqa: E731  # fmt: skip
    load(sorted(set(range(1, COMPANIES + 1)) - late))
    model = Model()
    for number in range(RUNS):
        stream = random_stream(dice, number)
        for message in stream:
            model.apply(message)
        if number == RUNS - 2:
            load(sorted(late))
        confirmed = 0
        while confirmed < len(stream):
            sandbox.admin("DELETE", "faults")
            sandbox.faults(
                [{"half": "hubspot", "probability": 0.08, **fault} for fault in dice.sample(FAULTS, 5)]
            )
            states, ended = run(config, [schema(), *checkpointed(stream)[1 + confirmed + confirmed // 50 :]])
            confirmed = max([confirmed, *states])
            if ended:
                assert confirmed == len(stream)
                if dice.random() < 0.5:
                    run(config, checkpointed(stream[-60:]))  # a replay of what is there already
    sandbox.admin("DELETE", "faults")
    _, ended = run(config, [schema()])
    assert ended
    companies = {r["id"]: r["properties"].get("salesforceaccountid") for r in sandbox.admin("GET", "hubspot/records/companies")["results"]}  # fmt: skip
    compare(sandbox, model, mode, companies)
    assert sandbox.admin("GET", "hubspot/flights")["overlaps"] == {}, "one key in two requests at once"
    faults = [r for r in sandbox.requests(half="hubspot") if r["fault"]]
    assert len(faults) >= 20, f"too few faults to prove anything: {len(faults)}"
