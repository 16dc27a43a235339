"""Core: what the schema of a stream says that its records will want of a portal.

JSON Schema lets everybody pass over annotations, so a mapper can announce the names that its rules use:
    hs_pipeline_stage: {"stages_by_pipeline": {"Billing": ["New", "Closed"]}}
    any property: {"option_values": ["HIGH", "LOW"]}, or JSON Schema's own enum
    any property: {"write_rule": "if_empty"}, read by write_rules
    associations: {"looked_up_by": {"company": ["domain"]}, "labels": {"company": ["Payer"]}}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from target_hubspot_tickets.records import ASSOCIATIONS, DELETED_AT, OWNER_EMAIL, TO_OBJECTS
from target_hubspot_tickets.tickets import STAGE
from target_hubspot_tickets.values import ValueProblemError, plain

STAGES_BY_PIPELINE = "stages_by_pipeline"
OPTION_VALUES = "option_values"
LOOKED_UP_BY = "looked_up_by"
LABELS = "labels"
NO_PROPERTIES = frozenset({DELETED_AT, ASSOCIATIONS, OWNER_EMAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a stream wants besides ticket properties, objects by HubSpot's plural.

    Attributes:
        lookups: object -> properties that records of it are looked up by.
        objects: what tickets are associated with.
        labels: object -> labels of associations.
        owners: whether owners are looked up.
        unknown_objects: names of objects that are none of ours.
    """

    lookups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owners: bool = False
    unknown_objects: tuple[str, ...] = ()


# A portal is looked at without a stream: whatever one of cases may want.
OF_ANY_STREAM = Needs(
    lookups={"companies": (), "contacts": ()}, objects=("companies", "contacts"), owners=True
)


def needs_of(columns: Mapping[str, Any]) -> Needs:
    """What the schema announces; associations that it does not announce are seen when they come."""
    schema = _mapping(columns.get(ASSOCIATIONS))
    lookups = _texts_by_name(schema.get(LOOKED_UP_BY))
    labels = _texts_by_name(schema.get(LABELS))
    named = list(lookups) if LOOKED_UP_BY in schema else _named_objects(schema)
    return Needs(
        lookups={TO_OBJECTS[name]: by for name, by in lookups.items() if name in TO_OBJECTS},
        objects=tuple(TO_OBJECTS[name] for name in named if name in TO_OBJECTS),
        labels={TO_OBJECTS[name]: those for name, those in labels.items() if name in TO_OBJECTS},
        owners=OWNER_EMAIL in columns,
        unknown_objects=tuple(n for n in dict.fromkeys([*named, *labels]) if n not in TO_OBJECTS),
    )


def property_columns(columns: Iterable[str]) -> list[str]:
    """The columns that are ticket properties."""
    return [c for c in columns if c not in NO_PROPERTIES and not c.startswith("_sdc_")]


def announced_stages(columns: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Pipeline -> stages, by id or label."""
    return _texts_by_name(_mapping(columns.get(STAGE)).get(STAGES_BY_PIPELINE))


def announced_options(schema: Any, *, is_multiple: bool) -> list[str]:
    """The values that a column may have, one by one."""
    known = _mapping(schema)
    listed = [*_list(known.get(OPTION_VALUES)), *_list(known.get("enum"))]
    texts = [text for value in listed if value is not None and (text := _text(value))]
    parts = [part.strip() for text in texts for part in (text.split(";") if is_multiple else [text])]
    return list(dict.fromkeys(part for part in parts if part))


def _text(value: Any) -> str:
    try:
        return plain(value)
    except ValueProblemError:
        return ""


def _named_objects(schema: Mapping[str, Any]) -> list[str]:
    """The objects that the schema of one association allows."""
    to = _mapping(_mapping(_mapping(schema.get("items")).get("properties")).get("to"))
    return [str(name) for name in _list(to.get("enum"))]


def _texts_by_name(value: Any) -> dict[str, tuple[str, ...]]:
    return {
        str(name): tuple(str(text) for text in texts)
        for name, texts in _mapping(value).items()
        if isinstance(texts, Collection) and not isinstance(texts, str)
    }


def _list(value: Any) -> list[Any]:
    """A schema is another program's word: what is no list in it says nothing."""
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
