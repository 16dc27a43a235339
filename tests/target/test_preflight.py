"""Preflight: all that does not fit is told at once, with what to do, before anything is written."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from target_hubspot_tickets.errors import PreflightError, TokenRefusedError

from .gates import FULL, KEY, NUMBER, REFUSED, TEXT, Gate, answer, pipeline, property_of, unique

# -- faults: each alone, and together


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A change to what fits, and what is told of it: a word of the fault, and one of the remedy."""

    told: str
    remedy: str
    columns: dict[str, Any] = field(default_factory=dict)
    portal: dict[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)


FAULTS = {
    "no key column": Fault(told=f"the stream has no column '{KEY}'", remedy="set key_property", columns={KEY: None}),
    "key missing": Fault(told=f"no ticket property '{KEY}', the key", remedy="set create_properties", asked={"may_create": False}),
    "key not unique": Fault(told=f"'{KEY}' does not require unique values", remedy="name another key_property", portal={"properties": [property_of(KEY)]}),
    "key read only": Fault(told=f"'{KEY}' is read only", remedy="take it out of the stream", portal={"properties": [unique(KEY) | {"readOnly": True}]}),
    "key name": Fault(told="key_property 'Case-Id' is no name", remedy="lower-case letters", columns={"Case-Id": TEXT}, asked={"key_property": "Case-Id"}),
    "too many unique": Fault(told="10 properties with unique values already ('number_0',", remedy="delete one of them", portal={"properties": FULL}),
    "property missing": Fault(told="'subjekt' (is it 'subject'?)", remedy="set unknown_columns to 'ignore'", columns={"subjekt": TEXT}),
    "properties missing": Fault(told="'a', 'B', 'c': create them", remedy="take them out", columns={"a": TEXT, "B": TEXT, "c": TEXT}),
    "own property missing": Fault(told="'salesforce_case_url'", remedy="create_properties creates those", portal={"properties": [unique(KEY)]}, asked={"may_create": False}),
    "property read only": Fault(told="'time_to_close' is read only", remedy="take it out of the stream", columns={"time_to_close": NUMBER}),
    "checkbox for a number": Fault(told="'created_by' is of type boolean, and the ticket property is of type number", remedy="convert it", columns={"created_by": {"type": "boolean"}}),
    "object for a text": Fault(told="'subject' is of type object", remedy="map it to another property", columns={"subject": {"type": ["object", "null"]}}),
    "moment for a number": Fault(told="'created_by' is of type date-time", remedy="convert it", columns={"created_by": TEXT | {"format": "date-time"}}),
    "list for one option": Fault(told="'hs_ticket_priority' is of type array", remedy="convert it", columns={"hs_ticket_priority": {"type": "array"}}),
    "option missing": Fault(told="'hs_ticket_priority' has no option 'SOON', 'LATER'; it has 'Low'", remedy="set create_options", columns={"hs_ticket_priority": TEXT | {"option_values": ["SOON", "high", "LATER"]}}),
    "enum missing": Fault(told="'hs_ticket_category' has no option 'OTHER'", remedy="add it in HubSpot", columns={"hs_ticket_category": TEXT | {"enum": ["OTHER;BILLING_ISSUE", None]}}),
    "pipeline missing": Fault(told="no ticket pipeline 'Biling'; it has 'Support Pipeline', 'Billing'", remedy="correct the mapping", columns={"hs_pipeline_stage": TEXT | {"stages_by_pipeline": {"Biling": ["New"]}}}),
    "stage missing": Fault(told="the pipeline 'Billing' has no stage 'Nwe'; it has 'New', 'Done'", remedy="create it in HubSpot", columns={"hs_pipeline_stage": TEXT | {"stages_by_pipeline": {"billing": ["Nwe"]}}}),
    "pipelines alike": Fault(told="several ticket pipelines 'bILLING'", remedy="name one by its id ('7', '8')", portal={"pipelines": [pipeline("8", "BILLING", s81="New")]}, columns={"hs_pipeline_stage": TEXT | {"stages_by_pipeline": {"bILLING": ["New"]}}}),
    "stages alike": Fault(told="several stages 'neW'", remedy="name one by its id ('s91', 's92')", portal={"pipelines": [pipeline("9", "Sales", s91="New", s92="new")]}, columns={"hs_pipeline_stage": TEXT | {"stages_by_pipeline": {"Sales": ["neW"]}}}),
    "no closed stage": Fault(told="has no closed stage", remedy="name the stage", portal={"pipelines": [pipeline("9", "Sales", s91="New")]}, columns={"hs_pipeline_stage": TEXT | {"stages_by_pipeline": {"Sales": ["@closed"]}}}),
    "stage without pipeline": Fault(told="column hs_pipeline_stage without hs_pipeline", remedy="send both or none", columns={"hs_pipeline": None}),
    "pipeline without stage": Fault(told="column hs_pipeline without hs_pipeline_stage", remedy="send both or none", columns={"hs_pipeline_stage": None}),
    "owner twice": Fault(told="both hubspot_owner_email and hubspot_owner_id", remedy="leave one out", columns={"hubspot_owner_id": TEXT}),
    "default owner missing": Fault(told="default_owner is no active owner", remedy="give the e-mail or the owner id", asked={"unknown_owner": "default", "default_owner": "5041"}),
    "lookup of a company": Fault(told="no property 'erp', 'crm' of companies", remedy="match by another property", columns={"associations": {"looked_up_by": {"company": ["erp", "domain", "crm"]}}}),
    "lookup of a contact": Fault(told="no property 'salesforcecontactid' of contacts", remedy="switch the association off", columns={"associations": {"looked_up_by": {"contact": ["salesforcecontactid"]}}}),
    "lookup of a ticket": Fault(told="no property 'other_key' of tickets", remedy="create it", columns={"associations": {"looked_up_by": {"ticket": [KEY, "other_key"]}}}),
    "label missing": Fault(told="associations of tickets with companies have no label 'Vendor'", remedy="create it in HubSpot", columns={"associations": {"labels": {"company": ["Vendor"]}}}),
    "unknown object": Fault(told="associates tickets with 'deal'", remedy="take it out of the stream", columns={"associations": {"looked_up_by": {"deal": ["name"]}}}),
    "no scope for owners": Fault(told="lacks a scope to read owners", remedy="add crm.objects.owners.read", scopes=("crm.objects.owners.read",)),
    "no scope to associate": Fault(told="lacks a scope to associate tickets with companies", remedy="add crm.objects.companies.write", scopes=("crm.objects.companies.write",)),
    "no scope to look up": Fault(told="lacks a scope to look up contacts", remedy="add crm.objects.contacts.read", scopes=("crm.objects.contacts.read",)),
    "no scope for properties": Fault(
        told="lacks a scope to read the properties of contacts", remedy="add crm.schemas.contacts.read or crm.objects.contacts.read to the service key",
        scopes=("crm.objects.contacts.read", "crm.schemas.contacts.read"),
    ),
}  # fmt: skip
OTHER = {"nowhere_to_be_found": TEXT}  # a second fault, which the first must not hide


