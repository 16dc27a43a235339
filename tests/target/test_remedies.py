"""N25, N26: each error on record has a category and says what to do; no code is without."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets import remedies
from target_hubspot_tickets.remedies import (
    OF_ASSOCIATIONS,
    OF_RECORDS,
    Remedy,
    remedy_of_association,
    remedy_of_record,
)

from .conftest import KEY, Target, case_id, schema, ticket

ROOT = Path(__file__).parents[2]
CATEGORIES = {
    "association", "duplicate", "permission", "property value", "field mapping", "rate limit", "rule", "other",
}  # fmt: skip
CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)+|[A-Z]{6,}")
# Words in capitals that go on no record: of Singer, HTTP, the database, the rate limits, and other values of HubSpot's.
NO_CODES = {
    "ACTIVATE_VERSION", "ASCENDING", "AUTOCOMMIT", "CLOSED", "HAS_PROPERTY", "HUBSPOT_DEFINED", "MEDIUM", "NO_ASSOCIATIONS_FOUND", "RECORD",
    "SCHEMA", "SECONDLY", "TARGET_HUBSPOT_TICKETS_CONFIRM_DELETES", "TEN_SECONDLY_ROLLING", "URGENT",
}  # fmt: skip
# hubspot-api 1.4, 1.5, 4.3: what HubSpot says of a record in a batch, and of a pair.
HUBSPOTS = {
    "PROPERTY_DOESNT_EXIST", "INVALID_OPTION", "INVALID_OWNER_ID", "INVALID_INTEGER", "INVALID_LONG", "INVALID_EMAIL", "INVALID_DATE",
    "READ_ONLY_VALUE", "MISSING_REQUIRED_PROPERTY", "MISSING_CONDITIONAL_REQUIRED_PROPERTY", "CONFLICTING_UNIQUE_VALUE", "VALIDATION_ERROR",
    "OBJECT_NOT_FOUND", "CONFLICT", "OBJECT_ALREADY_EXISTS", "RATE_LIMITS", "INTERNAL_ERROR", "MISSING_SCOPES",
}  # fmt: skip
HUBSPOTS_OF_PAIRS = {
    "INVALID_IDENTIFIER", "INVALID_ASSOCIATION_TYPE", "TO_OBJECT_NOT_FOUND", "INVALID_OBJECT_IDS", "ASSOCIATION_LIMIT_EXCEEDED",
}  # fmt: skip


def codes_in(folder: Path) -> set[str]:
    """Texts of the code that look like a code; those that begin with PG are libpq's variables."""
    texts = {
        node.value
        for path in folder.glob("*.py")
        if path.stem != "remedies"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if CODE.fullmatch(text) and not text.startswith("PG")} - NO_CODES


def test_every_code_that_can_go_on_record_is_in_the_catalogue() -> None:
    ours = codes_in(ROOT / "target-hubspot-tickets/src/target_hubspot_tickets")
    mappers = codes_in(ROOT / "transform/src/case_ticket_mapper")
    assert {"NO_ANSWER", "UNRESOLVED", "UNREADABLE", "NOT_FOUND"} <= ours  # the test sees something
    assert {"UNMAPPED_STATUS", "UNMAPPED_PROCESS", "UNKNOWN_VALUE"} <= mappers
    known = OF_RECORDS.keys() | OF_ASSOCIATIONS.keys()
    assert (ours | mappers | HUBSPOTS | HUBSPOTS_OF_PAIRS) - known == set()
    assert mappers | HUBSPOTS <= OF_RECORDS.keys()
    assert OF_ASSOCIATIONS.keys() >= HUBSPOTS_OF_PAIRS


@pytest.mark.parametrize("code", sorted(OF_RECORDS.keys() | OF_ASSOCIATIONS.keys()))
def test_each_has_a_category_and_says_what_to_do(code: str) -> None:
    for found in (remedy_of_record(code), remedy_of_association(code)):
        assert found.category in CATEGORIES
        assert len(found.remedy.split()) >= 5


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("MISSING_PERMISSION", "permission"),
        ("INVALID_URL", "property value"),
        ("DUPLICATE_VALUE", "duplicate"),
        ("SOMETHING_NEW", "other"),
        ("", "other"),
    ],
)
def test_a_code_that_is_new_goes_by_its_name(code: str, category: str) -> None:
    assert remedy_of_record(code) == Remedy(category, remedies.OF_RECORDS["UNKNOWN"].remedy)


def listed(target: Target, *options: str) -> dict[str, dict[str, Any]]:
    done = target.ask(*options)
    assert done.returncode == 0, done.stderr
    return {row["key"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_the_lists_tell_category_and_remedy(sandbox: RunningSandbox, target: Target) -> None:
    """A value, a stage that is not there, a case that the mapper rejected; an association that waits. HubSpot's id comes along."""
    nowhere = [{"to": "company", "by": "salesforceaccountid", "value": "001000000000000AAA"}]
    announced = {"type": "SCHEMA", "stream": "rejected_cases", "schema": {"properties": {KEY: {"type": "string"}}}, "key_properties": [KEY]}  # fmt: skip
    unmapped = {KEY: case_id(3), "code": "UNMAPPED_STATUS", "message": "no stage"}
    sandbox.settings(required_when={"subject": {"needs more": "content"}})
    messages = [
        schema(content=None),
        announced,
        ticket(1, subject="needs more"),
        ticket(2, hs_pipeline_stage="No such"),
        {"type": "RECORD", "stream": "rejected_cases", "record": unmapped},
        ticket(4, associations=nowhere),
    ]
    target.load(messages)
    rejected = listed(target, "--rejected=list")
    assert {key: (row["code"], row["category"]) for key, row in rejected.items()} == {
        case_id(1): ("MISSING_CONDITIONAL_REQUIRED_PROPERTY", "field mapping"),
        case_id(2): ("UNRESOLVED", "rule"),
        case_id(3): ("UNMAPPED_STATUS", "rule"),
    }
    assert "rules.pipelines" in rejected[case_id(3)]["remedy"]
    assert rejected[case_id(1)]["correlation_id"]
    waiting = listed(target, "--pending=list")[case_id(4)]
    assert (waiting["reason"], waiting["category"]) == ("NOT_FOUND", "association")
    assert waiting["remedy"].startswith("create the company")


def test_an_association_that_waits_is_listed_and_tried_by_its_key(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Only those named; the others still wait."""
    account = "001000000000000AAA"
    wish = [{"to": "company", "by": "salesforceaccountid", "value": account}]
    target.load([schema(), ticket(1, associations=wish), ticket(2, associations=wish)])
    assert listed(target, "--pending=list", "--key", case_id(2)).keys() == {case_id(2)}
    company = {"name": "Harbour", "salesforceaccountid": account}
    sandbox.admin("POST", "hubspot/load", {"companies": [company]})
    done = target.ask("--pending=retry", "--key", case_id(2))
    assert done.returncode == 0, done.stderr
    assert listed(target, "--pending=list").keys() == {case_id(1)}
    assert target.ask("--runs", "--key", case_id(1)).returncode == 2
