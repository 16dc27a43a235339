"""What becomes of each kind of refusal, over real HTTP: the record's fault, a passing one, or the run's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import pytest

from case_sync_sandbox.hubspot.access import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.batching import Input, encode
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    QuotaReachedError,
    TargetError,
    TokenRefusedError,
    TransientError,
)
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.settings import with_defaults
from target_hubspot_tickets.target import TargetHubspotTickets
from target_hubspot_tickets.upserting import Upserter

from .conftest import KEY, Target, by_key, case_id, lines, read_states, schema, state, ticket

SOON = {"Retry-After": "0.01"}


def config(sandbox: RunningSandbox, **changes: Any) -> dict[str, Any]:
    return with_defaults({"base_url": sandbox.hubspot_url, "access_token": "sandbox-token"} | changes)


@pytest.fixture
def portal(sandbox: RunningSandbox) -> RunningSandbox:
    """A portal with pipelines and the key property."""
    sandbox.seed(5)
    httpx.post(
        f"{sandbox.hubspot_url}/crm/properties/2026-09/tickets",
        headers={"authorization": "Bearer sandbox-token"},
        json={"groupName": "ticketinformation", "name": KEY, "label": "Key", "type": "string", "fieldType": "text", "hasUniqueValue": True},
    ).raise_for_status()  # fmt: skip
    return sandbox


@pytest.fixture
def client(portal: RunningSandbox) -> Iterator[HubSpotClient]:
    with HubSpotClient(config(portal)) as client:
        yield client


def inputs(numbers: range, **changes: str) -> list[Input]:
    good = {"subject": "s", "hs_pipeline": "0", "hs_pipeline_stage": "1"} | changes
    return [encode(case_id(n), good | {KEY: case_id(n)}, KEY) for n in numbers]


def upserts(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return sandbox.requests(half="hubspot", path="batch/upsert")


@pytest.mark.parametrize("bad", [1, 7, 50, 99])
def test_R28_each_bad_record_of_a_batch_is_told_once_and_the_others_are_written(
    portal: RunningSandbox, client: HubSpotClient, bad: int
) -> None:
    """207 with 1 to 99 errors: the bad ones with their code, the good ones as tickets."""
    batch = [*inputs(range(bad), hs_ticket_priority="NOSUCH"), *inputs(range(bad, 100))]
    answered = Upserter(client, Api("2026-09"), KEY).send(batch)
    assert answered.rejected.keys() == {case_id(n) for n in range(bad)}
    assert {r.code for r in answered.rejected.values()} == {"INVALID_OPTION"}
    assert answered.written.keys() == by_key(portal).keys() == {case_id(n) for n in range(bad, 100)}
    assert len(upserts(portal)) == 1


def test_R29_what_an_answer_is_silent_about_is_sent_again_and_then_on_record(
    portal: RunningSandbox, client: HubSpotClient
) -> None:
    upserter = Upserter(client, Api("2026-09"), KEY)
    portal.settings(silent_batches=1)
    assert len(upserter.send(inputs(range(20))).written) == 20
    portal.settings(silent_batches=1000)
    answered = upserter.send(inputs(range(30, 33)))
    assert {r.code for r in answered.rejected.values()} == {"NO_ANSWER"}
    assert len(answered.rejected) == 3


@pytest.mark.parametrize(("poisons", "most_calls"), [(1, 15), (3, 45)])
def test_R30_whole_call_refused_is_halved_down_to_the_record(
    portal: RunningSandbox, client: HubSpotClient, poisons: int, most_calls: int
) -> None:
    """An input without a trace id makes HubSpot refuse the whole call (hubspot-api 1.3); 100 records, few calls."""
    batch = inputs(range(100))
    for place in [37, 38, 93][:poisons]:
        broken = json.loads(batch[place].content)
        del broken["objectWriteTraceId"]
        broken["properties"]["hs_ticket_priority"] = "NOSUCH"
        batch[place] = Input(key=batch[place].key, content=json.dumps(broken).encode())
    answered = Upserter(client, Api("2026-09"), KEY).send(batch)
    assert len(answered.rejected) == poisons
    assert len(answered.written) == len(by_key(portal)) == 100 - poisons
    assert len(upserts(portal)) <= most_calls


def test_R31_rates_are_waited_for_and_the_end_of_the_day_ends_the_run(
    portal: RunningSandbox, client: HubSpotClient
) -> None:
    """429 of a window, long or short: again, until it goes. 429 of the day: not one call more."""
    upserter = Upserter(client, Api("2026-09"), KEY)
    for number, window in enumerate(("429_ten_secondly", "429_secondly"), start=1):
        portal.faults([{"half": "hubspot", "path": "batch/upsert", "action": window, "times": 3, "headers": SOON}])  # fmt: skip
        assert len(upserter.send(inputs(range(5))).written) == 5
        assert client.refusals == 3 * number
    portal.faults([{"half": "hubspot", "path": "batch/upsert", "action": "429_daily"}])
    with pytest.raises(QuotaReachedError):
        upserter.send(inputs(range(5)))
    count = len(portal.requests(half="hubspot"))
    for _ in range(5):
        with pytest.raises(QuotaReachedError):
            upserter.send(inputs(range(5)))
    assert len(portal.requests(half="hubspot")) == count


@pytest.mark.parametrize("seed", range(2))
def test_R11_thousands_of_faults_lose_nothing_and_double_nothing(portal: RunningSandbox, seed: int) -> None:
    """1,000 calls beside one another, a third of them hit by a fault, before or after HubSpot wrote: each ticket once."""
    kinds = ["429_ten_secondly", "423", "500", "503", "drop_before_commit", "drop_after_commit", "truncate_body", "html_200"]  # fmt: skip
    portal.faults([{"half": "hubspot", "path": "batch/upsert", "every": 13 + 2 * n + seed, "action": kind, "headers": SOON} for n, kind in enumerate(kinds)])  # fmt: skip
    with HubSpotClient(config(portal, max_tries=50)) as client:
        upserter = Upserter(client, Api("2026-09"), KEY)
        sent = [client.submit("general", upserter.send, inputs(range(n * 3, n * 3 + 3))) for n in range(1000)]
        answers = [future.result() for future in sent]
    assert sum(len(a.written) for a in answers) == len(by_key(portal)) == 3000
    assert not any(a.rejected for a in answers)
    faults = sum(rule["hit"] for rule in portal.admin("GET", "faults")["rules"])
    assert faults >= 300, f"too few faults to prove anything: {faults}"
    assert portal.admin("GET", "hubspot/flights")["overlaps"] == {}


def test_R32_calls_keep_to_the_windows_that_hubspot_tells(portal: RunningSandbox) -> None:
    """More calls than a window holds, as fast as it goes: the fullest window is full, and not one call is refused."""
    portal.admin("POST", "hubspot/limits", {"real": True, "general": 130})
    with HubSpotClient(config(portal)) as client:
        api = Api("2026-09")
        client.send_all([api.account() for _ in range(200)])
        client.send_all([api.search("companies", "domain", ["x"]) for _ in range(15)])
    report = portal.admin("GET", "hubspot/limits")
    assert report["maxima"]["general"] >= 125
    assert report["refused"] == {"general": 0, "associations": 0, "search": 0, "daily": 0}


def oauth(sandbox: RunningSandbox, **changes: Any) -> dict[str, Any]:
    return (
        config(
            sandbox,
            access_token=None,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            refresh_token=REFRESH_TOKEN,
        )
        | changes
    )


def test_R34_token_that_expires_is_renewed_once_for_all_threads(portal: RunningSandbox) -> None:
    """20 times: every token expires while 16 calls are under way; 20 tokens are fetched, and no call is lost."""
    with HubSpotClient(oauth(portal, max_in_flight=16)) as client:
        client.send(Api("2026-09").account())
        for _ in range(20):
            portal.admin("POST", "hubspot/expire-tokens")
            answers = client.send_all([Api("2026-09").account() for _ in range(16)])
            assert all(isinstance(a, dict) for a in answers)
    fetched = portal.requests(half="hubspot", path="oauth")
    assert len(fetched) == 21


def test_R35_revoked_refresh_token_ends_the_run_in_words(portal: RunningSandbox) -> None:
    portal.admin("POST", "hubspot/refresh-tokens", {"revoked": True})
    with HubSpotClient(oauth(portal)) as client, pytest.raises(TokenRefusedError) as told:
        client.send(Api("2026-09").account())
    assert "refresh_token" in str(told.value)
    assert REFRESH_TOKEN not in str(told.value)


def test_R35_token_revoked_in_the_middle_ends_the_run_within_few_calls(
    sandbox: RunningSandbox, target: Target
) -> None:
    """No flood of rejections: nothing is put on record, and what was confirmed has its state."""
    process = target.start(max_in_flight=1)
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines([schema(), *map(ticket, range(2000)), state(2000)]))
    process.stdin.flush()
    assert read_states(process.stdout.readline()) == [2000]
    before = len(sandbox.requests(half="hubspot"))
    sandbox.faults([{"half": "hubspot", "action": "401"}])
    stdout, log = process.communicate(lines([*map(ticket, range(2000, 4000)), state(4000)]), timeout=60)
    assert (process.returncode, read_states(stdout)) == (TokenRefusedError.exit_code, []), log
    assert target.rejected() == []
    assert len(sandbox.requests(half="hubspot")) - before <= 3


@pytest.mark.parametrize("action", ["423", "477", "500", "502", "503", "504", "524", "drop_before_commit", "drop_after_commit", "html_200", "truncate_body"])  # fmt: skip
def test_R33_passing_faults_are_tried_again(
    portal: RunningSandbox, client: HubSpotClient, action: str
) -> None:
    portal.faults([{"half": "hubspot", "path": "batch/upsert", "action": action, "times": 2, "headers": SOON}])  # fmt: skip
    answered = Upserter(client, Api("2026-09"), KEY).send(inputs(range(3)))
    assert len(answered.written) == 3
    assert len(upserts(portal)) == 3


def test_R33_long_migration_ends_the_run_instead_of_holding_it(
    portal: RunningSandbox, client: HubSpotClient
) -> None:
    portal.faults([{"half": "hubspot", "action": "477", "headers": {"Retry-After": "7200"}}])
    with pytest.raises(QuotaReachedError, match="data centre"):
        client.send(Api("2026-09").account())


def test_R10_answers_lost_behind_the_commit_make_no_second_ticket(portal: RunningSandbox) -> None:
    """100 batches whose first answer never comes: written twice, one ticket each."""
    portal.faults([{"half": "hubspot", "path": "batch/upsert", "every": 2, "action": "drop_after_commit", "headers": SOON}])  # fmt: skip
    with HubSpotClient(config(portal, max_tries=50)) as client:
        upserter = Upserter(client, Api("2026-09"), KEY)
        sent = [client.submit("general", upserter.send, inputs(range(n * 5, n * 5 + 5))) for n in range(100)]
        assert sum(len(f.result().written) for f in sent) == 500
    assert portal.admin("GET", "faults")["rules"][0]["hit"] >= 99  # every second of 200 calls
    assert len(by_key(portal)) == 500


def test_S1_no_token_is_in_any_error(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Whatever ends a run: its words hold no secret."""
    for changes in ({"access_token": "secret-9"}, {"base_url": "http://127.0.0.1:9", "max_tries": 1, "access_token": "secret-9"}):  # fmt: skip
        target = TargetHubspotTickets(
            config={"base_url": sandbox.hubspot_url, "ledger_url": str(tmp_path / "l.db")} | changes
        )
        with pytest.raises(TargetError) as told, redirect_stdout(io.StringIO()):
            target.listen_and_report(io.StringIO(json.dumps(schema()) + "\n"))
        assert "secret-9" not in str(told.value)


@pytest.mark.parametrize(
    "error",
    [
        HubSpotAnswerError(status=400, category="C", message="m", correlation_id="i", call="GET /"),
        TransientError("later", 1.0),
    ],
)
def test_an_error_passes_through_blocks_that_close_what_is_open(error: Exception) -> None:
    """Python notes the traceback on what it throws into a block's function."""

    @contextmanager
    def block() -> Iterator[None]:
        yield

    with pytest.raises(type(error)) as caught, block():
        raise error
    assert caught.value is error
