"""Preflight: all that does not fit is told at once, with what to do, before anything is written; and what may be created is."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.column_types import FITS, created_type, fits
from target_hubspot_tickets.errors import PreflightError, TokenRefusedError
from target_hubspot_tickets.needs import announced_options, needs_of
from target_hubspot_tickets.opening import Opened, open_portal
from target_hubspot_tickets.option_adding import MOST_ADDED, OptionAdder
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.preflight import Asked, Found, plan
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.settings import with_defaults
from target_hubspot_tickets.ticket_properties import Creation
from target_hubspot_tickets.tickets import Choices

KEY = "salesforce_case_id"
TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
LISTED_PRIORITIES = {"option_values": ["HIGH", "low", "Urgent", None]}
PLACES: dict[str, Any] = {"stages_by_pipeline": {"Billing": ["New", "@closed"], "0": ["1", "waiting on us"]}}
ASSOCIATIONS: dict[str, Any] = {
    "looked_up_by": {"company": ["salesforceaccountid", "domain"], "contact": ["email"], "ticket": [KEY]},
    "labels": {"company": ["Primary", "payer"]},
}
COLUMNS: dict[str, Any] = {
    KEY: {"type": "string"},
    "subject": TEXT,
    "hs_pipeline": TEXT,
    "hs_pipeline_stage": TEXT | PLACES,
    "hs_ticket_priority": TEXT | LISTED_PRIORITIES,
    "hs_ticket_category": {"type": ["array", "null"]},
    "hubspot_owner_email": TEXT,
    "closed_date": TEXT | {"format": "date-time"},
    "created_by": NUMBER,
    "salesforce_case_url": TEXT,
    "associations": {"type": ["array", "null"]} | ASSOCIATIONS,
    "_sdc_deleted_at": TEXT,
}


def property_of(name: str, to: str = "tickets", **more: Any) -> dict[str, Any]:
    return {"objectType": to, "name": name, "label": name, **more}


def unique(name: str) -> dict[str, Any]:
    return property_of(name, hasUniqueValue=True)


def pipeline(pipeline_id: str, label: str, **stages: str) -> dict[str, Any]:
    """Stages by id."""
    listed = [
        {
            "id": number,
            "label": name,
            "displayOrder": place,
            "metadata": {"ticketState": "CLOSED" if name == "Done" else "OPEN"},
        }
        for place, (number, name) in enumerate(stages.items())
    ]
    return {"id": pipeline_id, "label": label, "stages": listed}


PORTAL: dict[str, Any] = {
    "properties": [property_of("salesforceaccountid", "companies")],
    "pipelines": [pipeline("7", "Billing", s71="New", s72="Done")],
    "owners": [{"id": "41", "email": "ada@example.com", "userId": 5041}],
}


@dataclass(slots=True, kw_only=True)
class Gate:
    """A portal in which everything fits, and the target before its door."""

    sandbox: RunningSandbox
    client: HubSpotClient
    http: httpx.Client

    def load(self, **contents: Any) -> None:
        self.sandbox.admin("POST", "hubspot/load", contents)

    def open(self, columns: Mapping[str, Any] | None = None, /, **asked: Any) -> Opened:
        """Without columns those that fit; a column set to None is left out."""
        return self.look({n: c for n, c in (COLUMNS | dict(columns or {})).items() if c is not None}, **asked)

    def look(self, columns: Mapping[str, Any] | None, /, **asked: Any) -> Opened:
        options = {
            name: asked.pop(name, default)
            for name, default in (("may_create", True), ("may_create_options", False), ("property_group", "ticketinformation"), ("read_only", False))
        }  # fmt: skip
        api = Api(asked.pop("api_version", "2026-09"))
        return open_portal(self.client, api, columns, Choices(**{"key_property": KEY} | asked), **options)

    def problems(self, columns: Mapping[str, Any] | None = None, /, **asked: Any) -> list[str]:
        """Those of a refused portal; they are numbered, and nothing was written."""
        before, seen = self.definitions(), self.sandbox.requests(half="hubspot")
        with pytest.raises(PreflightError) as raised:
            self.open(columns, **asked)
        told = list(raised.value.problems)
        numbers = [int(n) for n in re.findall(r"^  (\d+)\. ", str(raised.value), re.MULTILINE)]
        assert numbers == list(range(1, len(told) + 1))
        assert self.sandbox.writes() == []
        assert self.definitions() == before
        sent = [r for r in self.sandbox.requests(half="hubspot")[len(seen) :] if r["method"] != "GET"]
        assert all(r["bytes_in"] <= len('{"properties":[],"inputs":[]}') for r in sent), "probes are empty"
        return told

    def definitions(self) -> Any:
        """Properties and groups as HubSpot shows them."""
        missing = self.sandbox.admin("GET", "hubspot/settings")["missing_scopes"]
        self.sandbox.settings(missing_scopes=[])
        answers = [self.http.get(f"/crm/properties/2026-09/tickets{part}") for part in ("", "/groups")]
        self.sandbox.settings(missing_scopes=missing)
        return [answer.json()["results"] for answer in answers]

    def property(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/crm/properties/2026-09/tickets/{name}").json()
        return found

    def refused_calls(self) -> list[str]:
        return [r["path"] for r in self.sandbox.requests(half="hubspot") if r["status"] == 403]


@pytest.fixture
def gate(sandbox: RunningSandbox) -> Iterator[Gate]:
    settings = {"base_url": sandbox.hubspot_url, "access_token": "sandbox-token"}
    headers = {"Authorization": "Bearer sandbox-token"}
    with (
        HubSpotClient(with_defaults(settings)) as client,
        httpx.Client(base_url=sandbox.hubspot_url, headers=headers, trust_env=False) as http,
    ):
        gate = Gate(sandbox=sandbox, client=client, http=http)
        gate.load(**PORTAL)
        http.post(
            "/crm/associations/2026-09/tickets/companies/labels", json={"label": "Payer", "name": "payer"}
        )
        yield gate


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


FULL = [unique(f"number_{n}") for n in range(10)]
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


# -- what is created


def test_own_properties_are_created_by_the_type_of_their_column_in_their_group(gate: Gate) -> None:
    """The group as well; the key is a text with unique values whatever its column is."""
    columns = {
        "salesforce_case_url": TEXT,
        "salesforce_closed": TEXT | {"format": "date-time"},
        "salesforce_due": {"type": ["string", "null"], "format": "date"},
        "salesforce_hours": {"type": ["number", "integer", "null"]},
        "salesforce_escalated": {"type": ["boolean", "null"]},
        "salesforce_mixed": {"type": ["string", "number", "boolean", "null"]},
        KEY: {"type": "integer"},
    }
    gate.open(columns, property_group="sync_fields")
    made = {name: gate.property(name) for name in columns}
    assert {name: (p["type"], p["fieldType"]) for name, p in made.items()} == {
        "salesforce_case_url": ("string", "text"),
        "salesforce_closed": ("datetime", "date"),
        "salesforce_due": ("date", "date"),
        "salesforce_hours": ("number", "number"),
        "salesforce_escalated": ("bool", "booleancheckbox"),
        "salesforce_mixed": ("string", "text"),
        KEY: ("string", "text"),
    }
    assert {p["groupName"] for p in made.values()} == {"sync_fields"}
    assert [name for name, p in made.items() if p["hasUniqueValue"]] == [KEY]
    assert made[KEY]["label"] == "Salesforce Case ID"
    group = next(g for g in gate.definitions()[1] if g["name"] == "sync_fields")
    assert group["label"] == "Sync Fields"
    assert gate.open(columns, property_group="sync_fields").notes == ()


def answer(method: str, path: str, nth: int = 1, **more: Any) -> dict[str, Any]:
    """A fault rule."""
    return {"half": "hubspot", "method": method, "path": path, "nth": nth, "action": "answer"} | more


LISTED_AT = r"properties/2026-09/tickets\??$"
REFUSED = {
    "status": "error",
    "category": "VALIDATION_ERROR",
    "message": "quotes a value",
    "correlationId": "c-1",
}


@pytest.mark.parametrize(
    "fault", [{"action": "answer", "status": 400, "body": REFUSED}, {"action": "drop_after_commit"}]
)
def test_what_a_call_for_all_did_not_create_is_created_alone(gate: Gate, fault: dict[str, Any]) -> None:
    """Whether it made none, or its answer was lost behind the commit: nothing is made twice."""
    gate.sandbox.faults(
        [{"half": "hubspot", "method": "POST", "path": "tickets/batch/create", "nth": 1, **fault}]
    )
    assert gate.open().portal.properties[KEY].is_unique
    assert len([p for p in gate.definitions()[0] if p["name"] == KEY]) == 1


def test_properties_are_created_in_one_call(gate: Gate) -> None:
    gate.open()
    made = [
        r["path"]
        for r in gate.sandbox.requests(half="hubspot")
        if r["method"] == "POST" and "properties" in r["path"]
    ]
    assert len(made) == 1, made


def test_runs_that_start_at_once_create_each_property_once(gate: Gate) -> None:
    """That another was faster is no error."""
    gate.client.send(Api("2026-09").account())
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: gate.open(property_group="sync"), range(4)))
    assert all(one.portal.properties[KEY].is_unique for one in opened)
    made = [p for p in gate.definitions()[0] if p["name"] == KEY]
    assert len(made) == 1


def test_nine_unique_properties_leave_room_for_the_key(gate: Gate) -> None:
    """HubSpot's own unique ones do not count to its limit of ten."""
    gate.load(properties=FULL[:9])
    assert gate.open().portal.properties[KEY].is_unique


