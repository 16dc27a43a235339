"""Core: the counts of a run, as the target reports them, in an admin's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Counts of the target's report: what they are called on a screen. The first ones are always said.
ALWAYS = (("created", "new"), ("updated", "updated"), ("unchanged", "unchanged"), ("archived", "deleted"))
IF_ANY = (
    ("stale", "older than their ticket"),
    ("already_gone", "deleted already"),
    ("foreign", "of another org left alone"),
    ("ignored_deletes", "deletions left undone by your rule"),
)


def counted(number: int, one: str, more: str | None = None) -> str:
    """`1 case`, `1,200 cases`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def count(report: Mapping[str, Any], name: str) -> int:
    """A count of the report; 0 where it has none."""
    value = report.get(name)
    return int(value) if isinstance(value, (int, float)) else 0


def result_line(report: Mapping[str, Any], seconds: float | None = None) -> str:
    """`12 cases: 3 tickets new, 8 updated, ...`: one line."""
    told = [f"{count(report, name):,} {words}" for name, words in ALWAYS]
    told += [f"{count(report, name):,} {words}" for name, words in IF_ANY if count(report, name)]
    if unconfirmed := _unconfirmed(report):
        told.append(f"{counted(unconfirmed, 'deletion')} left to be confirmed")
    told.append(f"{count(report, 'rejected'):,} rejected")
    line = (
        f"{counted(count(report, 'records') + count(report, 'retried'), 'case')}: tickets {', '.join(told)}"
    )
    if waiting := count(report, "pending_associations"):
        waits = "waits" if waiting == 1 else "wait"
        line += f"; {counted(waiting, 'association')} on record {waits} for a company, contact or ticket"
    return line + (f"; {seconds:.0f} s" if seconds is not None else "")


def _unconfirmed(report: Mapping[str, Any]) -> int:
    """Deletions asked for that were not carried out at the end of the run."""
    done = sum(count(report, name) for name in ("archived", "already_gone", "foreign"))
    return max(0, count(report, "held_deletes") - done)
