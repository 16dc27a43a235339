"""100,000 inputs and more that nobody would send on purpose, into the cores: Singer lines, rules, vendors' answers.

None of them brings an error that is not one of ours, none hangs (`mutating.watch`), and memory stays. `test_fuzzed_runs.py` gives the same to whole
processes. By seeds: `-k seed1`.
"""

import gc
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from case_sync_sandbox.testing import RunningSandbox
from case_ticket_mapper.errors import MapperError
from case_ticket_mapper.messages import line_of
from case_ticket_mapper.messages import read_message as read_in_mapper
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.schema_out import tickets_schema
from case_ticket_mapper.ticket import TicketMaker
from tap_salesforce_cases.api_errors import refusal_of
from tap_salesforce_cases.api_errors import verdict as salesforce_verdict
from tap_salesforce_cases.bookmarks import Bookmark, Origin, check_form, is_empty, open_bookmark
from tap_salesforce_cases.deletes import log_window, read_position
from tap_salesforce_cases.errors import LoginRefusedError, StateRefusedError
from tap_salesforce_cases.login import read_token
from tap_salesforce_cases.moments import from_wire
from tap_salesforce_cases.quota import read_usage
from tap_salesforce_cases.windows import Window
from target_hubspot_tickets.batching import Round, encode
from target_hubspot_tickets.correlation import match, problems, reader_of
from target_hubspot_tickets.errors import StreamError
from target_hubspot_tickets.messages import read_message as read_in_target
from target_hubspot_tickets.needs import needs_of
from target_hubspot_tickets.owners import read_owners
from target_hubspot_tickets.portal import Portal, read_pipelines, read_properties
from target_hubspot_tickets.preflight import Asked, Found, plan
from target_hubspot_tickets.records import Upsert, read_record
from target_hubspot_tickets.ticket_properties import Creation
from target_hubspot_tickets.tickets import Choices, TicketPlan, UnresolvedError
from target_hubspot_tickets.verdicts import verdict as hubspot_verdict
from target_hubspot_tickets.verdicts import wait_seconds

from .forked import ROOT, project_rules
from .mutating import JUNK, forget_peak, memory_bytes, mutated_bytes, several, survey, watch

pytestmark = pytest.mark.faults

KEY = "salesforce_case_id"
SEEDS = range(4)
LINES, RULES, ANSWERS, STATES = 12_000, 600, 6_000, 1_000  # of each seed: 4 x (2 x 12,000 + 7,600) = 126,400
GROWTH_BYTES = 60_000_000  # of a test; the one with hypothesis takes a third of it
ROUND = 100  # records of one: all of them in one would be a growth of the test's own
SAMPLES = Path(ROOT / "contracts" / "samples")


@pytest.fixture(autouse=True)
def _memory_stays() -> Iterator[None]:
    """The peak of this test alone above what the process has at its start, whatever it held once."""
    gc.collect()
    forget_peak()
    before = memory_bytes("self", "VmRSS")
    yield
    grown = memory_bytes("self", "VmHWM") - before
    print(f"grown by {grown:,} bytes")
    assert grown < GROWTH_BYTES


def sample_lines(stream: str) -> list[bytes]:
    return (SAMPLES / f"{stream}.jsonl").read_bytes().splitlines()


def fuzzed_lines(stream: str, dice: random.Random) -> Iterator[bytes]:
    """Two of three are still JSON."""
    lines = sample_lines(stream)
    messages = [json.loads(line) for line in lines]
    for _ in range(LINES):
        if dice.random() < 0.34:
            yield mutated_bytes(dice.choice(lines), dice)
        else:
            yield json.dumps(several(dice.choice(messages), dice)).encode()


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_R61_lines_into_the_mapper(seed: int) -> None:
    """Each is a message or a MapperError; each case of one becomes something that can be written, and be read again by the target."""
    maker = TicketMaker(rules=read_rules(project_rules()))
    mapped = 0

    def take(line: bytes) -> None:
        nonlocal mapped
        message = read_in_mapper(line)
        if message["type"] == "RECORD" and isinstance(message["record"].get("Id"), str):
            outcome = maker.make(message["record"])
            record = getattr(outcome, "record", {})
            read_in_target(line_of({"type": "RECORD", "stream": "tickets", "record": record}))
            mapped += 1

    number, refused = survey(fuzzed_lines("cases", random.Random(seed)), take, (MapperError,))
    assert number == LINES
    assert mapped > LINES / 10, mapped
    assert refused > LINES / 10, refused


