"""A program for tests: starts processes that use a ledger or its lock, as told on stdin; they tell on stdout, one JSON value a line."""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger_rounds import numbered_round

from target_hubspot_tickets.errors import LedgerError, LockedError
from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.locking import one_run
from target_hubspot_tickets.outcomes import Rejected, RoundOutcome

LOCKED, OVERLAP = 9, 77  # exit codes


def tell(value: Any) -> None:
    """In one write: several processes share stdout."""
    os.write(1, json.dumps(value).encode() + b"\n")


def record(url: str, portal_id: str, first: int) -> None:
    """Put rounds on record, and tell each one that is."""
    with Ledger.open(url, portal_id) as ledger:
        number = first
        while True:
            ledger.record(numbered_round(number))
            tell({"recorded": number})
            number += 1


def hold(url: str, portal_id: str) -> None:
    """Take the lock and keep it."""
    with one_run(url, portal_id, wait_seconds=60):
        tell({"held": True})
        signal.pause()


def take(url: str, portal_id: str, wait_seconds: float, marker: str, hold_seconds: float) -> None:
    """Take the lock for a while; `marker` is a file that is there while somebody has it."""
    with one_run(url, portal_id, wait_seconds=wait_seconds):
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            os._exit(OVERLAP)
        time.sleep(hold_seconds)
        Path(marker).unlink()


def open_new(url: str) -> None:
    """Open a ledger that may not be there yet, each process for a portal of its own."""
    with Ledger.open(url, str(os.getpid())) as ledger:
        ledger.record(numbered_round(1))
        tell({"counts": ledger.counts().rejected})


def look_at_modes(url: str, portal_id: str) -> None:
    """Write without an umask, and tell the modes of all files that are there then."""
    os.umask(0)
    with one_run(url, portal_id, wait_seconds=0), Ledger.open(url, portal_id) as ledger:
        ledger.record(numbered_round(1))
        folder = Path(url).parent
        tell({path.name: oct(path.stat().st_mode & 0o777) for path in sorted(folder.iterdir())})


def fill_the_disk(url: str, portal_id: str) -> None:
    """A round that there is no room for."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Ledger.open(url, portal_id) as ledger:
        ledger.record(numbered_round(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            ledger.record(
                RoundOutcome(
                    rejected=[Rejected(key="big", code="X", message="", record={"subject": "x" * 1_000_000})]
                )
            )
        except LedgerError as error:
            tell({"error": str(error)})


def open_as_nobody(good: str, bad: str) -> None:
    """Open a ledger that this user may not write to."""
    Ledger.open(good, "1").close()  # loads what the user may not read
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        Ledger.open(bad, "1").close()
    except LedgerError as error:
        tell({"error": str(error)})


JOBS: dict[str, Callable[..., None]] = {
    job.__name__: job for job in (record, hold, take, open_new, look_at_modes, fill_the_disk, open_as_nobody)
}


def child(job: str, arguments: dict[str, Any], start: int) -> int:
    """Wait until all are there, then work; the exit code."""
    os.read(start, 1)  # returns when the parent closes its end
    try:
        JOBS[job](**arguments)
    except LockedError:
        return LOCKED
    return 0


def main() -> None:
    for line in sys.stdin:
        job, count, arguments = json.loads(line)
        read_end, write_end = os.pipe()
        pids = []
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                os.close(write_end)
                code = 1
                try:
                    code = child(job, arguments, read_end)
                except Exception:  # noqa: BLE001 - the test sees the exit code, and a person the trace
                    traceback.print_exc()
                finally:
                    os._exit(code)
            pids.append(pid)
        tell({"pids": pids})
        os.close(write_end)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        os.close(read_end)
        tell({"codes": codes})


if __name__ == "__main__":
    main()
