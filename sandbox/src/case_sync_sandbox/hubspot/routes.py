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


_O, _A, _P, _L = (
    "/{object_type}",
    "/{from_type}/{to_type}",
    "/{object_type}/{pipeline_id}",
    "/{from_type}/{record_id}/associations",
)

# The busiest first: they are tried in this order.
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="POST",
        family="objects",
        path=f"{_O}/batch/upsert",
        answer=answer_batches.upsert,
        access="write",
    ),
    Operation(method="POST", family="objects", path=f"{_O}/batch/read", answer=answer_batches.read),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/batch/associate/default",
        answer=answer_associations.associate_default,
        access="write",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/batch/read",
        answer=answer_associations.read,
        access="read",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/batch/create",
        answer=answer_associations.create,
        access="write",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/batch/archive",
        answer=answer_associations.archive,
        access="write",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/batch/labels/archive",
        answer=answer_associations.archive_labels,
        access="write",
        bucket="associations",
    ),
    Operation(
        method="GET",
        family="associations",
        path=f"{_A}/labels",
        answer=answer_associations.list_labels,
        access="read",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="associations",
        path=f"{_A}/labels",
        answer=answer_associations.create_label,
        access="write",
        bucket="associations",
    ),
    Operation(
        method="POST",
        family="objects",
        path=f"{_O}/batch/create",
        answer=answer_batches.create,
        access="write",
    ),
    Operation(
        method="POST",
        family="objects",
        path=f"{_O}/batch/update",
        answer=answer_batches.update,
        access="write",
    ),
    Operation(
        method="POST",
        family="objects",
        path=f"{_O}/batch/archive",
        answer=answer_batches.archive,
        access="write",
    ),
    Operation(
        method="POST",
        family="objects",
        path=f"{_O}/search",
        answer=answer_search.search,
        access="read",
        bucket="search",
    ),
    Operation(
        method="POST", family="objects", path=f"{_O}/merge", answer=answer_objects.merge, access="write"
    ),
    Operation(method="GET", family="objects", path=_O, answer=answer_objects.list_records),
    Operation(method="POST", family="objects", path=_O, answer=answer_objects.create, access="write"),
    Operation(
        method="PUT",
        family="object associations",
        path=f"{_L}/default/{{to_type}}/{{to_id}}",
        answer=answer_associations.put_default,
        access="write",
    ),
    Operation(
        method="PUT",
        family="object associations",
        path=f"{_L}/{{to_type}}/{{to_id}}",
        answer=answer_associations.put_types,
        access="write",
    ),
    Operation(
        method="DELETE",
        family="object associations",
        path=f"{_L}/{{to_type}}/{{to_id}}",
        answer=answer_associations.delete_pair,
        access="write",
    ),
    Operation(
        method="GET",
        family="object associations",
        path=f"{_L}/{{to_type}}",
        answer=answer_associations.list_links,
    ),
    Operation(method="GET", family="objects", path=f"{_O}/{{record_id}}", answer=answer_objects.read),
    Operation(
        method="PATCH",
        family="objects",
        path=f"{_O}/{{record_id}}",
        answer=answer_objects.update,
        access="write",
    ),
    Operation(
        method="DELETE",
        family="objects",
        path=f"{_O}/{{record_id}}",
        answer=answer_objects.delete,
        access="write",
    ),
    Operation(
        method="GET",
        family="properties",
        path=f"{_O}/groups",
        answer=answer_properties.list_groups,
        access="schema",
    ),
    Operation(
        method="POST",
        family="properties",
        path=f"{_O}/groups",
        answer=answer_properties.create_group,
        access="schema write",
    ),
    Operation(
        method="GET",
        family="properties",
        path=f"{_O}/groups/{{name}}",
        answer=answer_properties.read_group,
        access="schema",
    ),
    Operation(
        method="POST",
        family="properties",
        path=f"{_O}/batch/read",
        answer=answer_properties.batch_read,
        access="schema",
    ),
    Operation(
        method="POST",
        family="properties",
        path=f"{_O}/batch/create",
        answer=answer_properties.batch_create,
        access="schema write",
    ),
    Operation(
        method="POST",
        family="properties",
        path=f"{_O}/batch/archive",
        answer=answer_properties.batch_archive,
        access="schema write",
    ),
    Operation(
        method="GET", family="properties", path=_O, answer=answer_properties.list_properties, access="schema"
    ),
    Operation(
        method="POST", family="properties", path=_O, answer=answer_properties.create, access="schema write"
    ),
    Operation(
        method="GET",
        family="properties",
        path=f"{_O}/{{name}}",
        answer=answer_properties.read,
        access="schema",
    ),
    Operation(
        method="PATCH",
        family="properties",
        path=f"{_O}/{{name}}",
        answer=answer_properties.update,
        access="schema write",
    ),
    Operation(
        method="DELETE",
        family="properties",
        path=f"{_O}/{{name}}",
        answer=answer_properties.archive,
        access="schema write",
    ),
    Operation(method="GET", family="pipelines", path=_O, answer=answer_pipelines.list_pipelines),
    Operation(method="POST", family="pipelines", path=_O, answer=answer_pipelines.create, access="write"),
    Operation(method="GET", family="pipelines", path=_P, answer=answer_pipelines.read),
    Operation(method="PATCH", family="pipelines", path=_P, answer=answer_pipelines.update, access="write"),
    Operation(method="DELETE", family="pipelines", path=_P, answer=answer_pipelines.delete, access="write"),
    Operation(method="GET", family="pipelines", path=f"{_P}/stages", answer=answer_pipelines.list_stages),
    Operation(
        method="POST",
        family="pipelines",
        path=f"{_P}/stages",
        answer=answer_pipelines.create_stage,
        access="write",
    ),
    Operation(
        method="GET", family="pipelines", path=f"{_P}/stages/{{stage_id}}", answer=answer_pipelines.read_stage
    ),
    Operation(
        method="PATCH",
        family="pipelines",
        path=f"{_P}/stages/{{stage_id}}",
        answer=answer_pipelines.update_stage,
        access="write",
    ),
    Operation(
        method="PUT",
        family="pipelines",
        path=f"{_P}/stages/{{stage_id}}",
        answer=answer_pipelines.update_stage,
        access="write",
    ),
    Operation(
        method="DELETE",
        family="pipelines",
        path=f"{_P}/stages/{{stage_id}}",
        answer=answer_pipelines.delete_stage,
        access="write",
    ),
    Operation(method="GET", family="owners", path="", answer=answer_account.list_owners, access="owners"),
    Operation(method="GET", family="owners", path="/", answer=answer_account.list_owners, access="owners"),
    Operation(
        method="GET", family="owners", path="/{owner_id}", answer=answer_account.read_owner, access="owners"
    ),
    Operation(
        method="GET", family="account", path="/details", answer=answer_account.account_details, access="any"
    ),
    Operation(
        method="GET", family="limits", path="/records", answer=answer_account.record_limits, access="any"
    ),
    Operation(
        method="GET",
        family="limits",
        path="/associations/records/{from_type}/{to_type}",
        answer=answer_account.association_limits,
        access="any",
    ),
    Operation(method="POST", family="oauth", path="/token", answer=answer_account.token, access=None),
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
