"""The decisions of preflight, as values: what is created, what is told, which columns fit which properties."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_tickets.column_types import FITS, created_type, fits
from target_hubspot_tickets.errors import TokenRefusedError
from target_hubspot_tickets.needs import announced_options, needs_of
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.preflight import Asked, Found, plan
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.refusals import error_of
from target_hubspot_tickets.scopes import forbidden
from target_hubspot_tickets.ticket_properties import Creation
from target_hubspot_tickets.tickets import Choices
from target_hubspot_tickets.verdicts import Verdict

from .gates import COLUMNS, KEY, TEXT

text_property = Property(name="p", type="string")


def asked_of(columns: Mapping[str, Any], **choices: Any) -> Asked:
    return Asked(
        columns=columns,
        needs=needs_of(columns),
        choices=Choices(key_property=KEY, **choices),
        creation=Creation(properties=True, options=False, group="g"),
    )


@given(st.sets(st.sampled_from(["a", "b", "salesforce_x", "salesforce_Y", "known", "_sdc_batched_at"])))
def test_each_column_has_a_property_or_is_created_or_is_told(names: set[str]) -> None:
    """One of the three, in one message for all that are unknown."""
    columns = {KEY: TEXT} | dict.fromkeys(names, TEXT)
    planned = plan(asked_of(columns), Found(properties={"known": Property(name="known", type="string")}))
    created = {body["name"] for body in planned.create}
    assert created == {KEY} | (names & {"salesforce_x"})
    unknown = names & {"a", "b", "salesforce_Y"}
    told = [p for p in planned.problems if "of the stream's columns" in p]
    assert len(told) == bool(unknown)
    assert {name for name in names if any(f"'{name}'" in t for t in told)} == unknown


def test_what_could_not_be_read_is_not_judged() -> None:
    """A missing scope is one problem, not one for each column."""
    assert plan(asked_of(COLUMNS, unknown_owner="default", default_owner="nobody"), Found()).problems == ()


@pytest.mark.parametrize(("label", "told"), [("Primary", False), ("Payer", False), ("Vendor", True)])
def test_primary_company_needs_no_label_of_the_portal(label: str, told: bool) -> None:
    columns = {KEY: TEXT, "associations": {"labels": {"company": [label]}}}
    found = Found(labels={"companies": frozenset({"payer"})})
    assert bool(plan(asked_of(columns), found).problems) == told


def test_options_that_nobody_can_add_are_told_even_where_they_may_be_created() -> None:
    columns = {KEY: TEXT, "fixed": TEXT | {"option_values": ["A", "C"]}}
    key, fixed = (
        Property(name=KEY, type="string", is_unique=True),
        Property(name="fixed", type="enumeration", options={"A": "A"}, takes_options=False),
    )
    creation = Creation(properties=True, options=True, group="g")
    asked = Asked(
        columns=columns, needs=needs_of(columns), choices=Choices(key_property=KEY), creation=creation
    )
    planned = plan(asked, Found(properties={KEY: key, "fixed": fixed}))
    assert planned.problems == (
        "the ticket property 'fixed' has no option 'C'; it has 'A': HubSpot lets nobody add options to it: correct the mapping",
    )
    assert planned.options == {}


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize(
    "schema",
    [{}, True, TEXT, {"type": "null"}, {"type": ["string", "number", "boolean", "null"]}, {"anyOf": [{"type": "string"}, {"type": "object"}]}],
)  # fmt: skip
def test_text_and_a_column_of_any_type_fit_everywhere(kind: str, schema: Any) -> None:
    """Each value is looked at when it comes."""
    assert fits(schema, kind)


@pytest.mark.parametrize(
    ("schema", "fitting"),
    [
        ({"type": "boolean"}, {"string", "bool", "enumeration"}),
        ({"type": "number"}, {"string", "phone_number", "number", "enumeration"}),
        ({"type": ["integer", "null"]}, {"string", "phone_number", "number", "bool", "date", "datetime", "enumeration"}),
        ({"type": "string", "format": "date"}, {"string", "date", "datetime"}),
        ({"type": "string", "format": "date-time"}, {"string", "date", "datetime"}),
        ({"type": "array"}, {"string"}),
        ({"type": "object"}, set()),
        ({"oneOf": [{"type": "object"}, {"type": "boolean"}]}, {"string", "bool", "enumeration"}),
    ],
)  # fmt: skip
def test_column_fits_properties_of_these_types(schema: Any, fitting: set[str]) -> None:
    assert {kind for kind in FITS if fits(schema, kind)} == fitting


def test_list_fits_a_property_of_several_options() -> None:
    assert fits({"type": "array"}, "enumeration", is_multiple=True)


def test_property_of_a_type_that_nobody_knows_takes_plain_values() -> None:
    assert fits(TEXT, "currency_of_the_future")
    assert created_type({}) == ("string", "text")


def test_options_are_announced_in_two_ways() -> None:
    schema = {"enum": ["A", None, "B;C"], "option_values": [True, 1, " "]}
    assert announced_options(schema, is_multiple=True) == ["true", "1", "A", "B", "C"]
    assert announced_options(schema, is_multiple=False) == ["true", "1", "A", "B;C"]
    assert announced_options(True, is_multiple=False) == []


@pytest.mark.parametrize(
    ("schema", "objects"),
    [
        ({"looked_up_by": {"company": ["a"]}}, ("companies",)),
        ({"looked_up_by": {}, "items": {"properties": {"to": {"enum": ["company"]}}}}, ()),
        ({"items": {"properties": {"to": {"enum": ["company", "ticket"]}}}}, ("companies", "tickets")),
        ({"type": "array"}, ()),
        (True, ()),
    ],
)
def test_objects_that_a_stream_associates_with(schema: Any, objects: tuple[str, ...]) -> None:
    """What is announced counts before what the schema would allow."""
    assert needs_of({"associations": schema}).objects == objects


@pytest.mark.parametrize("errors", [7, "no", ["no"], [{}], [{"context": []}], [{"context": {"requiredGranularScopes": "tickets"}}]])  # fmt: skip
def test_a_refusal_of_another_form_names_no_scope_and_is_one_all_the_same(errors: Any) -> None:
    body = {"category": "MISSING_SCOPES", "errors": errors}
    assert forbidden("read owners", body).scopes == ()
    call = Api("2026-09").owners(None)
    refused = error_of(Verdict.FORBIDDEN, call, 403, body, forbidden_is_answer=False)
    assert isinstance(refused, TokenRefusedError)
