"""How a run ends that can't go well: one message that names the setting, exit 1, nothing half-done. And the SDK's own tests."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import target_test_streams
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.target_tests import TargetCliPrintsTest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.errors import TargetError
from target_hubspot_tickets.target import TargetHubspotTickets

from .conftest import KEY, Target, by_key, case_id, schema, state, ticket


@pytest.mark.parametrize(
    ("settings", "exit_code", "told"),
    [
        ({"access_token": "not-the-token"}, 4, "HubSpot refused access_token"),
        ({"access_token": None}, 3, "access_token is missing"),
        ({"access_token": None, "client_id": "c"}, 3, "client_secret is missing"),
        ({"base_url": "http://127.0.0.1:9", "max_tries": 1}, 6, "Check base_url"),
        ({"base_url": "http://hubspot.example"}, 3, "base_url must start with https://"),
        ({"on_delete": "explode"}, 3, "on_delete must be one of"),
        ({"max_delets": 3}, 3, "did you mean max_deletes?"),
        ({"unknown_owner": "default"}, 3, "default_owner is missing"),
        ({"ledger_url": "/nowhere/ledger.db"}, 10, "ledger_url"),
        ({"ledger_url": "nosuch://user:hidden-word@host/db"}, 10, "ledger_url"),
        ({"dry_run": True, "plan_path": "/nowhere/plan.jsonl"}, 3, "plan_path can't be written"),
        ({"report_path": "/nowhere/report.json"}, 3, "report_path can't be written"),
    ],
)
def test_R17_wrong_setting_ends_in_one_message(
    target: Target, settings: dict[str, Any], exit_code: int, told: str
) -> None:
    loaded = target.load([schema(), ticket(1, hs_pipeline="No such"), state("all")], **settings)
    assert loaded.returncode == exit_code, loaded.log
    assert "hidden-word" not in loaded.log
    assert told in loaded.log
    assert "Traceback" not in loaded.log
    assert "not-the-token" not in loaded.log
    assert loaded.states == [] or "report_path" in settings


def test_missing_scope_is_named(sandbox: RunningSandbox, target: Target) -> None:
    sandbox.settings(missing_scopes=["crm.objects.owners.read"])
    loaded = target.load([schema(), ticket(1)])
    assert loaded.returncode == 3
    assert "crm.objects.owners.read" in loaded.log
    assert sandbox.tickets() == []


def test_all_that_does_not_fit_is_told_before_anything_is_written(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Two columns that are no ticket properties: both are named, and no ticket is there."""
    text = {"type": "string"}
    loaded = target.load([schema(first_wrong=text, second_wrong=text), ticket(1), state("all")])
    assert (loaded.returncode, loaded.states) == (3, [])
    assert "nothing was written" in loaded.log
    assert "'first_wrong'" in loaded.log
    assert "'second_wrong'" in loaded.log
    assert sandbox.tickets() == []


def test_wrong_names_of_the_rules_are_refused_before_anything_is_written(
    sandbox: RunningSandbox, target: Target
) -> None:
    """All at once, with what there is; not even a property is made."""
    stages = {
        "type": ["string", "null"],
        "stages_by_pipeline": {"Biling": ["New"], "Billing": ["New", "Nwe"]},
    }
    announced = schema(hs_pipeline_stage=stages)
    loaded = target.load([announced, ticket(1), state("all")])
    assert (loaded.returncode, loaded.states) == (3, [])
    assert "nothing was written, because:" in loaded.log
    assert "no ticket pipeline 'Biling'" in loaded.log
    assert "the pipeline 'Billing' has no stage 'Nwe'" in loaded.log
    assert sandbox.tickets() == []
    assert sandbox.writes() == []


def test_second_stream_that_is_no_ticket_stream_is_refused(sandbox: RunningSandbox, target: Target) -> None:
    """What came before is written; what can't be is told, not dropped."""
    users = {"type": "SCHEMA", "stream": "users", "schema": {"properties": {"id": {"type": "string"}}}, "key_properties": ["id"]}  # fmt: skip
    loaded = target.load([schema(), ticket(1), users])
    assert loaded.returncode == 3
    assert "no column 'salesforce_case_id'" in loaded.log
    assert set(by_key(sandbox)) == {case_id(1)}


