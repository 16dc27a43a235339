"""Core: cases from anybody's CSV export by a column map, so that people can rehearse on their own data.

Texts are taken byte for byte; statuses, record types and picklist values grow by what the file holds.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.schema import CASE, Field
from case_sync_sandbox.seeding.org import (
    PROCESSES,
    STATUSES,
    Process,
    Status,
    allowed_statuses,
    audit,
    owners,
    pipelines,
    record_type_id,
    setup_records,
)
from case_sync_sandbox.seeding.portal_seed import INTEGRATION_PROPERTIES, PortalSeed
from case_sync_sandbox.seeding.seed import STAMP, OrgSeed, Record, company_of

# Two targets that are no Case field: the name of the case's account, and the name of its record type (and support process).
ACCOUNT, RECORD_TYPE = "account", "record_type"
# The default map: complaints to the US Consumer Financial Protection Bureau, a public data set.
COMPLAINTS = {
    "complaint_id": "CaseNumber",
    "issue": "Subject",
    "consumer_complaint_narrative": "Description",
    "product": RECORD_TYPE,
    "sub_issue": "Type",
    "company": ACCOUNT,
    "submitted_via": "Origin",
    "company_response_to_consumer": "Status",
    "date_received": "CreatedDate",
    "tags": "Topics__c",
}
FIRST_STATUS = "New"
MAX_FIELD = 10_000_000  # characters; csv's own limit of 131,072 is too small for pasted mails


class CsvError(ValueError):
    """The file or the column map can't be used; the message names the column or the line, and what is allowed."""


@dataclass(slots=True)
class _Found:
    """What the file holds beside cases, in the order met."""

    record_types: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, dict[str, None]] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)


def check_map(column_map: Mapping[str, str], header: Iterable[str]) -> dict[str, Field | str]:
    """The map with its fields looked up.

    Raises:
        CsvError: a column that the file lacks, or a target that is no field of Case.
    """
    columns = list(header)
    for column, target in column_map.items():
        if column not in columns:
            raise CsvError(f"the file has no column '{column}'; it has: {', '.join(columns)}")
        if target not in {ACCOUNT, RECORD_TYPE} and (
            CASE.find(target) is None or target in {"Id", "IsDeleted"}
        ):
            known = ", ".join(
                [ACCOUNT, RECORD_TYPE, *(f.name for f in CASE.fields if f.name not in {"Id", "IsDeleted"})]
            )
            raise CsvError(
                f"column '{column}' is mapped to '{target}', which is no Case field; allowed: {known}"
            )
    return {c: t if t in {ACCOUNT, RECORD_TYPE} else CASE.by_name[t.lower()] for c, t in column_map.items()}


def read_cases(
    lines: Iterable[str], column_map: Mapping[str, str] | None, *, now: datetime
) -> tuple[OrgSeed, PortalSeed]:
    """The org and the portal of a CSV, whose first line names its columns.

    Args:
        lines: the file, opened with newline="".
        column_map: CSV column -> Case field, "account" or "record_type"; None means the complaints' map.
        now: aware; no record is stamped later.

    Raises:
        CsvError: naming the column or the line.
    """
    csv.field_size_limit(MAX_FIELD)
    reader = csv.DictReader(lines)
    mapping = check_map(column_map or COMPLAINTS, reader.fieldnames or [])
    found = _Found()
    cases: list[Record] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise CsvError(f"line {reader.line_num} has another number of columns than the header")
            cases.append(_case(len(cases) + 1, row, mapping, found, now, reader.line_num))
    except csv.Error as error:
        raise CsvError(f"line {reader.line_num} is no valid CSV: {error}") from error
    return _org(cases, found), _portal(found)


