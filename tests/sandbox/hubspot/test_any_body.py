"""Whatever a client sends, the answer is HubSpot's kind of answer, never a crash of the sandbox."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.hubspot.errors import HubSpotError
from case_sync_sandbox.hubspot.hub import Call, Hub
from case_sync_sandbox.hubspot.loading import load_portal, portal_load_from_json
from case_sync_sandbox.hubspot.rate_limits import WIDE
from case_sync_sandbox.hubspot.routes import OPERATIONS, Operation, carry_out

MEMBERS = st.sampled_from(
    [
        "inputs",
        "id",
        "idProperty",
        "properties",
        "objectWriteTraceId",
        "from",
        "to",
        "types",
        "associationTypeId",
        "associationCategory",
        "associations",
        "filterGroups",
        "filters",
        "propertyName",
        "operator",
        "value",
        "values",
        "sorts",
        "after",
        "limit",
        "label",
        "name",
        "stages",
        "metadata",
        "ticketState",
        "options",
        "type",
        "fieldType",
        "groupName",
        "subject",
        "hs_pipeline",
        "hs_pipeline_stage",
        "primaryObjectId",
        "objectIdToMerge",
        "displayOrder",
    ]
)
WORDS = st.sampled_from(
    ["tickets", "1145814001", "subject", "salesforce_case_id", "EQ", "IN", "A1", "339", "", "string"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | WORDS
)
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=5),
    max_leaves=12,
)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "archived", "properties", "associations", "idProperty", "email"]),
    WORDS | st.text(max_size=5),
)
TYPES = st.sampled_from(["tickets", "0-2", "contacts", "tickets", "cars"])
IDS = st.sampled_from(["1145814001", "20100001", "0", "subject", "99999999999999999999", "ü"])


def sometimes(good: Any) -> Any:
    """The form of the schema three times out of four, else anything."""
    return st.integers(0, 3).flatmap(lambda n: BODIES if n == 0 else good)


REFERENCE = sometimes(st.fixed_dictionaries({"id": sometimes(IDS)}))
TYPED = sometimes(
    st.fixed_dictionaries(
        {"associationCategory": WORDS, "associationTypeId": sometimes(st.sampled_from([26, 339]))}
    )
)
LINK = sometimes(st.fixed_dictionaries({"to": REFERENCE, "types": sometimes(st.lists(TYPED, max_size=2))}))
INPUT = st.fixed_dictionaries(
    {},
    optional={
        "id": sometimes(IDS),
        "idProperty": sometimes(st.sampled_from(["salesforce_case_id", "subject"])),
        "properties": sometimes(st.dictionaries(WORDS, SCALARS, max_size=3)),
        "objectWriteTraceId": SCALARS,
        "associations": sometimes(st.lists(LINK, max_size=2)),
        "from": REFERENCE,
        "to": sometimes(REFERENCE | st.lists(REFERENCE, max_size=2)),
        "types": sometimes(st.lists(TYPED, max_size=2)),
        "after": SCALARS,
        "name": sometimes(WORDS),
    },
)
FILTER = sometimes(
    st.fixed_dictionaries(
        {
            "propertyName": WORDS,
            "operator": sometimes(st.sampled_from(["EQ", "IN", "BETWEEN", "CONTAINS_TOKEN"])),
        },
        optional={"value": SCALARS, "highValue": SCALARS, "values": sometimes(st.lists(SCALARS, max_size=2))},
    )
)
GROUP = sometimes(st.fixed_dictionaries({"filters": sometimes(st.lists(FILTER, max_size=2))}))
STAGE = sometimes(
    st.fixed_dictionaries(
        {"label": SCALARS, "metadata": sometimes(st.dictionaries(MEMBERS, SCALARS, max_size=2))}
    )
)
OPTION = sometimes(
    st.fixed_dictionaries({"label": SCALARS, "value": SCALARS, "displayOrder": SCALARS, "hidden": SCALARS})
)
OBJECT = st.fixed_dictionaries(
    {},
    optional={
        "inputs": sometimes(st.lists(INPUT, max_size=3)),
        "idProperty": sometimes(WORDS),
        "properties": sometimes(st.lists(WORDS, max_size=2) | st.dictionaries(WORDS, SCALARS, max_size=2)),
        "associations": sometimes(st.lists(LINK, max_size=2)),
        "filterGroups": sometimes(st.lists(GROUP, max_size=2)),
        "sorts": sometimes(st.lists(BODIES, max_size=1)),
        "query": SCALARS,
        "after": SCALARS,
        "limit": SCALARS,
        "name": sometimes(WORDS),
        "label": SCALARS,
        "type": sometimes(st.sampled_from(["string", "enumeration"])),
        "fieldType": sometimes(st.sampled_from(["text", "select"])),
        "groupName": sometimes(st.just("ticketinformation")),
        "options": sometimes(st.lists(OPTION, max_size=2)),
        "stages": sometimes(st.lists(STAGE, max_size=2)),
        "metadata": sometimes(st.dictionaries(MEMBERS, SCALARS, max_size=2)),
        "displayOrder": SCALARS,
        "archived": SCALARS,
        "inverseLabel": SCALARS,
        "primaryObjectId": SCALARS | IDS,
        "objectIdToMerge": SCALARS | IDS,
    },
)


@pytest.fixture(scope="module")
def hub() -> Hub:
    """A portal with one ticket, a company, an owner and a unique property."""
    hub = Hub(":memory:", Clock(), WIDE)
    key = {"objectType": "tickets", "name": "salesforce_case_id", "label": "Key", "hasUniqueValue": True}
    contents = {
        "properties": [key],
        "tickets": [{"subject": "x", "salesforce_case_id": "A1"}],
        "companies": [{"name": "c"}],
        "owners": [{"id": "7", "email": "o@x.example"}],
    }
    load_portal(hub, portal_load_from_json(contents))
    return hub


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.family}{o.path}")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_body_and_query_get_an_answer(hub: Hub, operation: Operation, data: Any) -> None:
    """An answer below 400 that is JSON, or a HubSpotError of 400 to 499: nothing else ever comes."""
    path = {
        name: data.draw(TYPES if name.endswith("_type") else IDS)
        for name in re.findall(r"\{(\w+)\}", operation.path)
    }
    call = Call(
        hub=hub,
        version=data.draw(st.sampled_from(["2026-09", "v3", "v4"])),
        path=path,
        query=data.draw(QUERIES),
        body=data.draw(BODIES | OBJECT | OBJECT | st.lists(TYPED, max_size=2)),
        body_size=0,
        run_id=None,
    )
    try:
        answer = carry_out(operation, call)
    except HubSpotError as error:
        status, body = error.status, error.as_json("id")
    else:
        status, body = answer.status, answer.body
    assert 200 <= status < 500
    orjson.dumps(body)
