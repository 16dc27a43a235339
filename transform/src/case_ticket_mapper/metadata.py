"""Core: what vendors' own answers say of an org and a portal: describe of Case, support processes, ticket properties, pipelines.

Each is the JSON that the vendor's API answers, saved to a file. Sources: Salesforce REST API, sObject Describe, Query; HubSpot,
properties, pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseField:
    """A field of Case: its type, and the active values of a picklist."""

    name: str
    type: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProperty:
    """A ticket property: type and field type of HubSpot's, and the values of its options."""

    name: str
    type: str
    field_type: str
    options: tuple[str, ...] = ()
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPipeline:
    """A ticket pipeline; `stages` label and id in lower case -> whether the stage is closed."""

    id: str
    label: str
    stages: Mapping[str, bool]
    stage_labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is at hand; None where nothing was given."""

    fields: Mapping[str, CaseField] | None = None
    record_types: tuple[str, ...] | None = None
    processes: tuple[str, ...] | None = None
    properties: Mapping[str, TicketProperty] | None = None
    pipelines: tuple[TicketPipeline, ...] | None = None


class MetadataError(ValueError):
    """The answer is none of those that can be used; the message says which can."""


def add(known: Metadata, answer: Any) -> Metadata:
    """The metadata with one more answer; what it is shows in its members.

    Raises:
        MetadataError: it is none of them.
    """
    body: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    results = body.get("results")
    first = results[0] if isinstance(results, list) and results and isinstance(results[0], Mapping) else {}
    try:
        if body.get("name") == "Case" and "fields" in body:
            return replace(known, fields=_fields(body["fields"]), record_types=_record_types(body))
        if "records" in body:
            return replace(known, processes=tuple(str(r["Name"]) for r in body["records"]))
        if "fieldType" in first:
            return replace(known, properties=_properties(body["results"]))
        if "stages" in first:
            return replace(
                known, pipelines=tuple(_pipeline(p) for p in body["results"] if not p.get("archived"))
            )
    except (KeyError, TypeError, AttributeError):
        pass
    raise MetadataError(
        "is none of: describe of Case, a query of BusinessProcess, HubSpot's list of ticket properties, HubSpot's list of ticket pipelines"
    )


def _fields(fields: Sequence[Mapping[str, Any]]) -> dict[str, CaseField]:
    return {
        f["name"]: CaseField(
            name=f["name"],
            type=f["type"],
            values=tuple(str(v["value"]) for v in f.get("picklistValues") or () if v.get("active", True)),
        )
        for f in fields
    }


def _record_types(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the record types that the user sees, but for the master, which stands for none."""
    return tuple(str(t["name"]) for t in body.get("recordTypeInfos") or () if not t.get("master"))


def _properties(results: Sequence[Mapping[str, Any]]) -> dict[str, TicketProperty]:
    return {
        p["name"]: TicketProperty(
            name=p["name"],
            type=p["type"],
            field_type=p["fieldType"],
            options=tuple(str(o["value"]) for o in p.get("options") or ()),
            is_read_only=bool(
                p.get("calculated") or (p.get("modificationMetadata") or {}).get("readOnlyValue")
            ),
        )
        for p in results
        if not p.get("archived")
    }


def _pipeline(body: Mapping[str, Any]) -> TicketPipeline:
    live = [s for s in body["stages"] if not s.get("archived")]
    closed = [(s, str((s.get("metadata") or {}).get("ticketState")).upper() == "CLOSED") for s in live]
    names = {str(s["label"]).lower(): is_closed for s, is_closed in closed} | {
        str(s["id"]): c for s, c in closed
    }
    return TicketPipeline(
        id=str(body["id"]),
        label=str(body["label"]),
        stages=names,
        stage_labels=tuple(str(s["label"]) for s in live),
    )
