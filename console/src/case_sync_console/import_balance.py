"""Core: after an import: which cases have no ticket, and why; the counts of both systems add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.errors import FAULT, OK, PARTIAL

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """cases = tickets + the other four.

    Attributes:
        cases: live ones in Salesforce, in the import's scope.
        tickets: found in HubSpot by the id of such a case.
        rejected: without a ticket, and on record as rejected.
        left_out: without a ticket, because a rule of the admin's says so.
        changed_since: without a ticket, but created or changed after the import had looked: the next run brings them.
        missing: ids without a ticket and without a reason.
    """

    cases: int
    tickets: int
    rejected: tuple[str, ...]
    left_out: tuple[str, ...]
    changed_since: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Ok, partial (rejected), or a fault."""
        if self.missing:
            return FAULT
        return PARTIAL if self.rejected else OK


def unexplained(
    without_ticket: Sequence[str], rejected: Collection[str], changed_since: Collection[str]
) -> list[str]:
    """What neither a rejection nor a later change explains."""
    return [one for one in without_ticket if one not in rejected and one not in changed_since]


def balance(  # noqa: PLR0913 - what is known of both systems
    *,
    cases: int,
    tickets: int,
    without_ticket: Sequence[str],
    rejected: Collection[str],
    changed_since: Collection[str],
    left_out: Collection[str],
) -> Balance:
    """Each case without a ticket has one reason, the first that fits."""
    kinds: dict[str, list[str]] = {"rejected": [], "changed_since": [], "left_out": [], "missing": []}
    for one in without_ticket:
        reasons = (("rejected", rejected), ("left_out", left_out), ("changed_since", changed_since))
        kinds[next((kind for kind, ids in reasons if one in ids), "missing")].append(one)
    return Balance(cases=cases, tickets=tickets, **{kind: tuple(sorted(ids)) for kind, ids in kinds.items()})


def left_out_of_plan(ids: Collection[str], plan: Sequence[Mapping[str, Any]]) -> set[str]:
    """Of these cases, those for which a dry run would write no ticket: it says nothing of them, or would delete."""
    would_be = {str(line.get("key")) for line in plan if line.get("would") not in {"delete", "leave"}}
    return {one for one in ids if one not in would_be}