def _case(  # noqa: PLR0913 - a line of the file and where it stands
    number: int,
    row: Mapping[str, str],
    mapping: Mapping[str, Field | str],
    found: _Found,
    now: datetime,
    line: int,
) -> Record:
    record: Record = {
        "Id": make_id("Case", number),
        "CaseNumber": f"{number:08d}",
        "Status": FIRST_STATUS,
        "OwnerId": make_id("User", 1),
        **audit(),
    }
    record["CreatedDate"] = now.strftime(STAMP)
    process = None
    for column, target in mapping.items():
        text = row[column]
        if text == "":
            continue
        if target == ACCOUNT:
            record["AccountId"] = make_id("Account", found.accounts.setdefault(text, len(found.accounts) + 1))
        elif target == RECORD_TYPE:
            process = found.record_types.setdefault(text, len(found.record_types))
            record["RecordTypeId"] = record_type_id(process)
        elif isinstance(target, Field):
            record[target.name] = _value(target, text, column, line)
    stamp = min(str(record["CreatedDate"]), now.strftime(STAMP))
    closed = is_closed(record["Status"])
    record |= {
        "SystemModstamp": stamp,
        "LastModifiedDate": stamp,
        "IsClosed": int(closed),
        "ClosedDate": stamp if closed else None,
    }
    name = next((t for t, n in found.record_types.items() if n == process), "")
    found.statuses.setdefault(name, {})[record["Status"]] = None
    return record


def is_closed(status: str) -> bool:
    """Whether a status of the file closes a case: its name says so."""
    return status.lower().startswith(("closed", "resolved"))


def _value(f: Field, text: str, column: str, line: int) -> Any:
    try:
        if f.type in {"double", "currency", "percent", "int"}:
            return _number(text)
        if f.type == "boolean":
            return {"true": 1, "false": 0, "1": 1, "0": 0, "yes": 1, "no": 0}[text.lower()]
        if f.type == "datetime":
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime(STAMP)
        if f.type == "date":
            return datetime.fromisoformat(text).strftime("%Y-%m-%d")
    except (ValueError, KeyError) as error:
        raise CsvError(
            f"line {line}, column '{column}': the value is no {f.type} (field {f.name})"
        ) from error
    if f.length and len(text) > f.length:
        raise CsvError(
            f"line {line}, column '{column}': {len(text)} characters do not fit into {f.name} ({f.length})"
        )
    return text


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _processes(found: _Found) -> tuple[Process, ...]:
    return tuple(
        Process(
            name=name,
            record_type=name,
            statuses=tuple(dict.fromkeys([FIRST_STATUS, *found.statuses.get(name, {})])),
        )
        for name in found.record_types
    )


def _statuses(found: _Found) -> tuple[Status, ...]:
    names = dict.fromkeys([FIRST_STATUS, *(s for statuses in found.statuses.values() for s in statuses)])
    return tuple(Status(name=name, closed=is_closed(name)) for name in names)


def _accounts(found: _Found) -> list[Record]:
    return [
        {"Id": make_id("Account", number), "Name": name, **audit()} for name, number in found.accounts.items()
    ]


def _org(cases: list[Record], found: _Found) -> OrgSeed:
    setup = setup_records(_processes(found), _statuses(found))
    for record in setup["RecordType"]:
        record["DeveloperName"] = "_".join(
            "".join(c if c.isalnum() else " " for c in str(record["Name"])).split()
        )
    return OrgSeed(
        setup=setup,
        accounts=_accounts(found),
        contacts=[],
        cases=iter(cases),
        comments=[],
        allowed=allowed_statuses(_processes(found)),
    )


def _portal(found: _Found) -> PortalSeed:
    """A pipeline per record type of the file, and those that `seed` makes, so that the project's own rules fit before they are edited."""
    others = tuple(p for p in PROCESSES if p.record_type not in found.record_types)
    return PortalSeed(
        companies=[company_of({"Website": None, **a}) for a in _accounts(found)],
        owners=owners(),
        pipelines=pipelines((*_processes(found), *others), (*_statuses(found), *STATUSES)),
        properties=INTEGRATION_PROPERTIES,
    )
