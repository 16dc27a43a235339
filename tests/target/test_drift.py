"""A portal that changes while a run is under way, behind preflight: what does not fit any more is on record, the rest is written."""

from collections.abc import Callable

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, case_id, lines, schema, state, ticket

HEADERS = {"authorization": "Bearer sandbox-token"}
LEVEL = "level"
OPTIONS = [
    {"label": name, "value": name, "displayOrder": place, "hidden": False}
    for place, name in enumerate(("Low", "High"))
]


def take_option_away(http: httpx.Client) -> None:
    http.patch(f"/crm/properties/2026-09/tickets/{LEVEL}", json={"options": OPTIONS[:1]}).raise_for_status()


def take_property_away(http: httpx.Client) -> None:
    http.delete(f"/crm/properties/2026-09/tickets/{LEVEL}").raise_for_status()


@pytest.mark.parametrize("take_away", [take_option_away, take_property_away])
def test_what_a_portal_loses_within_a_run_rejects_the_records_that_need_it_and_no_other(
    sandbox: RunningSandbox, target: Target, take_away: Callable[[httpx.Client], None]
) -> None:
    definition = {
        "objectType": "tickets",
        "name": LEVEL,
        "label": LEVEL,
        "type": "enumeration",
        "fieldType": "select",
    }
    sandbox.admin("POST", "hubspot/load", {"properties": [definition | {"options": OPTIONS}]})
    process = target.start()
    assert process.stdin
    assert process.stdout
    announced = schema(**{LEVEL: {"type": ["string", "null"]}})
    process.stdin.write(lines([announced, ticket(1, **{LEVEL: "High"}), state(1)]))
    process.stdin.flush()
    assert process.stdout.readline()
    assert by_key(sandbox)[case_id(1)]["properties"][LEVEL] == "High"
    with httpx.Client(base_url=sandbox.hubspot_url, headers=HEADERS, trust_env=False) as http:
        take_away(http)
    process.stdin.write(lines([ticket(2, **{LEVEL: "High"}), ticket(3), ticket(4), state(4)]))
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert {case_id(3), case_id(4)} <= set(by_key(sandbox))
    assert case_id(2) not in by_key(sandbox)
    (rejected,) = target.rejected()
    assert rejected["key"] == case_id(2)
    assert LEVEL in rejected["message"]
