"""Shell: the ledger of a portal: for a run once the lock on it is its own, at once for one who only reads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING

from target_hubspot_tickets.errors import UnreachableError

if TYPE_CHECKING:
    from target_hubspot_tickets.ledger import Ledger

logger = logging.getLogger("target-hubspot-tickets")


def load_ahead() -> None:
    """Import what the ledger needs while the first message is waited for: a tap and HubSpot take longer to answer than that."""
    threading.Thread(target=import_module, args=("target_hubspot_tickets.ledger",), name="load-ahead").start()


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
    began: datetime,
    wait_seconds: float,
    check_signal: Callable[[], None],
) -> HeldLedger:
    """The portal's ledger, locked; `held` closes it and frees the lock.

    Raises:
        LockedError: another run has it.
    """
    # Imported here, for the database toolkit takes a while: `load_ahead` has done it where the first message took longer.
    from target_hubspot_tickets.ledger import Ledger  # noqa: PLC0415
    from target_hubspot_tickets.locking import one_run  # noqa: PLC0415

    had_to_wait = held.enter_context(
        one_run(url, portal_id, wait_seconds=wait_seconds, check_signal=check_signal)
    )
    ledger = held.enter_context(Ledger.open(url, portal_id))
    is_contended = had_to_wait or any(run.ended_at >= began for run in ledger.runs(limit=1))
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
