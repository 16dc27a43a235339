"""Core: the small fixed part of a seeded org: processes, record types, statuses, users and queues."""

from __future__ import annotations

from dataclasses import dataclass

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.seeding.portal_seed import OwnerSeed, PipelineSeed, StageSeed

START = "2024-01-01T00:00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One value of Case Status: what it is called, and whether it closes a case."""

    name: str
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A support process with its record type and the statuses that it allows; None as `record_type`: no record type has it."""

    name: str
    record_type: str | None
    statuses: tuple[str, ...]
    active: bool = True


STATUSES = (
    Status(name="New"),
    Status(name="Working"),
    Status(name="Waiting on Customer"),
    Status(name="Escalated"),
    Status(name="In Repair"),
    Status(name="Resolved", closed=True),
    Status(name="Closed", closed=True),
)
PROCESSES = (
    Process(
        name="Technical Support Process",
        record_type="Technical Support",
        statuses=("New", "Working", "Waiting on Customer", "Escalated", "Closed"),
    ),
    Process(
        name="Billing Process",
        record_type="Billing",
        statuses=("New", "Working", "Waiting on Customer", "Resolved", "Closed"),
    ),
    Process(
        name="Returns Process", record_type="Returns", statuses=("New", "In Repair", "Resolved", "Closed")
    ),
    Process(name="Legacy Process", record_type=None, statuses=("New", "Closed"), active=False),
)
NO_RECORD_TYPE_STATUSES = ("New", "Working", "Closed")
USERS = (
    ("Ines", "Holm"), ("Tariq", "Vale"), ("Mei", "Okafor"), ("Jonas", "Lindqvist"), ("Priya", "Castell"), ("Rui", "Amaral"), ("Zoë", "Brandt"),
)  # fmt: skip
QUEUES = ("Tier 1 Support", "Field Service")
OWNERLESS_USERS = 1  # the last users have no HubSpot seat


def user_email(first: str, last: str) -> str:
    return f"{first}.{last}@support.example".lower().replace("ë", "e")


def process_id(number: int) -> str:
    return make_id("BusinessProcess", number + 1)


def record_type_id(number: int) -> str:
    return make_id("RecordType", number + 1)


def audit(stamp: str = START) -> dict[str, object]:
    user = make_id("User", 1)
    return {
        "CreatedDate": stamp,
        "CreatedById": user,
        "LastModifiedDate": stamp,
        "LastModifiedById": user,
        "SystemModstamp": stamp,
    }


def setup_records(
    processes: tuple[Process, ...], statuses: tuple[Status, ...]
) -> dict[str, list[dict[str, object]]]:
    """Object -> records of everything that is not an account, a contact or a case."""
    return {
        "Organization": [{"Id": make_id("Organization", 1), "Name": "Sandbox Ltd", "IsSandbox": 1, **audit()}],
        "User": [
            {"Id": make_id("User", n), "Name": f"{first} {last}", "Username": user_email(first, last), "Email": user_email(first, last), "IsActive": 1, **audit()}
            for n, (first, last) in enumerate(USERS, start=1)
        ],
        "Group": [
            {"Id": make_id("Group", n), "Name": name, "DeveloperName": name.replace(" ", "_"), "Type": "Queue", **audit()}
            for n, name in enumerate(QUEUES, start=1)
        ],
        "BusinessProcess": [
            {"Id": process_id(n), "Name": p.name, "TableEnumOrId": "Case", "IsActive": int(p.active), **audit()} for n, p in enumerate(processes)
        ],
        "RecordType": [
            {
                "Id": record_type_id(n), "Name": p.record_type, "DeveloperName": p.record_type.replace(" ", "_"), "SobjectType": "Case",
                "BusinessProcessId": process_id(n), "IsActive": 1, **audit(),
            }
            for n, p in enumerate(processes) if p.record_type
        ],
        "CaseStatus": [
            {
                "Id": make_id("CaseStatus", n), "MasterLabel": s.name, "ApiName": s.name, "SortOrder": n, "IsDefault": int(n == 1),
                "IsClosed": int(s.closed), **audit(),
            }
            for n, s in enumerate(statuses, start=1)
        ],
    }  # fmt: skip


def allowed_statuses(processes: tuple[Process, ...]) -> dict[str, tuple[str, ...]]:
    """Id of each support process -> the statuses that it allows."""
    return {process_id(n): p.statuses for n, p in enumerate(processes)}


def owners() -> tuple[OwnerSeed, ...]:
    """HubSpot owners: the users that have a seat there."""
    seated = USERS[: len(USERS) - OWNERLESS_USERS]
    return tuple(
        OwnerSeed(id=str(910900 + n), email=user_email(first, last), first_name=first, last_name=last)
        for n, (first, last) in enumerate(seated, start=1)
    )


# What an admin names the stages of a ticket pipeline for these statuses; other statuses keep their own name.
STAGE_LABELS = {"Working": "In progress", "Waiting on Customer": "Waiting on contact"}


def pipelines(processes: tuple[Process, ...], statuses: tuple[Status, ...]) -> tuple[PipelineSeed, ...]:
    """One ticket pipeline per active support process, with the long numeric ids that HubSpot gives."""
    closed = {s.name for s in statuses if s.closed}
    return tuple(
        PipelineSeed(
            id=str(75_000_001 + n),
            label=(p.record_type or p.name),
            stages=tuple(
                StageSeed(
                    id=str(145_000_000 + 100 * n + place),
                    label=STAGE_LABELS.get(status, status),
                    closed=status in closed,
                )
                for place, status in enumerate(p.statuses, start=1)
            ),
        )
        for n, p in enumerate(processes)
        if p.active
    )
