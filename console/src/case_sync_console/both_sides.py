"""Core: what the tap and the target tell of the org and the portal, as values, and how a person may name its parts."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.errors import RefusedEditError
from case_sync_console.type_words import case_type_in_words, joined_in_words, property_type_in_words

# Columns that the tap adds to the fields of Case: of related records, and of its own.
JOINED = "__"
SHOWN_NAMES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseField:
    """A field of Case; `values` are the active ones of a picklist, by value the label."""

    name: str
    label: str
    type: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProperty:
    """A ticket property; `options` by value the label; `type` in HubSpot's words."""

    name: str
    label: str
    type: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A ticket pipeline; `stages` in their order, by label whether it is closed; `stage_ids` by id the label."""

    id: str
    label: str
    stages: Mapping[str, bool]
    stage_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """An org and a portal as they are now.

    Attributes:
        cases, tickets: how many; None where it is not known.
        processes: names of the active support processes.
        statuses: by case status whether it closes the case.
        allowed: by support process the statuses that it allows, where that is known.
        required: names of the properties that every ticket needs.
    """

    org: str
    cases: int | None
    fields: Mapping[str, CaseField]
    processes: Sequence[str]
    statuses: Mapping[str, bool]
    allowed: Mapping[str, Sequence[str]]
    portal: str
    tickets: int | None
    properties: Mapping[str, TicketProperty]
    pipelines: Sequence[Pipeline]
    required: Sequence[str]

    def statuses_of(self, process: str) -> Mapping[str, bool]:
        """Those that cases of the support process can have; all for "default", and where it is not known."""
        allowed = self.allowed.get(process)
        return {s: closes for s, closes in self.statuses.items() if allowed is None or s in allowed}


def both_sides(org: Mapping[str, Any], portal: Mapping[str, Any]) -> BothSides:
    """From what tap and target answer to --describe."""
    fields = [_field(f) for f in org["case"]["fields"]]
    properties = [_property(p) for p in portal["properties"]["results"] if not p.get("archived")]
    return BothSides(
        org=str(org["instance_url"]),
        cases=org.get("cases"),
        fields={f.name: f for f in fields},
        processes=[str(p["Name"]) for p in org["support_processes"]["records"] if p.get("IsActive", True)],
        statuses={str(s["ApiName"]): bool(s["IsClosed"]) for s in org["case_statuses"]["records"]},
        allowed=org.get("statuses_by_process") or {},
        portal=str(portal["portal_id"]),
        tickets=portal.get("tickets"),
        properties={p.name: p for p in properties},
        pipelines=[_pipeline(p) for p in portal["pipelines"]["results"] if not p.get("archived")],
        required=list(portal["required_properties"]),
    )


def _field(body: Mapping[str, Any]) -> CaseField:
    values = [v for v in body.get("picklistValues") or () if v.get("active", True)]
    return CaseField(
        name=body["name"],
        label=str(body.get("label") or body["name"]),
        type=case_type_in_words(body),
        values={str(v["value"]): str(v.get("label") or v["value"]) for v in values},
    )


def _property(body: Mapping[str, Any]) -> TicketProperty:
    return TicketProperty(
        name=body["name"],
        label=str(body.get("label") or body["name"]),
        type=property_type_in_words(body),
        options={str(o["value"]): str(o.get("label") or o["value"]) for o in body.get("options") or ()},
    )


def _pipeline(body: Mapping[str, Any]) -> Pipeline:
    stages = [s for s in body["stages"] if not s.get("archived")]
    return Pipeline(
        id=str(body["id"]),
        label=str(body["label"]),
        stages={
            str(s["label"]): str((s.get("metadata") or {}).get("ticketState")).upper() == "CLOSED"
            for s in stages
        },
        stage_ids={str(s["id"]): str(s["label"]) for s in stages},
    )


# -- names that people type


def named(typed: str, labels: Mapping[str, str], what: str) -> str:
    """The name that is meant: the name itself, or the label of one, whatever the case of letters.

    Raises:
        RefusedEditError: none, or more than one, is called so; the message lists what there is.
    """
    if typed in labels:
        return typed
    wanted = typed.strip().lower()
    found = [name for name, label in labels.items() if wanted in (name.lower(), label.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise RefusedEditError(
            [f"{what} '{typed}' could be {' or '.join(found)}: give the name, not the label"]
        )
    raise RefusedEditError([f"there is no {what} '{typed}'; {near(typed, labels)}"])


def meant(typed: str, names: Collection[str]) -> str:
    """`did you mean 'Billing'? `, or nothing."""
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(typed.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[close[0]]}'? " if close else ""


def near(typed: str, labels: Mapping[str, str] | Collection[str]) -> str:
    """`did you mean Reason?`, or all that there is."""
    names = list(labels)
    words = {name.lower(): name for name in names}
    if isinstance(labels, Mapping):
        words |= {label.lower(): name for name, label in labels.items()}
    close = difflib.get_close_matches(typed.lower(), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{words[close[0]]}'?"
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"there is {', '.join(names[:SHOWN_NAMES]) or 'none'}{more}"


def field_named(typed: str, sides: BothSides) -> str:
    """A field of Case by name or label; a column of a related record, such as Owner__Name, as it is."""
    is_joined = typed not in sides.fields and JOINED in typed.removesuffix("__c")
    return (
        typed if is_joined else named(typed, {f.name: f.label for f in sides.fields.values()}, "Case field")
    )


def property_named(typed: str, sides: BothSides, also: Collection[str] = ()) -> str:
    """A ticket property by name or label, or one of those that the sync itself adds."""
    known = {p.name: p.label for p in sides.properties.values()}
    return typed if typed in also else named(typed, known, "ticket property")


def pipeline_named(typed: str, sides: BothSides) -> Pipeline:
    """A ticket pipeline by label or id.

    Raises:
        RefusedEditError: there is none; the message lists all.
    """
    by_id = {p.id: p for p in sides.pipelines}
    wanted = typed.strip().lower()
    found = by_id.get(typed) or next((p for p in sides.pipelines if p.label.lower() == wanted), None)
    if found is None:
        labels = [p.label for p in sides.pipelines]
        there = f"there is {', '.join(labels) or 'none'}"
        raise RefusedEditError([f"HubSpot has no ticket pipeline '{typed}'; {meant(typed, labels)}{there}"])
    return found


def stage_named(typed: str, pipeline: Pipeline) -> str:
    """A stage of the pipeline by label.

    Raises:
        RefusedEditError: there is none; the message lists all.
    """
    wanted = typed.strip().lower()
    found = next((label for label in pipeline.stages if label.lower() == wanted), None)
    if found is None:
        there = ", ".join(pipeline.stages)
        raise RefusedEditError([f"the pipeline '{pipeline.label}' has no stage '{typed}'; there is {there}"])
    return found


def column_label(column: str, sides: BothSides) -> str:
    """What an admin reads in Salesforce: the field's label, `Owner: Email` for a field of a related record."""
    found = sides.fields.get(column)
    return found.label if found else joined_in_words(column)


def column_type(column: str, sides: BothSides) -> str:
    """The field's type in Salesforce's words; nothing for a column of a related record."""
    found = sides.fields.get(column)
    return found.type if found else "Related record" if JOINED in column else "Text"


def property_side_words(name: str, sides: BothSides) -> str:
    """`Ticket name (subject)`."""
    found = sides.properties.get(name)
    return f"{found.label} ({name})" if found and found.label != name else name
