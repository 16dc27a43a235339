"""Core: edits of field mappings: what is to be written where, or why it would not work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from case_sync_console.both_sides import BothSides, column_label, column_type
from case_sync_console.errors import RefusedEditError
from case_sync_console.option_matching import matching_options
from case_sync_console.yaml_splicing import Drop, Put, Rename, Splice

SHOWN_NAMES = 8
ALWAYS = "always"
OPTION_TYPES = frozenset({"option", "multi_option"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where a ticket property is to get its value from.

    Attributes:
        source: name of a Case field, or None.
        value: a constant in its place, or None.
        convert: a conversion of the rules; None takes the one that fits.
        options: picklist value -> option value; none takes those that are called the same.
        write: when a ticket that exists is written; None leaves it as it is.
    """

    source: str | None = None
    value: str | None = None
    convert: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    write: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an edit is judged by: the rules in effect, what fits what, and both systems."""

    rules: Mapping[str, Any]
    fit: Mapping[str, Any]
    sides: BothSides

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """The mapping of a ticket property that is in effect."""
        return next((one for one in self.rules["fields"] if one["property"] == name), None)


def added(name: str, wish: Wish, known: Known) -> tuple[Splice, ...]:
    """S32: a mapping for a property that has none.

    Raises:
        RefusedEditError: N03, it has one; N02, the types do not fit.
    """
    _refuse_mapped(name, known)
    return (Put(path=("fields", name), value=_with_write(rule_for(name, wish, known), wish.write)),)


def _refuse_mapped(name: str, known: Known) -> None:
    if there := known.mapping(name):
        source = ", ".join(there["from"]) or "a constant"
        raise RefusedEditError(
            [
                (
                    f"the ticket property '{name}' receives {source} already, and a property receives from one mapping only. "
                    f"Change that one: case-sync mappings edit {name} FIELD"
                )
            ]
        )


def edited(
    name: str, new_name: str | None, wish: Wish, known: Known, block: Mapping[str, Any]
) -> tuple[Splice, ...]:
    """S15, S33: another field for a property, or another property for a field; what the mapping said else is kept.

    Raises:
        RefusedEditError: there is no such mapping; N03, the other property has one; S13, this one is required; N02.
    """
    there = _mapped(name, known)
    target = new_name or name
    if target != name:
        _refuse_mapped(target, known)
        _refuse_required(name, there, known)
    own = (block.get("fields") or {}).get(name)
    if target == name and wish == Wish(write=wish.write):
        return (_written_when(name, str(wish.write), there, own),)
    rule = _with_write(_edited_rule(target, wish, there, known, own), wish.write or there["write"])
    written = Put(path=("fields", target), value=rule)
    if target == name:
        return (written,)
    if there["has_default"]:
        return (Put(path=("fields", name), value=None), written)
    if target in known.rules["switched_off"]:  # its null makes room
        return (written, Drop(path=("fields", name)))
    return (Rename(path=("fields", name), name=target), written)


def _written_when(name: str, write: str, there: Mapping[str, Any], own: Any) -> Splice:
    """N12: only when a ticket that exists is written; the rest of the mapping stands as it is, comments too."""
    if not isinstance(own, Mapping):
        return Put(path=("fields", name), value=_with_write(own or _as_written(there), write))
    path = ("fields", name, "write")
    return Put(path=path, value=write) if write != ALWAYS or "write" not in own else Drop(path=path)


def _with_write(rule: Any, write: str | None) -> Any:
    """The rule with its word on tickets that exist; what is always written needs none."""
    if not isinstance(rule, Mapping):
        rule = {"from": rule}
    kept = {key: value for key, value in rule.items() if key != "write"}
    if write not in {None, ALWAYS}:
        return {**kept, "write": write}
    return kept["from"] if kept.keys() == {"from"} and isinstance(kept["from"], str) else kept


def _mapped(name: str, known: Known) -> Mapping[str, Any]:
    there = known.mapping(name)
    if there is None:
        raise RefusedEditError(
            [f"the ticket property '{name}' is not mapped. Map it: case-sync mappings add {name} FIELD"]
        )
    return there


def _edited_rule(name: str, wish: Wish, there: Mapping[str, Any], known: Known, block: Any) -> Any:
    """What the mapping says of another field is kept where it still can hold: a template for an empty field, several fields, a constant."""
    if wish.source is None and wish.value is None:
        is_plain = len(there["from"]) == 1 and not there["template"]
        if not is_plain and not wish.convert and not wish.options:
            return block if block is not None else _as_written(there)
        wish = replace(wish, source=there["from"][0] if there["from"] else None)
    rule = rule_for(name, wish, known)
    if name == there["property"] and there["template"] and there["from"] and wish.source:
        return {**({"from": rule} if isinstance(rule, str) else rule), "or_template": there["template"]}
    return rule


def _as_written(there: Mapping[str, Any]) -> dict[str, Any]:
    """A default, in the form of the rules."""
    sources = there["from"]
    written: dict[str, Any] = {"from": sources[0] if len(sources) == 1 else list(sources)} if sources else {}
    if there["template"]:
        written["or_template" if sources else "template"] = there["template"]
    if there["constant"] is not None:
        written["value"] = there["constant"]
    if there["options"]:
        written["options"] = dict(there["options"])
    elif there["convert"] != "as_is":
        written["convert"] = there["convert"]
    return written


def deleted(name: str, known: Known) -> tuple[Splice, ...]:
    """S16, S34: the property gets no value any more; a mapping that comes with the sync is taken away by null.

    Raises:
        RefusedEditError: there is no such mapping; S13, the property is required.
    """
    there = _mapped(name, known)
    _refuse_required(name, there, known)
    path = ("fields", name)
    return (Put(path=path, value=None),) if there["has_default"] else (Drop(path=path),)


def _refuse_required(name: str, there: Mapping[str, Any], known: Known) -> None:
    if not there["is_removable"] or name in known.sides.required:
        raise RefusedEditError(
            [
                (
                    f"HubSpot requires the ticket property '{name}' of every ticket, so it can't be left without a mapping. "
                    f"Give it another field: case-sync mappings edit {name} FIELD"
                )
            ]
        )


# -- the rule itself


def rule_for(name: str, wish: Wish, known: Known) -> Any:
    """The rule as it is written: `Reason`, or a mapping.

    Raises:
        RefusedEditError: N02, the types do not fit, or no option is called as a value of the picklist is.
    """
    if wish.value is not None:
        return {"value": wish.value}
    if wish.source is None:
        raise RefusedEditError([f"no Case field is named for '{name}': name one, or a constant with --value"])
    convert = wish.convert or ("option" if wish.options else _fitting(name, wish.source, known))
    options = dict(wish.options)
    if convert in OPTION_TYPES and not options:
        options = _options(name, wish.source, known.sides)
    if convert == "as_is" and not options:
        return wish.source
    rule: dict[str, Any] = {"from": wish.source}
    if not (convert == "option" and options):  # a table says that it is one
        rule["convert"] = convert
    return rule | ({"options": options} if options else {})


def _fitting(name: str, source: str, known: Known) -> str:
    """The conversion that carries the field into the property; what is joined or made by the sync goes as it is."""
    fields, properties = known.fit["fields"], known.fit["properties"]
    if source not in fields or name not in known.sides.properties:
        return "as_is"
    convert = fields[source]["convert"].get(name)
    if convert is not None:
        return str(convert)
    sides = known.sides
    what = f"'{source}' ({column_type(source, sides)}) does not fit the ticket property '{name}' ({sides.properties[name].type})"
    to_fields = _some(properties.get(name, {}).get("fits", ()))
    to_properties = _some([p for p in fields[source]["fits"] if known.mapping(p) is None])
    raise RefusedEditError(
        [
            (
                f"the Case field {what}. Fields that fit '{name}': {to_fields}. "
                f"Properties that are free and fit '{column_label(source, sides)}': {to_properties}"
            )
        ]
    )


def _options(name: str, source: str, sides: BothSides) -> dict[str, str]:
    found_field, found_property = sides.fields.get(source), sides.properties.get(name)
    values = found_field.values if found_field else {}
    options = found_property.options if found_property else {}
    found = matching_options(values, options)
    if not found:
        raise RefusedEditError(
            [
                (
                    f"no option of '{name}' is called as a value of '{source}' is. Say which is which, with case-sync mappings "
                    f'add or edit and --option "VALUE=OPTION" once for each. Values: {_some(list(values))}. Options: {_some(list(options))}'
                )
            ]
        )
    return found


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "") or "none"