@pytest.mark.parametrize("name", FAULTS)
def test_R82_fault_is_told_beside_another_and_nothing_is_written(gate: Gate, name: str) -> None:
    """At least 25 broken configurations: each is told with what to do, and hides no other."""
    assert len(FAULTS) >= 25
    fault = FAULTS[name]
    gate.load(**fault.portal)
    gate.sandbox.settings(missing_scopes=list(fault.scopes))
    told = gate.problems(OTHER | fault.columns, **fault.asked)
    assert any(fault.told in problem and fault.remedy in problem for problem in told), told
    assert any("'nowhere_to_be_found'" in problem for problem in told), told


EIGHT = ["key not unique", "properties missing", "property read only", "option missing", "pipeline missing", "lookup of a company", "default owner missing", "no scope to associate"]  # fmt: skip


def test_R36_eight_faults_of_one_portal_are_told_at_once(gate: Gate) -> None:
    """Over real HTTP, each in a problem of its own; nothing is written, not even a property."""
    faults = [FAULTS[name] for name in EIGHT]
    columns: dict[str, Any] = {}
    for fault in faults:
        columns |= fault.columns
        gate.load(**fault.portal)
    gate.sandbox.settings(missing_scopes=[scope for fault in faults for scope in fault.scopes])
    asked = {name: value for fault in faults for name, value in fault.asked.items()}
    told = gate.problems(columns, **asked)
    assert [[fault.told in problem for problem in told].count(True) for fault in faults] == [1] * 8
    assert len(told) == 8


@pytest.mark.parametrize("name", EIGHT)
def test_R36_each_of_the_eight_alone_keeps_a_run_from_starting(gate: Gate, name: str) -> None:
    fault = FAULTS[name]
    gate.load(**fault.portal)
    gate.sandbox.settings(missing_scopes=list(fault.scopes))
    (told,) = gate.problems(fault.columns, **fault.asked)
    assert fault.told in told
    assert fault.remedy in told


def test_S12_every_missing_scope_is_told_with_all_that_it_is_wanted_for(gate: Gate) -> None:
    """One refused call does not hide the others; without any access to tickets there is nothing else to say."""
    scopes = ["tickets", "crm.objects.owners.read", "crm.objects.companies.write", "crm.objects.contacts.read", "crm.schemas.contacts.read"]  # fmt: skip
    gate.sandbox.settings(missing_scopes=scopes)
    told = gate.problems()
    assert {scope for scope in scopes if any(scope in problem for problem in told)} == set(scopes) - {
        "crm.objects.companies.write"  # HubSpot tells the first that is missing, here that of tickets
    }
    (of_tickets,) = [problem for problem in told if "add tickets " in problem]
    assert all(word in of_tickets for word in ("properties of tickets", "ticket pipelines", "write tickets"))
    gate.sandbox.settings(missing_scopes=["crm.objects.companies.write", "crm.objects.contacts.write"])
    assert [p.split("add ")[1].split(" ")[0] for p in gate.problems()] == [
        "crm.objects.companies.write",
        "crm.objects.contacts.write",
    ]


