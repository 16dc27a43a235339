"""Core: which columns of a stream fit which properties, by their types; and the type of a property made for a column.

Sources: JSON Schema, type and format; HubSpot, properties: types, field types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DAY, MOMENT = "date", "date-time"  # the formats of texts that tell more than that it is a text
_SCALAR = frozenset({"string", "number", "integer", "boolean"})
_TIMES = frozenset({"string", "integer", DAY, MOMENT})  # whole numbers are milliseconds since 1970
# Property type -> what a column may be. A text fits everywhere: whether each value does is seen when it comes.
FITS: dict[str, frozenset[str]] = {
    "string": _SCALAR | {DAY, MOMENT, "array"},
    "phone_number": frozenset({"string", "number", "integer"}),
    "number": frozenset({"string", "number", "integer"}),
    "bool": frozenset({"string", "boolean", "integer"}),
    "date": _TIMES,
    "datetime": _TIMES,
    "enumeration": _SCALAR,
}
# What a column is -> type and field type of the property that is created for it; all others become texts.
_CREATED: dict[frozenset[str], tuple[str, str]] = {
    frozenset({MOMENT}): ("datetime", "date"),
    frozenset({DAY}): ("date", "date"),
    frozenset({"number"}): ("number", "number"),
    frozenset({"integer"}): ("number", "number"),
    frozenset({"integer", "number"}): ("number", "number"),
    frozenset({"boolean"}): ("bool", "booleancheckbox"),
}


def kinds_of(schema: Any) -> frozenset[str]:
    """The types that a column may have besides null, dates by their format; empty where its schema does not say."""
    if not isinstance(schema, Mapping):
        return frozenset()
    named = schema.get("type")
    # A stream's schema is another program's word: what is no JSON Schema in it says nothing.
    kinds = {one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)}
    if "string" in kinds and schema.get("format") in (DAY, MOMENT):
        kinds = (kinds - {"string"}) | {schema["format"]}
    for keyword in ("anyOf", "oneOf", "allOf"):
        parts = schema.get(keyword)
        for part in parts if isinstance(parts, list) else ():
            kinds |= kinds_of(part)
    return frozenset(kinds - {"null"})


def fits(schema: Any, property_type: str, *, is_multiple: bool = False) -> bool:
    """Whether some value that the column may have is one that the property can hold."""
    kinds, allowed = kinds_of(schema), FITS.get(property_type, _SCALAR)
    return not kinds or bool(kinds & allowed) or (is_multiple and "array" in kinds)


def created_type(schema: Any) -> tuple[str, str]:
    """Type and field type of a property for this column."""
    return _CREATED.get(kinds_of(schema), ("string", "text"))
