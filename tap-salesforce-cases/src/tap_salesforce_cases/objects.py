"""Core: the streams as a table: which object each one reads, how, and by which columns of its parents."""

from __future__ import annotations

from dataclasses import dataclass

# Columns of cases from their parents: SOQL path -> field of Case that it goes through. A dot becomes two underscores on the wire.
CASE_PARENTS = {
    "RecordType.DeveloperName": "RecordTypeId",
    "RecordType.Name": "RecordTypeId",
    "RecordType.BusinessProcessId": "RecordTypeId",
    "Owner.Name": "OwnerId",
    "Owner.Type": "OwnerId",
    "Owner.Email": "OwnerId",
    "Account.Name": "AccountId",
    "Account.Website": "AccountId",
    "Contact.Email": "ContactId",
    "Parent.CaseNumber": "ParentId",
}

# The object at the end of a relationship that leads to one only; Owner may be a user or a queue.
PARENT_OBJECTS = {"RecordType": "RecordType", "Account": "Account", "Contact": "Contact", "Parent": "Case"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamKind:
    """One stream.

    Attributes:
        name: the stream's name.
        object_name: Salesforce's API name.
        condition: what every row meets, as SOQL; "" for all.
        incremental: by SystemModstamp with a bookmark of its own, else the whole table each time.
        has_deleted: deleted rows come as tombstones.
        bulk: Bulk 2.0 can read the object.
        by_default: selected where no catalog says otherwise.
    """

    name: str
    object_name: str
    condition: str = ""
    incremental: bool = True
    has_deleted: bool = True
    bulk: bool = True
    by_default: bool = False


CASES = StreamKind(name="cases", object_name="Case", by_default=True)
SNAPSHOTS = "case_snapshots"
# Parents don't touch the SystemModstamp of a case, so they have streams and bookmarks of their own, kept to those that cases
# refer to. CaseStatus can't be read with Bulk 2.0.
OTHERS = (
    StreamKind(
        name="accounts",
        object_name="Account",
        condition="Id IN (SELECT AccountId FROM Case WHERE AccountId != null)",
    ),
    StreamKind(
        name="contacts",
        object_name="Contact",
        condition="Id IN (SELECT ContactId FROM Case WHERE ContactId != null)",
    ),
    StreamKind(name="case_comments", object_name="CaseComment"),
    StreamKind(
        name="email_messages", object_name="EmailMessage", condition="ParentId IN (SELECT Id FROM Case)"
    ),
    StreamKind(name="users", object_name="User", has_deleted=False),
    StreamKind(
        name="record_types",
        object_name="RecordType",
        condition="SobjectType = 'Case'",
        incremental=False,
        has_deleted=False,
        bulk=False,
    ),
    StreamKind(
        name="business_processes",
        object_name="BusinessProcess",
        condition="TableEnumOrId = 'Case'",
        incremental=False,
        has_deleted=False,
        bulk=False,
    ),
    StreamKind(
        name="case_statuses", object_name="CaseStatus", incremental=False, has_deleted=False, bulk=False
    ),
)
