"""Core: the objects and fields of the sandbox's Salesforce, as describe shows them and as SQLite keeps them.

Field names, types and lengths follow Salesforce's object reference for Case and the objects around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object; `type` is Salesforce's own word (describe)."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    calculated: bool = False
    picklist: tuple[str, ...] = ()
    compound: str | None = None  # the compound field that this one is a part of

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")


@dataclass(frozen=True, slots=True, kw_only=True)
class SObject:
    """One object: its fields by name, in describe's order, and what its records allow."""

    name: str
    fields: tuple[Field, ...]
    deletable: bool = True
    bulk: bool = True  # CaseStatus can't be read with Bulk 2.0
    by_name: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({f.name.lower(): f for f in self.fields})

    def find(self, name: str) -> Field | None:
        """The field of that name, whatever its case, as SOQL finds it."""
        return self.by_name.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The reference field that a relationship name (`Account`) goes through."""
        return next(
            (f for f in self.fields if f.relationship and f.relationship.lower() == name.lower()), None
        )


def text(name: str, length: int = 255, label: str = "", kind: str = "string") -> Field:
    return Field(name=name, type=kind, length=length, label=label)


def of(kind: str, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name=name, type=kind) for name in names)


def reference(name: str, *targets: str, relationship: str | None = None) -> Field:
    rel = relationship or name.removesuffix("Id")
    return Field(name=name, type="reference", length=18, reference_to=targets, relationship=rel)


def picklist(name: str, *values: str, kind: str = "picklist") -> Field:
    return Field(name=name, type=kind, length=255, picklist=values)


IDENTITY = (Field(name="Id", type="id", length=18),)
AUDIT = (
    *of("datetime", "CreatedDate"),
    reference("CreatedById", "User"),
    *of("datetime", "LastModifiedDate"),
    reference("LastModifiedById", "User"),
    *of("datetime", "SystemModstamp"),
)
DELETION = of("boolean", "IsDeleted")

CASE = SObject(
    name="Case",
    fields=(
        *IDENTITY,
        *DELETION,
        reference("MasterRecordId", "Case"),
        text("CaseNumber", 30),
        reference("ContactId", "Contact"),
        reference("AccountId", "Account"),
        reference("ParentId", "Case"),
        text("SuppliedName", 80),
        text("SuppliedEmail", 80, kind="email"),
        text("SuppliedPhone", 40, kind="phone"),
        text("SuppliedCompany", 80),
        picklist("Type", "Mechanical", "Electrical", "Billing", "Other"),
        reference("RecordTypeId", "RecordType"),
        picklist("Status"),
        picklist(
            "Reason", "Installation", "Equipment Complexity", "Performance", "Breakdown", "Feedback", "Other"
        ),
        picklist("Origin", "Phone", "Email", "Web"),
        text("Subject", 255),
        picklist("Priority", "High", "Medium", "Low"),
        text("Description", 32000, kind="textarea"),
        *of("boolean", "IsClosed", "IsEscalated", "IsClosedOnCreate"),
        *of("datetime", "ClosedDate"),
        reference("OwnerId", "Group", "User"),
        text("ContactEmail", 80, kind="email"),
        text("ContactPhone", 40, kind="phone"),
        *AUDIT,
        *of("datetime", "LastViewedDate", "LastReferencedDate"),
        text("External_Reference__c", 80, "External Reference"),
        Field(name="Units_Affected__c", type="double", label="Units Affected"),
        Field(name="Claim_Amount__c", type="currency", label="Claim Amount"),
        Field(name="Discount__c", type="percent", label="Discount"),
        Field(name="Under_Warranty__c", type="boolean", label="Under Warranty"),
        Field(name="Purchase_Date__c", type="date", label="Purchase Date"),
        Field(name="Next_Action_At__c", type="datetime", label="Next Action At"),
        picklist("Severity__c", "S1", "S2", "S3"),
        picklist("Topics__c", "Install", "Safety", "Invoice", "Spare parts", kind="multipicklist"),
        text("Manual_Link__c", 255, "Manual Link", kind="url"),
        text("Reporter_Email__c", 80, "Reporter Email", kind="email"),
        text("Callback_Phone__c", 40, "Callback Phone", kind="phone"),
        text("Internal_Notes__c", 32768, "Internal Notes", kind="textarea"),
        Field(name="Age_In_Days__c", type="double", label="Age In Days", calculated=True),
    ),
)
ACCOUNT = SObject(
    name="Account",
    fields=(
        *IDENTITY,
        *DELETION,
        reference("MasterRecordId", "Account"),
        text("Name"),
        text("Website", 255, kind="url"),
        text("Phone", 40, kind="phone"),
        text("Industry", kind="picklist"),
        *(
            Field(name=f"Billing{part}", type="string", length=80, compound="BillingAddress")
            for part in ("Street", "City", "PostalCode", "Country")
        ),
        Field(name="BillingAddress", type="address"),
        reference("OwnerId", "User"),
        *AUDIT,
    ),
)
CONTACT = SObject(
    name="Contact",
    fields=(
        *IDENTITY,
        *DELETION,
        reference("MasterRecordId", "Contact"),
        reference("AccountId", "Account"),
        text("FirstName", 40),
        text("LastName", 80),
        text("Name", 121),
        text("Email", 80, kind="email"),
        text("Phone", 40, kind="phone"),
        *AUDIT,
    ),
)
USER = SObject(
    name="User",
    deletable=False,
    fields=(
        *IDENTITY,
        text("Username", 80),
        text("Name", 121),
        text("Email", 128, kind="email"),
        *of("boolean", "IsActive"),
        *AUDIT,
    ),
)
GROUP = SObject(
    name="Group",
    deletable=False,
    fields=(
        *IDENTITY,
        text("Name", 40),
        text("DeveloperName", 80),
        text("Type", 40, kind="picklist"),
        text("Email", 128, kind="email"),
        *AUDIT,
    ),
)
RECORD_TYPE = SObject(
    name="RecordType",
    deletable=False,
    fields=(
        *IDENTITY,
        text("Name", 80),
        text("DeveloperName", 80),
        text("SobjectType", 40, kind="picklist"),
        reference("BusinessProcessId", "BusinessProcess"),
        *of("boolean", "IsActive"),
        *AUDIT,
    ),
)
BUSINESS_PROCESS = SObject(
    name="BusinessProcess",
    deletable=False,
    fields=(
        *IDENTITY,
        text("Name", 80),
        text("Description", 255),
        text("TableEnumOrId", 40, kind="picklist"),
        *of("boolean", "IsActive"),
        *AUDIT,
    ),
)
CASE_STATUS = SObject(
    name="CaseStatus",
    deletable=False,
    bulk=False,
    fields=(
        *IDENTITY,
        text("MasterLabel", 765),
        text("ApiName", 255),
        *of("int", "SortOrder"),
        *of("boolean", "IsDefault", "IsClosed"),
        *AUDIT,
    ),
)
CASE_COMMENT = SObject(
    name="CaseComment",
    fields=(
        *IDENTITY,
        reference("ParentId", "Case"),
        *of("boolean", "IsPublished"),
        text("CommentBody", 4000, kind="textarea"),
        *AUDIT,
        *DELETION,
    ),
)
EMAIL_MESSAGE = SObject(
    name="EmailMessage",
    fields=(
        *IDENTITY,
        reference("ParentId", "Case"),
        text("Subject", 3000),
        text("TextBody", 32000, kind="textarea"),
        text("FromName", 1000),
        text("FromAddress", 1000, kind="email"),
        text("ToAddress", 4000),
        *of("boolean", "Incoming", "HasAttachment"),
        text("Status", kind="picklist"),
        *of("datetime", "MessageDate"),
        *AUDIT,
        *DELETION,
    ),
)
ORGANIZATION = SObject(
    name="Organization",
    deletable=False,
    bulk=False,
    fields=(*IDENTITY, text("Name", 80), *of("boolean", "IsSandbox"), *AUDIT),
)

# SOQL reference: WHERE takes no long text, ORDER BY no long text and no multi-select picklist; describe says the same.
UNFILTERABLE = {"textarea", "address"}
UNSORTABLE = {*UNFILTERABLE, "multipicklist"}
PICKLISTS = frozenset({"picklist", "multipicklist"})

OBJECTS: dict[str, SObject] = {
    o.name: o
    for o in (
        CASE, ACCOUNT, CONTACT, USER, GROUP, RECORD_TYPE, BUSINESS_PROCESS, CASE_STATUS, CASE_COMMENT, EMAIL_MESSAGE, ORGANIZATION,
    )
}  # fmt: skip
OBJECTS_BY_LOWER_NAME = {name.lower(): sobject for name, sobject in OBJECTS.items()}

SQL_TYPES = {"boolean": "INTEGER", "int": "INTEGER", "double": "REAL", "currency": "REAL", "percent": "REAL"}


def sql_type(f: Field) -> str:
    """SQLite's column type: Id texts compare by case, other texts without, as SOQL does."""
    if f.type in SQL_TYPES:
        return SQL_TYPES[f.type]
    return "TEXT" if f.type in {"id", "reference", "date", "datetime"} else "TEXT COLLATE NOCASE"
