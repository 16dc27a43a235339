"""Shell: the one routing table: every call, over every version's paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from case_sync_sandbox.hubspot import (
    answer_account,
    answer_associations,
    answer_batches,
    answer_labels,
    answer_objects,
    answer_pipelines,
    answer_properties,
    answer_schemas,
    answer_search,
    shapes,
)
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.rate_limits import Bucket

# "Versions": where each family of calls lives. v4 exists for associations only.
PREFIXES: dict[str, dict[str, str]] = {
    "objects": {
        "2026-09": "/crm/objects/2026-09",
        "2026-03": "/crm/objects/2026-03",
        "v3": "/crm/v3/objects",
    },
    "object associations": {
        "2026-09": "/crm/objects/2026-09",
        "2026-03": "/crm/objects/2026-03",
        "v4": "/crm/v4/objects",
    },
    "associations": {
        "2026-09": "/crm/associations/2026-09",
        "2026-03": "/crm/associations/2026-03",
        "v4": "/crm/v4/associations",
    },
    "properties": {
        "2026-09": "/crm/properties/2026-09",
        "2026-03": "/crm/properties/2026-03",
        "v3": "/crm/v3/properties",
    },
    "pipelines": {
        "2026-09": "/crm/pipelines/2026-09",
        "2026-03": "/crm/pipelines/2026-03",
        "v3": "/crm/v3/pipelines",
    },
    "owners": {"2026-09": "/crm/owners/2026-09", "2026-03": "/crm/owners/2026-03", "v3": "/crm/v3/owners"},
    "limits": {"2026-09": "/crm/limits/2026-09", "2026-03": "/crm/limits/2026-03", "v3": "/crm/v3/limits"},
    "account": {
        "2026-09": "/account-info/2026-09",
        "2026-03": "/account-info/2026-03",
        "v3": "/account-info/v3",
    },
    "schemas": {
        "2026-09": "/crm-object-schemas/2026-09/schemas",
        "2026-03": "/crm-object-schemas/2026-03/schemas",
        "v3": "/crm-object-schemas/v3/schemas",
    },
    "oauth": {"2026-09": "/oauth/2026-09", "2026-03": "/oauth/2026-03", "v3": "/oauth/v3", "v1": "/oauth/v1"},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `access` says which scopes it wants, None needs no token; `body` is the form that its body must have."""

    method: str
    family: str
    path: str
    answer: Callable[[Call], Answer]
    access: str | None = "read"
    body: shapes.BodyType = None
    bucket: Bucket = "general"


_O, _A, _P, _L = (
    "/{object_type}",
    "/{from_type}/{to_type}",
    "/{object_type}/{pipeline_id}",
    "/{from_type}/{record_id}/associations",
)

