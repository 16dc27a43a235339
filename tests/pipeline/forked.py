"""tap | mapper | target as processes with pipes between them, forked from a warm program, driven and ended as Meltano does it."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import yaml

from case_sync_sandbox.testing import RunningSandbox

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("fork_server.py")
PLUGINS = ("tap", "mapper", "target")
RUN_SECONDS = 120  # a run that takes longer hangs
OWN_VARIABLES = ("TAP_", "TARGET_", "MELTANO_", "CASE_TICKET_MAPPER_")


class HangError(AssertionError):
    """A process did not end in time; it was killed."""


class Forks:
    """The warm program. A context manager: its children end with it."""

    def __init__(self) -> None:
        self._talk, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            program = f"import os; os.dup2({theirs.fileno()}, 3); os.execv({sys.executable!r}, {[sys.executable, '-u', str(SERVER)]!r})"
            self._server = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._talk.close()
        self._server.wait(timeout=30)

    def ask(self, question: Mapping[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            self._talk.sendmsg([json.dumps(question).encode()], rights if descriptors else [])
            answer: dict[str, Any] = json.loads(self._talk.recv(4096))
            return answer


@dataclass(slots=True)
class Process:
    """A child of the warm program."""

    forks: Forks
    pid: int
    pidfd: int = field(init=False)
    code: int | None = None

    def __post_init__(self) -> None:
        self.pidfd = os.pidfd_open(self.pid)

    def send(self, number: int) -> bool:
        """Whether it was there to get the signal."""
        if self.code is not None:
            return False
        signal.pidfd_send_signal(self.pidfd, number)  # a zombie gets it, too: its pid is ours until `wait`
        return True

    def has_ended(self, seconds: float = 0) -> bool:
        return self.code is not None or bool(select.select([self.pidfd], [], [], seconds)[0])

    def wait(self, seconds: float = RUN_SECONDS) -> int:
        """Its exit code, negative for a signal.

        Raises:
            HangError: it did not end.
        """
        if self.code is None:
            hangs = not self.has_ended(seconds)
            if hangs:
                self.send(signal.SIGKILL)
            self.code = int(self.forks.ask({"wait": self.pid})["code"])
            os.close(self.pidfd)
            if hangs:
                raise HangError(f"the process did not end in {seconds} seconds")
        return self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over: exit codes and logs by plugin, the states that the target let out, the target's report."""

    codes: dict[str, int]
    logs: dict[str, str]
    states: list[dict[str, Any]]
    report: dict[str, Any]

    @property
    def log(self) -> str:
        return "\n".join(f"-- {name}: {self.codes[name]}\n{self.logs[name]}" for name in PLUGINS)

    @property
    def is_clean(self) -> bool:
        return not any(self.codes.values())


class Running:
    """A run under way: three processes, and a reader of states."""

    def __init__(self, pipeline: Pipeline, processes: dict[str, Process], states: IO[bytes]) -> None:
        self._pipeline, self.processes, self._states = pipeline, processes, states
        self._lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """As Meltano does: each whole line that is JSON is the state from then on."""
        with self._states as pipe:
            for line in pipe:
                if line.endswith(b"\n"):
                    with contextlib.suppress(ValueError):
                        self._lines.append(json.loads(line))

    def wait_until_up(self) -> None:
        """Until all three can take a signal; one that comes while Python starts is nobody's."""
        folder = self._pipeline.folder
        while not self.is_over() and not all((folder / f"{name}.log").stat().st_size for name in PLUGINS):
            time.sleep(0.01)

    def is_over(self) -> bool:
        return all(process.has_ended() for process in self.processes.values())

    def end(self, *, as_meltano: bool = True, seconds: float = RUN_SECONDS) -> Ended:
        """Wait for the ends. Under Meltano a target that ends takes the others along, and so does a mapper that fails.

        Raises:
            HangError: a process did not end.
        """
        until = time.monotonic() + seconds
        tap, mapper, target = (self.processes[name] for name in PLUGINS)
        while not self.is_over():
            left = [p.pidfd for p in self.processes.values() if not p.has_ended()]
            if time.monotonic() > until:
                self.kill_all()
                raise HangError(f"a run did not end in {seconds} seconds; {len(left)} processes were left")
            select.select(left, [], [], 0.5)
            if as_meltano and target.has_ended():
                for process in (tap, mapper):
                    process.send(signal.SIGKILL)
            elif as_meltano and mapper.has_ended() and mapper.wait():
                for process in (tap, target):
                    process.send(signal.SIGKILL)
        return self._ended()

    def kill_all(self) -> None:
        for process in self.processes.values():
            process.send(signal.SIGKILL)

    def _ended(self) -> Ended:
        codes = {name: process.wait() for name, process in self.processes.items()}
        self._reader.join(timeout=30)
        if self._lines:
            self._pipeline.state = self._lines[-1]
        folder = self._pipeline.folder
        report = folder / "target-report.json"
        text = report.read_text(encoding="utf-8") if report.exists() else ""
        return Ended(
            codes=codes,
            logs={name: (folder / f"{name}.log").read_text(encoding="utf-8") for name in PLUGINS},
            states=self._lines,
            report=json.loads(text) if text else {},
        )


def project_rules() -> dict[str, Any]:
    """The rules of meltano.yml."""
    definition = yaml.load((ROOT / "meltano.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    rules: dict[str, Any] = definition["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]
    return rules


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """The three plugins in a folder, with the settings of meltano.yml's sandbox; `state` is what Meltano would have saved."""

    forks: Forks
    folder: Path
    sandbox: RunningSandbox
    tap: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=project_rules)
    state: dict[str, Any] | None = None

    def start(self) -> Running:
        folder = self.folder
        (folder / "target-report.json").unlink(missing_ok=True)
        between = [os.pipe(), os.pipe(), os.pipe()]
        sources = [os.open(os.devnull, os.O_RDONLY), between[0][0], between[1][0]]
        processes = {}
        for name, source, (_, out) in zip(PLUGINS, sources, between, strict=True):
            log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            asked = {"plugin": name, "argv": self.arguments(name), "cwd": str(folder), "env": environment()}
            pid = self.forks.ask(asked, [source, out, log])["pid"]
            processes[name] = Process(self.forks, pid)
            for descriptor in (source, out, log):
                os.close(descriptor)
        return Running(self, processes, os.fdopen(between[2][0], "rb"))

    def run(self, *, seconds: float = RUN_SECONDS) -> Ended:
        return self.start().end(seconds=seconds)

    def arguments(self, name: str) -> list[str]:
        arguments = ["--config", self._file(name, getattr(self, f"_{name}_settings")())]
        if name == "tap" and self.state is not None:
            arguments += ["--state", self._file("state", self.state)]
        return arguments

    def _file(self, name: str, value: Any) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    def _tap_settings(self) -> dict[str, Any]:
        known = {
            "login_url": self.sandbox.salesforce_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "exclude_fields": ["LastViewedDate", "LastReferencedDate"],
            "retry_wait_seconds": 0.01,
        }
        return known | self.tap

    def _mapper_settings(self) -> dict[str, Any]:
        return {"rules": self.rules}

    def _target_settings(self) -> dict[str, Any]:
        known = {
            "base_url": self.sandbox.hubspot_url,
            "access_token": "sandbox-token",
            "on_delete": "archive",
            "report_path": str(self.folder / "target-report.json"),
        }
        return {name: value for name, value in (known | self.target).items() if value is not None}


def environment() -> dict[str, str]:
    """None of the settings that the shell of the tests may hold; Python as Meltano starts it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    return kept | {"PYTHONUNBUFFERED": "1"}
