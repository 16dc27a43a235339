"""What HubSpot has to hold, by the rules of meltano.yml said once more, plainly, and without the mapper's or the target's code.

Input is Salesforce as it is stored; the tables of rules stand here a second time on purpose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests

from case_sync_sandbox.testing import RunningSandbox

KEY = "salesforce_case_id"
PRIORITIES = {"High": "HIGH", "Medium": "MEDIUM", "Low": "LOW"}
SOURCES = {"Phone": "PHONE", "Email": "EMAIL", "Web": "FORM"}
CATEGORIES = {
    "Mechanical": "PRODUCT_ISSUE",
    "Electrical": "PRODUCT_ISSUE",
    "Billing": "BILLING_ISSUE",
    "Other": "GENERAL_INQUIRY",
}
# Record type of a case: its pipeline, and the stage of each status; any other status is rejected.
PLACES: dict[str | None, tuple[str, dict[str, str]]] = {
    "Technical Support": ("Technical Support", {
        "New": "New", "Working": "In progress", "Waiting on Customer": "Waiting on contact", "Escalated": "Escalated", "Closed": "Closed"}),
    "Billing": ("Billing", {
        "New": "New", "Working": "In progress", "Waiting on Customer": "Waiting on contact", "Resolved": "Resolved", "Closed": "Closed"}),
    "Returns": ("Returns", {"New": "New", "In Repair": "In Repair", "Resolved": "Resolved", "Closed": "Closed"}),
    None: ("Support Pipeline", {"New": "New", "Working": "Waiting on us", "Waiting on Customer": "Waiting on contact", "Closed": "Closed"}),
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """Values by case id, and the ids of the associated companies and contacts by case id."""

    values: dict[str, dict[str, str]]
    companies: dict[str, set[str]]
    contacts: dict[str, set[str]]


def by_id(sandbox: RunningSandbox, object_name: str) -> dict[str, Row]:
    return {row["Id"]: row for row in sandbox.admin("GET", f"salesforce/records?object={object_name}")}


def _hubspot(sandbox: RunningSandbox, path: str) -> list[Row]:
    headers = {"Authorization": "Bearer sandbox-token"}
    answer = requests.get(f"{sandbox.hubspot_url}{path}", headers=headers, timeout=30)
    return list(answer.json()["results"])


def expected_tickets(sandbox: RunningSandbox) -> Tickets:
    """By what Salesforce holds now; ask when no fault is on."""
    record_types = {i: row["Name"] for i, row in by_id(sandbox, "RecordType").items()}
    emails = {i: row["Email"] for i, row in by_id(sandbox, "User").items()}
    owners = {row["email"]: row["id"] for row in _hubspot(sandbox, "/crm/v3/owners")}
    stages = {
        (pipeline["label"], stage["label"]): (pipeline["id"], stage["id"])
        for pipeline in _hubspot(sandbox, "/crm/v3/pipelines/tickets")
        for stage in pipeline["stages"]
    }
    links = _Links(sandbox)
    values, companies, contacts = {}, {}, {}
    for case_id, case in by_id(sandbox, "Case").items():
        label, stage_of = PLACES[record_types.get(case["RecordTypeId"])]
        if case["IsDeleted"] or case["Status"] not in stage_of:
            continue
        pipeline, stage = stages[label, stage_of[case["Status"]]]
        values[case_id] = {
            "subject": case["Subject"] or f"Case {case['CaseNumber']}",
            "content": case["Description"] or "",
            "hs_pipeline": pipeline,
            "hs_pipeline_stage": stage,
            "hs_ticket_priority": PRIORITIES.get(case["Priority"], ""),
            "hs_ticket_category": CATEGORIES.get(case["Type"], ""),
            "source_type": SOURCES.get(case["Origin"], ""),
            "hubspot_owner_id": owners.get(emails.get(case["OwnerId"]), ""),
            "salesforce_case_number": case["CaseNumber"],
            "salesforce_case_url": f"{sandbox.salesforce_url}/{case_id}",
            "salesforce_system_modstamp": f"{case['SystemModstamp']}.000Z",
        }
        companies[case_id], contacts[case_id] = links.company(case), links.contact(case)
    return Tickets(values=values, companies=companies, contacts=contacts)


class _Links:
    """Companies by Salesforce's id, else by domain; contacts by Salesforce's id, else by e-mail; of two the older one."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._accounts, self._people = by_id(sandbox, "Account"), by_id(sandbox, "Contact")
        self._companies = self._records(sandbox, "companies", "salesforceaccountid", "domain")
        self._contacts = self._records(sandbox, "contacts", "salesforcecontactid", "email")

    @staticmethod
    def _records(sandbox: RunningSandbox, name: str, *by: str) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for record in sandbox.admin("GET", f"hubspot/records/{name}")["results"]:  # ids ascend
            for column in by:
                if value := record["properties"].get(column):
                    found.setdefault((column, value), record["id"])
        return found

    def company(self, case: Row) -> set[str]:
        account = self._accounts.get(case["AccountId"]) or {}
        site = (account.get("Website") or "").removeprefix("https://www.").rstrip("/")
        return self._first(
            self._companies, ("salesforceaccountid", case["AccountId"] or ""), ("domain", site)
        )

    def contact(self, case: Row) -> set[str]:
        email = (self._people.get(case["ContactId"]) or {}).get("Email") or ""
        return self._first(self._contacts, ("salesforcecontactid", case["ContactId"] or ""), ("email", email))

    @staticmethod
    def _first(known: dict[tuple[str, str], str], *ways: tuple[str, str]) -> set[str]:
        return set([known[way] for way in ways if way in known][:1])


