"""Core: what a run did, as the report file and the last line of the log say it, and the limits of what it may reject."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from target_hubspot_tickets.outcomes import RoundOutcome

RATIO_COUNTS_FROM = 1_000  # records; a share of fewer says little


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of one run.

    records + retried = created + updated + unchanged + stale + superseded + rejected + held_deletes + ignored_deletes: no record
    without an outcome. archived, already_gone and foreign speak of deletions of this run and of earlier ones that were held.

    Attributes:
        newly_rejected: those of `rejected` that are no repeat of an earlier run's.
        unknown_owners: records that name an owner whom HubSpot does not have; what became of them the setting unknown_owner says.
        pending_associations: all that wait in the ledger at the end of the run.
        marked_tickets: active tickets with the org's mark, where a reconciliation walked them; None where there was none.
        removed_associations: ours that no longer held (mirror mode).
        refused_calls: calls that HubSpot refused for their rate or a lock, and that were sent again.
        hubspot_calls_allowed_a_day, hubspot_calls_left_today: of the account, at the end of the run; None where HubSpot did not tell.
    """

    records: int = 0
    retried: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    superseded: int = 0
    rejected: int = 0
    newly_rejected: int = 0
    held_deletes: int = 0
    ignored_deletes: int = 0
    archived: int = 0
    already_gone: int = 0
    foreign: int = 0
    marked_tickets: int | None = None
    associations: int = 0
    removed_associations: int = 0
    pending_associations: int = 0
    ambiguous_matches: int = 0
    unknown_owners: int = 0
    api_calls: int = 0
    refused_calls: int = 0
    hubspot_calls_allowed_a_day: int | None = None
    hubspot_calls_left_today: int | None = None
    seconds: float = 0.0
    status: str = "incomplete"
    exit_code: int = 1
    rejected_by_code: Counter[str] = field(default_factory=Counter)
    _same_code: str = ""
    _same_count: int = 0

    def count(self, outcome: RoundOutcome, superseded: int, *, is_retry: bool = False) -> None:
        """Add what became of a round; what earlier runs had rejected does not count against this one's limits."""
        new = sum(one.is_new for one in outcome.written.values())
        self.created += new
        self.updated += len(outcome.written) - new
        self.unchanged += len(outcome.unchanged)
        self.stale += len(outcome.stale)
        self.superseded += superseded
        self.rejected += len(outcome.rejected)
        self.held_deletes += len(outcome.held)
        self.ignored_deletes += len(outcome.ignored)
        self.unknown_owners += outcome.unknown_owners
        self.count_associations(outcome)
        self.rejected_by_code.update(one.code for one in outcome.rejected)
        if not is_retry:
            self.newly_rejected += len(outcome.rejected)
            self._watch_sameness(outcome)

    def count_associations(self, outcome: RoundOutcome) -> None:
        """Add what became of associations."""
        self.associations += outcome.associations.made_count
        self.removed_associations += outcome.associations.removed_count
        self.ambiguous_matches += outcome.associations.ambiguous_count

    def _watch_sameness(self, outcome: RoundOutcome) -> None:
        """Rejections for one reason, round after round in which nothing went well."""
        if outcome.written or outcome.unchanged:
            self._same_code, self._same_count = "", 0
            return
        for code, count in Counter(one.code for one in outcome.rejected).items():
            self._same_count = self._same_count + count if code == self._same_code else count
            self._same_code = code

    def too_many_rejected(
        self, *, max_rejected: int | None, max_ratio: float | None, max_same: int
    ) -> str | None:
        """Why the run has to stop, or None."""
        if max_rejected is not None and self.newly_rejected > max_rejected:
            return f"{self.newly_rejected} records were rejected, more than max_rejected ({max_rejected})"
        if (
            max_ratio is not None
            and self.records >= RATIO_COUNTS_FROM
            and self.newly_rejected > max_ratio * self.records
        ):
            return f"{self.newly_rejected} of {self.records} records were rejected, more than max_rejected_ratio ({max_ratio})"
        if self._same_count >= max_same:
            return f"{self._same_count} records one after the other were rejected for the same reason ({self._same_code})"
        return None

    @property
    def outcomes(self) -> int:
        """Records that have an outcome."""
        return (
            self.created + self.updated + self.unchanged + self.stale
            + self.superseded + self.rejected + self.held_deletes + self.ignored_deletes
        )  # fmt: skip

    @property
    def records_per_second(self) -> float:
        return round(self.records / self.seconds, 1) if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        shown = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        return shown | {
            "rejected_by_code": dict(self.rejected_by_code),
            "seconds": round(self.seconds, 3),
            "records_per_second": self.records_per_second,
        }

    def line(self, *, plan_path: str | None = None) -> str:
        """The last line of the log; of a dry run, which wrote `plan_path` and nothing else."""
        counts = ", ".join(
            f"{count} {words}"
            for count, words in (
                (self.created, "created"),
                (self.updated, "updated"),
                (self.archived, "archived"),
                (self.rejected, "rejected"),
            )
        )
        more = "".join(
            f", {count} {words}"
            for count, words in (
                (self.unchanged, "unchanged"),
                (self.stale, "older than their ticket"),
                (self.superseded, "followed by a newer record"),
                (self.already_gone, "to archive but gone already"),
                (self.foreign, "of another org left alone"),
                (self.ignored_deletes, "deletions ignored"),
                (self.retried, "of earlier runs tried again"),
                (self.unknown_owners, "with an owner whom HubSpot does not have"),
            )
            if count
        )
        waiting = (
            f" ({self.pending_associations} wait for a company, contact or ticket that is not in HubSpot)"
            if self.pending_associations
            else ""
        )
        head = f"dry run, nothing was written (see {plan_path}); it would be" if plan_path else "tickets:"
        rate = f"; {self.records_per_second} records/s" if self.records else ""
        return (
            f"{head} {counts} of {self.records} records{more}; {self.associations} associations{waiting}; "
            f"{self.api_calls} API calls{rate}; {self.status}"
        )
