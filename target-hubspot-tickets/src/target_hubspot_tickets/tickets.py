"""Core: an upsert to the properties that are sent, with labels turned into ids; or the reasons why it can't be.

A plan is made once for a stream and a portal; what it does for each record is little more than a look-up per column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from target_hubspot_tickets.owners import (
    OWNER_ID,
    EmptyValues,
    UnknownOwner,
    UnknownOwnerError,
    owner_finder,
)
from target_hubspot_tickets.portal import Portal, Property, UnknownPlaceError, find_pipeline
from target_hubspot_tickets.records import OWNER_EMAIL, Upsert
from target_hubspot_tickets.values import Converter, LongText, ValueProblemError, converter_of, text_converter

PIPELINE, STAGE = "hs_pipeline", "hs_pipeline_stage"
SPECIAL = frozenset(
    {PIPELINE, STAGE, OWNER_EMAIL}
)  # columns that take more than their own value to be resolved
UNRESOLVED = "UNRESOLVED"
UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
INVALID_KEY = "INVALID_KEY"


class MissingOption(NamedTuple):
    """An option that a record has and its property does not."""

    property: str
    value: str


class UnresolvedError(Exception):
    """This record can't be written as it is. The text names properties, rules, and labels of pipelines and stages; no values.

    Attributes:
        code: of its first problem.
        missing_options: what is missing, if options that do not exist are all that is wrong.
    """

    def __init__(self, code: str, message: str, missing_options: tuple[MissingOption, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.missing_options = code, missing_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The settings that decide about values."""

    key_property: str
    empty_values: EmptyValues = "clear"
    unknown_owner: UnknownOwner = "leave"
    default_owner: str | None = None
    long_text: LongText = "cut"
    unknown_columns: Literal["refuse", "ignore"] = "refuse"


class _Problem(NamedTuple):
    code: str
    text: str
    option: MissingOption | None = None


class TicketPlan:
    """How the records of one stream become properties of tickets; any thread may use it."""

    def __init__(self, columns: Iterable[str], portal: Portal, choices: Choices) -> None:
        """`columns` are those that the stream announced."""
        announced = frozenset(columns)
        self._pipelines, self._long_text = portal.pipelines, choices.long_text
        self._key, self._clears = choices.key_property, choices.empty_values == "clear"
        # None: the column is not sent as it is. What has no entry is an unknown column.
        self._converters: dict[str, Converter | None] = {
            name: converter_of(portal.properties[name], choices.long_text)
            for name in announced & portal.properties.keys()
        }
        self._check_key = self._converters.get(self._key) or text_converter(choices.long_text)
        self._converters |= dict.fromkeys(announced & SPECIAL) | {self._key: None}
        self._unknown = None if choices.unknown_columns == "ignore" else _refuse
        self._has_owner, self._has_place = OWNER_EMAIL in announced, announced >= {PIPELINE, STAGE}
        self._owners = portal.owners.by_email
        self._find_owner = owner_finder(
            portal.owners,
            unknown_owner=choices.unknown_owner,
            default_owner=choices.default_owner,
            empty_values=choices.empty_values,
        )
        self._places: dict[tuple[str, str], dict[str, str]] = {("", ""): {}}

    def learn(self, definition: Property) -> None:
        """A property has changed: it has a new option."""
        self._converters[definition.name] = converter_of(definition, self._long_text)

    def has_unknown_owner(self, upsert: Upsert) -> bool:
        """Whether it names an owner whom the portal does not have."""
        email = upsert.values.get(OWNER_EMAIL) if self._has_owner else None
        return bool(email) and str(email).strip().lower() not in self._owners

    def properties_of(self, upsert: Upsert) -> dict[str, str]:
        """The properties of one input of batch/upsert; the key is among them, so that the answer echoes it.

        Raises:
            UnresolvedError: with every reason why it can't be written.
        """
        sent: dict[str, str] = {self._key: upsert.key}
        problems: list[_Problem] = []
        clears, unknown, converter = self._clears, self._unknown, self._converters.get
        for name, value in upsert.values.items():
            convert = converter(name, unknown)
            if convert is None:
                continue
            try:
                text = "" if value is None and convert is not unknown else convert(value)
            except ValueProblemError as error:
                problems.append(_problem(name, error))
                continue
            if text or clears:
                sent[name] = text
        self._resolve(upsert, sent, problems)
        if problems:
            raise _unresolved(problems)
        return sent

    def _resolve(self, upsert: Upsert, sent: dict[str, str], problems: list[_Problem]) -> None:
        """Add owner, pipeline and stage, or what is wrong with them and with the key."""
        try:
            if self._has_owner and (owner := self._find_owner(upsert.values.get(OWNER_EMAIL))) is not None:
                sent[OWNER_ID] = owner
        except UnknownOwnerError as error:
            problems.append(_Problem(UNRESOLVED, f"{OWNER_EMAIL}: {error}"))
        try:
            if self._has_place:
                sent |= self._place(_name(upsert.values.get(PIPELINE)), _name(upsert.values.get(STAGE)))
        except UnknownPlaceError as error:
            problems.append(_Problem(UNRESOLVED, str(error)))
        try:
            if self._check_key(upsert.key) != upsert.key:
                problems.append(
                    _Problem(INVALID_KEY, f"{self._key}: HubSpot would keep its key in another form")
                )
        except ValueProblemError as error:
            problems.append(_problem(self._key, error))

    def _place(self, pipeline: str, stage: str) -> dict[str, str]:
        """Pipeline and stage as ids. They go together: a stage belongs to one pipeline."""
        known = self._places.get((pipeline, stage))
        if known is None:
            if not pipeline or not stage:
                raise UnknownPlaceError(f"{PIPELINE} and {STAGE} go together, and one of them is empty")
            found = find_pipeline(self._pipelines, pipeline)
            known = self._places[pipeline, stage] = {PIPELINE: found.id, STAGE: found.stage_id(stage)}
        return known


def _name(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _refuse(_value: Any) -> str:
    raise ValueProblemError(UNKNOWN_COLUMN, "a column that the stream's schema does not announce")


def _problem(name: str, error: ValueProblemError) -> _Problem:
    option = None if error.option is None else MissingOption(name, error.option)
    return _Problem(error.code, f"{name}: {error}", option)


def _unresolved(problems: Sequence[_Problem]) -> UnresolvedError:
    options = tuple(p.option for p in problems if p.option)
    text = "; ".join(p.text for p in problems)
    return UnresolvedError(problems[0].code, text, options if len(options) == len(problems) else ())
