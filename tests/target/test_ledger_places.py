"""Where a ledger may be, who may read it, and what can be wrong with its file or its server."""

import socket
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from target_hubspot_tickets.errors import LedgerError
from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.ledger_database import open_engine, read_url, with_tls
from target_hubspot_tickets.outcomes import RoundOutcome

from .ledger_rounds import NOON, PORTAL, WHOLE_ROUND, numbered_round, rejected, rows_of_round
from .ledgers import Children, Postgres


def test_a_round_that_there_is_no_room_for_is_not_there_at_all(tmp_path: Path) -> None:
    """A full disk: a clear error, no part of the round on record, and all that was there still is."""
    url = str(tmp_path / "ledger.db")
    with Children() as children:
        children.start("fill_the_disk", url=url, portal_id=PORTAL)
        [told], codes = children.results()
    assert codes == [0]
    assert "ledger_url" in told["error"]
    assert "disk" in told["error"]
    with Ledger.open(url, PORTAL) as ledger:
        assert rows_of_round(ledger, 1) == WHOLE_ROUND
        assert ledger.counts().rejected == 1


def test_S5_its_files_are_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask, and also if the file was open to others before."""
    open_to_all = tmp_path / "ledger.db"
    for _ in range(2):
        with Children() as children:
            children.start("look_at_modes", url=str(open_to_all), portal_id=PORTAL)
            [modes], codes = children.results()
        assert codes == [0]
        assert modes == dict.fromkeys(
            ["ledger.db", "ledger.db-shm", "ledger.db-wal", f"ledger.db.{PORTAL}.lock"], "0o600"
        )
        open_to_all.chmod(0o666)


def test_processes_that_find_it_new_make_it_once(ledger_url: str) -> None:
    """Runs for several portals may start together."""
    with Children() as children:
        for _ in range(5):
            children.start("open_new", count=4, url=ledger_url)
            told, codes = children.results()
            assert codes == [0, 0, 0, 0]
            assert told == [{"counts": 1}] * 4


def test_a_server_that_was_restarted_between_rounds_ends_no_run(postgresql: Postgres) -> None:
    """Connections that were cut are opened again."""
    url = postgresql.new_place()
    with Ledger.open(url, PORTAL) as ledger:
        ledger.record(numbered_round(1))
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'target-hubspot-tickets'"
        )
        ledger.record(numbered_round(2))
        assert ledger.counts().rejected == 2


def test_url_forms_of_postgresql_are_one(postgresql: Postgres) -> None:
    """Also those that name another driver, as Meltano's own database_uri may."""
    url = postgresql.new_place()
    with Ledger.open(url, PORTAL) as ledger:
        ledger.remember("fact", 1)
    for scheme in ("postgres", "postgresql+psycopg", "postgresql+psycopg2"):
        with Ledger.open(url.replace("postgresql", scheme, 1), PORTAL) as ledger:
            assert ledger.recall("fact") == 1


def no_folder(path: Path) -> str:
    return str(path / "none" / "ledger.db")


def a_folder(path: Path) -> str:
    return str(path)


def no_database(path: Path) -> str:
    (path / "ledger.db").write_text("these are notes\n" * 100, encoding="utf-8")
    return str(path / "ledger.db")


def half_a_database(path: Path) -> str:
    """The first page is whole, the rest is gone."""
    file = path / "ledger.db"
    with Ledger.open(str(file), PORTAL) as ledger:
        ledger.record(numbered_round(1))
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192)
    return str(file)


def another_programs(path: Path) -> str:
    connection = sqlite3.connect(path / "meltano.db")
    connection.execute("CREATE TABLE runs (id)")
    connection.close()
    return str(path / "meltano.db")


def a_newer_one(path: Path) -> str:
    file = path / "ledger.db"
    Ledger.open(str(file), PORTAL).close()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("UPDATE hubspot_tickets_schema SET version = 99")
    connection.close()
    return str(file)


def other_columns(path: Path) -> str:
    connection = sqlite3.connect(path / "ledger.db")
    connection.execute("CREATE TABLE hubspot_tickets_schema (id)")
    connection.close()
    return str(path / "ledger.db")


