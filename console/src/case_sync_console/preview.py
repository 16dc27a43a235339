"""Core: what a preview shows, made of what mapper, tap and target tell; no decision about a case is taken here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.both_sides import BothSides, column_label, column_type
from case_sync_console.case_rows import CaseRow
from case_sync_console.pipeline_edits import BY_PROCESS
from case_sync_console.remedies import Problem
from case_sync_console.rule_words import associations_in_words, filter_in_words, rules_in_words

# The two required properties that no field mapping fills, and where their values come from.
BY_PIPELINES = {"hs_pipeline": "the support process", "hs_pipeline_stage": "the case status"}
# Words of the mapper's that the rest of the line says.
TOLD_OTHERWISE = frozenset(
    {
        "as it is",
        "option",
        "multi_option",
        "template",
        "or_template",
        "text",
        "number",
        "currency",
        "boolean",
        "date",
        "datetime",
    }
)
NEW_PROPERTY = "made by the sync"
OWNER_EMAIL = "hubspot_owner_email"  # the target turns it into the owner
OWNER = "hubspot_owner_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a mapping, as an admin reads it and as it is called."""

    name: str
    label: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMapping:
    """A ticket property and where its value comes from.

    Attributes:
        sources: Case fields; none for a constant.
        how: the rest of the rule in words.
        is_default: the rules do not name it; it comes with the sync.
    """

    property: Side
    sources: tuple[Side, ...]
    how: str
    is_required: bool
    is_default: bool
    is_removable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A property that every ticket needs, and its counterpart; None: there is none yet."""

    property: Side
    counterpart: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A single rule: its name, its value, and what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a preview tells beside the rules.

    Attributes:
        sync: active, paused or saved; "new" where case-sync never switched it.
        problems: what keeps it from running.
        notes: what is good to know.
        changes: one line each; `changes_since` says by or since what; None where that is not known.
        cases: real cases and what would become of them; None where none was asked for.
    """

    environment: str
    sync: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] | None = None
    changes_since: str = ""
    cases: tuple[CaseRow, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All that a preview shows; `places` as the mapper tells them."""

    sides: BothSides
    settings: tuple[Setting, ...]
    required: tuple[Required, ...]
    mappings: tuple[FieldMapping, ...]
    switched_off: tuple[str, ...]
    places: tuple[Mapping[str, Any], ...]
    now: Circumstances

    @property
    def would_run(self) -> bool:
        return not self.now.problems

    @property
    def unmapped(self) -> int:
        """Pairs of support process and status whose cases get no ticket."""
        return sum(s["becomes"] != "stage" for place in self.places for s in place["statuses"])


def previewed(
    rules: Mapping[str, Any], places: Sequence[Mapping[str, Any]], sides: BothSides, now: Circumstances
) -> Preview:
    """The preview of rules as the mapper shows them."""
    mappings = mappings_of(rules, sides)
    return Preview(
        sides=sides,
        settings=settings_of(rules),
        required=required_of(mappings, sides),
        mappings=mappings,
        switched_off=tuple(rules["switched_off"]),
        places=tuple(places),
        now=now,
    )


def settings_of(rules: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The single rules, the switches of associations, and the filter."""
    told = [
        *rules_in_words(rules),
        *associations_in_words(rules["association_switches"], rules["associations"]),
        ("pipeline_by", rules["pipeline_by"], _picks(rules["pipeline_by"])),
        ("filter", "on" if rules["filter"] else "all cases", filter_in_words(rules["filter"])),
    ]
    return tuple(Setting(name=name, value=value, meaning=meaning) for name, value, meaning in told)


def _picks(column: str) -> str:
    what = "The support process" if column == BY_PROCESS else f"The Case field {column}"
    return f"{what} picks the ticket pipeline"


def mappings_of(rules: Mapping[str, Any], sides: BothSides) -> tuple[FieldMapping, ...]:
    """Every mapping that is in effect, those of the rules first."""
    ordered = sorted(rules["fields"], key=lambda field: bool(field["is_default"]))
    return tuple(_mapping(field, sides) for field in ordered)


def _mapping(field: Mapping[str, Any], sides: BothSides) -> FieldMapping:
    name = field["property"]
    return FieldMapping(
        property=property_side(name, sides),
        sources=tuple(
            Side(name=c, label=column_label(c, sides), type=column_type(c, sides)) for c in field["from"]
        ),
        how=how_in_words(field),
        is_required=name in sides.required,
        is_default=field["is_default"],
        is_removable=field["is_removable"] and name not in sides.required,
    )


def property_side(name: str, sides: BothSides) -> Side:
    """A ticket property; one that the portal does not have is made by the sync, or is a problem told elsewhere."""
    if name == OWNER_EMAIL and OWNER in sides.properties:
        found = sides.properties[OWNER]
        return Side(name=name, label=f"{found.label}, by e-mail", type="HubSpot user")
    there = sides.properties.get(name)
    if there:
        return Side(name=name, label=there.label, type=there.type)
    is_ours = name.startswith("salesforce_")
    return Side(name=name, label=name, type=NEW_PROPERTY if is_ours else "not in HubSpot")


def how_in_words(field: Mapping[str, Any]) -> str:
    """What of a mapping is not its field: the constant, the template, the table of options."""
    if field["constant"] is not None:
        return f"always {field['constant']}"
    words = [word for word in str(field["rule"]).split(", ") if word not in TOLD_OTHERWISE]
    if field["template"]:
        words.append(f"{'else ' if field['from'] else ''}{field['template']}")
    if field["options"]:
        words.append(", ".join(f"{value} = {option}" for value, option in field["options"].items()))
    return "; ".join(words)


def required_of(mappings: Sequence[FieldMapping], sides: BothSides) -> tuple[Required, ...]:
    """Each required property with what fills it."""
    by_name = {mapping.property.name: mapping for mapping in mappings}
    return tuple(
        Required(property=property_side(name, sides), counterpart=_counterpart(name, by_name))
        for name in sides.required
    )


def _counterpart(name: str, by_name: Mapping[str, FieldMapping]) -> str | None:
    if name in BY_PIPELINES:
        return BY_PIPELINES[name]
    mapping = by_name.get(name)
    if mapping is None:
        return None
    return ", else ".join(side.name for side in mapping.sources) or mapping.how
