"""Core: what a dry run over all cases says of both systems: tickets that are missing, differ, or are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from case_sync_console.errors import FAULT, OK, PARTIAL

MISSING, DIFFERENT, TOO_MANY, REJECTED = "missing", "different", "too_many", "rejected"
KINDS = (MISSING, DIFFERENT, TOO_MANY, REJECTED)
# What the target's dry run says that it would do with a record, or with a ticket that no record speaks of.
BY_WOULD = {
    "create": MISSING, "update": DIFFERENT, "archive": TOO_MANY, "spare": TOO_MANY, "reject": REJECTED,
}  # fmt: skip
OF_CASES = frozenset({"create", "update", "unchanged", "reject"})
EXAMPLES = 20


class Way(Enum):
    """How a repair mends a difference."""

    READ_AGAIN = "read the case again and write its ticket"
    DELETE = "read the case again, which the rules delete"
    RECONCILE = "compare the ids of all cases, and archive tickets without a case"
    NONE = "not by the sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One ticket that is not as the rules make it.

    Attributes:
        key: Id of the case.
        properties: of the ticket, that have other values.
        associations: objects whose association is missing.
        reason: of a rejection, or why a ticket is too many.
    """

    kind: str
    key: str
    way: Way
    properties: tuple[str, ...] = ()
    associations: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What counts as a difference.

    Attributes:
        changed: ids of cases that changed while the systems were compared: nothing is said of them.
        kept: evidence ("record", "snapshot") for which the rules or the target's on_delete let tickets stay.
        on_record: ids that the sync's ledger has as rejected.
    """

    changed: Collection[str] = frozenset()
    kept: Collection[str] = frozenset()
    on_record: Collection[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Both systems, added up line by line.

    Attributes:
        at: Salesforce's clock when the comparison began.
        cases: live ones in scope; tickets: active ones with the org's mark, None where they could not be walked.
        of_cases: cases of which the rules make a ticket, or can't.
        equal: tickets that are as the rules make them.
        counts: differences by kind; ways: by how they are mended.
        on_record: cases that differ and that are on record as rejected.
        waiting: associations whose company, contact or ticket is not in HubSpot yet.
        meanwhile: cases that changed while the systems were compared, and would have been differences.
        kept: tickets without a case that are meant to stay.
        without_key: tickets with the org's mark whose key is empty.
        examples: the first differences of each kind.
    """

    at: datetime
    cases: int
    tickets: int | None
    must_walk: bool = True
    of_cases: int = 0
    equal: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    ways: Counter[Way] = field(default_factory=Counter)
    properties: Counter[str] = field(default_factory=Counter)
    associations: Counter[str] = field(default_factory=Counter)
    on_record: int = 0
    waiting: int = 0
    meanwhile: int = 0
    kept: int = 0
    without_key: int = 0
    examples: dict[str, list[Difference]] = field(default_factory=dict)

    def take(self, line: Mapping[str, Any], terms: Terms) -> Difference | None:
        """Add a line of the plan; the difference that it tells of, if any."""
        self.of_cases += line["would"] in OF_CASES
        self.equal += line["would"] == "unchanged"
        self.waiting += int(line.get("waiting") or 0)
        found = difference_of(line)
        if found is None:
            return None
        if not found.key:
            self.without_key += 1
        elif found.key in terms.changed:
            self.meanwhile += 1
        elif found.kind == TOO_MANY and evidence_of(line) in terms.kept:
            self.kept += 1
        else:
            self._add(found, is_on_record=found.key in terms.on_record)
            return found
        return None

    def _add(self, found: Difference, *, is_on_record: bool) -> None:
        self.counts[found.kind] += 1
        self.ways[found.way] += 1
        self.properties.update(found.properties)
        self.associations.update(found.associations)
        self.on_record += is_on_record
        examples = self.examples.setdefault(found.kind, [])
        if len(examples) < EXAMPLES:
            examples.append(found)

    @property
    def differences(self) -> int:
        return self.counts.total()

    @property
    def mendable(self) -> int:
        """Differences that a repair can mend."""
        return self.differences - self.ways[Way.NONE]

    @property
    def left_out(self) -> int:
        """Cases of which the rules make no ticket."""
        return max(self.cases - self.of_cases, 0)

    @property
    def is_whole(self) -> bool:
        """Whether tickets without a case were looked for, as far as any would be too many."""
        return self.tickets is not None or not self.must_walk

    @property
    def exit_code(self) -> int:
        """0 equal, 7 differences, 1 not all was looked at."""
        if self.differences:
            return PARTIAL
        return OK if self.is_whole else FAULT


def difference_of(line: Mapping[str, Any]) -> Difference | None:
    """What a line of the plan says is not as it should be; its key is "" for a ticket without one."""
    kind = BY_WOULD.get(str(line["would"]))
    if kind is None:
        return None
    return Difference(
        kind=kind,
        key=str(line["key"]),
        way=_way(line),
        properties=tuple(sorted(line.get("changes") or ())),
        associations=tuple(sorted({str(one["to"]) for one in line.get("associations") or ()})),
        reason=str(line.get("reason") or ""),
    )


def may_differ(line: Mapping[str, Any]) -> bool:
    """Whether the line tells of a difference, unless the case changed meanwhile."""
    return str(line["would"]) in BY_WOULD and bool(line["key"])


def evidence_of(line: Mapping[str, Any]) -> str:
    """What says that a ticket is too many."""
    return str(line.get("evidence") or "snapshot")


def _way(line: Mapping[str, Any]) -> Way:
    match line["would"], evidence_of(line):
        case (("create" | "update"), _):
            return Way.READ_AGAIN
        case "archive", "record":
            return Way.DELETE
        case "archive", _:
            return Way.RECONCILE
    return Way.NONE


def as_line(line: Mapping[str, Any], found: Difference) -> dict[str, Any]:
    """A line of the file of differences: the plan's, with its kind and way; it has values."""
    return {
        "kind": found.kind,
        "way": found.way.name.lower(),
        **{k: v for k, v in line.items() if k != "would"},
    }


def as_json(found: Comparison) -> dict[str, Any]:
    """For programs; without any value of a case or a ticket."""
    return {
        "equal": not found.differences and found.is_whole,
        "complete": found.is_whole,
        "at": found.at.isoformat(),
        "cases": found.cases,
        "left_out_by_rules": found.left_out,
        "tickets": found.tickets,
        "equal_tickets": found.equal,
        "differences": {kind: found.counts[kind] for kind in KINDS},
        "mendable": found.mendable,
        "on_record": found.on_record,
        "properties": dict(found.properties.most_common()),
        "associations": dict(found.associations.most_common()),
        "changed_meanwhile": found.meanwhile,
        "waiting_associations": found.waiting,
        "kept": found.kept,
        "tickets_without_key": found.without_key,
    }