@pytest.fixture(scope="module")
def portal() -> Portal:
    """As the sandbox tells it."""
    with RunningSandbox() as sandbox:
        sandbox.seed(20)

        def ask(path: str) -> Any:
            headers = {"Authorization": "Bearer sandbox-token"}
            return requests.get(f"{sandbox.hubspot_url}{path}", headers=headers, timeout=30).json()

        return Portal(
            properties=read_properties(ask("/crm/v3/properties/tickets")),
            pipelines=read_pipelines(ask("/crm/v3/pipelines/tickets")),
            owners=read_owners(ask("/crm/v3/owners")["results"]),
        )


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_R61_R64_lines_into_the_target(portal: Portal, seed: int) -> None:
    """Each is a message or a StreamError; each record is rejected by name, or an input of HubSpot's that is JSON."""
    schema = json.loads(sample_lines("tickets")[0])["schema"]
    ticket_plan = TicketPlan(
        schema["properties"], portal, Choices(key_property=KEY, unknown_columns="ignore")
    )
    round_ = Round(number=1)
    written = 0

    def take(line: bytes) -> None:
        nonlocal written, round_
        message = read_in_target(line)
        if message["type"] == "SCHEMA":
            judge_schema(message["schema"], portal)
        if message["type"] != "RECORD":
            return
        item = read_record(message["record"], KEY, "salesforce_org_id", "salesforce_system_modstamp")
        round_.add(item)
        if isinstance(item, Upsert):
            sent = encode(item.key, ticket_plan.properties_of(item), KEY)
            assert json.loads(sent.content)["id"] == item.key
            written += 1
            if written % ROUND == 0:
                round_ = Round(number=round_.number + 1)

    number, refused = survey(
        fuzzed_lines("tickets", random.Random(seed)), take, (StreamError, UnresolvedError)
    )
    assert number == LINES
    assert written > LINES / 25, written
    assert refused > LINES / 10, refused


def judge_schema(schema: Mapping[str, Any], portal: Portal) -> None:
    """As preflight does it: what it makes of the columns are words."""
    columns = schema.get("properties") or {}
    asked = Asked(columns=columns, needs=needs_of(columns), choices=Choices(key_property=KEY), creation=Creation(properties=True, options=True, group="g"))  # fmt: skip
    found = Found(properties=portal.properties, pipelines=portal.pipelines, owners=portal.owners)
    "".join(plan(asked, found).problems)


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_rules_changed_at_random(seed: int) -> None:
    """Each block is refused in words, or it maps cases: then its schema can be written, too."""
    dice = random.Random(seed)
    cases = [m["record"] for line in sample_lines("cases") if (m := json.loads(line))["type"] == "RECORD"]
    accepted = 0

    def take(block: Any) -> None:
        nonlocal accepted
        rules = read_rules(block)
        json.dumps(tickets_schema(rules), default=str)
        for case in cases:
            TicketMaker(rules=rules).make(case)
        accepted += 1

    blocks = (several(whole_rules(), dice) for _ in range(RULES))
    number, refused = survey(blocks, take, (MapperError,))
    assert number == RULES
    assert accepted > RULES / 50, accepted
    assert refused > RULES / 4, refused


def whole_rules() -> dict[str, Any]:
    """One of everything that transform/README.md shows."""
    rules = project_rules()
    rules["fields"] |= {
        "content": {"from": ["Description", "Subject"], "convert": "html_text", "max_length": 100},
        "source_ref": {"template": "{Type}: {Subject}", "when_empty": "keep"},
        "closed_on": {"from": "ClosedDate", "convert": "date", "time_zone": "Europe/Berlin"},
        "amount": {"from": "Claim_Amount__c", "convert": "number", "default": 0},
        "team": {"from": "Owner__Name", "lookup": "queues", "when_unknown": "reject"},
        "made_by": {"value": "SALESFORCE"},
    }
    rules["lookups"] = {"queues": {"Tier 1 Support": "T1"}}
    rules["filter"] = {
        "record_types": {"include": ["Technical Support"], "exclude": ["none"]},
        "all": [{"field": "AccountId", "filled": True}, {"field": "CreatedDate", "at_least": "2020-01-01"}],
        "any": [{"field": "Priority", "one_of": ["High", "Low"]}, {"field": "IsEscalated", "is": True}],
        "otherwise": "leave",
    }
    rules["associations"]["more"] = [{"to": "contact", "match": [{"by": "email", "from": "SuppliedEmail", "convert": "lower"}]}]  # fmt: skip
    return rules


