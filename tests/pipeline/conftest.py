"""A Meltano project of its own for each test: the project's meltano.yml, with the plugins of the test environment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.ledger import Ledger, RejectedRow

from .forked import Forks

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PORTAL = "44556677"  # the sandbox's


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One `meltano run`: its exit code, all that it printed, and the two reports, where they were written."""

    returncode: int
    output: str
    tap: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Meltano project in a folder of its own, pointed at a running sandbox."""

    folder: Path
    env: dict[str, str]

    def meltano(self, *args: str, **env: str) -> Run:
        reports = {name: self.folder / f"{name}-report.json" for name in ("tap", "target")}
        for path in reports.values():
            path.unlink(missing_ok=True)
        done = subprocess.run(
            [str(BIN / "meltano"), *args],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        found = {
            name: json.loads(path.read_text(encoding="utf-8"))
            for name, path in reports.items()
            if path.exists()
        }
        return Run(returncode=done.returncode, output=done.stdout + done.stderr, **found)

    def rejected(self) -> list[RejectedRow]:
        """What the target has on record as rejected."""
        with Ledger.open(str(self.folder / "hubspot-tickets-ledger.db"), PORTAL) as ledger:
            return list(ledger.rejected())

    def sync(self, *options: str, **env: str) -> Run:
        return self.meltano("run", *options, "case-sync", **env)


def without_installation(definition: dict[str, Any]) -> dict[str, Any]:
    """The same plugins, not installed once more but taken from this environment; every setting stays."""
    for plugins in definition["plugins"].values():
        for plugin in plugins:
            del plugin["pip_url"]
            plugin["executable"] = str(BIN / plugin["executable"])
    return definition


Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def project(tmp_path: Path, sandbox: RunningSandbox) -> Callable[..., Project]:
    """`project()`, or `project(change)` with a function that changes the definition of meltano.yml first."""

    def make(change: Change | None = None) -> Project:
        definition = without_installation(yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8")))
        if change:
            change(definition)
        (tmp_path / "meltano.yml").write_text(
            yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8"
        )
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_", "MELTANO_"))},
            "NO_COLOR": "1",
            "TAP_SALESFORCE_CASES_LOGIN_URL": sandbox.salesforce_url,
            "TARGET_HUBSPOT_TICKETS_BASE_URL": sandbox.hubspot_url,
            "TAP_SALESFORCE_CASES_REPORT_PATH": str(tmp_path / "tap-report.json"),
            "TARGET_HUBSPOT_TICKETS_REPORT_PATH": str(tmp_path / "target-report.json"),
        }
        return Project(folder=tmp_path, env=env)

    return make


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The warm program of this test process, for pipelines without Meltano."""
    with Forks() as warm:
        yield warm
