"""Shell: the deletions of a run: all of them are counted, judged together, and only then archived.

HubSpot archives by record id only, so keys are read first. What is archived goes to the recycle bin: 90 days, restorable by hand.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from target_hubspot_tickets.deletion_guard import (
    COLUMNS,
    NOT_IN_SOURCE,
    TOMBSTONE,
    DeletionLimits,
    Doomed,
    Judgement,
    csv_row,
    is_same,
    judge,
    refusal,
    sort_out,
)
from target_hubspot_tickets.errors import MassDeletionError, SettingError
from target_hubspot_tickets.marked_tickets import MarkedTickets
from target_hubspot_tickets.outcomes import HeldDelete, RoundOutcome
from target_hubspot_tickets.protocol import chunks
from target_hubspot_tickets.reconciling import Reconciler

logger = logging.getLogger("target-hubspot-tickets")
PAGE = 1_000  # tickets that are read and archived side by side; what one crash can leave unrecorded
IN_MEMORY_BYTES = 1_000_000
KEYS_SHOWN = 5
Plan = Callable[[Sequence[Doomed]], None]


class Holds(Protocol):
    """What deletions write to the ledger."""

    def release_held(self, keys: Sequence[str]) -> None: ...

    def record(self, outcome: RoundOutcome) -> None: ...


@dataclass(slots=True, kw_only=True)
class Deletion:
    """What became of the deletions of a run.

    Attributes:
        archived: tickets archived now; of a dry run, that would be.
        already_gone: held keys without an active ticket.
        foreign: held keys whose ticket carries another org's mark; left alone, and held no longer.
        spared: tickets that changed while the run looked at them, or that HubSpot did not confirm; the next run sees.
    """

    archived: int = 0
    already_gone: int = 0
    foreign: int = 0
    spared: int = 0


class Spool:
    """Tickets to archive, in a nameless file as soon as they are many: their number is not bounded, memory is."""

    def __init__(self) -> None:
        self.count = 0
        self.suspects = 0
        self.sources: set[str] = set()
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by __exit__
            IN_MEMORY_BYTES, "w+", encoding="utf-8", errors="surrogatepass", newline=""
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, page: Sequence[Doomed]) -> None:
        """Append; call it before any of them is read."""
        writer = csv.writer(self._file)
        for one in page:
            writer.writerow((one.ticket_id, one.key, one.source or "", one.reason))
            self.count += 1
            self.suspects += one.reason == NOT_IN_SOURCE
            if one.source:
                self.sources.add(one.source)

    def __iter__(self) -> Iterator[Doomed]:
        self._file.seek(0)
        for ticket_id, key, source, reason in csv.reader(self._file):
            yield Doomed(
                ticket_id=ticket_id,
                key=key,
                source=source or None,
                reason=NOT_IN_SOURCE if reason == NOT_IN_SOURCE else TOMBSTONE,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleter:
    """Deletes what is held, and what a reconciliation finds.

    Attributes:
        held: the held deletions by pages; those that are settled are released while it is read.
        plan: is told what would be archived, in place of doing it (a dry run).
    """

    tickets: MarkedTickets
    ledger: Holds
    held: Iterable[Sequence[HeldDelete]]
    reconciler: Reconciler
    limits: DeletionLimits
    deletes_path: str
    check_signal: Callable[[], None]
    plan: Plan | None = None

    def delete(self) -> Deletion:
        """Call it behind the last record of an input that was read to its end.

        Raises:
            MassDeletionError: they are too many, or a reconciliation is doubtful: none was archived, all are listed.
            TargetError: the run can't go on; what was archived is on record.
        """
        with Spool() as spool:
            try:
                return self._delete(spool)
            finally:
                self.reconciler.forget()

    def _delete(self, spool: Spool) -> Deletion:
        deletion = Deletion()
        self._find_held(spool, deletion)
        for page in self.reconciler.candidates():
            self.check_signal()
            spool.add(page)
        self._guard(spool)
        for doomed in chunks(spool, PAGE):
            self.check_signal()
            self._archive(doomed, deletion)
        self.reconciler.accept()
        if self.plan is None:
            forget_list(self.deletes_path)
        return deletion

    def _find_held(self, spool: Spool, deletion: Deletion) -> None:
        """Held deletions to tickets; keys without a ticket, and those of another org, are settled at once."""
        for page in self.held:
            self.check_signal()
            found = sort_out(page, self.tickets.by_keys([one.key for one in page]))
            spool.add(found.doomed)
            self.reconciler.note_written([one.key for one in found.doomed])
            deletion.already_gone += len(found.gone)
            deletion.foreign += len(found.foreign)
            if found.foreign:
                logger.warning(
                    "Left %s tickets alone whose deletion came from another org than they are of: %s%s",
                    len(found.foreign),
                    ", ".join(found.foreign[:KEYS_SHOWN]),
                    ", ..." if len(found.foreign) > KEYS_SHOWN else "",
                )
            if self.plan is None and found.gone:
                self.ledger.record(RoundOutcome(archived=set(found.gone)))
            if self.plan is None and found.foreign:
                self.ledger.release_held(found.foreign)

    def _guard(self, spool: Spool) -> None:
        suspicion = self.reconciler.suspicion if spool.suspects else None
        judgement = judge(spool.count, 0, self.limits, only_confirmed=bool(suspicion))
        if judgement.is_allowed:
            return  # without a share of anything; no need to count
        active = self.tickets.count(spool.sources)
        judgement = judge(spool.count, active, self.limits, only_confirmed=bool(suspicion))
        if not judgement.is_allowed:
            raise self._refuse(spool, judgement, suspicion)

    def _refuse(self, spool: Spool, judgement: Judgement, suspicion: str | None) -> MassDeletionError:
        write_list(self.deletes_path, spool)
        return MassDeletionError(
            refusal(
                judgement,
                self.limits,
                self.deletes_path,
                suspicion,
                held=spool.count - spool.suspects,
                unseen=spool.suspects,
            )
        )

    def _archive(self, doomed: Sequence[Doomed], deletion: Deletion) -> None:
        """Tickets that are still what they were; their keys are on record when this returns."""
        now = self.tickets.by_ids([one.ticket_id for one in doomed])
        ready = [one for one in doomed if is_same(one, now.get(one.ticket_id))]
        ready = [
            one for one in ready if one.reason == TOMBSTONE or self.reconciler.covers(now[one.ticket_id])
        ]
        if self.plan is not None:
            self.plan(ready)
            deletion.archived += len(ready)
            deletion.spared += len(doomed) - len(ready)
            return
        done = self.tickets.archive([one.ticket_id for one in ready])
        keys = {one.key for one in ready if one.ticket_id in done.ids}
        if keys:
            self.ledger.record(RoundOutcome(archived=keys))
        deletion.archived += len(keys)
        deletion.spared += len(doomed) - len(keys)
        if done.error:
            raise done.error


def forget_list(path: str) -> None:
    """Nothing is left to confirm: a list of an earlier run must not be taken for one of now."""
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - the path is a setting's text


def write_list(path: str, doomed: Spool) -> None:
    """The tickets that were not archived, for a human to look at; readable by its owner only.

    Raises:
        SettingError: deletes_path can't be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            os.fchmod(descriptor, 0o600)  # of a file that was there, too
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(csv_row(one) for one in doomed)
    except OSError as error:
        raise SettingError(
            f"deletes_path can't be written ({error.strerror}): name a file in a folder that is there"
        ) from None
