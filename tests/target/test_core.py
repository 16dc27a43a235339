"""The pure core of the target: what holds for any input, and the tables of decisions."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_tickets.correlation import match
from target_hubspot_tickets.portal import Pipeline, Property
from target_hubspot_tickets.preflight import plan, wrong_places
from target_hubspot_tickets.protocol import MAX_BODY_BYTES, MAX_INPUTS, Api, Input, batches, chunks
from target_hubspot_tickets.rate_limits import Window
from target_hubspot_tickets.records import Delete, Upsert, read_record
from target_hubspot_tickets.settings import JSON_SCHEMA, SECRETS, is_allowed_url, problems_of
from target_hubspot_tickets.values import MAX_TEXT, UNWANTED, to_hubspot
from target_hubspot_tickets.verdicts import Verdict, verdict, wait_seconds

KEY = "salesforce_case_id"
UNIQUE = Property(name=KEY, type="string", is_read_only=False, is_unique=True)
keys = st.lists(
    st.from_regex(r"[A-Za-z0-9]{18}", fullmatch=True), min_size=1, max_size=12, unique_by=str.lower
)

# -- values


@given(st.text(alphabet=st.characters(codec=None)))
def test_text_is_sent_as_it_is_but_for_control_characters(value: str) -> None:
    """Whatever comes, HubSpot gets valid UTF-8 within its limit."""
    sent = to_hubspot(value)
    assert sent == UNWANTED.sub("", value)[:MAX_TEXT]
    sent.encode("utf-8")


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_number_keeps_its_value_and_has_no_exponent(value: Any) -> None:
    sent = to_hubspot(value)
    assert Decimal(sent) == Decimal(str(value))
    assert not set(sent) & set("eE+")


@pytest.mark.parametrize(
    ("value", "sent"), [(None, ""), (True, "true"), (False, "false"), (0, "0"), (["a", 1], "a;1"), ("", "")]
)
def test_value_as_hubspot_takes_it(value: Any, sent: str) -> None:
    assert to_hubspot(value) == sent


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


# -- batches


@given(st.lists(st.integers(min_value=0, max_value=3_000_000), max_size=300))
def test_batches_keep_order_and_stay_within_hubspots_limits(weights: list[int]) -> None:
    """Every input once, in order; never above 100; above two million bytes only where one record alone is."""
    inputs = [Input(key=str(n), properties={"content": "x" * (w // 4)}) for n, w in enumerate(weights)]
    made = list(batches(inputs))
    assert [i for batch in made for i in batch] == inputs
    assert all(1 <= len(batch) <= MAX_INPUTS for batch in made)
    assert all(
        len(b) == 1 or sum(len(i.properties["content"]) * 4 for i in b) <= MAX_BODY_BYTES for b in made
    )


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=9))
def test_chunks_are_the_items(items: list[int], size: int) -> None:
    assert [i for chunk in chunks(items, size) for i in chunk] == items


@pytest.mark.parametrize(
    ("version", "path"),
    [("2026-09", "/crm/objects/2026-09/tickets/batch/upsert"), ("2026-03", "/crm/objects/2026-03/tickets/batch/upsert"), ("v3", "/crm/v3/objects/tickets/batch/upsert")],
)  # fmt: skip
def test_upsert_has_a_trace_id_per_input(version: str, path: str) -> None:
    """Without one HubSpot refuses the whole call for one bad record."""
    call = Api(version).upsert([Input(key="5A", properties={"subject": "s"})], KEY)
    assert call.path == path
    assert json.loads(json.dumps(call.body)) == {
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
            st.sampled_from(["new", "known", "refused", "silent"]), min_size=len(batch), max_size=len(batch)
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
            "category": "VALIDATION_ERROR",
            "message": "quotes a value",
            "context": {"objectWriteTraceId": [key]},
        }
        for key, kind in wanted.items()
        if kind == "refused"
    ]
    outcomes = match(
        batch,
        {"results": data.draw(st.permutations(results)), "errors": data.draw(st.permutations(errors))},
        KEY,
    )
    assert set(outcomes.written) == {k for k, kind in wanted.items() if kind in {"new", "known"}}
    assert outcomes.created == {k for k, kind in wanted.items() if kind == "new"}
    assert {r.key for r in outcomes.refused} == {k for k, kind in wanted.items() if kind == "refused"}
    assert set(outcomes.silent) == {k for k, kind in wanted.items() if kind == "silent"}
    assert not any("quotes" in r.message for r in outcomes.refused)


# -- rates


@given(
    st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=120),
    st.integers(min_value=1, max_value=9),
)
def test_no_window_ever_holds_more_calls_than_allowed(pauses: list[float], limit: int) -> None:
    """Whenever calls are asked for, the planned starts keep the limit in every sliding window."""
    window, now, starts = Window(limit=limit, seconds=10.0), 0.0, []
    for pause in pauses:
        now += pause
        now += window.take(now)
        starts.append(now)
    assert all(later - first >= 10.0 - 1e-6 for first, later in zip(starts, starts[limit:], strict=False))


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
        (401, {}, Verdict.STOP_ACCESS),
        (403, {}, Verdict.STOP_ACCESS),
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


# -- preflight


def test_plan_creates_its_own_properties_and_tells_every_other_that_is_missing() -> None:
    columns: dict[str, dict[str, Any]] = {KEY: {}, "salesforce_case_url": {}, "nosuch": {}, "other": {}, "associations": {}, "_sdc_deleted_at": {}}  # fmt: skip
    planned = plan(columns, {}, KEY, may_create=True)
    assert {body["name"]: body.get("hasUniqueValue", False) for body in planned.create} == {
        KEY: True,
        "salesforce_case_url": False,
    }
    assert [p.split("'")[1] for p in planned.problems] == ["nosuch", "other"]


@pytest.mark.parametrize(
    ("columns", "properties", "may_create", "told"),
    [
        ({"subject": {}}, {}, True, "the stream has no column 'salesforce_case_id'"),
        ({KEY: {}}, {}, False, "HubSpot has no ticket property 'salesforce_case_id'"),
        ({KEY: {}}, {KEY: Property(name=KEY, type="string", is_read_only=False, is_unique=False)}, True, "does not require unique values"),
        ({KEY: {}, "x": {}}, {KEY: UNIQUE, "x": Property(name="x", type="number", is_read_only=True, is_unique=False)}, True, "'x' is read only"),
        ({KEY: {}}, {f"u{n}": Property(name=f"u{n}", type="string", is_read_only=False, is_unique=True) for n in range(11)}, True, "HubSpot's limit"),
    ],
)  # fmt: skip
def test_plan_tells(columns: Any, properties: Any, may_create: bool, told: str) -> None:
    problems = plan(columns, properties, KEY, may_create=may_create).problems
    assert any(told in problem for problem in problems)


BILLING = Pipeline(id="7", label="Billing", stages={"new": "71", "71": "71"}, stage_labels=("New",))


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        ({"Billing": ["New", "71"], "7": ["new"]}, []),
        ({"Biling": ["New"]}, ["HubSpot has no ticket pipeline 'Biling'; it has 'Billing'"]),
        ({"Billing": ["Nwe", "New", "Old"]}, ["the pipeline 'Billing' has no stage 'Nwe'; it has 'New'", "the pipeline 'Billing' has no stage 'Old'; it has 'New'"]),
        (None, []),
    ],
)  # fmt: skip
def test_announced_pipelines_and_stages_are_told_before_any_record(announced: Any, told: list[str]) -> None:
    columns = {"hs_pipeline_stage": {"type": "string", "stages_by_pipeline": announced}}
    assert wrong_places(columns, {"7": BILLING, "billing": BILLING}) == told


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
def test_wrong_setting_is_told_by_name_without_its_value(config: dict[str, Any], told: str) -> None:
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


def test_secrets_are_marked_as_such() -> None:
    assert SECRETS == ("access_token",)


@given(st.text(max_size=30))
def test_token_goes_to_https_or_to_this_machine_only(text: str) -> None:
    for url in (text, f"http://{text}", f"https://{text}"):
        if is_allowed_url(url):
            assert (
                url.lower().startswith("https://") or "127.0.0.1" in url or "localhost" in url or "::1" in url
            )
