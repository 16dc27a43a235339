"""A project folder for the console's tests: the project's own meltano.yml, comments and all, and `case-sync` as a process."""

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from case_sync_sandbox.testing import RunningSandbox

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PORTAL = "44556677"  # the sandbox's
TIMEOUT_SECONDS = 900  # of one command: several runs of Meltano, on a machine that has others to do
KEY = "salesforce_case_id"
NOT_INHERITED = ("TAP_", "TARGET_", "CASE_TICKET_MAPPER_", "MELTANO_", "CASE_SYNC_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both, for messages of assertions."""
        return f"exit code {self.exit_code}\n{self.stdout}\n{self.stderr}"

    def json(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder pointed at a running sandbox; both programs run as an admin runs them."""

    folder: Path
    sandbox: RunningSandbox
    env: dict[str, str] = field(repr=False)

    def console(self, *args: str, input: str | None = None, **env: str) -> Ended:  # noqa: A002 - as subprocess names it
        """`case-sync ARGS` in the folder; its standard input is no terminal."""
        return self._run("case-sync", args, input, env)

    def meltano(self, *args: str, **env: str) -> Ended:
        """`meltano ARGS` in the folder."""
        return self._run("meltano", args, None, env)

    def definition(self) -> Any:
        """The document of meltano.yml as it is now."""
        return yaml().load(self.text())

    def text(self) -> str:
        """The bytes of meltano.yml as text."""
        return (self.folder / "meltano.yml").read_text(encoding="utf-8")

    def change(self, change: Callable[[Any], None]) -> None:
        """Edit meltano.yml as an admin with an editor would; `change` gets the document."""
        document = self.definition()
        change(document)
        (self.folder / "meltano.yml").write_text(dumped(document), encoding="utf-8")

    def rules(self) -> Any:
        """The rules block, of the file as it is now."""
        (mapper,) = self.definition()["plugins"]["mappers"]
        return mapper["mappings"][0]["config"]["rules"]

    def change_rules(self, change: Callable[[Any], None]) -> None:
        """Edit the rules block in meltano.yml."""
        self.change(
            lambda document: change(document["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"])
        )

    def switch_on(self) -> None:
        """Say in meltano.yml that the sync is on, without a bookmark: its first run brings in all cases."""

        def edit(document: Any) -> None:
            (tap,) = document["environments"][0]["config"]["plugins"]["extractors"]
            tap["config"]["sync_status"] = "active"

        self.change(edit)

    def tickets(self) -> dict[str, dict[str, Any]]:
        """Active tickets by case id; fails when two share a case."""
        tickets = self.sandbox.tickets()
        found = {t["properties"][KEY]: t for t in tickets if t["properties"].get(KEY)}
        assert len(found) == len(tickets), "two tickets of one case, or a ticket of none"
        return found

    def cases(self) -> dict[str, dict[str, Any]]:
        """Cases of the Salesforce half by id, deleted ones among them."""
        return {c["Id"]: c for c in self.sandbox.admin("GET", "salesforce/records?object=Case")}

    def states(self) -> dict[str, str]:
        """Meltano's states by id, read from its database: a start of Meltano for each look would be dear."""
        path = self.folder / ".meltano" / "meltano.db"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT state_id, partial_state, completed_state FROM state").fetchall()
        return {state_id: f"{partial} {completed}" for state_id, partial, completed in rows}

    def state(self) -> str:
        """The state of the continuous sync; "" where there is none."""
        return self.states().get("sandbox:tap-salesforce-cases-to-target-hubspot-tickets", "")

    def _run(self, program: str, args: tuple[str, ...], given: str | None, env: dict[str, str]) -> Ended:
        done = subprocess.run(
            [str(BIN / program), *args],
            cwd=self.folder,
            env={**self.env, **env},
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        return Ended(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def yaml() -> YAML:
    """A reader and writer that keeps comments, quotes and the form of the project's file."""
    made = YAML()
    made.width, made.preserve_quotes = 4096, True
    made.indent(mapping=2, sequence=2, offset=0)
    return made


def dumped(document: Any) -> str:
    out = io.StringIO()
    yaml().dump(document, out)
    return out.getvalue()


def make_project(folder: Path, sandbox: RunningSandbox) -> Project:
    """A project in this folder. The plugins are not installed once more but taken from this environment."""
    document = yaml().load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    for plugins in document["plugins"].values():
        for plugin in plugins:
            del plugin["pip_url"]
            plugin["executable"] = str(BIN / plugin["executable"])
    (folder / "meltano.yml").write_text(dumped(document), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    env = {
        **kept,
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "HOME": str(folder),  # nothing of the machine's user is read or changed
        "TAP_SALESFORCE_CASES_LOGIN_URL": sandbox.salesforce_url,
        "TARGET_HUBSPOT_TICKETS_BASE_URL": sandbox.hubspot_url,
    }
    return Project(folder=folder, sandbox=sandbox, env=env)


@pytest.fixture
def project(tmp_path: Path, sandbox: RunningSandbox) -> Project:
    """A project of the test's own, and a sandbox with two empty halves."""
    return make_project(tmp_path, sandbox)


@pytest.fixture(scope="module")
def module_project(
    tmp_path_factory: pytest.TempPathFactory, sandbox_server: RunningSandbox
) -> Iterator[Project]:
    """One project for all tests of a module, with a sandbox emptied once: starts of Meltano are dear.

    Do not use it with `project` or `sandbox` in one module (they empty the same servers), and mark the module with
    `pytestmark = pytest.mark.xdist_group("its name")`, so that one worker runs it.
    """
    sandbox_server.reset()
    yield make_project(tmp_path_factory.mktemp("project"), sandbox_server)
    sandbox_server.reset()