VERSION = "salesforce_system_modstamp"


def differences(
    sandbox: RunningSandbox, *, exact_links: bool = True, exact_versions: bool = True
) -> list[str]:
    """In words, the first ones; empty when HubSpot holds what it has to, each ticket once.

    Without `exact_links` a ticket may have associations that held earlier (association_mode add); without `exact_versions` it may
    have the stamp of an earlier version of its case with the same values (write_mode changed).
    """
    expected, tickets = expected_tickets(sandbox), sandbox.tickets()
    keys = Counter(ticket["properties"].get(KEY) for ticket in tickets)
    told = [f"{key}: {count} tickets" for key, count in keys.items() if count > 1]
    told += [f"{key}: no ticket" for key in expected.values.keys() - keys.keys()]
    told += [f"{key}: a ticket too many" for key in keys.keys() - expected.values.keys()]
    for ticket in tickets:
        if values := expected.values.get(key := ticket["properties"].get(KEY)):
            there = {name: ticket["properties"].get(name) or "" for name in values}
            if not exact_versions and "" < there[VERSION] < values[VERSION]:
                there[VERSION] = values[VERSION]
            told += [f"{key}: {name} is {there[name]!r:.200}, not {values[name]!r:.200}" for name in values if there[name] != values[name]]  # fmt: skip
            for kind, wanted in (("companies", expected.companies[key]), ("contacts", expected.contacts[key])):  # fmt: skip
                linked = {one["id"] for one in ticket["associations"].get(kind, ())}
                if linked != wanted and (exact_links or not wanted <= linked):
                    told.append(f"{key}: {kind} {sorted(linked)}, not {sorted(wanted)}")
    return sorted(told)[:20]


def doubled(sandbox: RunningSandbox) -> list[str]:
    """Cases that had two active tickets at any time (I2)."""
    active: dict[str, set[str]] = {}
    told = []
    for write in sandbox.writes():
        if write["op"] not in {"create", "archive"} or not (key := write["key"]):
            continue
        tickets = active.setdefault(key, set())
        (tickets.add if write["op"] == "create" else tickets.discard)(write["id"])
        told += [f"{key}: tickets {sorted(tickets)} at once"] if len(tickets) > 1 else []
    return told


def wrongly_archived(sandbox: RunningSandbox, deleted: set[str]) -> set[str]:
    """Cases whose ticket was archived at any time, and that nobody has deleted (I4)."""
    return {write["key"] for write in sandbox.writes() if write["op"] == "archive"} - deleted


def fallen_versions(sandbox: RunningSandbox) -> list[str]:
    """Cases whose ticket was written with an older version after a newer one (I3)."""
    newest: dict[str, str] = {}
    fallen = []
    for write in sandbox.writes():
        key, version = write["key"], write["version"]
        if not key or not version or write["op"] not in {"create", "update"}:
            continue
        if version < newest.get(key, ""):
            fallen.append(f"{key}: {version} after {newest[key]}")
        newest[key] = max(version, newest.get(key, ""))
    return fallen
