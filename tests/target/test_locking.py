"""One run per portal: the lock, where the ledger is a file and where it is in a real PostgreSQL."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from target_hubspot_tickets.errors import LedgerError, LockedError
from target_hubspot_tickets.locking import one_run

from . import ledgers
from .ledgers import Children, Postgres

PORTAL = "4711"
PATIENCE_SECONDS = 60  # never reached, unless a lock is not freed
R25_SECONDS = 5  # reliability.md R25: the next run starts in less


def pair_up(children: Children, url: str, folder: Path, **changes: Any) -> list[int]:
    """Two processes that start together and want the lock; their exit codes."""
    wanted = {
        "url": url,
        "portal_id": PORTAL,
        "wait_seconds": PATIENCE_SECONDS,
        "marker": str(folder / "in use"),
        "hold_seconds": 0.02,
    }
    children.start("take", count=2, **wanted | changes)
    return children.results()[1]


@pytest.mark.parametrize(
    ("ledger_url", "pairs"), [("sqlite", 200), ("postgresql", 30)], indirect=["ledger_url"]
)
def test_R24_of_two_runs_that_start_together_one_waits(ledger_url: str, pairs: int, tmp_path: Path) -> None:
    """Never are both inside, and both get their turn."""
    with Children() as children:
        codes = [pair_up(children, ledger_url, tmp_path) for _ in range(pairs)]
    assert codes == [[0, 0]] * pairs


def test_R24_two_paths_to_one_ledger_are_one_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "ledger.db")
    with one_run(str(tmp_path / "real" / "ledger.db"), PORTAL, wait_seconds=0):
        for path in (tmp_path / "link.db", tmp_path / "real" / ".." / "real" / "ledger.db"):
            assert_refused(str(path))
            assert_refused(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("ledger_url", "kills"), [("sqlite", 50), ("postgresql", 20)], indirect=["ledger_url"]
)
def test_R25_a_killed_holder_frees_the_lock(ledger_url: str, kills: int) -> None:
    """The next run has it in less than 5 s."""
    with Children() as children:
        for _ in range(kills):
            [pid] = children.start("hold", url=ledger_url, portal_id=PORTAL)
            assert children.read() == {"held": True}
            assert_refused(ledger_url)
            ledgers.kill(pid)
            with one_run(ledger_url, PORTAL, wait_seconds=R25_SECONDS):
                pass
            assert children.results() == ([], [-9])


def assert_refused(url: str) -> None:
    with pytest.raises(LockedError), one_run(url, PORTAL, wait_seconds=0):
        pass


def test_who_waits_too_long_is_refused_with_what_to_do(ledger_url: str) -> None:
    """The message names the portal and the setting; the error is not one of the ledger, whose exit code is another."""
    with (
        one_run(ledger_url, PORTAL, wait_seconds=0),
        pytest.raises(LockedError) as caught,
        one_run(ledger_url, PORTAL, wait_seconds=0.3),
    ):
        pass
    assert str(caught.value) == (
        f"another run of target-hubspot-tickets writes to HubSpot account {PORTAL}; "
        "wait for its end, or give lock_wait_seconds more time"
    )


def test_who_waits_gets_it_when_it_is_freed(ledger_url: str) -> None:
    """The holder ends while the other waits, which is seen by its calls of check_signal."""
    with Children() as children:
        [pid] = children.start("hold", url=ledger_url, portal_id=PORTAL)
        assert children.read() == {"held": True}
        looks = []

        def look() -> None:
            looks.append(1)
            if len(looks) == 3:
                ledgers.kill(pid)

        with one_run(ledger_url, PORTAL, wait_seconds=PATIENCE_SECONDS, check_signal=look):
            assert len(looks) >= 3
        assert children.results() == ([], [-9])


def test_a_signal_ends_the_wait(ledger_url: str) -> None:
    """What check_signal raises comes out at once, and the one that gave up holds nothing."""

    class StopSignal(BaseException):
        pass

    def stop() -> None:
        raise StopSignal

    with (
        one_run(ledger_url, PORTAL, wait_seconds=0),
        pytest.raises(StopSignal),
        one_run(ledger_url, PORTAL, wait_seconds=PATIENCE_SECONDS, check_signal=stop),
    ):
        pass
    with one_run(ledger_url, PORTAL, wait_seconds=0):
        pass


def test_an_error_inside_frees_it(ledger_url: str) -> None:
    """And comes out as it is."""
    with pytest.raises(ZeroDivisionError), one_run(ledger_url, PORTAL, wait_seconds=0):
        raise ZeroDivisionError
    with one_run(ledger_url, PORTAL, wait_seconds=0):
        pass


def test_other_portals_are_not_locked(ledger_url: str) -> None:
    """Runs for different accounts go on side by side with one ledger."""
    with one_run(ledger_url, PORTAL, wait_seconds=0), one_run(ledger_url, "4712", wait_seconds=0):
        assert_refused(ledger_url)


def test_a_lost_connection_does_not_hide_what_happened(postgresql: Postgres) -> None:
    """The server is gone at the end of the run: the lock is free, and the run ends as it would have."""
    url = postgresql.new_place()
    with one_run(url, PORTAL, wait_seconds=0):
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'target-hubspot-tickets'"
        )
    with one_run(url, PORTAL, wait_seconds=R25_SECONDS):
        pass


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("{path}/none/ledger.db", "check that its folder exists"),
        ("mysql://me:s3cret@db/ledger", "SQLite and PostgreSQL"),
        ("postgresql://me:s3cret@127.0.0.1:1/ledger", "check the host"),
        ("sqlite://", "give a file path"),
    ],
)
def test_where_no_lock_can_be_is_told(tmp_path: Path, url: str, advice: str) -> None:
    """The message names the setting, says what to do, and holds no password."""
    with pytest.raises(LedgerError) as caught, one_run(url.format(path=tmp_path), PORTAL, wait_seconds=0):
        pass
    assert str(caught.value).startswith("ledger_url")
    assert advice in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_missing_is_told() -> None:
    """PostgreSQL is an extra of the package: the message has the command that installs it."""
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from target_hubspot_tickets.ledger import Ledger\n"
        "from target_hubspot_tickets.locking import one_run\n"
        "from target_hubspot_tickets.errors import LedgerError\n"
        "for work in (lambda: Ledger.open('postgresql://u:s3cret@h/d', '1'), one_run('postgresql://u:s3cret@h/d', '1', wait_seconds=0).__enter__):\n"
        "    try:\n"
        "        work()\n"
        "    except LedgerError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert len(told) == 2
    assert all("pip install 'target-hubspot-tickets[postgres]'" in line for line in told)
    assert "s3cret" not in done.stdout + done.stderr
