"""A portal in which everything fits a stream, and the target before its door."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import PreflightError
from target_hubspot_tickets.opening import Opened, open_portal
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.settings import with_defaults
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
FULL = [
    unique(f"number_{n}") for n in range(10)
]  # as many properties with unique values as an object may have