@pytest.mark.parametrize(
    "together",
    [{"status": 400, "body": REFUSED}, {"status": 207, "body": {"results": [], "errors": [REFUSED]}}],
)
def test_refused_creation_is_told(gate: Gate, together: dict[str, Any]) -> None:
    """Of several that are created in one call each is asked for alone, whose answer says why."""
    gate.sandbox.faults(
        [
            answer("POST", "tickets/batch/create", **together),
            answer("POST", LISTED_AT, status=400, body=REFUSED),
        ]
    )
    with pytest.raises(PreflightError) as raised:
        gate.open()
    (told,) = raised.value.problems
    assert told.startswith(f"HubSpot refuses to create the ticket property '{KEY}'")
    assert "c-1" in told
    assert "quotes" not in told


def test_new_property_is_waited_for_until_hubspot_lists_it(gate: Gate) -> None:
    before = {"results": gate.definitions()[0]}
    gate.sandbox.faults([answer("GET", LISTED_AT, nth=2, status=200, body=before)])
    assert gate.open().portal.properties[KEY].is_unique
    assert len([r for r in gate.sandbox.requests(half="hubspot") if r["fault"]]) == 1


def test_key_that_comes_back_from_the_archive_without_unique_values_is_refused(gate: Gate) -> None:
    """HubSpot restores an archived property of the name instead of creating one."""
    old = [{"name": name, "type": "string"} for name in (KEY, "salesforce_case_url")]
    gate.sandbox.faults([answer("GET", LISTED_AT, nth=2, status=200, body={"results": old})])
    with pytest.raises(PreflightError, match="came back, and does not require unique values"):
        gate.open()


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


