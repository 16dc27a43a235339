"""The wire: samples against schemas, and each stage of our own code against the samples."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from case_sync_sandbox.testing import RunningSandbox
from case_ticket_mapper.rules_checking import rules_schema
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.schema_out import rejected_schema, tickets_schema
from case_ticket_mapper.ticket import Rejection, Ticket, TicketMaker, Tombstone
from target_hubspot_tickets.records import Delete, Upsert, read_record

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"


def schema(stream: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTRACTS / f"{stream}.schema.json").read_text(encoding="utf-8"))
    return found


def validator(definition: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(definition, format_checker=FormatChecker())


def messages(stream: str, kind: str) -> list[dict[str, Any]]:
    lines = (CONTRACTS / "samples" / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    return [message for line in lines if (message := json.loads(line))["type"] == kind]


def records(stream: str) -> list[dict[str, Any]]:
    return [message["record"] for message in messages(stream, "RECORD")]


def rules_of_the_project() -> dict[str, Any]:
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    found: dict[str, Any] = plugins["mappers"][0]["mappings"][0]["config"]["rules"]
    return found


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.schema.json")), ids=lambda p: p.name)
def test_each_schema_is_one(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_published_rules_schema_is_the_one_that_the_mapper_checks_by() -> None:
    """The package carries its own copy, since it installs alone."""
    assert json.loads((CONTRACTS / "rules.schema.json").read_text(encoding="utf-8")) == rules_schema()
    validator(rules_schema()).validate(rules_of_the_project())


@pytest.mark.parametrize("stream", ["cases", "tickets"])
def test_samples_fit_their_schema_and_their_own_schema_message(stream: str) -> None:
    """Each sample record fits the contract, and the SCHEMA message that a tap or mapper sends before it."""
    (announced,) = messages(stream, "SCHEMA")
    for record in records(stream):
        validator(schema(stream)).validate(record)
        validator(announced["schema"]).validate(record)
    assert [message["stream"] for message in messages(stream, "RECORD")] == [stream] * 3


@pytest.mark.parametrize(
    ("stream", "spoil"),
    [
        ("cases", {"Id": "5005g00000AbCdE"}),
        ("cases", {"SystemModstamp": "2026-01-05T09:00:00.000+0000"}),
        ("cases", {"_sdc_deleted_at": "2026-01-05T09:00:00.000Z"}),
        ("tickets", {"salesforce_case_id": None}),
        ("tickets", {"associations": [{"to": "company", "by": "domain"}]}),
        ("tickets", {"associations": [{"to": "deal", "by": "domain", "value": "x.example"}]}),
    ],
)
def test_contract_refuses_what_breaks_it(stream: str, spoil: dict[str, Any]) -> None:
    """15-character ids, other forms of a moment, half a tombstone, and associations to nowhere are no messages."""
    spoilt = copy.deepcopy(records(stream)[0]) | spoil
    assert not validator(schema(stream)).is_valid(spoilt)


@pytest.mark.parametrize("stream", ["cases", "tickets"])
def test_tombstone_carries_no_value_that_could_blank_a_ticket(stream: str) -> None:
    tombstone = records(stream)[2]
    assert tombstone["_sdc_deleted_at"]
    assert not validator(schema(stream)).is_valid({**tombstone, "Subject": None, "subject": None})


def test_mapper_makes_the_sample_tickets_of_the_sample_cases() -> None:
    """The two sample files are one story: the project's rules turn one into the other."""
    rules = rules_of_the_project()
    del rules["fields"]["hs_ticket_category"]  # a mapping on top of the defaults, which the samples show
    maker = TicketMaker(rules=read_rules(rules))
    made = [maker.make(case) for case in records("cases")]
    assert [type(one) for one in made] == [Ticket, Ticket, Tombstone]
    assert [one.record for one in made if isinstance(one, Ticket | Tombstone)] == records("tickets")


def test_mapper_announces_what_the_contract_says() -> None:
    """The sample's SCHEMA message is the one that the mapper sends under the same rules, pipelines and stages included."""
    rules = rules_of_the_project()
    del rules["fields"]["hs_ticket_category"]
    (announced,) = messages("tickets", "SCHEMA")
    assert tickets_schema(read_rules(rules)) == announced["schema"]


def test_rejection_fits_its_contract() -> None:
    """A case that no rule fits goes out as the contract's rejected_cases, and as the mapper announces it."""
    case = records("cases")[0] | {"Status": "Unheard of"}
    rejected = TicketMaker(rules=read_rules(rules_of_the_project())).make(case)
    assert isinstance(rejected, Rejection)
    validator(schema("rejected_cases")).validate(rejected.record)
    validator(rejected_schema()).validate(rejected.record)


def test_target_reads_the_sample_tickets() -> None:
    """Two upserts with their associations, and a deletion."""
    first, second, third = (read_record(record, "salesforce_case_id") for record in records("tickets"))
    assert isinstance(first, Upsert)
    assert [(w.to, [way.by for way in w.ways]) for w in first.wishes or ()] == [
        ("companies", ["salesforceaccountid", "domain"]),
        ("contacts", ["salesforcecontactid", "email"]),
    ]
    assert isinstance(second, Upsert)
    assert [w.to for w in second.wishes or ()] == ["companies"]
    assert third == Delete(key="5005g00000AbCdEAAV")


def test_tap_rows_of_the_sandbox_fit_the_contract(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Every row that the tap writes over a seeded org, live or deleted, is a message of the contract."""
    sandbox.seed(120)
    sandbox.mutate(deletes=4, merges=1)
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {
                "login_url": sandbox.salesforce_url,
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
            }
        ),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "tap_salesforce_cases", "--config", str(config)],
        capture_output=True,
        text=True,
        check=True,
    )
    checker = validator(schema("cases"))
    rows = [m["record"] for line in done.stdout.splitlines() if (m := json.loads(line))["type"] == "RECORD"]
    for row in rows:
        checker.validate(row)
    assert len(rows) == 120
    assert sum(row["IsDeleted"] for row in rows) == 5