WRONG: dict[str, tuple[str | Callable[[Path], str], str]] = {
    "no folder": (no_folder, "check that its folder exists"),
    "a folder": (a_folder, "check that its folder exists"),
    "no database": (no_database, "name another file"),
    "half a database": (half_a_database, "move it away"),
    "another program's": (another_programs, "a file of its own"),
    "a newer version": (a_newer_one, "version 99"),
    "other columns": (other_columns, "check ledger_url"),
    "nothing": (" ", "give a file path"),
    "memory": ("sqlite://", "give a file path"),
    "memory by name": (":memory:", "give a file path"),
    "another database": ("mysql://me:s3cret@db/ledger", "SQLite and PostgreSQL"),
    "no url": ("postgresql://me:s3cret@db:port/ledger", "give a file path"),
    "no server": ("postgresql://me:s3cret@127.0.0.1:1/ledger", "check the host"),
    "clear text": ("postgresql://me:s3cret@db.example/ledger?sslmode=disable", "sslmode=require"),
    "no host": ("postgresql://me:s3cret@nowhere.invalid/ledger", "check the host"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_ledger_that_can_not_be_used_is_told(tmp_path: Path, name: str) -> None:
    """The message names the setting, says what to do, and holds no password; there is no traceback of a database below it."""
    place, advice = WRONG[name]
    url = place if isinstance(place, str) else place(tmp_path)
    check_error(url, advice, "s3cret")


def check_error(url: str, advice: str, secret: str) -> None:
    with pytest.raises(LedgerError) as caught, Ledger.open(url, PORTAL) as ledger:
        ledger.counts()
    assert str(caught.value).startswith("ledger_url")
    assert advice in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert secret not in shown
    assert "sqlalchemy.exc" not in shown


def test_S1_a_wrong_password_is_told_without_it(postgresql: Postgres) -> None:
    check_error(postgresql.url("wr0ng"), "check the user and the password", "wr0ng")


# -- the way to a server


HERE = [
    "postgresql://me@127.0.0.1:5432/x", "postgresql://me@localhost/x", "postgresql://me@LOCALHOST/x", "postgresql://me@[::1]:5432/x",
    "postgresql:///x", "postgresql://me@/x?host=/run/postgresql", "postgresql://me@/x?host=@abstract",
    "postgresql://me@/x?host=127.0.0.1:5432&host=localhost:5433", "postgresql://me@localhost/x?hostaddr=127.0.0.1",
]  # fmt: skip
ELSEWHERE = [
    "postgresql://me@db.example/x", "postgresql://me@10.0.0.7:5432/x", "postgresql://me@[fd00::7]:5432/x", "postgresql://me@[fd00::1]/x",
    "postgresql://me@localhost.example/x", "postgresql://me@127.0.0.1.example/x", "postgresql://me@localhost/x?host=db.example",
    "postgresql://me@localhost/x?hostaddr=10.0.0.7", "postgresql://me@/x?host=/run/postgresql&hostaddr=10.0.0.7",
    "postgresql://me@/x?host=127.0.0.1:5432&host=db.example:5432", "postgresql://me@/x?host=localhost,db.example",
]  # fmt: skip


def mode_of(url: str, **environment: str) -> object:
    return with_tls(make_url(url), environment).query.get("sslmode")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_S10_a_ledger_on_another_machine_is_spoken_to_by_tls(url: str) -> None:
    """However the URL names the machine; libpq by itself would go on in clear text where the server has no TLS."""
    assert mode_of(url) == "require"
    joined = url + ("&" if "?" in url else "?")
    for mode in ("require", "verify-ca", "verify-full"):
        assert mode_of(f"{joined}sslmode={mode}") == mode
    for weak in ("disable", "allow", "prefer", "Require", "require&sslmode=disable"):
        with pytest.raises(LedgerError, match=r"^ledger_url .*sslmode=verify-full") as caught:
            mode_of(f"{joined}sslmode={weak}")
        assert "example" not in str(caught.value)


@pytest.mark.parametrize("url", HERE)
def test_S10_a_ledger_on_this_machine_is_reached_as_before(url: str) -> None:
    assert mode_of(url) is None
    assert mode_of(url + ("&" if "?" in url else "?") + "sslmode=disable") == "disable"


def test_S10_what_the_environment_says_to_the_database_s_library_counts() -> None:
    """Never is less asked for than the admin asked for there; nor does a host come in by that door."""
    elsewhere = ELSEWHERE[0]
    assert mode_of(elsewhere, PGSSLMODE="verify-full") is None
    assert mode_of(f"{elsewhere}?sslmode=verify-ca", PGSSLMODE="disable") == "verify-ca"
    assert mode_of(f"{elsewhere}?sslrootcert=system") == "verify-full"
    assert mode_of(elsewhere, PGSSLROOTCERT="system") == "verify-full"
    assert mode_of("postgresql:///x", PGHOST="db.example") == "require"
    assert mode_of("postgresql:///x", PGHOSTADDR="10.0.0.7") == "require"
    assert mode_of("postgresql:///x", PGHOST="/run/postgresql") is None
    for url, environment in (
        (elsewhere, {"PGSSLMODE": "prefer"}),
        ("postgresql://?service=ledger", {}),
        ("postgresql:///x", {"PGSERVICE": "ledger"}),
    ):
        with pytest.raises(LedgerError, match="sslmode=require"):
            mode_of(url, **environment)
    assert mode_of("postgresql://?service=ledger&sslmode=require") == "require"


@pytest.fixture
def without_tls() -> Iterator[tuple[int, list[bytes]]]:
    """A server that says N to the question for TLS (PostgreSQL, "SSL Session Encryption"): its port, and what it was sent after that."""
    heard: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(8)
                    connection.sendall(b"N")
                    heard.append(connection.recv(1000))
        except OSError:
            return  # it was shut down

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_S10_a_server_without_tls_is_told_nothing(without_tls: tuple[int, list[bytes]]) -> None:
    """Not even who we are; and the message says what is missing there."""
    port, heard = without_tls
    url = f"postgresql://me:s3cret@db.example:{port}/ledger?hostaddr=127.0.0.1"
    check_error(url, "switch TLS on at the server", "s3cret")
    assert heard
    assert set(heard) == {b""}


def test_a_newer_ledger_on_a_server_is_refused(postgresql: Postgres) -> None:
    url = postgresql.new_place()
    Ledger.open(url, PORTAL).close()
    schema = url.rsplit("%3D", 1)[1]
    postgresql.execute(f"UPDATE {schema}.hubspot_tickets_schema SET version = 99")
    check_error(url, "version 99", postgresql.password)


def test_a_ledger_of_the_first_version_gets_the_new_columns_and_keeps_its_rows(ledger_url: str) -> None:
    """Made as version 1 made it; two that open it at once add the columns once. Its runs have no name and no state."""
    with Ledger.open(ledger_url, PORTAL) as ledger:
        ledger.record(RoundOutcome(rejected=[rejected("kept", record={"a": 1})]))
        ledger.add_run({"status": "complete", "exit_code": 0}, NOON, NOON, run_name="gone", state={"a": 1})
    engine = open_engine(read_url(ledger_url))
    with engine.begin() as connection:
        for column in ("run_name", "state"):
            connection.execute(text(f"ALTER TABLE hubspot_tickets_runs DROP COLUMN {column}"))
        connection.execute(text("UPDATE hubspot_tickets_schema SET version = 1"))
    engine.dispose()
    with ThreadPoolExecutor(2) as pool:
        for opened in pool.map(lambda _: Ledger.open(ledger_url, PORTAL), range(2)):
            opened.close()
    with Ledger.open(ledger_url, PORTAL) as ledger:
        assert [row.key for row in ledger.rejected()] == ["kept"]
        ledger.add_run({}, NOON, NOON, run_name="import", state={"bookmarks": {}})
        assert [(run.run_name, run.state) for run in ledger.runs()] == [
            ("import", {"bookmarks": {}}),
            ("sync", None),
        ]


def test_a_ledger_of_another_user_is_told(tmp_path: Path) -> None:
    """Not readable, not writable: the folder and its mode decide, so that this also holds where the tests run as root."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    other.chmod(0o500)
    with Children() as children:
        children.start("open_as_nobody", good=str(mine / "ledger.db"), bad=str(other / "ledger.db"))
        [told], codes = children.results()
    assert codes == [0]
    assert told["error"].startswith("ledger_url")
    assert "may be" in told["error"] or "may read" in told["error"]
