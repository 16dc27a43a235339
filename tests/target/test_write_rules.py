"""Write rules (N12): what of a record a ticket that exists keeps, by the stream's schema or by the setting."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.write_rules import WriteRules, write_rule_problems, write_rules_of

from .conftest import KEY, Target, by_key, case_id, schema, ticket

TOKEN = {"authorization": "Bearer sandbox-token"}
TEXT = {"type": ["string", "null"]}


def announced(rule: str) -> dict[str, Any]:
    return schema(content=TEXT | {"write_rule": rule})


def content(sandbox: RunningSandbox, number: int = 1) -> Any:
    return by_key(sandbox)[case_id(number)]["properties"].get("content")


def by_hand(sandbox: RunningSandbox, **properties: str) -> None:
    """An agent changes the ticket in HubSpot."""
    its = by_key(sandbox)[case_id(1)]["id"]
    url = f"{sandbox.hubspot_url}/crm/objects/2026-09/tickets/{its}"
    httpx.patch(url, json={"properties": properties}, headers=TOKEN).raise_for_status()


@pytest.mark.parametrize(
    ("rule", "empty_then", "filled_then"),
    [
        ("always", "of the case", "of the case"),
        ("if_empty", "of the case", "by hand"),
        ("create_only", None, "by hand"),
    ],
)
def test_N12_each_rule_on_a_ticket_that_exists(
    sandbox: RunningSandbox, target: Target, rule: str, empty_then: str | None, filled_then: str
) -> None:
    """An empty property, then one that an agent has filled; the rest of the ticket is written all the same."""
    target.load([announced(rule), ticket(1, content=None)])
    loaded = target.load([announced(rule), ticket(1, subject="second", content="of the case")])
    assert (content(sandbox) or None, loaded.report["updated"]) == (empty_then, 1), loaded.log
    by_hand(sandbox, content="by hand")
    target.load([announced(rule), ticket(1, subject="third", content="of the case")])
    assert content(sandbox) == filled_then
    assert by_key(sandbox)[case_id(1)]["properties"]["subject"] == "third"


@pytest.mark.parametrize("rule", ["always", "if_empty", "create_only"])
def test_N12_a_new_ticket_is_whole(sandbox: RunningSandbox, target: Target, rule: str) -> None:
    target.load([announced(rule), ticket(1, content="of the case")])
    assert content(sandbox) == "of the case"


def test_N12_a_ticket_stays_in_the_stage_where_an_agent_has_put_it(
    sandbox: RunningSandbox, target: Target
) -> None:
    """By the setting; pipeline and stage go together."""
    rules = {"write_rules": {"hs_pipeline_stage": "create_only"}}
    target.load([schema(), ticket(1)], **rules)
    before = by_key(sandbox)[case_id(1)]["properties"]
    target.load([schema(), ticket(1, subject="second", hs_pipeline_stage="Closed")], **rules)
    after = by_key(sandbox)[case_id(1)]["properties"]
    assert (after["hs_pipeline"], after["hs_pipeline_stage"]) == (
        before["hs_pipeline"],
        before["hs_pipeline_stage"],
    )
    assert after["subject"] == "second"


def test_N12_an_owner_is_kept_by_the_name_of_its_column(sandbox: RunningSandbox, target: Target) -> None:
    url = f"{sandbox.hubspot_url}/crm/owners/2026-09"
    first, second = httpx.get(url, headers=TOKEN).json()["results"][:2]
    asked = schema(hubspot_owner_email=TEXT | {"write_rule": "if_empty"})
    for owner in (first, second):
        target.load([asked, ticket(1, hubspot_owner_email=owner["email"])])
    assert by_key(sandbox)[case_id(1)]["properties"]["hubspot_owner_id"] == str(first["id"])


def test_N12_a_dry_run_and_write_mode_changed_go_by_the_rules(
    sandbox: RunningSandbox, target: Target
) -> None:
    """What the rules keep is no difference, and a record that has not changed is not written because an agent has changed the ticket."""
    changed = {"write_mode": "changed"}
    target.load([announced("if_empty"), ticket(1, content="of the case")], **changed)
    by_hand(sandbox, content="by hand")
    rehearsed = target.load([announced("if_empty"), ticket(1, content="of the case")], dry_run=True)
    assert rehearsed.report["unchanged"] == 1, rehearsed.log
    again = target.load([announced("if_empty"), ticket(1, content="of the case")], **changed)
    assert (again.report["unchanged"], again.report["updated"]) == (1, 0), again.log
    assert content(sandbox) == "by hand"


def test_N12_the_setting_counts_more_than_the_schema() -> None:
    columns = {"content": {"write_rule": "create_only"}, "subject": {"write_rule": "if_empty"}}
    rules = write_rules_of(columns, {"content": "always"})
    assert (rules.create_only, rules.if_empty) == (frozenset(), {"subject"})
    assert not write_rules_of({"content": TEXT}, {})


@pytest.mark.parametrize(
    ("columns", "setting", "words"),
    [
        ({"content": {"write_rule": "sometimes"}}, {}, "write_rule of the column 'content'"),
        (
            {"content": {}},
            {"contend": "if_empty"},
            "write_rules names 'contend', which the stream does not send",
        ),
        ({KEY: {}}, {KEY: "create_only"}, "the key"),
    ],
)
def test_N12_a_rule_that_can_not_hold_is_told_before_anything_is_written(
    columns: dict[str, Any], setting: dict[str, str], words: str
) -> None:
    (problem,) = write_rule_problems(columns, setting, KEY)
    assert words in problem


def test_N12_wrong_rules_end_the_run(sandbox: RunningSandbox, target: Target) -> None:
    assert target.load([announced("sometimes"), ticket(1)]).returncode == 3
    assert target.load([schema(), ticket(1)], write_rules={"content": "sometimes"}).returncode == 3
    assert by_key(sandbox) == {}


NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["", "x", "y"])


@given(
    st.dictionaries(NAMES, TEXTS), st.dictionaries(NAMES, TEXTS | st.none()), st.sets(NAMES), st.sets(NAMES)
)
def test_N12_nothing_that_a_ticket_has_is_overwritten_and_nothing_else_is_lost(
    properties: dict[str, str], there: dict[str, str | None], create_only: set[str], if_empty: set[str]
) -> None:
    rules = WriteRules(create_only=frozenset(create_only), if_empty=frozenset(if_empty))
    written = rules.written(properties, there)
    for name, value in properties.items():
        keeps = name in create_only or (name in if_empty and there.get(name) not in {None, ""})
        assert (name not in written) if keeps else (written[name] == value)
