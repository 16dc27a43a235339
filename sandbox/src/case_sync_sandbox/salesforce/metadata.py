"""Shell: the resources that describe objects."""

from __future__ import annotations

import email.utils
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.asking import Ask, answer, readable
from case_sync_sandbox.salesforce.describing import (
    MASTER_RECORD_TYPE,
    describe_field,
    describe_object,
    picklist_answer,
    summary,
)
from case_sync_sandbox.salesforce.errors import not_found
from case_sync_sandbox.salesforce.schema import OBJECTS, PICKLISTS, Field, SObject


def global_describe(api: SalesforceApi, _: Ask, version: str) -> Any:
    listed = (o for name, o in OBJECTS.items() if name not in api.store.switches.hidden_objects)
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [summary(o, version) for o in listed]}


def picklist_values(api: SalesforceApi, sobject: SObject, fields: Sequence[Field]) -> dict[str, list[str]]:
    """By field, the values that are declared and those that records hold, one by one of a multi-select; Status has its own table."""
    picklists = [f for f in fields if f.type in PICKLISTS]
    held = _held(api, sobject, [f.name for f in picklists])
    found = {f.name: list(dict.fromkeys([*f.picklist, *_parts(f, held[f.name])])) for f in picklists}
    if sobject.name == "Case" and "Status" in found:
        rows = api.store.rows('SELECT "ApiName" FROM "CaseStatus" ORDER BY "SortOrder"')
        found["Status"] = [row[0] for row in rows]
    return found


def _held(api: SalesforceApi, sobject: SObject, names: Sequence[str]) -> dict[str, list[str]]:
    """The values that records hold, in order; all fields in one walk over the table, which takes as long as one field does."""
    if not names:
        return {}
    columns = ", ".join(f'"{name}"' for name in names)
    rows = api.store.rows(f'SELECT DISTINCT {columns} FROM "{sobject.name}"')
    by_field = zip(names, zip(*rows, strict=True), strict=True) if rows else ((name, ()) for name in names)
    return {name: sorted({value for value in values if value is not None}) for name, values in by_field}


def _parts(f: Field, held: Sequence[str]) -> list[str]:
    """REST: the values of a multi-select are joined by semicolons."""
    return [part for text in held for part in (text.split(";") if f.type == "multipicklist" else [text])]


def picklist_of_record_type(api: SalesforceApi, ask: Ask, _version: str) -> Any:
    """User Interface API, "Get Values for a Picklist Field": what records of a record type can have; Status, what its process allows."""
    sobject = readable(api, ask)
    found = next((f for f in api.store.visible_fields(sobject) if f.name == ask.path["field"]), None)
    if found is None or found.type not in PICKLISTS:
        raise not_found()
    record_type = ask.path["record_type"]
    values = picklist_values(api, sobject, [found])[found.name]
    if record_type != MASTER_RECORD_TYPE["recordTypeId"]:
        if not any(one["recordTypeId"] == record_type for one in record_type_infos(api, sobject)):
            raise not_found()
        if found.name == "Status":
            values = api.store.statuses_of(record_type)
    return picklist_answer(values)


def record_type_infos(api: SalesforceApi, sobject: SObject) -> list[dict[str, Any]]:
    rows = api.store.rows(
        'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" WHERE "SobjectType" = ? ORDER BY "Id"',
        (sobject.name,),
    )
    return [
        {
            "recordTypeId": i,
            "name": n,
            "developerName": d,
            "active": bool(a),
            "available": bool(a),
            "master": False,
            "defaultRecordTypeMapping": False,
        }
        for i, n, d, a in rows
    ] + [MASTER_RECORD_TYPE]


def describe(api: SalesforceApi, ask: Ask, version: str) -> Any:
    """304 when the caller's copy is of now: the sandbox's schema changes only by its switches (REST: If-Modified-Since)."""
    sobject = readable(api, ask)
    modified = api.store.switches_changed.replace(microsecond=0)
    since = ask.headers.get("if-modified-since")
    if since and (known := http_date(since)) and known >= modified:
        return Response(status_code=304)
    visible = api.store.visible_fields(sobject)
    values = picklist_values(api, sobject, visible)
    fields = [describe_field(f, values.get(f.name, ())) for f in visible]
    body = describe_object(sobject, fields, record_type_infos(api, sobject), version)
    return answer(body, headers={"Last-Modified": email.utils.format_datetime(modified, usegmt=True)})


def http_date(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
