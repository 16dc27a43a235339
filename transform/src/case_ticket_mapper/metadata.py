"""Core: what vendors' own answers say of an org and a portal: describe of Case, support processes, ticket properties, pipelines.

Each is the JSON that the vendor's API answers, saved to a file, or what the tap and the target answer to --describe, which holds several of
them by name. Sources: Salesforce REST API, sObject Describe, Query; HubSpot,
properties, pipelines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseField:
    """A field of Case: its type, and the active values of a picklist."""

    name: str
    type: str
    label: str = ""
    values: tuple[str, ...] = ()
    is_html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProperty:
    """A ticket property: type and field type of HubSpot's, and the values of its options.

    Attributes:
        is_filled_elsewhere: its options are records of HubSpot's, such as owners, which no value of a case names.
    """

    name: str
    type: str
    field_type: str
    label: str = ""
    options: tuple[str, ...] = ()
    is_read_only: bool = False
    is_filled_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPipeline:
    """A ticket pipeline; `stages` label and id in lower case -> whether the stage is closed."""

    id: str
    label: str
    stages: Mapping[str, bool]
    stage_labels: tuple[str, ...]

    def is_called(self, name: str) -> bool:
        """Whether the rules mean it by this name, or id."""
        return name in (self.id, self.label) or name.lower() == self.label.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is at hand; None where nothing was given.

    Attributes:
        columns: of the tap's stream `cases`, those of related records among them.
        processes: names of the support processes; `retired` are those among them that are not active.
        statuses: case status -> whether it closes the case.
        allowed: support process -> the statuses that it allows, where that is known.
        required: ticket properties that the portal requires.
    """

    fields: Mapping[str, CaseField] | None = None
    columns: tuple[str, ...] | None = None
    record_types: tuple[str, ...] | None = None
    processes: tuple[str, ...] | None = None
    retired: frozenset[str] = frozenset()
    statuses: Mapping[str, bool] | None = None
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    properties: Mapping[str, TicketProperty] | None = None
    pipelines: tuple[TicketPipeline, ...] | None = None
    required: tuple[str, ...] = ()

    def statuses_of(self, process: str | None) -> tuple[str, ...]:
        """The statuses that cases of a support process, or of none, can have, as far as is known."""
        described = self.fields["Status"].values if self.fields and "Status" in self.fields else ()
        every = described or tuple(self.statuses or ())
        allowed = self.allowed.get(process or "")
        return every if allowed is None else tuple(status for status in every if status in allowed)


class MetadataError(ValueError):
    """The answer is none of those that can be used; the message says which can."""


def add(known: Metadata, answer: Any) -> Metadata:
    """The metadata with one more answer; what it is shows in its members.

    Raises:
        MetadataError: it is none of them.
    """
    body: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    kind = kind_of(body)
    parts = {kind: body} if kind else {name: body[name] for name in READERS if name in body}
    try:
        for name, part in parts.items():
            known = READERS[name](known, part)
        required = tuple(map(str, body.get("required_properties") or known.required))
    except (KeyError, TypeError, AttributeError, ValueError):
        parts = {}
    if not parts:
        raise MetadataError(
            "is none of: describe of Case, a query of BusinessProcess or CaseStatus, HubSpot's list of ticket properties, "
            "HubSpot's list of ticket pipelines, what the tap or the target answers to --describe"
        )
    return replace(known, required=required)


def kind_of(body: Mapping[str, Any]) -> str | None:
    """Which single answer of a vendor's this is."""
    rows = body.get("results", body.get("records"))
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    if body.get("name") == "Case" and "fields" in body:
        return "case"
    if "records" in body:
        return "case_statuses" if "IsClosed" in first else "support_processes"
    return next((kind for member, kind in SHOWN_BY.items() if member in first), None)


def _with_case(known: Metadata, body: Mapping[str, Any]) -> Metadata:
    return replace(known, fields=_fields(body["fields"]), record_types=_record_types(body))


def _with_columns(known: Metadata, names: Iterable[str] | None) -> Metadata:
    return known if names is None else replace(known, columns=tuple(map(str, names)))


def _with_processes(known: Metadata, body: Mapping[str, Any]) -> Metadata:
    names = tuple(str(r["Name"]) for r in body["records"])
    retired = frozenset(str(r["Name"]) for r in body["records"] if r.get("IsActive") is False)
    return replace(known, processes=names, retired=retired)


def _with_statuses(known: Metadata, body: Mapping[str, Any]) -> Metadata:
    statuses = {str(r.get("ApiName") or r["MasterLabel"]): bool(r["IsClosed"]) for r in body["records"]}
    return replace(known, statuses=statuses)


def _with_allowed(known: Metadata, body: Mapping[str, Sequence[Any]]) -> Metadata:
    return replace(known, allowed={name: tuple(map(str, statuses)) for name, statuses in body.items()})


def _with_properties(known: Metadata, body: Mapping[str, Any]) -> Metadata:
    return replace(known, properties=_properties(body["results"]))


def _with_pipelines(known: Metadata, body: Mapping[str, Any]) -> Metadata:
    return replace(known, pipelines=tuple(_pipeline(p) for p in body["results"] if not p.get("archived")))


# By the names that --describe of the tap and of the target give them.
READERS: dict[str, Callable[[Metadata, Any], Metadata]] = {
    "case": _with_case,
    "columns": _with_columns,
    "support_processes": _with_processes,
    "case_statuses": _with_statuses,
    "statuses_by_process": _with_allowed,
    "properties": _with_properties,
    "pipelines": _with_pipelines,
}
SHOWN_BY = {"fieldType": "properties", "stages": "pipelines"}


def _fields(fields: Sequence[Mapping[str, Any]]) -> dict[str, CaseField]:
    return {
        f["name"]: CaseField(
            name=f["name"],
            type=f["type"],
            label=str(f.get("label") or ""),
            is_html=bool(f.get("htmlFormatted")),
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
            label=str(p.get("label") or ""),
            is_filled_elsewhere=bool(p.get("externalOptions")),
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
