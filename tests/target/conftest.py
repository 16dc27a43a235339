"""The target as a program against the sandbox's HubSpot, and streams of tickets for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.ledger import Ledger

from .gates import gate
from .ledgers import ledger_url, postgresql
from .linked_portal import portal

__all__ = ["gate", "ledger_url", "portal", "postgresql"]  # fixtures

KEY = "salesforce_case_id"
PORTAL = "44556677"  # the sandbox's
COLUMNS: dict[str, Any] = {
    KEY: {"type": "string"},
    "subject": {"type": ["string", "null"]},
    "content": {"type": ["string", "null"]},
    "hs_pipeline": {"type": ["string", "null"]},
    "hs_pipeline_stage": {"type": ["string", "null"]},
    "hs_ticket_priority": {"type": ["string", "null"]},
    "hubspot_owner_email": {"type": ["string", "null"]},
    "associations": {"type": ["array", "null"]},
    "_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"},
}
Message = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One run of the target: its exit code, the states that it let out, its log, its report, its rejected records."""

    returncode: int
    states: list[Any]
    log: str
    report: dict[str, Any]
    rejected: list[dict[str, Any]]


def schema(**changes: Any) -> Message:
    """A SCHEMA message of tickets; a column set to None is left out."""
    columns = {name: column for name, column in {**COLUMNS, **changes}.items() if column is not None}
    return {
        "type": "SCHEMA",
        "stream": "tickets",
        "schema": {"type": "object", "properties": columns},
        "key_properties": [KEY],
    }


def case_id(number: int) -> str:
    return f"500000000{number:06d}AAA"


def ticket(number: int, **changes: Any) -> Message:
    """A RECORD message of a whole ticket."""
    record = {
        KEY: case_id(number),
        "subject": f"Ticket {number}",
        "hs_pipeline": "Support Pipeline",
        "hs_pipeline_stage": "New",
    }
    return {"type": "RECORD", "stream": "tickets", "record": record | changes}


def tombstone(number: int) -> Message:
    return {
        "type": "RECORD",
        "stream": "tickets",
        "record": {KEY: case_id(number), "_sdc_deleted_at": "2026-01-07T11:30:00.000Z"},
    }


def state(value: Any) -> Message:
    return {"type": "STATE", "value": {"bookmarks": {"cases": {"read": value}}}}


def lines(messages: Iterable[Message]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


def read_states(stdout: str) -> list[Any]:
    """The `read` of each state line."""
    return [json.loads(line)["bookmarks"]["cases"]["read"] for line in stdout.splitlines()]


def by_key(sandbox: RunningSandbox, *, archived: bool = False) -> dict[str, dict[str, Any]]:
    """Tickets by their key; fails when two active ones share it."""
    found = sandbox.tickets(archived=archived)
    tickets = {t["properties"][KEY]: t for t in found}
    assert archived or len(tickets) == len(found), "two tickets of one case"
    return tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target's command in a folder of its own, pointed at the sandbox."""

    folder: Path
    base_url: str
    # The fixture ends what a failed test has left.
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, **settings: Any) -> list[str]:
        config = {
            "base_url": self.base_url,
            "access_token": "sandbox-token",
            "ledger_url": str(self.ledger),
            "deletes_path": str(self.folder / "deletes.csv"),
            "plan_path": str(self.folder / "plan.jsonl"),
            "report_path": str(self.folder / "report.json"),
        } | settings
        path = self.folder / "config.json"
        path.write_text(json.dumps({n: v for n, v in config.items() if v is not None}), encoding="utf-8")
        return [sys.executable, "-m", "target_hubspot_tickets", "--config", str(path)]

    def start(self, **settings: Any) -> subprocess.Popen[str]:
        """The process with open pipes, for tests that talk to it while it runs."""
        process = subprocess.Popen(
            self.command(**settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self.started.append(process)
        return process

    def load(self, messages: Iterable[Message] | str, **settings: Any) -> Loaded:
        text = messages if isinstance(messages, str) else lines(messages)
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(**settings),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=clean_environment(),
        )
        return Loaded(
            returncode=done.returncode,
            states=read_states(done.stdout),
            log=done.stderr,
            report=json.loads(report.read_text(encoding="utf-8")) if report.exists() else {},
            rejected=self.rejected(),
        )

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def rejected(self) -> list[dict[str, Any]]:
        """What is on record as rejected, without the records themselves."""
        if not self.ledger.exists():
            return []
        with Ledger.open(str(self.ledger), PORTAL) as ledger:
            return [{"key": r.key, "code": r.code, "message": r.message} for r in ledger.rejected()]

    def ask(self, *options: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """The program with options of its own, without an input."""
        return subprocess.run(
            [*self.command(**settings), *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=clean_environment(),
        )

    def plan(self) -> list[dict[str, Any]]:
        """The lines of a dry run."""
        return [json.loads(line) for line in (self.folder / "plan.jsonl").read_text().splitlines()]


def clean_environment() -> dict[str, str]:
    """Warnings are on, as Meltano has them."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("TARGET_HUBSPOT_TICKETS_")}
    return kept | {"PYTHONWARNINGS": "once"}


@pytest.fixture
def target(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Target]:
    """The target, and a HubSpot with pipelines, owners, companies and contacts but no tickets."""
    sandbox.seed(60)
    target = Target(folder=tmp_path, base_url=sandbox.hubspot_url)
    yield target
    for process in target.started:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def seeded_tickets(sandbox: RunningSandbox, target: Target) -> list[Message]:
    """A ticket for each live case of the seeded org, with its company and contact, as the mapper would send it."""
    cases = [c for c in sandbox.admin("GET", "salesforce/records?object=Case") if not c["IsDeleted"]]
    return [
        {
            "type": "RECORD",
            "stream": "tickets",
            "record": {
                KEY: case["Id"],
                "subject": case["Subject"] or case["CaseNumber"],
                "content": case["Description"],
                "hs_pipeline": "Support Pipeline",
                "hs_pipeline_stage": "New",
                "associations": [
                    {"to": to, "by": by, "value": case[column]}
                    for to, by, column in (
                        ("company", "salesforceaccountid", "AccountId"),
                        ("contact", "salesforcecontactid", "ContactId"),
                    )
                    if case[column]
                ],
            },
        }
        for case in cases
    ]
