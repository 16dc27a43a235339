"""Shell: the database of the ledger: found by ledger_url, opened, made if it is new, and its failures told without secrets.

SQLite and PostgreSQL: each row is upserted in one statement, and each of the two has a lock that dies with its holder.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from target_hubspot_tickets.errors import LedgerError
from target_hubspot_tickets.ledger_tables import ADDED, METADATA, SCHEMA, SCHEMA_VERSION
from target_hubspot_tickets.settings import LOOPBACK

FILE_MODE = 0o600  # it holds personal data; SQLite gives its -wal, -shm and -journal files the same mode
BUSY_SECONDS = 30  # that a writer of another portal may hold the file
CONNECT_SECONDS = 15
CONNECTIONS = 8  # one for each round in flight, and a few
SETUP_LOCK = 0x7469636B65747301  # of PostgreSQL, for making the tables; any number that is ours
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
FORMS = "give a file path, or postgresql://user:password@host:5432/database"
# Those that never speak in clear text (libpq, "SSL Mode Descriptions").
TLS_MODES = ("require", "verify-ca", "verify-full")
NO_TLS = (
    "ledger_url names a PostgreSQL of another machine and does not say that TLS is a must: whole cases lie there, so say "
    "sslmode=require, or better sslmode=verify-full and sslrootcert=FILE, in ledger_url"
)
DAMAGED = "move it away, and a new one is made: no ticket is lost by that, but what was rejected or waits is not known any more"
DRIVER = "install what it needs: pip install 'target-hubspot-tickets[postgres]'"
# What a failure's text holds -> what to do; the first that fits counts.
ADVICE = (
    ("not a database", "name another file, or move this one away"),
    ("malformed", f"it is damaged: {DAMAGED}"),
    ("unable to open", "check that its folder exists and may be written"),
    ("readonly", "check that the file and its folder may be written by this user"),
    ("locked", "another program holds the file: close it"),
    ("disk", "check the disk, and that there is room on it"),
    ("does not support ssl", "switch TLS on at the server: whole cases would go there in clear text"),
    ("certificate", "check sslrootcert, and that the host is the one that the certificate names"),
    ("password", "check the user and the password"),
    ("permission denied", "check that this user may read and write there"),
    ("no such file", "check that its folder exists"),
    ("name or service", "check the host"),
    ("connect", "check the host, the port, and that the server runs"),
)
CAREFUL = {"DataError", "IntegrityError"}  # their texts may quote values


def read_url(text: str) -> URL:
    """A file path or a database URL as the URL of a driver that is known here.

    Raises:
        LedgerError: it is neither, or of another kind of database, or the way there may be in clear text.
    """
    if "://" not in text:
        text = text.strip()
        url = URL.create(DRIVERS["sqlite"], database=str(Path(text).expanduser()) if text else None)
    else:
        try:
            url = make_url(text.strip())
        except (ArgumentError, ValueError):
            raise LedgerError(f"ledger_url can't be read: {FORMS}") from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise LedgerError(
            f"ledger_url: '{url.get_backend_name()}' is none of the databases that the ledger knows, SQLite and PostgreSQL: {FORMS}"
        )
    if driver == DRIVERS["sqlite"] and (not url.database or url.database.startswith((":memory:", "file:"))):
        raise LedgerError(
            f"ledger_url names no file, and a ledger in memory would forget what it is for: {FORMS}"
        )
    url = url.set(drivername=driver)
    return url if is_file(url) else with_tls(url, os.environ)


def with_tls(url: URL, environment: Mapping[str, str]) -> URL:
    """A URL of PostgreSQL by which no byte leaves this machine in clear text; libpq alone would fall back to that.

    An sslmode of the admin's counts, in the URL or in PGSSLMODE. `require`, where there is none, asks for no certificate: authorities of
    one's own are common, and nothing here knows where theirs lies. A service may hold an sslmode that is not seen here, so none is put over it.

    Raises:
        LedgerError: the admin's own sslmode allows clear text, or may do so.
    """
    if not any(map(_is_elsewhere, _hosts(url, environment))):
        return url
    said = url.query.get("sslmode") or environment.get("PGSSLMODE")
    if said in TLS_MODES:
        return url
    if said or _names_service(url, environment):
        raise LedgerError(NO_TLS)
    # libpq takes the system's authorities for nothing less than verify-full.
    has_system = (url.query.get("sslrootcert") or environment.get("PGSSLROOTCERT")) == "system"
    return url.update_query_dict({"sslmode": "verify-full" if has_system else "require"})


def _names_service(url: URL, environment: Mapping[str, str]) -> bool:
    return "service" in url.query or "PGSERVICE" in environment


def _hosts(url: URL, environment: Mapping[str, str]) -> list[str]:
    """All that libpq may connect to; "" is its own choice: this machine's socket, if there is no service."""
    address = url.query.get("hostaddr") or environment.get("PGHOSTADDR") or ""
    host = url.query.get("host") or url.host or environment.get("PGHOST") or ""
    if not host and not address and _names_service(url, environment):
        return ["the service's"]
    listed = [one for some in (host, address) for one in ([some] if isinstance(some, str) else some)]
    return [host for one in listed for host in one.split(",")]


