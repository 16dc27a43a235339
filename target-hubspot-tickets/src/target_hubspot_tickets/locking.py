"""Shell: one run per portal: a lock that dies with the process that holds it, kept where the ledger is.

Meltano's own lock is not atomic (reliability.md D4). Beside a SQLite file it is a lock on another file, `<ledger>.<portal>.lock`, which
stays there, unlocked; in PostgreSQL it is a session-level advisory lock (documentation, "Advisory Locks"), which ends with its
connection. A pool that hands out connections by transaction (PgBouncer) can't hold one: give a URL of the server itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import URL, NullPool, func, select
from sqlalchemy.exc import SQLAlchemyError

from target_hubspot_tickets.errors import LockedError
from target_hubspot_tickets.ledger_database import FILE_MODE, is_file, open_engine, read_url, telling

LOOK_SECONDS = 0.05  # between two looks whether it is free


class _Lock(Protocol):
    def take(self) -> bool:
        """Take it if it is free; does not wait."""

    def release(self) -> None:
        """Free it, if it is held, and all that it took."""


class _FileLock:
    """The operating system frees it when the process ends, however it ends; the file stays, because removing it would part waiters."""

    def __init__(self, url: URL, portal_id: str) -> None:
        # Two paths to one ledger are one lock.
        ledger = Path(str(url.database)).resolve()
        ledger.parent.stat()  # filelock would make the folder of a mistyped path
        path = ledger.with_name(f"{ledger.name}.{quote(portal_id, safe='')}.lock")
        # A file system without locks is an error: what filelock falls back to outlives its holder.
        self._lock = FileLock(path, mode=FILE_MODE, thread_local=False, fallback_to_soft=False)

    def take(self) -> bool:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        self._lock.release()


class _AdvisoryLock:
    """The server frees it when its connection ends, and it ends with the process."""

    def __init__(self, url: URL, portal_id: str) -> None:
        self._key = advisory_key(portal_id)
        engine = open_engine(url, poolclass=NullPool)
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self) -> bool:
        return bool(self._connection.scalar(select(func.pg_try_advisory_lock(self._key))))

    def release(self) -> None:
        """Free it at once; the server may take a moment to notice a connection's end."""
        with suppress(SQLAlchemyError):  # a connection that is lost has freed it
            self._connection.scalar(select(func.pg_advisory_unlock(self._key)))
        self._connection.close()


def advisory_key(portal_id: str) -> int:
    """64 bits that tell portals, and us from other programs."""
    digest = blake2b(f"target-hubspot-tickets:{portal_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _nothing() -> None:
    pass


@contextmanager
def one_run(
    url: str, portal_id: str, *, wait_seconds: float, check_signal: Callable[[], None] = _nothing
) -> Iterator[bool]:
    """Hold the lock of a portal; gives whether another run had it at first.

    Args:
        url: the ledger: a file, or a URL of SQLite or PostgreSQL.
        portal_id: HubSpot's id of the account.
        wait_seconds: for another run's end; 0 does not wait.
        check_signal: called while it waits; what it raises ends the wait.

    Raises:
        LockedError: another run had it all the time.
        LedgerError: there is no place for a lock; the message says what to do.
    """
    place = read_url(url)
    with telling(place, "locked"):
        lock: _Lock = _FileLock(place, portal_id) if is_file(place) else _AdvisoryLock(place, portal_id)
    try:
        with telling(place, "locked"):
            had_to_wait = not lock.take()
            is_ours = not had_to_wait or _wait(lock, wait_seconds, check_signal)
        if not is_ours:
            raise LockedError(
                f"another run of target-hubspot-tickets writes to HubSpot account {portal_id}; "
                "wait for its end, or give lock_wait_seconds more time"
            )
        yield had_to_wait
    finally:
        lock.release()


def _wait(lock: _Lock, wait_seconds: float, check_signal: Callable[[], None]) -> bool:
    """Whether it was had in time."""
    until = time.monotonic() + wait_seconds
    while not lock.take():
        check_signal()
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(LOOK_SECONDS, left))
    return True
