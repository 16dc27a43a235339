"""Core: the inputs of a write call as values, and what is wrong with a batch before any record is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from case_sync_sandbox.hubspot.errors import HubSpotError, InputError, invalid_json, validation_error
from case_sync_sandbox.hubspot.record import Record

# "Using object APIs", Limits: inputs of a batch call.
MAX_INPUTS = 100


@dataclass(slots=True, kw_only=True)
class Draft:
    """One input on its way to a record. Later stages fill in `before`, `kept`, `record`, or `error`."""

    properties: Mapping[str, Any]
    id: str | None = None
    id_property: str | None = None
    trace_id: str | None = None
    associations: Sequence[Mapping[str, Any]] = ()
    before: Record | None = None
    kept: dict[str, str] = field(default_factory=dict)
    record: Record | None = None
    error: InputError | None = None


def inputs_of(body: Mapping[str, Any], *, limit: int = MAX_INPUTS) -> list[Mapping[str, Any]]:
    """The `inputs` of a batch body.

    Raises:
        HubSpotError: more than `limit` of them.
    """
    inputs: list[Mapping[str, Any]] = body["inputs"]
    if len(inputs) > limit:
        raise HubSpotError(
            status=400,
            category="VALIDATION_ERROR",
            message=f"You can only submit {limit} inputs at once; this request has {len(inputs)}.",
            context={"numInputs": [str(len(inputs))], "limit": [str(limit)]},
        )
    return inputs


def draft_from_json(value: Mapping[str, Any], *, needs_id: bool) -> Draft:
    """Read one input.

    Raises:
        HubSpotError: 400 for the whole call: a body that breaks the schema is refused before any input is looked at.
    """
    properties: Mapping[str, Any] = value["properties"]
    # The schema is {string: string}: null has no place in it, not even with a trace id.
    if nulls := [name for name, one in properties.items() if one is None]:
        raise invalid_json(f"properties.{nulls[0]} must be a string, not null")
    if needs_id and not isinstance(value.get("id"), str | int):
        raise validation_error("Some required fields were not set: [id]")
    trace_id = value.get("objectWriteTraceId")
    return Draft(
        properties=properties,
        id=str(value["id"]) if needs_id else None,
        id_property=value.get("idProperty"),
        trace_id=str(trace_id) if trace_id is not None else None,
        associations=value.get("associations") or (),
    )


def refuse_duplicates(ids: Sequence[str], key_of: Callable[[str], str]) -> None:
    """Two inputs for one record refuse the call, with or without trace ids (seen with public clients).

    `key_of` gives the form in which ids are compared; the answer names them as they were sent.

    Raises:
        HubSpotError: names the ids that came twice.
    """
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for one in ids:
        key = key_of(one)
        if key in seen:
            twice[one] = None
        seen.add(key)
    if twice:
        raise validation_error(
            f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique", ids=list(twice)
        )


def refuse_untraced(drafts: Sequence[Draft]) -> None:
    """Without a trace id one bad input refuses the whole call and nothing is written ("Multi-status errors").

    Raises:
        HubSpotError: the first such input's reason.
    """
    for draft in drafts:
        if draft.error is not None and draft.trace_id is None:
            raise draft.error.for_whole_call()
