"""Core: seeded accounts, contacts and cases: unicode, newlines, long text, gaps, every kind of custom field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.seeding.org import (
    NO_RECORD_TYPE_STATUSES,
    PROCESSES,
    QUEUES,
    STATUSES,
    USERS,
    allowed_statuses,
    audit,
    owners,
    pipelines,
    record_type_id,
    setup_records,
)  # fmt: skip
from case_sync_sandbox.seeding.phrases import (
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    SENTENCES,
    THINGS,
    TOPICS,
    TRADES,
    TROUBLES,
)
from case_sync_sandbox.seeding.portal_seed import INTEGRATION_PROPERTIES, PortalSeed

Record = dict[str, Any]
STAMP = "%Y-%m-%dT%H:%M:%S"
TWO_YEARS_SECONDS = 730 * 86_400
# Every tenth account and contact is not in HubSpot yet: their associations have to wait.
MISSING_IN_PORTAL = 10

T = TypeVar("T")


class Chance(Protocol):
    """Where choices come from: a seeded `random.Random`, so that the same seed gives the same records."""

    def choice(self, options: Sequence[T], /) -> T: ...

    def randrange(self, start: int, stop: int | None = None, /) -> int: ...

    def random(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgSeed:
    """A whole org in batches that fit in memory: object name and records, in the order to insert them.

    Attributes:
        allowed: Id of a support process -> the statuses that it allows.
    """

    setup: dict[str, list[Record]]
    accounts: list[Record]
    contacts: list[Record]
    cases: Iterator[Record]
    comments: list[Record]
    emails: list[Record] = field(default_factory=list)
    allowed: dict[str, tuple[str, ...]] = field(default_factory=dict)


def sizes(cases: int) -> tuple[int, int]:
    """How many accounts and contacts a number of cases has."""
    return max(8, min(cases // 8, 40_000)), max(12, min(cases // 4, 80_000))


def seed_org(
    cases: int, *, now: datetime, chance: Chance, accounts: int | None = None, contacts: int | None = None
) -> OrgSeed:
    """An org with that many cases, ended at `now` (aware), of so many accounts and contacts; None: as many as `sizes` says.

    The same seed of `chance` gives the same records.
    """
    usual = sizes(cases)
    accounts = max(1, usual[0] if accounts is None else accounts)
    contacts = usual[1] if contacts is None else contacts
    contact_records = [contact(n, accounts) for n in range(1, contacts + 1)]
    return OrgSeed(
        setup=setup_records(PROCESSES, STATUSES),
        allowed=allowed_statuses(PROCESSES),
        accounts=[account(n) for n in range(1, accounts + 1)],
        contacts=contact_records,
        cases=(case(n, cases, chance, now, contact_records) for n in range(1, cases + 1)),
        comments=[comment(n) for n in range(1, min(cases, 2_000) + 1) if n % 5 == 0],
        emails=[email_message(n, now) for n in range(1, min(cases, 2_000) + 1) if n % 7 == 0],
    )


def account(number: int) -> Record:
    name = f"{PLACES[number % len(PLACES)]} {TRADES[number // len(PLACES) % len(TRADES)]} {number}"
    return {
        "Id": make_id("Account", number),
        "Name": name,
        "Website": None if number % 17 == 0 else f"https://www.{domain(number)}/",
        "Phone": f"+00 555 {number:06d}",
        **billing(number),
        **audit(),
    }


def billing(number: int) -> Record:
    """The parts of an address, and the whole as Salesforce's compound field gives it."""
    city = PLACES[number % len(PLACES)]
    parts = {
        "street": f"{number} Quay Road",
        "city": city,
        "postalCode": f"{number:05d}",
        "country": "Ruritania",
    }
    columns = {"Billing" + part[0].upper() + part[1:]: value for part, value in parts.items()}
    return columns | {"BillingAddress": json.dumps(parts)}


def domain(number: int) -> str:
    return f"firm-{number}.example"


def contact(number: int, accounts: int) -> Record:
    first, last = (
        FIRST_NAMES[number % len(FIRST_NAMES)],
        LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)],
    )
    at = (number - 1) % accounts + 1
    email = None if number % 23 == 0 else f"contact-{number}@{domain(at)}"
    return {
        "Id": make_id("Contact", number), "AccountId": make_id("Account", at), "FirstName": first, "LastName": last,
        "Name": f"{first} {last}", "Email": email, "Phone": f"+00 555 {number:06d}", **audit(),
    }  # fmt: skip


