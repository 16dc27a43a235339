"""Shell: the ledger of a portal: for a run once the lock on it is its own, at once for one who only reads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_hubspot_tickets.errors import LedgerError, UnreachableError

if TYPE_CHECKING:
    from target_hubspot_tickets.ledger import Ledger
    from target_hubspot_tickets.ledger_rows import RunRow

logger = logging.getLogger("target-hubspot-tickets")


class Beginning:
    """Done beside the wait for the first message, which takes longer: imports what the ledger needs, and notes its newest run."""

    def __init__(self, url: str) -> None:
        self._url, self._newest_run, self._at = url, 0, datetime.now(UTC)
        self._thread = threading.Thread(target=self._look, name="beginning", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        from target_hubspot_tickets.ledger import Ledger  # noqa: PLC0415 - the database toolkit takes a while

        with suppress(LedgerError):  # it is told when the ledger is opened
            self._newest_run = Ledger.newest_run(self._url)

    def is_before(self, run: RunRow) -> bool:
        """Whether a run has ended since: by its number, for runs of one ledger may have clocks that differ, or by its time, for the look took a moment."""
        self._thread.join()
        return run.number > self._newest_run or run.ended_at >= self._at


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLedger:
    """A ledger that no other run writes. `is_contended`: one has written while this run waited, or since it began."""

    ledger: Ledger
    is_contended: bool


def hold_ledger(  # noqa: PLR0913 - the settings that it goes by
    held: ExitStack,
    url: str,
    portal_id: str,
    *,
    beginning: Beginning | None,
    wait_seconds: float,
    check_signal: Callable[[], None],
) -> HeldLedger:
    """The portal's ledger, locked; `held` closes it and frees the lock.

    Raises:
        LockedError: another run has it.
    """
    # Imported here, for the database toolkit takes a while: a `Beginning` has done it.
    from target_hubspot_tickets.ledger import Ledger  # noqa: PLC0415
    from target_hubspot_tickets.locking import one_run  # noqa: PLC0415

    had_to_wait = held.enter_context(
        one_run(url, portal_id, wait_seconds=wait_seconds, check_signal=check_signal)
    )
    ledger = held.enter_context(Ledger.open(url, portal_id))
    has_written = beginning is not None and any(map(beginning.is_before, ledger.runs(limit=1)))
    is_contended = had_to_wait or has_written
    return HeldLedger(ledger=ledger, is_contended=is_contended)


def ledger_to_read(held: ExitStack, url: str, ask_portal_id: Callable[[], str]) -> Ledger:
    """The ledger without its lock; while HubSpot is down that of the only account in it, which can be read all the same.

    Raises:
        UnreachableError: HubSpot is down, and the ledger holds no account or several.
    """
    from target_hubspot_tickets.ledger import Ledger  # noqa: PLC0415 - as above

    try:
        portal_id = ask_portal_id()
    except UnreachableError as error:
        only = Ledger.only_portal(url)
        if only is None:
            raise
        logger.warning("%s; shown is what the ledger holds of account %s, the only one in it", error, only)
        portal_id = only
    return held.enter_context(Ledger.open(url, portal_id))