OPTIONS = [
    {"label": "Low", "value": "LOW", "displayOrder": 3, "hidden": False, "description": "a"},
    {"label": "Old", "value": "OLD", "displayOrder": 4, "hidden": True, "description": ""},
]


def test_missing_options_are_added_to_those_that_are_there(gate: Gate) -> None:
    """Each once, in any letters; what is there stays as it is, hidden ones too."""
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    opened = gate.open({"level": TEXT | {"option_values": ["Low", "old", "New", "new", "Other"]}}, may_create_options=True)  # fmt: skip
    options = gate.property("level")["options"]
    assert options[:2] == OPTIONS
    assert [(o["value"], o["label"], o["hidden"]) for o in options[2:]] == [("New", "New", False), ("new", "new", False), ("Other", "Other", False)]  # fmt: skip
    assert list(opened.portal.properties["level"].options) == ["LOW", "OLD", "New", "new", "Other"]


def test_options_of_records_are_added_by_threads_without_losing_any(gate: Gate) -> None:
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    adder = OptionAdder(gate.client, Api("2026-09"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: adder.add("level", [f"Option {n % 12}"]), range(36)))
    values = [option["value"] for option in gate.property("level")["options"]]
    assert sorted(values) == sorted(["LOW", "OLD", *(f"Option {n}" for n in range(12))])


def test_options_are_not_added_without_end_nor_where_there_are_none(gate: Gate) -> None:
    """A column of free texts is no list of choices."""
    gate.load(properties=[property_of("level", type="enumeration", fieldType="select", options=OPTIONS)])
    adder = OptionAdder(gate.client, Api("2026-09"))
    assert adder.add("level", [str(n) for n in range(MOST_ADDED)]) is not None
    assert adder.add("level", ["one more"]) is None
    assert adder.add("level", ["7", "low"]) is not None
    assert adder.add("hubspot_owner_id", ["x"]) is None
    assert adder.add("no_such", ["x"]) is None


# -- the decisions behind it

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