def case(number: int, total: int, chance: Chance, now: datetime, contacts: list[Record]) -> Record:
    """One case. Ages go evenly from two years ago to now, so that stamps grow with the number, with ties."""
    process = chance.choice((0, 0, 1, 2, None))
    statuses = NO_RECORD_TYPE_STATUSES if process is None else PROCESSES[process].statuses
    status = chance.choice(statuses)
    closed = status in {s.name for s in STATUSES if s.closed}
    age = TWO_YEARS_SECONDS * (total - number + 1) // (total + 1)
    created = now - timedelta(seconds=age + chance.randrange(60))
    changed = min(created + timedelta(seconds=chance.randrange(1, 86_400)), now - timedelta(seconds=1))
    person = None if number % 13 == 0 or not contacts else chance.choice(contacts)
    owner = (
        make_id("Group", chance.randrange(len(QUEUES)) + 1)
        if number % 6 == 0
        else make_id("User", chance.randrange(len(USERS)) + 1)
    )
    account_id = person["AccountId"] if person else (None if number % 2 else make_id("Account", 1))
    stamp = changed.strftime(STAMP)
    return {
        "Id": make_id("Case", number), "CaseNumber": f"{number:08d}", "ContactId": person and person["Id"], "AccountId": account_id,
        "ParentId": make_id("Case", number - 1) if number % 50 == 0 else None,
        "Type": chance.choice(("Mechanical", "Electrical", "Billing", "Other", None)),
        "RecordTypeId": None if process is None else record_type_id(process), "Status": status, "Reason": chance.choice(("Performance", "Breakdown", None)),
        "Origin": chance.choice(("Phone", "Email", "Web")), "Subject": None if number % 97 == 0 else f"{chance.choice(THINGS)} {chance.choice(TROUBLES)}",
        "Priority": chance.choice(("High", "Medium", "Medium", "Low")), "Description": description(number, chance),
        "IsClosed": int(closed), "IsEscalated": int(status == "Escalated"), "ClosedDate": stamp if closed else None, "OwnerId": owner,
        "ContactEmail": person and person["Email"], "SuppliedEmail": None if person else f"web-{number}@visitor.example",
        "CreatedDate": created.strftime(STAMP), "CreatedById": make_id("User", 1), "LastModifiedDate": stamp, "LastModifiedById": make_id("User", 1),
        "SystemModstamp": stamp, **custom_fields(number, chance, created),
    }  # fmt: skip


def description(number: int, chance: Chance) -> str | None:
    if number % 11 == 0:
        return None
    text = "\n".join(chance.choice(SENTENCES) for _ in range(chance.randrange(1, 6)))
    return text + "\n\n" + "long story, " * 2_600 if number % 400 == 0 else text


def custom_fields(number: int, chance: Chance, created: datetime) -> Record:
    day = timedelta(days=1)
    return {
        "External_Reference__c": f"EXT-{number:07d}" if number % 3 else None,
        "Units_Affected__c": float(chance.randrange(40)) if number % 4 else None,
        "Claim_Amount__c": round(chance.random() * 5_000, 2) if number % 5 == 0 else None,
        "Discount__c": 12.5 if number % 8 == 0 else None,
        "Under_Warranty__c": number % 2,
        "Purchase_Date__c": (created - 90 * day).strftime("%Y-%m-%d") if number % 3 == 0 else None,
        "Next_Action_At__c": (created + day).strftime(STAMP) if number % 7 == 0 else None,
        "Severity__c": chance.choice(("S1", "S2", "S3", None)),
        "Topics__c": ";".join(t for t in TOPICS if chance.random() < 0.3) or None,
        "Reporter_Email__c": f"reporter-{number}@visitor.example" if number % 6 == 0 else None,
        "Callback_Phone__c": f"+00 555 {number:07d}" if number % 4 == 0 else None,
        "Internal_Notes__c": f"{number} visits so far.\n{SENTENCES[number % len(SENTENCES)]}"
        if number % 10 == 0
        else None,
        "Manual_Link__c": f"https://manuals.example/{number}" if number % 9 == 0 else None,
        "Age_In_Days__c": float(number % 365),
    }


def comment(number: int) -> Record:
    text = f"Comment on case {number}: {SENTENCES[number % len(SENTENCES)]}"
    return {
        "Id": make_id("CaseComment", number),
        "ParentId": make_id("Case", number),
        "IsPublished": number % 2,
        "CommentBody": text,
        **audit(),
    }


def email_message(number: int, now: datetime) -> Record:
    stamp = (now - timedelta(days=number % 300 + 1)).strftime(STAMP)
    return {
        "Id": make_id("EmailMessage", number),
        "ParentId": make_id("Case", number),
        "Subject": f"Re: case {number}",
        "TextBody": SENTENCES[number % len(SENTENCES)],
        "FromName": FIRST_NAMES[number % len(FIRST_NAMES)],
        "FromAddress": f"web-{number}@visitor.example",
        "ToAddress": "help@support.example",
        "Incoming": 1,
        "Status": "0",
        "MessageDate": stamp,
        **audit(stamp),
    }


def seed_portal(org: OrgSeed) -> PortalSeed:
    """The portal beside that org: most of its accounts and contacts, owners, and a pipeline per support process."""
    return PortalSeed(
        companies=[company_of(a) for n, a in enumerate(org.accounts, start=1) if n % MISSING_IN_PORTAL],
        contacts=[
            person_of(c) for n, c in enumerate(org.contacts, start=1) if n % MISSING_IN_PORTAL and c["Email"]
        ],
        owners=owners(),
        pipelines=pipelines(PROCESSES, STATUSES),
        properties=INTEGRATION_PROPERTIES,
    )


def company_of(record: Record) -> dict[str, str]:
    site = str(record["Website"] or "").removeprefix("https://www.").rstrip("/")
    values = {"name": record["Name"], "salesforceaccountid": record["Id"], "domain": site}
    return {k: v for k, v in values.items() if v}


def person_of(record: Record) -> dict[str, str]:
    return {
        "email": record["Email"],
        "firstname": record["FirstName"],
        "lastname": record["LastName"],
        "salesforcecontactid": record["Id"],
    }
