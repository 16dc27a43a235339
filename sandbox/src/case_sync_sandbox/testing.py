"""Shell: a sandbox of one's own for tests, in a child process on free ports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

START_SECONDS = 30
STOP_SECONDS = 10


class SandboxError(RuntimeError):
    """The sandbox did not start, or refused an admin call; the message holds its words."""


class RunningSandbox:
    """Starts `case-sync-sandbox serve` and stops it by its pid. Use it as a context manager."""

    salesforce_url: str
    hubspot_url: str

    def __init__(self, *, database: str = ":memory:", real_limits: bool = False) -> None:
        """`database` is a folder, or ":memory:"."""
        self._options = ["--database", database, *(["--real-limits"] if real_limits else [])]
        self._process: subprocess.Popen[str] | None = None
        self._client = httpx.Client(timeout=120, trust_env=False)

    @property
    def pid(self) -> int:
        """The process id of the servers."""
        if self._process is None:
            raise SandboxError("the sandbox is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        """Start and wait until it is ready."""
        command = [
            sys.executable,
            "-m",
            "case_sync_sandbox.cli",
            "serve",
            "--salesforce-port",
            "0",
            "--hubspot-port",
            "0",
        ]
        self._process = subprocess.Popen(  # noqa: S603  (our own program)
            [*command, "--no-announce", *self._options], stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SandboxError(
                f"the sandbox ended at start with exit code {self._process.wait(START_SECONDS)}"
            )
        ready = json.loads(line)
        self.salesforce_url, self.hubspot_url = ready["salesforce_url"], ready["hubspot_url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> int:
        """End the process and say its exit code; it is killed if it doesn't stop in time."""
        self._client.close()
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(STOP_SECONDS)
        finally:
            if self._process.stdout:
                self._process.stdout.close()

    def admin(self, method: str, path: str, json: Any = None) -> Any:
        """Call `/_sandbox/...`; `path` may leave that prefix out.

        Raises:
            SandboxError: the sandbox refused; the message is its answer.
        """
        full = path if path.startswith("/_sandbox") else f"/_sandbox/{path.lstrip('/')}"
        answer = self._client.request(method, f"{self.hubspot_url}{full}", json=json)
        if answer.status_code >= 400:
            raise SandboxError(f"{method} {full}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def reset(self) -> None:
        """Empty both halves; no faults, an empty log, the real time."""
        self.admin("POST", "reset")

    def seed(self, cases: int = 100, *, random_seed: int = 7, **sizes: int) -> Any:
        """Fill both halves; `sizes`: accounts, contacts."""
        return self.admin("POST", "seed", {"cases": cases, "random_seed": random_seed, **sizes})

    def mutate(self, **wanted: int) -> Any:
        """Change cases: edits, closes, deletes, undeletes, merges, adds; says the ids by kind."""
        return self.admin("POST", "mutate", wanted)

    def requests(self, *, since: int = 0, path: str = "", half: str | None = None) -> list[dict[str, Any]]:
        """The request log."""
        query = httpx.QueryParams({"since": since, "path": path, **({"half": half} if half else {})})
        return list(self.admin("GET", f"requests?{query}")["requests"])

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Add fault rules."""
        self.admin("POST", "faults", {"rules": list(rules)})

    def settings(self, **changes: Any) -> Any:
        """Turn switches of the HubSpot half."""
        return self.admin("POST", "hubspot/settings", changes)

    def writes(self, *, since: int = 0) -> list[dict[str, Any]]:
        """The HubSpot half's write log."""
        return list(self.admin("GET", f"hubspot/writes?since={since}")["writes"])

    def tickets(self, *, archived: bool = False) -> list[dict[str, Any]]:
        """The tickets as stored, with their associations."""
        found = self.admin("GET", f"hubspot/records/tickets?archived={str(archived).lower()}")
        return list(found["results"])
