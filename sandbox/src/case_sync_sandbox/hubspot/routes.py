"""Shell: the one routing table: every call, over every version's paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from case_sync_sandbox.hubspot import (
    answer_account,
    answer_associations,
    answer_batches,
    answer_objects,
    answer_pipelines,
    answer_properties,
    answer_search,
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
    "oauth": {"2026-09": "/oauth/2026-09", "2026-03": "/oauth/2026-03", "v3": "/oauth/v3", "v1": "/oauth/v1"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call. `access` says which scopes it wants; None needs no token."""

    method: str
    family: str
    path: str
    answer: Callable[[Call], Answer]
    access: str | None = "read"
    bucket: Bucket = "general"


def _operation(
    method: str,
    family: str,
    path: str,
    answer: Callable[[Call], Answer],
    access: str | None = "read",
    bucket: Bucket = "general",
) -> Operation:
    return Operation(method=method, family=family, path=path, answer=answer, access=access, bucket=bucket)


_O, _A, _P, _L = (
    "/{object_type}",
    "/{from_type}/{to_type}",
    "/{object_type}/{pipeline_id}",
    "/{from_type}/{record_id}/associations",
)

# The busiest first: they are tried in this order.
OPERATIONS: tuple[Operation, ...] = (
    _operation("POST", "objects", f"{_O}/batch/upsert", answer_batches.upsert, "write"),
    _operation("POST", "objects", f"{_O}/batch/read", answer_batches.read),
    _operation(
        "POST",
        "associations",
        f"{_A}/batch/associate/default",
        answer_associations.associate_default,
        "write",
        "associations",
    ),
    _operation("POST", "associations", f"{_A}/batch/read", answer_associations.read, "read", "associations"),
    _operation(
        "POST", "associations", f"{_A}/batch/create", answer_associations.create, "write", "associations"
    ),
    _operation(
        "POST", "associations", f"{_A}/batch/archive", answer_associations.archive, "write", "associations"
    ),
    _operation(
        "POST",
        "associations",
        f"{_A}/batch/labels/archive",
        answer_associations.archive_labels,
        "write",
        "associations",
    ),
    _operation(
        "GET", "associations", f"{_A}/labels", answer_associations.list_labels, "read", "associations"
    ),
    _operation(
        "POST", "associations", f"{_A}/labels", answer_associations.create_label, "write", "associations"
    ),
    _operation("POST", "objects", f"{_O}/batch/create", answer_batches.create, "write"),
    _operation("POST", "objects", f"{_O}/batch/update", answer_batches.update, "write"),
    _operation("POST", "objects", f"{_O}/batch/archive", answer_batches.archive, "write"),
    _operation("POST", "objects", f"{_O}/search", answer_search.search, "read", "search"),
    _operation("POST", "objects", f"{_O}/merge", answer_objects.merge, "write"),
    _operation("GET", "objects", _O, answer_objects.list_records),
    _operation("POST", "objects", _O, answer_objects.create, "write"),
    _operation(
        "PUT",
        "object associations",
        f"{_L}/default/{{to_type}}/{{to_id}}",
        answer_associations.put_default,
        "write",
    ),
    _operation(
        "PUT", "object associations", f"{_L}/{{to_type}}/{{to_id}}", answer_associations.put_types, "write"
    ),
    _operation(
        "DELETE",
        "object associations",
        f"{_L}/{{to_type}}/{{to_id}}",
        answer_associations.delete_pair,
        "write",
    ),
    _operation("GET", "object associations", f"{_L}/{{to_type}}", answer_associations.list_links),
    _operation("GET", "objects", f"{_O}/{{record_id}}", answer_objects.read),
    _operation("PATCH", "objects", f"{_O}/{{record_id}}", answer_objects.update, "write"),
    _operation("DELETE", "objects", f"{_O}/{{record_id}}", answer_objects.delete, "write"),
    _operation("GET", "properties", f"{_O}/groups", answer_properties.list_groups, "schema"),
    _operation("POST", "properties", f"{_O}/groups", answer_properties.create_group, "schema write"),
    _operation("GET", "properties", f"{_O}/groups/{{name}}", answer_properties.read_group, "schema"),
    _operation("POST", "properties", f"{_O}/batch/read", answer_properties.batch_read, "schema"),
    _operation("POST", "properties", f"{_O}/batch/create", answer_properties.batch_create, "schema write"),
    _operation("POST", "properties", f"{_O}/batch/archive", answer_properties.batch_archive, "schema write"),
    _operation("GET", "properties", _O, answer_properties.list_properties, "schema"),
    _operation("POST", "properties", _O, answer_properties.create, "schema write"),
    _operation("GET", "properties", f"{_O}/{{name}}", answer_properties.read, "schema"),
    _operation("PATCH", "properties", f"{_O}/{{name}}", answer_properties.update, "schema write"),
    _operation("DELETE", "properties", f"{_O}/{{name}}", answer_properties.archive, "schema write"),
    _operation("GET", "pipelines", _O, answer_pipelines.list_pipelines),
    _operation("POST", "pipelines", _O, answer_pipelines.create, "write"),
    _operation("GET", "pipelines", _P, answer_pipelines.read),
    _operation("PATCH", "pipelines", _P, answer_pipelines.update, "write"),
    _operation("DELETE", "pipelines", _P, answer_pipelines.delete, "write"),
    _operation("GET", "pipelines", f"{_P}/stages", answer_pipelines.list_stages),
    _operation("POST", "pipelines", f"{_P}/stages", answer_pipelines.create_stage, "write"),
    _operation("GET", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.read_stage),
    _operation("PATCH", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.update_stage, "write"),
    _operation("PUT", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.update_stage, "write"),
    _operation("DELETE", "pipelines", f"{_P}/stages/{{stage_id}}", answer_pipelines.delete_stage, "write"),
    _operation("GET", "owners", "", answer_account.list_owners, "owners"),
    _operation("GET", "owners", "/", answer_account.list_owners, "owners"),
    _operation("GET", "owners", "/{owner_id}", answer_account.read_owner, "owners"),
    _operation("GET", "account", "/details", answer_account.account_details, "any"),
    _operation("GET", "limits", "/records", answer_account.record_limits, "any"),
    _operation(
        "GET",
        "limits",
        "/associations/records/{from_type}/{to_type}",
        answer_account.association_limits,
        "any",
    ),
    _operation("POST", "oauth", "/token", answer_account.token, None),
)

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
    return [_SCOPES.get((name, operation.access or ""), ("tickets",)) for name in object_types]
