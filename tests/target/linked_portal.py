"""A portal with tickets and companies, and the parts of the target that associate them, as the tests of both use them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.associations import Associator, Ticket
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.labels import Labels
from target_hubspot_tickets.lookups import Lookups
from target_hubspot_tickets.outcomes import (
    AssociationOutcome,
    MadeAssociation,
    PendingAssociation,
    RoundOutcome,
)
from target_hubspot_tickets.pending import retry_page
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Way, Wish
from target_hubspot_tickets.settings import with_defaults

KEY = "salesforce_case_id"
ACCOUNT = "salesforceaccountid"
COMPANIES = "/crm/associations/2026-09/tickets/companies"
Links = dict[str, dict[str, list[int]]]  # key -> company id -> types
INVALID = {
    "status": "error",
    "category": "VALIDATION_ERROR",
    "message": "One or more associations are invalid",
}


def keys(count: int) -> list[str]:
    return [f"case-{number:04}" for number in range(count)]


def company(value: str, *, by: str = ACCOUNT, label: str | None = None) -> Wish:
    return Wish(to="companies", ways=(Way(by=by, value=value),), label=label)


def company_id(company_id: str, *, label: str | None = None) -> Wish:
    """By record id, which needs no search."""
    return company(company_id, by="hs_object_id", label=label)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What the real one does with an outcome's associations, in memory."""

    pending: dict[str, list[PendingAssociation]] = field(default_factory=dict)
    made: dict[str, list[MadeAssociation]] = field(default_factory=dict)

    def record(self, outcome: AssociationOutcome) -> None:
        for key in outcome.settled:
            self.pending.pop(key, None)
        for row in outcome.pending:
            self.pending.setdefault(row.key, []).append(row)
        for gone in outcome.removed:
            self.made[gone.key].remove(gone)
        for made in outcome.made:
            self.made.setdefault(made.key, []).append(made)

    def waiting(self) -> list[PendingAssociation]:
        return [row for rows in self.pending.values() for row in rows]


@dataclass(slots=True, kw_only=True)
class LinkedPortal:
    """Talks to the sandbox past the target, and holds one run's parts of the target."""

    sandbox: RunningSandbox
    client: HubSpotClient
    http: httpx.Client
    ledger: Ledger = field(default_factory=Ledger)
    api: Api = field(default_factory=lambda: Api("2026-09"))
    mode: str = "add"
    primary: bool = False
    lookups: Lookups = field(init=False)
    associator: Associator = field(init=False)

    def __post_init__(self) -> None:
        for name, to, unique in (
            (KEY, "tickets", True),
            (ACCOUNT, "companies", False),
            ("erp_number", "companies", True),
        ):
            self.add_property(name, to, hasUniqueValue=unique)
        self.next_run()

    def next_run(self, **settings: Any) -> None:
        """Forget what a run remembers."""
        self.mode, self.primary = settings.get("mode", self.mode), settings.get("primary", self.primary)
        self.lookups = Lookups(self.client, self.api, KEY)
        self.associator = Associator(
            self.client,
            self.api,
            self.lookups,
            Labels(self.client, self.api),
            mode="mirror" if self.mode == "mirror" else "add",
            primary_company=self.primary,
        )

    def add_property(self, name: str, to: str, **more: Any) -> None:
        definition = {"objectType": to, "name": name, "label": name, **more}
        self.sandbox.admin("POST", "hubspot/load", {"properties": [definition]})

    def companies(self, *values: Mapping[str, str]) -> list[str]:
        return list(self.sandbox.admin("POST", "hubspot/load", {"companies": values})["companies"])

    def tickets(self, *keys: str, is_new: bool = True) -> dict[str, Ticket]:
        """Tickets as just written, without wishes."""
        rows = [{KEY: key, "subject": key, "hs_pipeline": "0", "hs_pipeline_stage": "1"} for key in keys]
        ids = self.sandbox.admin("POST", "hubspot/load", {"tickets": rows})["tickets"]
        return {k: Ticket(key=k, ticket_id=i, is_new=is_new) for k, i in zip(keys, ids, strict=True)}

    def post(self, path: str, body: Any) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def archive(self, to: str, *ids: str) -> None:
        self.post(f"/crm/objects/2026-09/{to}/batch/archive", {"inputs": [{"id": i} for i in ids]})

    def link_by_hand(self, *pairs: tuple[str, str]) -> None:
        inputs = [{"from": {"id": ticket_id}, "to": {"id": to_id}} for ticket_id, to_id in pairs]
        self.post(f"{COMPANIES}/batch/associate/default", {"inputs": inputs})

    def unlink_by_hand(self, *pairs: tuple[str, str]) -> None:
        inputs = [{"from": {"id": ticket_id}, "to": [{"id": to_id}]} for ticket_id, to_id in pairs]
        self.post(f"{COMPANIES}/batch/archive", {"inputs": inputs})

    def label_by_hand(self, ticket_id: str, to_id: str, type_id: int) -> None:
        types = [{"associationCategory": "USER_DEFINED", "associationTypeId": type_id}]
        body = {"inputs": [{"from": {"id": ticket_id}, "to": {"id": to_id}, "types": types}]}
        self.post(f"{COMPANIES}/batch/create", body)

    def add_label(self, label: str) -> int:
        made = self.post(f"{COMPANIES}/labels", {"label": label, "name": label.lower()})
        return int(made["results"][0]["typeId"])

    def associate(
        self, tickets: Mapping[str, Ticket], *wishes: Wish, replay: bool = False
    ) -> AssociationOutcome:
        """As a round of it does: all tickets ask for the same, where wishes are given; and the ledger is told."""
        if wishes:
            tickets = {key: replace(ticket, wishes=wishes) for key, ticket in tickets.items()}
        if replay:
            tickets = {key: replace(ticket, is_new=False) for key, ticket in tickets.items()}
        outcome = self.associator.associate(tickets, self.ledger.made)
        self.ledger.record(outcome)
        return outcome

    def retry(self, page: Sequence[PendingAssociation] | None = None) -> RoundOutcome:
        """As the next run does it with what waits."""
        outcome = retry_page(self.client, self.api, self.associator, KEY, page or self.ledger.waiting())
        self.ledger.record(outcome.associations)
        return outcome

    def links(self) -> Links:
        """The companies of each ticket, as HubSpot has them."""
        return {
            ticket["properties"][KEY]: {
                a["id"]: sorted(a["types"]) for a in ticket["associations"].get("companies", ())
            }
            for ticket in self.sandbox.tickets()
        }

    def calls(self, path: str) -> list[dict[str, Any]]:
        return self.sandbox.requests(half="hubspot", path=path)

    def forget_calls(self) -> None:
        self.sandbox.admin("DELETE", "requests")


@pytest.fixture
def portal(sandbox: RunningSandbox) -> Iterator[LinkedPortal]:
    """An empty portal that has the properties that things are found by."""
    settings = with_defaults({"base_url": sandbox.hubspot_url, "access_token": "sandbox-token"})
    headers = {"authorization": "Bearer sandbox-token"}
    with (
        HubSpotClient(settings) as client,
        httpx.Client(base_url=sandbox.hubspot_url, headers=headers, trust_env=False, timeout=60) as http,
    ):
        yield LinkedPortal(sandbox=sandbox, client=client, http=http)