def test_rejected_cases_of_the_mapper_are_put_on_record(sandbox: RunningSandbox, target: Target) -> None:
    """They are counted and written to the ledger, key and reason; the state goes out after."""
    announced = {"type": "SCHEMA", "stream": "rejected_cases", "schema": {"properties": {KEY: {"type": "string"}}}, "key_properties": [KEY]}  # fmt: skip
    record = {KEY: case_id(7), "code": "UNMAPPED_STATUS", "field": "Status", "message": "no stage for this status", "rejected_by": "mapper"}  # fmt: skip
    stream = [
        schema(),
        announced,
        {"type": "RECORD", "stream": "rejected_cases", "record": record},
        state("all"),
    ]
    loaded = target.load(stream)
    assert (loaded.returncode, loaded.states, loaded.report["rejected"]) == (0, ["all"], 1)
    assert loaded.rejected == [
        {"key": case_id(7), "code": "UNMAPPED_STATUS", "message": "no stage for this status"}
    ]
    assert "ResourceWarning" not in loaded.log
    assert target.ledger.stat().st_mode & 0o077 == 0
    assert sandbox.tickets() == []
    rehearsed = target.load(stream, dry_run=True)
    assert rehearsed.report["rejected"] == 1
    assert target.plan() == [
        {
            "key": case_id(7),
            "would": "reject",
            "code": "UNMAPPED_STATUS",
            "reason": "no stage for this status",
        }
    ]


def test_empty_input_is_no_error(target: Target) -> None:
    assert target.load([]).returncode == 0


@pytest.mark.parametrize("option", ["--version", "--about", "--help"])
def test_command_line_answers_without_settings(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "target_hubspot_tickets", option], capture_output=True, text=True, check=False
    )
    assert (done.returncode, bool(done.stdout)) == (0, True)


# -- the SDK's standard tests for targets

STREAMS = sorted(Path(target_test_streams.__file__).parent.glob("*.singer"))


def runner(
    sandbox: RunningSandbox, tmp_path: Path, stream: Path | None = None, **settings: str
) -> TargetTestRunner:
    config = settings | {
        "base_url": sandbox.hubspot_url,
        "access_token": "sandbox-token",
        "ledger_url": str(tmp_path / "ledger.db"),
    }
    return TargetTestRunner(
        TargetHubspotTickets, config=config, input_filepath=stream, parse_env_config=False
    )


def test_standard_cli_prints(sandbox: RunningSandbox, tmp_path: Path) -> None:
    TargetCliPrintsTest().run(SuiteConfig(), None, runner(sandbox, tmp_path))


# Tickets that each stream becomes, with its own key and columns that are no ticket property ignored; None: it is refused, in words.
TICKETS_OF = {
    "array_data": 4, "duplicate_records": 2, "encoded_string_data": 11, "multiple_state_messages": 6, "no_primary_keys": 3,
    "no_primary_keys_append": 5, "optional_attributes": 4, "pk_updates": 2, "record_missing_fields": 2, "record_missing_key_property": 0,
    "record_missing_required_property": 0, "schema_updates": 6, "user_location_data": 5, "user_location_upsert_data": 9,
    # keys that can't be the name of a HubSpot property, schemas without the key, a record before its schema
    "camelcase": None, "camelcase_complex_schema": None, "special_chars_in_attributes": None, "invalid_schema": None,
    "schema_no_properties": None, "record_before_schema": None,
}  # fmt: skip


@pytest.mark.parametrize("stream", STREAMS, ids=lambda p: p.stem)
def test_standard_stream_becomes_tickets_or_is_refused_in_words(
    sandbox: RunningSandbox, tmp_path: Path, stream: Path
) -> None:
    """The SDK's own streams are tables of a warehouse; as streams of tickets they load by their key, each key once."""
    messages = [json.loads(line) for line in stream.read_text(encoding="utf-8").splitlines() if line.strip()]
    keys = [m["key_properties"] for m in messages if m["type"] == "SCHEMA" and m.get("key_properties")]
    sandbox.seed(5)
    running = runner(
        sandbox, tmp_path, stream, unknown_columns="ignore", key_property=keys[0][0] if keys else "id"
    )
    expected = TICKETS_OF[stream.stem]
    if expected is None:
        with pytest.raises(TargetError):
            running.sync_all()
    else:
        running.sync_all()
    assert len(sandbox.tickets()) == (expected or 0)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda p: p.stem)
def test_standard_stream_with_another_key_is_refused_and_nothing_is_written(
    sandbox: RunningSandbox, tmp_path: Path, stream: Path
) -> None:
    """None of them has our key: each ends in one typed error."""
    kinds = [
        json.loads(line)["type"] for line in stream.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    if "RECORD" in kinds or "SCHEMA" in kinds:
        with pytest.raises(TargetError):
            runner(sandbox, tmp_path, stream).sync_all()
    assert sandbox.tickets() == []
