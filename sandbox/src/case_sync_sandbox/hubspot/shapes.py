"""Core: the form of each call's body, as HubSpot's schemas give it: which members, of which type.

Only the members that the sandbox reads are named; HubSpot passes over others. What a member may hold beyond its type
(a known property, a live record) is for the answers to say. How HubSpot words the refusal of a mistyped member is
documented only as "Invalid input JSON on line ..., column ...".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from case_sync_sandbox.hubspot.errors import invalid_json, validation_error

Id = str | int  # the schema has strings; its samples show numbers too
Whole = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
Scalar = str | int | float | bool
# "Properties": {string: string}; the samples show numbers and booleans too. drafts.py refuses null, and says where.
Values = dict[str, Scalar | list[Any] | dict[str, Any] | None]


class Shape(msgspec.Struct, kw_only=True, rename="camel"):
    """A body; a member that is None may be left out."""


class Reference(Shape):
    """PublicObjectId. An absent or impossible id is refused with a sub-category of its own."""

    id: Id | None = None


class Type(Shape):
    """AssociationSpec."""

    association_category: str | None = None
    association_type_id: Whole | None = None


class LinkTo(Shape):
    """PublicAssociationsForObject."""

    to: Reference | None = None
    types: list[Type] | None = None


class Write(Shape):
    """SimplePublicObjectInput and the inputs of the batch calls."""

    properties: Values
    id: Id | None = None
    id_property: str | None = None
    object_write_trace_id: Scalar | None = None
    associations: list[LinkTo] | None = None


class BatchWrite(Shape):
    """BatchInputSimplePublicObject..."""

    inputs: list[Write]


class BatchArchive(Shape):
    """BatchInputSimplePublicObjectId."""

    inputs: list[Reference]


class BatchRead(Shape):
    """BatchReadInputSimplePublicObjectId."""

    inputs: list[Reference]
    id_property: str | None = None
    properties: list[str] | None = None


class Merge(Shape):
    """PublicMergeInput."""

    primary_object_id: Id | None = None
    object_id_to_merge: Id | None = None


class Filter(Shape):
    """Filter."""

    property_name: str | None = None
    operator: str | None = None
    value: Scalar | None = None
    high_value: Scalar | None = None
    values: list[Scalar] | None = None


class FilterGroup(Shape):
    """FilterGroup."""

    filters: list[Filter] | None = None


class Sort(Shape):
    """The form of the documentation's samples; the schema has plain strings."""

    property_name: str | None = None
    direction: str | None = None


class Search(Shape):
    """PublicObjectSearchRequest."""

    filter_groups: list[FilterGroup] | None = None
    sorts: list[Sort | str] | None = None
    query: str | None = None
    properties: list[str] | None = None
    limit: Id | None = None
    after: Id | None = None


class Pair(Shape):
    """PublicAssociation, with types for PublicAssociationMultiPost; `after` is a read's."""

    from_: Reference | None = msgspec.field(default=None, name="from")
    to: Reference | None = None
    types: list[Type] | None = None


class BatchPairs(Shape):
    """BatchInputPublicDefaultAssociationMultiPost, BatchInputPublicAssociationMultiPost."""

    inputs: list[Pair]


class FetchLinks(Shape):
    """PublicFetchAssociationsBatchRequest."""

    id: Id | None = None
    after: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,18}$")] | None = None


class BatchFetchLinks(Shape):
    """BatchInputPublicFetchAssociationsBatchRequest."""

    inputs: list[FetchLinks]


class Fan(Shape):
    """PublicAssociationMultiArchive: from one record to many."""

    from_: Reference | None = msgspec.field(default=None, name="from")
    to: list[Reference] | None = None


class BatchFans(Shape):
    """BatchInputPublicAssociationMultiArchive."""

    inputs: list[Fan]


class Label(Shape):
    """PublicAssociationDefinitionCreateRequest."""

    name: str | None = None
    label: str | None = None
    inverse_label: str | None = None


class Option(Shape):
    """OptionInput."""

    label: str | None = None
    value: str | None = None
    description: str | None = None
    display_order: Whole | None = None
    hidden: bool | None = None


class Property(Shape):
    """PropertyCreate and PropertyUpdate."""

    name: str | None = None
    label: str | None = None
    type: str | None = None
    field_type: str | None = None
    group_name: str | None = None
    description: str | None = None
    options: list[Option] | None = None
    display_order: Whole | None = None
    has_unique_value: bool | None = None
    hidden: bool | None = None
    form_field: bool | None = None
    external_options: bool | None = None
    referenced_object_type: str | None = None


class BatchProperties(Shape):
    """BatchInputPropertyCreate."""

    inputs: list[Property]


class Name(Shape):
    """PropertyName."""

    name: str


class BatchNames(Shape):
    """BatchReadInputPropertyName, BatchInputPropertyName."""

    inputs: list[Name]
    archived: bool | None = None


class Group(Shape):
    """PropertyGroupCreate."""

    name: str | None = None
    label: str | None = None
    display_order: Whole | None = None


class Stage(Shape):
    """PipelineStageInput."""

    label: str | None = None
    display_order: Whole | None = None
    metadata: dict[str, str] | None = None
    stage_id: str | None = None


class Pipeline(Shape):
    """PipelineInput."""

    label: str | None = None
    display_order: Whole | None = None
    stages: list[Stage] | None = None
    pipeline_id: str | None = None


# What a body must be; None where the call has none.
BodyType = Any


def check_body(body: Any, expected: BodyType) -> None:
    """Check a JSON value against its Shape.

    Raises:
        HubSpotError: 400; the message says which member is of the wrong type.
    """
    if expected is None:
        return
    try:
        msgspec.convert(body, expected)
    except msgspec.ValidationError as error:
        raise invalid_json(str(error)) from None


def without_nulls(body: Any) -> Any:
    """The body without members that are null: to HubSpot a null is a member left out, but for `properties` values."""
    if isinstance(body, list):
        return [without_nulls(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {
        name: value if name == "properties" else without_nulls(value)
        for name, value in body.items()
        if value is not None
    }


def check_query(query: Mapping[str, str]) -> None:
    """Check the numbers of a query.

    Raises:
        HubSpotError: 400.
    """
    for name in ("limit", "after"):
        text = query.get(name, "")
        if text and not (text.isascii() and text.isdigit() and len(text) < 19):
            raise validation_error(f"{name} must be a number", **{name: [text]})
