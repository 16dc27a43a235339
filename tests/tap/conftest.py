"""The tap as a program against the sandbox's Salesforce."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.tap import TapSalesforceCases

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One run of the tap: exit code, messages, log, report."""

    returncode: int
    messages: list[dict[str, Any]]
    log: str
    report: dict[str, Any] = field(default_factory=dict)
    size_bytes: int = 0

    @property
    def rows(self) -> list[Row]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD"]

    @property
    def ids(self) -> list[str]:
        return [row["Id"] for row in self.rows]

    @property
    def state(self) -> dict[str, Any] | None:
        """The last state that came out."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """The tap's command in a folder of its own, pointed at the sandbox."""

    folder: Path
    login_url: str

    def file(self, name: str, value: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    def command(self, *options: str, **settings: Any) -> list[str]:
        config = credentials(self) | {"report_path": str(self.folder / "report.json")} | settings
        path = self.file("config.json", {n: v for n, v in config.items() if v is not None})
        return [sys.executable, "-m", "tap_salesforce_cases", "--config", path, *options]

    def start(self, *options: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*options, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )

    def read(self, state: Any = None, *options: str, catalog: Any = None, **settings: Any) -> Read:
        """Run to the end; `state` is one that a run before let out."""
        given = [*options]
        if state is not None:
            given += ["--state", self.file("state.json", state)]
        if catalog is not None:
            given += ["--catalog", self.file("catalog.json", catalog)]
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(*given, **settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=clean_environment(),
        )
        is_stream = not {"--discover", "--about", "--version"} & {*options}
        return Read(
            returncode=done.returncode,
            messages=[json.loads(line) for line in done.stdout.splitlines()] if is_stream else [],
            log=done.stderr,
            report=json.loads(report.read_text(encoding="utf-8")) if report.exists() else {},
        )

    def discover(self, **settings: Any) -> Any:
        done = subprocess.run(
            self.command("--discover", **settings), capture_output=True, text=True, check=True, env=clean_environment()
        )  # fmt: skip
        return json.loads(done.stdout)


def credentials(tap: Tap) -> dict[str, Any]:
    return {"login_url": tap.login_url, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}


class Died(BaseException):
    """The tap's process ends here, in the middle of a write."""


class Pipe(io.BytesIO):
    """A pipe that breaks after so many bytes, and takes the process with it; None: it holds."""

    def __init__(self, breaks_after: int | None) -> None:
        super().__init__()
        self._left = breaks_after

    def write(self, piece: Any) -> int:
        if self._left is not None and len(piece) > self._left:
            super().write(piece[: self._left])
            raise Died
        if self._left is not None:
            self._left -= len(piece)
        return super().write(piece)


def run_here(
    tap: Tap, state: Any = None, *, breaks_after: int | None = None, catalog: Any = None, **settings: Any
) -> Read:
    """The tap in this process, which is quicker: for tests of many runs. What a break leaves is what a reader has: whole lines."""
    pipe = Pipe(breaks_after)
    text = io.TextIOWrapper(pipe, encoding="utf-8", write_through=True)
    status = 0
    with contextlib.redirect_stdout(text):
        try:
            TapSalesforceCases(
                config=credentials(tap) | settings, state=state, catalog=catalog, parse_env_config=False
            ).sync_all()
        except Died:
            status = -9
    text.detach()
    lines = pipe.getvalue().split(b"\n")[:-1]
    return Read(
        returncode=status,
        messages=[json.loads(line) for line in lines],
        log="",
        size_bytes=len(pipe.getvalue()),
    )


def of(read: Read, stream: str) -> list[Row]:
    """The rows of one stream."""
    return [m["record"] for m in read.messages if m["type"] == "RECORD" and m["stream"] == stream]


def clean_environment() -> dict[str, str]:
    """Warnings are on, as Meltano has them."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("TAP_SALESFORCE_CASES_")}
    return kept | {"PYTHONWARNINGS": "once"}


@pytest.fixture
def tap(sandbox: RunningSandbox, tmp_path: Path) -> Tap:
    return Tap(folder=tmp_path, login_url=sandbox.salesforce_url)


def stored(sandbox: RunningSandbox) -> dict[str, Row]:
    """Every case as Salesforce holds it, deleted ones too."""
    return {c["Id"]: c for c in sandbox.admin("GET", "salesforce/records?object=Case")}