ANSWERS_OF_VENDORS: tuple[Any, ...] = (
    [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    {"error": "invalid_grant", "error_description": "expired"},
    {"access_token": "00D!x", "instance_url": "http://127.0.0.1:1", "id": "https://login.salesforce.com/id/00D5g00000SandBEAA/0055g000000001AAA"},
    {"status": "error", "message": "You have reached your daily limit.", "errorType": "RATE_LIMIT", "policyName": "DAILY", "correlationId": "c"},
    {"status": "error", "category": "VALIDATION_ERROR", "message": 'Property values were not valid: [{"isValid":false,"error":"INVALID_OPTION","name":"p"}]',
     "errors": [{"message": "m", "code": "INVALID_OPTION", "context": {"propertyName": ["p"]}}]},
    {"status": "COMPLETE", "correlationId": "c", "results": [{"id": "901", "new": True, "properties": {KEY: "500A"}}, {"id": "902", "properties": {KEY: "500B"}}],
     "errors": [{"category": "CONFLICT", "context": {"objectWriteTraceId": ["500C"], "ids": ["500D"]}, "errors": []}]},
)  # fmt: skip
BATCH = ANSWERS_OF_VENDORS[-1]
# Shares of the bodies, at least: those that `match` gets, and those in which it finds an outcome.
MATCHED, SETTLED = 0.3, 0.2


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_R48_answers_into_the_tables_of_verdicts(seed: int) -> None:
    """Whatever a vendor, or a proxy in front of it, answers: there is a verdict, and no key of a batch is without its outcome."""
    dice = random.Random(seed)
    statuses = (200, 201, 204, 207, 301, 400, 401, 403, 404, 409, 423, 429, 477, 500, 503, 524, 599)
    keys = ["500A", "500B", "500C", "500D"]
    read = reader_of(KEY)
    found: Counter[str] = Counter()

    def take(body: Any) -> None:
        status, header = (
            dice.choice(statuses),
            dice.choice((None, "", "0.5", "soon", "1e9", "-1", "Wed, 21 Oct")),
        )
        salesforce_verdict(status, body)
        refusal_of(body)
        hubspot_verdict(status, body, header)
        wait_seconds(status, body, header)
        read_usage(f"api-usage={header}/{dice.choice(JUNK)!s:.50}")
        with suppress(LoginRefusedError):
            read_token(status, body, "http://127.0.0.1:1")
        try:
            answer = read(json.dumps(body).encode())
        except ValueError:
            return
        answered = match(keys, answer, KEY)
        settled = [*answered.written, *answered.rejected, *answered.passing]
        assert sorted([*settled, *answered.silent]) == keys
        found["matched"] += 1
        found["settled"] += bool(settled)
        for error in answer["errors"]:
            if isinstance(error, dict):
                problems(error)

    bodies = (
        several(BATCH if dice.random() < 0.5 else dice.choice(ANSWERS_OF_VENDORS), dice)
        for _ in range(ANSWERS)
    )
    number, _ = survey(bodies, take, ())
    print(dict(found))
    assert number == ANSWERS
    assert found["matched"] > ANSWERS * MATCHED, found
    assert found["settled"] > ANSWERS * SETTLED, found


ORIGIN = Origin(organization_id="00D5g00000SandBEAA", object_name="Case", filter_fingerprint="all")
NOW = datetime(2026, 1, 8, tzinfo=UTC)
BOOKMARK: dict[str, Any] = {
    "version": 1, "organization_id": ORIGIN.organization_id, "object": "Case", "filter": "all", "fields": ["Id", "SystemModstamp", "Status"],
    "replication_key": "SystemModstamp", "replication_key_value": "2026-01-07T11:30:00.000Z", "after_id": "5005g00000AbCdEAAV",
    "emitted_in_lookback": {"5005g00000AbCdEAAV": "2026-01-07T11:30:00.000Z 00112233445566aa"},
    "jobs": [{"id": "7505g00000AbCdEAAV", "until": "2026-01-07T11:00:00.000Z", "since": "2026-01-06T11:00:00.000Z", "locator": "MTAw", "rows": 100, "columns": "c"}],
    "delete_log": {"covered": "2026-01-07T11:30:00.000Z", "emitted": ["500@2026-01-07T11:30:00.000Z"]},
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_R14_states(seed: int) -> None:
    """A state that is none is refused by that name, before any work; one that is let through can be worked with, and written again."""
    dice = random.Random(seed)
    accepted = 0

    def take(state: Any) -> None:
        nonlocal accepted
        if not isinstance(state, dict):  # so does the program's reader of --state, `json_file`
            raise StateRefusedError("no object")
        check_form(state, {"cases"})
        of_cases = (state.get("bookmarks") or {}).get("cases", {})
        work_with(open_bookmark(of_cases, ORIGIN, start=None, ceiling=NOW))
        look_at_log(of_cases)
        accepted += not is_empty(of_cases)

    states = (fuzzed_state(dice) for _ in range(STATES))
    number, refused = survey(states, take, (StateRefusedError,))
    print(accepted, refused)
    assert number == STATES
    assert accepted > STATES / 8, accepted
    assert refused > STATES / 4, refused


def fuzzed_state(dice: random.Random) -> Any:
    """Mostly whole around its bookmark, of which a part that most of the checks do not stand on is another one."""
    if dice.random() < 0.3:
        return several({"bookmarks": {"cases": BOOKMARK}}, dice)
    if dice.random() < 0.3:
        return {"bookmarks": {"cases": several(BOOKMARK, dice)}}
    part = dice.choice(("jobs", "delete_log", "emitted_in_lookback", "fields", "after_id"))
    return {"bookmarks": {"cases": BOOKMARK | {part: several(BOOKMARK[part], dice)}}}


def work_with(bookmark: Bookmark) -> None:
    """What a run does with it: its Bulk jobs' windows and rows are gone on with, it moves, it is written."""
    for job in bookmark.jobs:
        Window(
            since_inclusive=from_wire(job.since) if job.since else None, until_exclusive=from_wire(job.until)
        )
        assert f"{job.id}{job.locator}".isascii()
        assert job.rows + 1 > 0
    assert bookmark.after is None or bookmark.after.record_id.isalnum()
    row = {"Id": "5005g00000AbCdEAAV", "SystemModstamp": "2026-01-07T12:00:00.000Z"}
    bookmark.is_known(row)
    bookmark.remember(row)
    bookmark.finished(NOW)
    json.dumps(bookmark.state()).encode()


def look_at_log(state: Mapping[str, Any]) -> None:
    """As the stream of cases does it."""
    try:
        position = read_position(state.get("delete_log") or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise StateRefusedError(str(error)) from None
    if position.covered is None or position.covered <= NOW:
        log_window(position, None, NOW)
    json.dumps(position.state())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


EXAMPLES = 500
COLUMNS = (
    "Subject",
    "Description",
    "Priority",
    "Type",
    "Owner__Email",
    "SystemModstamp",
    "Account__Website",
    "ContactId",
    "IsClosed",
)
TICKETS, REJECTIONS = (
    0.6,
    0.02,
)  # of the examples, at least: most have a place in HubSpot, so that it is their values that are tried


def places() -> st.SearchStrategy[dict[str, Any]]:
    """Support process and status: a pair that the rules know, nine of ten times; else anything."""
    pipelines = project_rules()["pipelines"].items()
    known = [
        {"BusinessProcess__Name": None if process == "default" else process, "Status": status}
        for process, pipeline in pipelines
        for status in pipeline["stages"]
    ]
    anything = st.fixed_dictionaries({"BusinessProcess__Name": JSON, "Status": JSON})
    return st.integers(0, 9).flatmap(lambda number: anything if number == 9 else st.sampled_from(known))


def test_R61_any_values_of_a_case_become_a_record_or_a_rejection() -> None:
    """Hypothesis at the values: what comes out can be written and read again, equal."""
    maker = TicketMaker(rules=read_rules(project_rules()))
    outcomes: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(value=JSON, place=places(), fields=st.dictionaries(st.sampled_from(COLUMNS), JSON))
    def take(value: Any, place: dict[str, Any], fields: dict[str, Any]) -> None:
        begin()
        outcome = maker.make({"Id": "5005g00000AbCdEAAV", "CaseNumber": value, **fields, **place})
        outcomes[type(outcome).__name__] += 1
        record = getattr(outcome, "record", {})
        line = line_of({"type": "RECORD", "stream": "tickets", "record": record})
        assert read_in_mapper(line)["record"].keys() == record.keys()

    with watch() as begin:
        take()
    print(dict(outcomes))
    assert outcomes["Ticket"] > EXAMPLES * TICKETS, outcomes
    assert outcomes["Rejection"] > EXAMPLES * REJECTIONS, outcomes