# The busiest first: they are tried in this order.
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST", "objects", f"{_O}/batch/upsert", answer_batches.upsert, "write", body=shapes.BatchWrite
    ),
    Operation("POST", "objects", f"{_O}/batch/read", answer_batches.read, body=shapes.BatchRead),
    Operation(
        "POST",
        "associations",
        f"{_A}/batch/associate/default",
        answer_associations.associate_default,
        "write",
        body=shapes.BatchPairs,
        bucket="associations",
    ),
    Operation(
        "POST",
        "associations",
        f"{_A}/batch/read",
        answer_associations.read,
        body=shapes.BatchFetchLinks,
        bucket="associations",
    ),
    Operation(
        "POST",
        "associations",
        f"{_A}/batch/create",
        answer_associations.create,
        "write",
        body=shapes.BatchPairs,
        bucket="associations",
    ),
    Operation(
        "POST",
        "associations",
        f"{_A}/batch/archive",
        answer_associations.archive,
        "write",
        body=shapes.BatchFans,
        bucket="associations",
    ),
    Operation(
        "POST",
        "associations",
        f"{_A}/batch/labels/archive",
        answer_associations.archive_labels,
        "write",
        body=shapes.BatchPairs,
        bucket="associations",
    ),
    Operation("GET", "associations", f"{_A}/labels", answer_labels.list_labels, bucket="associations"),
    Operation(
        "POST",
        "associations",
        f"{_A}/labels",
        answer_labels.create_label,
        "write",
        body=shapes.Label,
        bucket="associations",
    ),
    Operation(
        "POST", "objects", f"{_O}/batch/create", answer_batches.create, "write", body=shapes.BatchWrite
    ),
    Operation(
        "POST", "objects", f"{_O}/batch/update", answer_batches.update, "write", body=shapes.BatchWrite
    ),
    Operation(
        "POST", "objects", f"{_O}/batch/archive", answer_batches.archive, "write", body=shapes.BatchArchive
    ),
    Operation("POST", "objects", f"{_O}/search", answer_search.search, body=shapes.Search, bucket="search"),
    Operation("POST", "objects", f"{_O}/merge", answer_objects.merge, "write", body=shapes.Merge),
    Operation("GET", "objects", _O, answer_objects.list_records),
    Operation("POST", "objects", _O, answer_objects.create, "write", body=shapes.Write),
    Operation(
        "PUT",
        "object associations",
        f"{_L}/default/{{to_type}}/{{to_id}}",
        answer_associations.put_default,
        "write",
    ),
    Operation(
        "PUT",
        "object associations",
        f"{_L}/{{to_type}}/{{to_id}}",
        answer_associations.put_types,
        "write",
        body=list[shapes.Type],
    ),
    Operation(
        "DELETE",
        "object associations",
        f"{_L}/{{to_type}}/{{to_id}}",
        answer_associations.delete_pair,
        "write",
    ),
    Operation("GET", "object associations", f"{_L}/{{to_type}}", answer_associations.list_links),
    Operation("GET", "objects", f"{_O}/{{record_id}}", answer_objects.read),
    Operation("PATCH", "objects", f"{_O}/{{record_id}}", answer_objects.update, "write", body=shapes.Write),
    Operation("DELETE", "objects", f"{_O}/{{record_id}}", answer_objects.delete, "write"),
    Operation("GET", "properties", f"{_O}/groups", answer_properties.list_groups, "schema"),
    Operation(
        "POST",
        "properties",
        f"{_O}/groups",
        answer_properties.create_group,
        "schema write",
        body=shapes.Group,
    ),
    Operation("GET", "properties", f"{_O}/groups/{{name}}", answer_properties.read_group, "schema"),
    Operation(
        "POST",
        "properties",
        f"{_O}/batch/read",
        answer_properties.batch_read,
        "schema",
        body=shapes.BatchNames,
    ),
    Operation(
        "POST",
        "properties",
        f"{_O}/batch/create",
        answer_properties.batch_create,
        "schema write",
        body=shapes.BatchProperties,
    ),
    Operation(
        "POST",
        "properties",
        f"{_O}/batch/archive",
        answer_properties.batch_archive,
        "schema write",
        body=shapes.BatchNames,
    ),
    Operation("GET", "properties", _O, answer_properties.list_properties, "schema"),
    Operation("POST", "properties", _O, answer_properties.create, "schema write", body=shapes.Property),
    Operation("GET", "properties", f"{_O}/{{name}}", answer_properties.read, "schema"),
    Operation(
        "PATCH",
        "properties",
        f"{_O}/{{name}}",
        answer_properties.update,
        "schema write",
        body=shapes.Property,
    ),
    Operation("DELETE", "properties", f"{_O}/{{name}}", answer_properties.archive, "schema write"),
    Operation("GET", "pipelines", _O, answer_pipelines.list_pipelines),
    Operation("POST", "pipelines", _O, answer_pipelines.create, "write", body=shapes.Pipeline),
    Operation("GET", "pipelines", _P, answer_pipelines.read),
    Operation("PATCH", "pipelines", _P, answer_pipelines.update, "write", body=shapes.Pipeline),
    Operation("DELETE", "pipelines", _P, answer_pipelines.delete, "write"),
    Operation("GET", "pipelines", f"{_P}/stages", answer_pipelines.list_stages),
    Operation("POST", "pipelines", f"{_P}/stages", answer_pipelines.create_stage, "write", body=shapes.Stage),
    Operation("GET", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.read_stage),
    Operation(
        "PATCH",
        "pipelines",
        f"{_P}/stages/{{stage_id}}",
        answer_pipelines.update_stage,
        "write",
        body=shapes.Stage,
    ),
    Operation(
        "PUT",
        "pipelines",
        f"{_P}/stages/{{stage_id}}",
        answer_pipelines.update_stage,
        "write",
        body=shapes.Stage,
    ),
    Operation("DELETE", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.delete_stage, "write"),
    Operation("GET", "owners", "", answer_account.list_owners, "owners"),
    Operation("GET", "owners", "/", answer_account.list_owners, "owners"),
    Operation("GET", "owners", "/{owner_id}", answer_account.read_owner, "owners"),
    Operation("GET", "account", "/details", answer_account.account_details, "any"),
    Operation("GET", "limits", "/records", answer_account.record_limits, "any"),
    Operation(
        "GET",
        "limits",
        "/associations/records/{from_type}/{to_type}",
        answer_account.association_limits,
        "any",
    ),
    Operation("GET", "schemas", _O, answer_schemas.read, "object schema"),
    Operation("POST", "oauth", "/token", answer_account.token, None),
)


def carry_out(operation: Operation, call: Call) -> Answer:
    """Answer a call whose body and query have the form that the operation takes.

    Raises:
        HubSpotError: 400, when they haven't; else what the operation says.
    """
    shapes.check_query(call.query)
    body = shapes.without_nulls(call.body)
    shapes.check_body(body, operation.body)
    return operation.answer(replace(call, body=body))


# "Scopes": any one of them is enough. tickets has one scope for everything.
_SCOPES: dict[tuple[str, str], tuple[str, ...]] = {
    ("companies", "read"): ("crm.objects.companies.read",),
    ("companies", "write"): ("crm.objects.companies.write",),
    ("companies", "schema"): ("crm.schemas.companies.read", "crm.objects.companies.read"),
    ("companies", "schema write"): ("crm.schemas.companies.write",),
    ("contacts", "read"): ("crm.objects.contacts.read",),
    ("contacts", "write"): ("crm.objects.contacts.write",),
    ("contacts", "schema"): ("crm.schemas.contacts.read", "crm.objects.contacts.read"),
    ("contacts", "schema write"): ("crm.schemas.contacts.write",),
}


def scopes_for(operation: Operation, object_types: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The scopes that a call on these object types wants; of each tuple any one."""
    if operation.access in (None, "any"):
        return []
    if operation.access == "owners":
        return [("crm.objects.owners.read",)]
    if operation.access == "object schema":  # of any object type: "Schemas" (2026-09), security
        return [("crm.schemas.custom.read", "crm.objects.custom.read", "oauth")]
    return [_SCOPES.get((name, operation.access or ""), ("tickets",)) for name in object_types]