def test_S12_scopes_that_a_stream_does_not_need_are_not_asked_for(gate: Gate) -> None:
    """No owners, no associations: their scopes may be missing."""
    others = [
        f"crm.objects.{what}"
        for what in ("owners.read", "companies.read", "companies.write", "contacts.write")
    ]
    gate.sandbox.settings(missing_scopes=others)
    gate.open({"associations": None, "hubspot_owner_email": None})
    gate.open({"associations": {"looked_up_by": {"ticket": [KEY]}}, "hubspot_owner_email": None})
    gate.open({"associations": {"type": "array"}, "hubspot_owner_email": None})
    assert gate.refused_calls() == []


def test_refused_token_ends_the_look_at_once(gate: Gate) -> None:
    gate.sandbox.admin("POST", "hubspot/expire-tokens", {"static": True})
    with pytest.raises(TokenRefusedError):
        gate.open(OTHER)


# -- what fits


@pytest.mark.parametrize("api_version", ["2026-09", "2026-03", "v3"])
def test_portal_that_fits_is_opened_with_all_that_a_run_needs(gate: Gate, api_version: str) -> None:
    opened = gate.open(api_version=api_version)
    assert (opened.portal_id, opened.time_zone) == ("44556677", "US/Eastern")
    assert opened.portal.owners.by_email == {"ada@example.com": "41"}
    assert [p.id for p in opened.portal.pipelines] == ["0", "7"]
    assert opened.portal.properties[KEY].is_unique
    assert opened.notes == (f"created the ticket properties '{KEY}', 'salesforce_case_url'",)
    assert gate.open(api_version=api_version, property_group="not_needed").notes == ()


def test_owners_of_all_pages_are_read(gate: Gate) -> None:
    gate.load(owners=[{"id": str(1000 + n), "email": f"o{n}@example.com"} for n in range(250)])
    assert len(gate.open().portal.owners.ids) == 251


def test_only_looking_creates_nothing_and_says_what_a_run_would(gate: Gate) -> None:
    """The portal that it gives has what would be created, so that a dry run can go on."""
    before = gate.definitions()
    missing = {"hs_ticket_priority": TEXT | {"option_values": ["SOON"]}}
    opened = gate.open(missing, read_only=True, may_create_options=True, property_group="sync")
    assert opened.notes == (
        "would create the group of ticket properties 'sync'",
        f"would create the ticket properties '{KEY}', 'salesforce_case_url'",
        "would create options of 'hs_ticket_priority': 'SOON'",
    )
    assert opened.portal.properties[KEY].is_unique
    assert "SOON" in opened.portal.properties["hs_ticket_priority"].options
    assert gate.definitions() == before


def test_portal_alone_is_looked_at_without_a_stream(gate: Gate) -> None:
    """What only some streams need is a note; what all need is a problem."""
    assert gate.look(None, read_only=True).notes == (f"would create the ticket properties '{KEY}'",)
    gate.sandbox.settings(missing_scopes=["crm.objects.companies.write", "crm.objects.owners.read"])
    notes = gate.look(None, read_only=True).notes
    assert sum("not needed by every stream: access_token lacks a scope" in note for note in notes) == 2
    gate.sandbox.settings(missing_scopes=["tickets"])
    with pytest.raises(PreflightError, match="add tickets to the service key"):
        gate.look(None, read_only=True)


def test_unknown_columns_can_be_ignored_and_are_told(gate: Gate) -> None:
    opened = gate.open(OTHER, unknown_columns="ignore")
    assert "columns that are no ticket properties are ignored: 'nowhere_to_be_found'" in opened.notes


@pytest.mark.parametrize(("status", "category"), [(400, "VALIDATION_ERROR"), (404, ""), (403, "BANNED")])
def test_probe_fails_by_a_missing_scope_only(gate: Gate, status: int, category: str) -> None:
    """Whatever else HubSpot says to a batch without inputs says nothing of the token."""
    refusal: dict[str, Any] = {"status": status, "body": REFUSED | {"category": category}}
    probes = ("tickets/batch/upsert", "associate/default", "companies/batch/read")
    gate.sandbox.faults([answer("POST", path, **refusal) for path in probes])
    gate.open()


def test_forbidden_call_without_a_scope_is_told_as_well(gate: Gate) -> None:
    gate.sandbox.faults([answer("GET", "owners", status=403, body=REFUSED | {"category": "BANNED"})])
    with pytest.raises(PreflightError, match="HubSpot does not allow access_token to read owners: check"):
        gate.open()
