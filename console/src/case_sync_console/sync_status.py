"""Core: how the sync stands, as values: made of the ledger's lists, meltano.yml and the states' names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from case_sync_console.counts_words import count
from case_sync_console.error_rows import ErrorRow, counts, read_row
from case_sync_console.errors import WORDS

CONTINUOUS = {"sync", "activate"}  # names of runs that move the sync's own bookmark
SHOWN_RUNS = 10
WITHOUT_A_TAP = {"retry"}
# How a run ended that the target ended well: its input was over, which it is, too, when the tap or the mapper failed.
CUT, NOTHING_CAME = "cut off: the tap or the mapper failed", "nothing came"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """One run as the status tells it; times are UTC, None where it was not told.

    Attributes:
        exit_code: of the target.
        incomplete: why a run that the target ended well did not go through, or "".
    """

    started_at: datetime
    name: str
    new: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    waiting: int
    salesforce_calls: int | None
    hubspot_calls: int
    seconds: float
    exit_code: int
    incomplete: str = ""

    @property
    def result(self) -> str:
        """ok, or why not."""
        if self.incomplete and not self.exit_code:
            return self.incomplete
        stopped = {130: "stopped", 143: "stopped"}
        return stopped.get(self.exit_code) or WORDS.get(self.exit_code, f"exit code {self.exit_code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A vendor's API calls; None where the vendor did not say."""

    used: int | None
    left: int | None
    allowed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """An import that did not come to its end, and the command that goes on with it, where it is known here."""

    suffix: str
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that `status` tells.

    Attributes:
        sync: active, paused, saved; "new" where it was never switched on; "not set up" where there are no rules.
        read_until: the moment of Salesforce's clock up to which changes have been read.
        bookmark: where the next run begins to look: some minutes before, for what is committed late.
        next_run, installed: when the schedule calls next, and what calls on this machine.
        on_record: different cases by category.
        deletions: tickets whose deletion waits to be confirmed.
    """

    environment: str
    sync: str
    now: datetime
    runs: tuple[RunShown, ...]
    read_until: datetime | None
    bookmark: datetime | None
    next_run: datetime | None
    interval: str | None
    installed: str | None
    salesforce: Budget
    hubspot: Budget
    on_record: Mapping[str, int]
    deletions: int
    interrupted: tuple[Interrupted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLists:
    """The lists that the target prints, told apart."""

    runs: tuple[Mapping[str, Any], ...]
    errors: tuple[ErrorRow, ...]
    deletions: int


def told_apart(lines: Iterable[Mapping[str, Any]]) -> LedgerLists:
    """Runs have a run_name, errors a category; what is left is a deletion that waits."""
    runs, errors, deletions = [], [], 0
    for line in lines:
        if "run_name" in line:
            runs.append(line)
        elif row := read_row(line):
            errors.append(row)
        elif "key" in line:
            deletions += 1
    return LedgerLists(runs=tuple(runs), errors=tuple(errors), deletions=deletions)


def run_shown(row: Mapping[str, Any]) -> RunShown:
    """A run's row in the ledger as it is shown."""
    summary = row.get("summary") or {}
    calls = _salesforce(row).get("api_calls")
    return RunShown(
        started_at=moment(row["started_at"]) or datetime.fromtimestamp(0, UTC),
        name=str(row.get("run_name") or "sync"),
        new=count(summary, "created"),
        updated=count(summary, "updated"),
        unchanged=count(summary, "unchanged"),
        deleted=count(summary, "archived"),
        rejected=count(summary, "rejected"),
        waiting=count(summary, "pending_associations"),
        salesforce_calls=int(calls) if calls is not None else None,
        hubspot_calls=count(summary, "api_calls"),
        seconds=float(summary.get("seconds") or 0),
        exit_code=int(row.get("exit_code") or 0),
        incomplete=_incomplete(row, count(summary, "records")),
    )


def _incomplete(row: Mapping[str, Any], records: int) -> str:
    """Only the last STATE of a run says what the tap read: without it, the tap or the mapper did not come to its end."""
    if row.get("run_name") in WITHOUT_A_TAP or _salesforce(row):
        return ""
    return CUT if records or row.get("state") else NOTHING_CAME


def _salesforce(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (row.get("state") or {}).get("salesforce")
    return found if isinstance(found, Mapping) else {}


def moment(text: Any) -> datetime | None:
    """An ISO 8601 moment; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def bookmark_of(state: Mapping[str, Any] | None) -> datetime | None:
    """The bookmark of the cases in a Singer state."""
    cases = ((state or {}).get("bookmarks") or {}).get("cases") or {}
    return moment(cases.get("replication_key_value")) if cases.get("replication_key_value") else None


def last_continuous(runs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest run that moved the sync's own bookmark; `runs` are newest first."""
    return next((run for run in runs if run.get("run_name") in CONTINUOUS and run.get("state")), None)


def read_until(runs: Sequence[Mapping[str, Any]]) -> datetime | None:
    """Up to which moment of Salesforce's clock changes have been read: that of the newest run that went through."""
    for run in runs:
        if run.get("run_name") in CONTINUOUS and not run.get("exit_code") and _salesforce(run).get("at"):
            return moment(_salesforce(run)["at"])
    return None


def salesforce_budget(runs: Sequence[Mapping[str, Any]]) -> Budget:
    """As the newest run was told; Salesforce counts 24 hours back."""
    told = next((_salesforce(run) for run in runs if _salesforce(run).get("api_allowed_24h")), {})
    used, allowed = told.get("api_used_24h"), told.get("api_allowed_24h")
    left = max(allowed - used, 0) if used is not None and allowed is not None else None
    return Budget(used=used, left=left, allowed=allowed)


def hubspot_budget(runs: Sequence[Mapping[str, Any]]) -> Budget:
    """As the newest run was told; HubSpot counts the day."""
    summaries = (run.get("summary") or {} for run in runs)
    told = next((one for one in summaries if one.get("hubspot_calls_left_today") is not None), {})
    left, allowed = told.get("hubspot_calls_left_today"), told.get("hubspot_calls_allowed_a_day")
    used = max(allowed - left, 0) if left is not None and allowed is not None else None
    return Budget(used=used, left=left, allowed=allowed)


def on_record(lists: LedgerLists) -> dict[str, int]:
    """Different cases by category."""
    return counts(lists.errors)
