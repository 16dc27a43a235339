"""The pure core of the target: what holds for any input, and the tables of decisions."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from target_hubspot_tickets.acknowledgement import Acknowledgements
from target_hubspot_tickets.batching import Input, Round, batches, body_of, encode
from target_hubspot_tickets.concurrency import Concurrency
from target_hubspot_tickets.correlation import match
from target_hubspot_tickets.protocol import MAX_BODY_BYTES, MAX_INPUTS, Api, chunks
from target_hubspot_tickets.rate_limits import Window
from target_hubspot_tickets.records import Delete, Item, Upsert, Way, Wish, identity, read_record, record_of
from target_hubspot_tickets.settings import JSON_SCHEMA, SECRETS, is_allowed_url, problems_of
from target_hubspot_tickets.verdicts import Verdict, verdict, wait_seconds

KEY = "salesforce_case_id"
keys = st.lists(
    st.from_regex(r"[A-Za-z0-9]{18}", fullmatch=True), min_size=1, max_size=12, unique_by=str.lower
)

# -- records


@given(st.dictionaries(st.text(max_size=8), st.none() | st.text(max_size=8) | st.integers(), max_size=6))
def test_record_is_an_upsert_of_all_its_columns_or_a_deletion(columns: dict[str, Any]) -> None:
    """No column gets lost, and the Singer ones do not become properties."""
    columns.pop("associations", None)
    item = read_record(columns | {KEY: "500"}, KEY)
    if columns.get("_sdc_deleted_at"):
        assert item == Delete(key="500")
    else:
        assert isinstance(item, Upsert)
        assert dict(item.values) == {
            n: v for n, v in (columns | {KEY: "500"}).items() if not n.startswith("_sdc_")
        }


# -- rounds and batches

upserts = st.builds(
    Upsert,
    key=st.sampled_from(["500A", "500a ", "500B", "500C"]),
    values=st.dictionaries(st.sampled_from(["subject", "content"]), st.integers(0, 9), max_size=2),
    wishes=st.none() | st.just(()),
)
items = upserts | st.builds(Delete, key=st.sampled_from(["500A", "500B", "500C"]))


@given(st.lists(items, max_size=40))
def test_R19_of_two_records_with_one_key_the_later_counts(stream: list[Item]) -> None:
    """A round is what HubSpot would hold if it had got the records one by one; each key once, whatever its letters."""
    round_ = Round(number=1)
    expected: dict[str, dict[str, Any] | None] = {}
    for item in stream:
        round_.add(item)
        key = identity(item.key)
        before = expected.get(key)
        expected[key] = {**(before or {}), **item.values} if isinstance(item, Upsert) else None
    assert {k: dict(i.values) if isinstance(i, Upsert) else None for k, i in round_.items.items()} == expected
    assert round_.superseded == len(stream) - len(expected)


@given(upserts)
def test_upsert_of_a_record_gives_the_record_back(upsert: Upsert) -> None:
    """What is kept of a rejected record is read as the same upsert again."""
    upsert = replace(upsert, key=upsert.key.strip(), values={**upsert.values, KEY: upsert.key.strip()})
    wish = Wish(to="companies", ways=(Way(by="domain", value="a"), Way(by="name", value="b")), label="Payer")
    for one in (
        upsert,
        replace(upsert, wishes=(wish, Wish(to="contacts", ways=(Way(by="email", value="c"),)))),
    ):
        assert read_record(record_of(one), KEY) == one


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=3_000_000), max_size=300))
def test_R37_batches_keep_order_and_stay_within_hubspots_limits(weights: list[int]) -> None:
    """Every input once, in order; never above 100; above two million bytes only where one record alone is."""
    inputs = [Input(key=str(n), content=b"x" * w) for n, w in enumerate(weights)]
    made = list(batches(inputs))
    assert [i for batch in made for i in batch] == inputs
    assert all(1 <= len(batch) <= MAX_INPUTS for batch in made)
    assert all(len(b) == 1 or len(body_of(b)) <= MAX_BODY_BYTES + 100 for b in made)


# -- acknowledgement


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_R08_no_state_leaves_before_all_that_it_covers_is_confirmed(data: st.DataObject) -> None:
    """Rounds are confirmed in any order; a state leaves at once when it may, never twice, never behind a later one."""
    acks, opened, confirmed, left = Acknowledgements(), 0, set[int](), list[int]()
    covered: list[int] = []  # by number of the state: the rounds opened before it
    for _ in range(data.draw(st.integers(1, 30))):
        step = data.draw(st.sampled_from(["open", "state", "confirm"]))
        if step == "open":
            opened += 1
            acks.opened(opened)
        elif step == "state":
            covered.append(opened)
            acks.came({"number": len(covered) - 1}, opened)
        elif under_way := sorted(set(range(1, opened + 1)) - confirmed):
            number = data.draw(st.sampled_from(under_way))
            confirmed.add(number)
            acks.confirmed(number)
        if (state := acks.take_due()) is not None:
            left.append(state["number"])
        may = [n for n, newest in enumerate(covered) if set(range(1, newest + 1)) <= confirmed]
        assert left == sorted(set(left))
        assert (left[-1:] or None) == (may[-1:] or None), "the newest state that may leave has left"


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=9))
def test_chunks_are_the_items(items: list[int], size: int) -> None:
    assert [i for chunk in chunks(items, size) for i in chunk] == items


@pytest.mark.parametrize(
    ("version", "path"),
    [("2026-09", "/crm/objects/2026-09/tickets/batch/upsert"), ("2026-03", "/crm/objects/2026-03/tickets/batch/upsert"), ("v3", "/crm/v3/objects/tickets/batch/upsert")],
)  # fmt: skip
def test_upsert_has_a_trace_id_per_input(version: str, path: str) -> None:
    """Without one HubSpot refuses the whole call for one bad record."""
    call = Api(version).upsert(body_of([encode("5A", {"subject": "s"}, KEY)]))
    assert call.path == path
    assert json.loads(call.body or b"") == {
        "inputs": [
            {"idProperty": KEY, "id": "5A", "objectWriteTraceId": "5A", "properties": {"subject": "s"}}
        ]
    }


# -- correlation


@given(keys, st.data())
def test_every_key_of_a_batch_has_one_outcome_whatever_the_order(
    batch: list[str], data: st.DataObject
) -> None:
    """HubSpot answers in an order of its own, leaves some out, and echoes keys in other letters."""
    kinds = data.draw(
        st.lists(
            st.sampled_from(["new", "known", "refused", "passing", "silent"]),
            min_size=len(batch),
            max_size=len(batch),
        )
    )
    wanted = dict(zip(batch, kinds, strict=True))
    results = [
        {"id": str(n), "new": kind == "new", "properties": {KEY: key.upper()}}
        for n, (key, kind) in enumerate(wanted.items())
        if kind in {"new", "known"}
    ]
    errors = [
        {
            "category": "VALIDATION_ERROR" if kind == "refused" else "INTERNAL_ERROR",
            "message": "quotes a value",
            "context": {"objectWriteTraceId": [key]},
        }
        for key, kind in wanted.items()
        if kind in {"refused", "passing"}
    ]
    outcomes = match(
        batch,
        {"results": data.draw(st.permutations(results)), "errors": data.draw(st.permutations(errors))},
        KEY,
    )
    assert set(outcomes.written) == {k for k, kind in wanted.items() if kind in {"new", "known"}}
    assert {k for k, w in outcomes.written.items() if w.is_new} == {
        k for k, kind in wanted.items() if kind == "new"
    }
    assert set(outcomes.rejected) == {k for k, kind in wanted.items() if kind == "refused"}
    assert set(outcomes.passing) == {k for k, kind in wanted.items() if kind == "passing"}
    assert set(outcomes.silent) == {k for k, kind in wanted.items() if kind == "silent"}
    assert not any("quotes" in r.message for r in outcomes.rejected.values())


# -- rates


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.001, 4), st.floats(0, 1)), min_size=1, max_size=80),
    st.integers(min_value=1, max_value=9),
)
def test_R32_no_window_of_hubspots_ever_holds_more_calls_than_allowed(
    calls: list[tuple[float, float, float]], limit: int
) -> None:
    """Whenever calls are asked for and however long each takes: if HubSpot counts a call at its arrival or at its end, its window is kept.

    Each call: seconds until it is asked for, how long it takes beyond the fastest, and how fast the fastest is.
    """
    fastest = min(base for _, _, base in calls)
    for counted_at_end in (False, True):
        counted = simulate(calls, limit, fastest, counted_at_end=counted_at_end)
        assert all(later - first > 10.0 for first, later in zip(counted, counted[limit:], strict=False))


def simulate(
    calls: list[tuple[float, float, float]], limit: int, fastest: float, *, counted_at_end: bool
) -> list[float]:
    """When HubSpot counts each call."""
    window, now = Window(limit=limit, seconds=10.0), 0.0
    flying: list[tuple[float, float]] = []  # end, start
    counted: list[float] = []

    def land(until: float) -> None:
        for ended, started in sorted(f for f in flying if f[0] <= until):
            flying.remove((ended, started))
            window.end(started, ended)
            counted.append(ended if counted_at_end else started)

    for number, (pause, longer, _) in enumerate(calls):
        now += pause
        land(now)
        while (wait := window.wait_seconds(now)) > 0:
            now = min([now + wait, *(ended for ended, _ in flying)])
            land(now)
        window.start()
        flying.append((now + fastest + (longer if number else 0.0), now))
    land(float("inf"))
    return sorted(counted)


def test_R32_a_window_is_used_to_its_limit() -> None:
    """Calls of one length: as many as are allowed start in any 10 seconds, less the margin."""
    window, now, starts = Window(limit=190, seconds=10.0), 0.0, list[float]()
    for _ in range(1900):
        now += window.wait_seconds(now)
        window.start()
        window.end(now, now + 0.3)
        starts.append(now)
    assert len(starts) / (starts[-1] - starts[0]) > 0.97 * 19


def test_others_who_use_the_window_are_left_their_part() -> None:
    """HubSpot says that less is left than we used: we take what is left, and all of it again when they are gone."""
    window = Window(limit=100, seconds=10.0)
    window.start()
    window.end(0.0, 0.1)
    window.learn(100, 39, 0.1)  # 61 used: one is ours
    started = 0
    while window.wait_seconds(0.2) == 0:
        window.start()
        started += 1
    assert started == 39
    assert window.wait_seconds(10.2) == 0


def test_refused_call_makes_everybody_wait_and_the_window_smaller() -> None:
    window = Window(limit=5, seconds=1.0)
    window.refused(0.0, 1.0)
    assert window.wait_seconds(0.5) == 0.5
    started = 0
    while window.wait_seconds(1.0) == 0:
        window.start()
        started += 1
    assert started == 4


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_lowered_window_is_whole_again_after_some_of_its_times(seconds: float) -> None:
    """A search refused once must not slow all searches of a long run down."""
    window = Window(limit=5, seconds=seconds)
    window.refused(0.0, 1.0)
    for moment, allowed in ((5 * seconds, 4), (7 * seconds, 5)):
        started = 0
        while window.wait_seconds(moment) == 0:
            window.start()
            started += 1
        assert started == allowed
        for _ in range(started):
            window.end(moment, moment)


def test_concurrency_grows_while_answers_are_fast_and_halves_when_hubspot_is_pressed() -> None:
    """Up to the most; one sign halves it once, however many calls it hit; one call is always allowed."""
    concurrency = Concurrency(most=24)
    for _ in range(100):
        concurrency.answered("upsert", 0.3)
    assert concurrency.limit == 24
    for moment in (0.0, 0.1, 0.2):
        concurrency.pressed(moment)
    assert concurrency.limit == 12
    for moment in range(1, 20):
        concurrency.pressed(float(moment) * 2)
    assert concurrency.limit == 1
    concurrency.answered("upsert", 0.3)
    concurrency.answered("upsert", 9.0)  # slow: no reason for more
    assert concurrency.limit == 2


# -- verdicts


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"results": []}, Verdict.USE),
        (207, {"results": [], "errors": []}, Verdict.USE),
        (204, None, Verdict.USE),
        (200, None, Verdict.TRY_AGAIN),
        (201, ["no object"], Verdict.TRY_AGAIN),
        (400, {"category": "VALIDATION_ERROR"}, Verdict.SPLIT),
        (409, {}, Verdict.SPLIT),
        (401, {}, Verdict.RENEW_TOKEN),
        (403, {}, Verdict.FORBIDDEN),
        (404, {}, Verdict.NOT_FOUND),
        (423, {}, Verdict.TRY_AGAIN),
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, Verdict.TRY_AGAIN),
        (429, {"policyName": "DAILY"}, Verdict.STOP_FOR_TODAY),
        (429, None, Verdict.TRY_AGAIN),
        (502, None, Verdict.TRY_AGAIN),
        (302, None, Verdict.GIVE_UP),
        (418, {}, Verdict.GIVE_UP),
    ],
)
def test_answer_asks_for(status: int, body: Any, expected: Verdict) -> None:
    assert verdict(status, body) is expected


@given(
    st.integers(min_value=100, max_value=599),
    st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5)) | st.lists(st.integers()),
)
def test_only_a_success_with_an_object_is_used(status: int, body: Any) -> None:
    """Nothing but 2xx counts, and of those only what says something, or 204."""
    if verdict(status, body) is Verdict.USE:
        assert status == 204 or (200 <= status < 300 and isinstance(body, dict))


@pytest.mark.parametrize(
    ("status", "body", "header", "seconds"),
    [
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, None, 10.0),
        (429, {"policyName": "SECONDLY"}, None, 1.0),
        (423, None, None, 2.0),
        (477, None, "3600", 60.0),
        (503, None, "1.5", 1.5),
        (503, None, "soon", None),
        (500, None, None, None),
    ],
)
def test_wait_is_what_hubspot_says_within_a_minute(
    status: int, body: Any, header: str | None, seconds: float | None
) -> None:
    assert wait_seconds(status, body, header) == seconds


# -- settings

TOKEN = {"access_token": "token-of-ours"}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, "access_token is missing"),
        ({"access_token": ["token-of-ours"]}, "access_token must be of type string"),
        (TOKEN | {"base_url": "http://api.hubapi.com"}, "base_url must start with https://"),
        (
            TOKEN | {"base_url": "https://user:token-of-ours@api.hubapi.com"},
            "base_url must start with https://",
        ),
        (TOKEN | {"on_delete": "explode"}, "on_delete must be one of: ignore, archive"),
        (TOKEN | {"max_tries": 0}, "max_tries must be at least 1"),
        (TOKEN | {"max_tries": True}, "max_tries must be of type integer"),
        (TOKEN | {"api_version": "v9"}, "api_version must be one of"),
    ],
)
def test_S3_wrong_setting_is_told_by_name_without_its_value(config: dict[str, Any], told: str) -> None:
    problems = problems_of(config)
    assert any(told in problem for problem in problems)
    assert "token-of-ours" not in str(problems)


def test_token_alone_is_enough() -> None:
    assert problems_of(TOKEN) == []


@given(
    st.dictionaries(
        st.sampled_from(sorted(JSON_SCHEMA["properties"])),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=9)
        | st.lists(st.text(max_size=3), max_size=2),
    )
)
def test_any_configuration_has_a_list_of_problems(config: dict[str, Any]) -> None:
    """Never anything but a list, and each problem starts with the name of a setting."""
    assert all(problem.split(maxsplit=1)[0] in JSON_SCHEMA["properties"] for problem in problems_of(config))


def test_S2_secrets_are_marked_as_such() -> None:
    assert SECRETS == ("access_token", "client_secret", "refresh_token", "ledger_url")


@given(st.text(max_size=30))
def test_S8_token_goes_to_https_or_to_this_machine_only(text: str) -> None:
    for url in (text, f"http://{text}", f"https://{text}"):
        if is_allowed_url(url):
            assert (
                url.lower().startswith("https://") or "127.0.0.1" in url or "localhost" in url or "::1" in url
            )