def _is_elsewhere(host: str) -> bool:
    """Whether it is another machine: neither this one by its name, with or without a port, nor the path of a socket."""
    name = re.sub(r"(?<=[^:]):\d+$", "", host).strip("[]").lower()
    return bool(name) and name not in LOOPBACK and not name.startswith(("/", "@"))


def shown(url: URL) -> str:
    """A URL for people: no user, no password, no options."""
    if is_file(url):
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host or ''}{port}/{url.database or ''}"


def is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


@contextmanager
def telling(url: URL, doing: str) -> Iterator[None]:
    """Failures of the database as a LedgerError that names the place, and what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        reason = _reason(error)
        if url.password:
            reason = reason.replace(str(url.password), "***")
        advice = DRIVER if isinstance(error, ImportError) else _advice(reason)
        raise LedgerError(f"ledger_url ({shown(url)}) can't be {doing}: {reason}; {advice}") from None


def _advice(reason: str) -> str:
    return next(
        (advice for words, advice in ADVICE if words in reason.lower()), "check ledger_url and the database"
    )


def _reason(error: Exception) -> str:
    """The first line of the database's own text; statements and values are left out."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = type(error).__name__
    lines = "" if name in CAREFUL or cause is None else str(cause)
    return next((line.strip() for line in lines.splitlines() if line.strip()), name)


class Database:
    """A database whose failures are LedgerErrors. Any thread may use it."""

    def __init__(self, url: URL) -> None:
        """Raises LedgerError: it can't be reached, or it is not ours."""
        self.url = url
        with telling(url, "opened"):
            if is_file(url):
                _make_file(Path(str(url.database)))
            self._engine = open_engine(url, pool_size=CONNECTIONS)
            self._writer = self._engine.execution_options(is_writing=True)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with telling(self.url, "read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is durable behind the block, or none of it."""
        with telling(self.url, "written"), self._writer.begin() as connection:
            yield connection

    def _set_up(self) -> None:
        with self.reading() as connection:
            is_new = not inspect(connection).has_table(SCHEMA.name)
        if is_new:
            with self.writing() as connection:
                self._make_tables(connection)
        version = self._version()
        if version in range(1, SCHEMA_VERSION):
            with self.writing() as connection:
                self._renew(connection)
            version = self._version()
        if version != SCHEMA_VERSION:
            raise LedgerError(
                f"ledger_url ({shown(self.url)}) is of version {version}, and this program knows version {SCHEMA_VERSION}: "
                "use the version of target-hubspot-tickets that made it, or name another ledger"
            )

    def _version(self) -> Any:
        with self.reading() as connection:
            return connection.scalar(select(func.max(SCHEMA.c.version)))

    def _one_at_a_time(self, connection: Connection) -> None:
        """Two runs, of two portals, may find it new, or old, together."""
        if not is_file(self.url):
            connection.execute(select(func.pg_advisory_xact_lock(SETUP_LOCK)))

    def _renew(self, connection: Connection) -> None:
        """A ledger of an earlier version gets the columns that it lacks, and keeps all that it holds."""
        self._one_at_a_time(connection)
        version = connection.scalar(select(func.max(SCHEMA.c.version))) or 0
        for step in range(version + 1, SCHEMA_VERSION + 1):
            for column in ADDED[step]:
                connection.exec_driver_sql(_adding(connection, column))
            connection.execute(insert(SCHEMA), {"version": step})

    def _make_tables(self, connection: Connection) -> None:
        self._one_at_a_time(connection)
        if inspect(connection).has_table(SCHEMA.name):
            return
        if is_file(self.url) and inspect(connection).get_table_names():
            raise LedgerError(
                f"ledger_url ({shown(self.url)}) is the database of another program: name a file of its own for the ledger"
            )
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA), {"version": SCHEMA_VERSION})


def _adding(connection: Connection, column: Column[Any]) -> str:
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    return f"ALTER TABLE {column.table.name} ADD COLUMN {definition}"


def open_engine(url: URL, **options: Any) -> Engine:
    """Errors of this engine hold no values."""
    if is_file(url):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}, **options)
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        return engine
    defaults = {"connect_timeout": CONNECT_SECONDS, "application_name": "target-hubspot-tickets"}
    given = {name: value for name, value in defaults.items() if name not in url.query}
    # Pinged before use: a server that was restarted between two rounds ends no run.
    return create_engine(url, hide_parameters=True, connect_args=given, pool_pre_ping=True, **options)


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Driver: transactions are begun by `_begin` alone. SQLite: commits survive a power cut, deleted values are overwritten."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _begin(connection: Connection) -> None:
    """Writers take their turn at the start: SQLite refuses, without waiting, to make a writer of one that has read."""
    if connection.get_execution_options().get("is_writing"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_file(path: Path) -> None:
    """Nobody else may read it, whatever the umask; a file of another owner keeps its mode.

    A file that is there is not opened: closing it would free the locks that this process has on it (SQLite, "How To Corrupt").
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    except FileExistsError:
        there = path.stat()
        if stat.S_IMODE(there.st_mode) != FILE_MODE and there.st_uid == os.geteuid() and path.is_file():
            path.chmod(FILE_MODE)
        return
    os.fchmod(descriptor, FILE_MODE)
    os.close(descriptor)
