"""Shell: runs Meltano, never by a shell, and reads what it and the plugins say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Self

from case_sync_console.errors import ConfigurationError, ConsoleError, PluginError
from case_sync_console.events import Event, RunEnd, event_of, run_end
from case_sync_console.run_folder import own_run_folder

TAP, MAPPER, TARGET = "tap-salesforce-cases", "case-ticket-mapper", "target-hubspot-tickets"
JOB = "case-sync"
DATABASE = Path(".meltano", "meltano.db")
FIRST_START = Lock()
# What a plugin says on its standard error is an event of level info in Meltano's log.
FOR_PROGRAMS = ("--log-level=info", "--log-format=json")
STATE_ID = f"{TAP}-to-{TARGET}"
# What an outer `meltano invoke case-sync` tells its child about itself, and not about the project.
OF_THE_OUTER = ("MELTANO_UTILITY_", "MELTANO_CLI_", "MELTANO_PARENT_CONTEXT_UUID", "MELTANO_RUN_")
Watch = Callable[[Event], None]
OWNER_ALONE = 0o077  # Meltano writes the plugins' settings, logins among them, into files while they run (reliability: D5)
END_SECONDS = 20  # the target ends within ten of a signal, and Meltano behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Meltano:
    """Meltano in one project folder and environment; `environment` None means the project's default."""

    folder: Path
    environment: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def given(self, variables: Mapping[str, str]) -> Self:
        """The same with more environment variables, such as TARGET_HUBSPOT_TICKETS_DRY_RUN."""
        return replace(self, variables={**self.variables, **variables})

    # -- plugins

    def invoke(self, plugin: str, *args: str, stdin: str | None = None, **variables: str) -> str:
        """Standard output of `meltano invoke PLUGIN ARGS`.

        Args:
            plugin: name, or name:command.
            args: what the plugin is given.
            stdin: what it reads.
            variables: environment variables, such as TARGET_HUBSPOT_TICKETS_DRY_RUN.

        Raises:
            PluginError: the plugin ended with an error; its words and exit code.
        """
        done = self._invoked(plugin, args, stdin, variables)
        if done.returncode != 0:
            raise _failed(plugin, done)
        return done.stdout

    def findings(self, plugin: str, *args: str, **variables: str) -> Any:
        """The one JSON value that a check prints, which ends with an error where it found problems.

        Raises:
            PluginError: it printed something else.
        """
        done = self._invoked(plugin, args, None, variables)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise _failed(plugin, done) from None

    @contextmanager
    def started(self, plugin: str, *args: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
        """`meltano invoke PLUGIN ARGS` as a process under way, which has ended at the end; `streams` are Popen's stdin, stdout and stderr."""
        with (
            own_run_folder(self.folder) as own,
            subprocess.Popen(
                self.command(*FOR_PROGRAMS, "invoke", plugin, *args),
                cwd=self.folder,
                env=self._environment(own),
                text=True,
                umask=OWNER_ALONE,
                **{"stdin": subprocess.DEVNULL, **streams},
            ) as process,
        ):
            yield process

    def invoke_json(self, plugin: str, *args: str, **variables: str) -> Any:
        """The one JSON value that a plugin prints.

        Raises:
            PluginError: it ended with an error, or printed something else.
        """
        printed = self.invoke(plugin, *args, **variables)
        try:
            return json.loads(printed)
        except ValueError:
            raise PluginError(
                plugin, 1, f"printed no JSON for {' '.join(args)}: is the plugin of this version?"
            ) from None

    def invoke_lines(self, plugin: str, *args: str, stdin: str | None = None, **variables: str) -> list[Any]:
        """The JSON values of a plugin's lines."""
        printed = self.invoke(plugin, *args, stdin=stdin, **variables)
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    # -- runs

    def run(self, *options: str, watch: Watch | None = None, **variables: str) -> RunEnd:
        """`meltano run OPTIONS case-sync`.

        Args:
            options: of `meltano run`.
            watch: sees each event while it happens.
            variables: environment variables.
        """
        with own_run_folder(self.folder) as own:
            return self._run(options, watch, {**variables, **own})

    def _run(self, options: Sequence[str], watch: Watch | None, variables: Mapping[str, str]) -> RunEnd:
        process = subprocess.Popen(
            self.command(*FOR_PROGRAMS, "run", *options, JOB),
            cwd=self.folder,
            env=self._environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=OWNER_ALONE,
        )
        with process:
            try:
                events = list(_watched(process, watch or (lambda _event: None)))
            except KeyboardInterrupt:  # the terminal told Meltano, too: let it end in its own way
                _let_end(process)
                raise
            except BaseException:  # only we were told, or something broke: Meltano is not to go on alone
                process.terminate()
                _let_end(process)
                raise
        return run_end(process.returncode, events)

    # -- states

    def state_id(self, suffix: str = "") -> str:
        """`prod:tap-salesforce-cases-to-target-hubspot-tickets`, and a suffix."""
        return ":".join(filter(None, (self.environment or "", STATE_ID, suffix)))

    def all_state_ids(self) -> list[str]:
        """All states of the project, whatever the environment."""
        return self._output("state", "list").split()

    def state_ids(self) -> list[str]:
        """All states of this environment's sync: the continuous one, and those of interrupted imports."""
        known = self.all_state_ids()
        return [one for one in known if one == self.state_id() or one.startswith(self.state_id() + ":")]

    def state(self, suffix: str = "") -> dict[str, Any] | None:
        """The Singer state; None where there is none."""
        printed = self._output("state", "get", self.state_id(suffix)).strip()
        try:
            found = json.loads(printed or "{}").get("singer_state")
        except ValueError:
            raise ConsoleError(f"meltano state get {self.state_id(suffix)} printed no JSON") from None
        return found if isinstance(found, dict) and found else None

    def clear_state(self, suffix: str = "") -> None:
        """Forget a state; no state is no error."""
        self._output("state", "clear", "--force", self.state_id(suffix))

    # -- processes

    def command(self, *args: str) -> list[str]:
        """The command line of Meltano."""
        chosen = ["--environment", self.environment] if self.environment else []
        return [str(program(self.folder)), *chosen, *args]

    def _invoked(
        self, plugin: str, args: Sequence[str], stdin: str | None, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        with self._alone_at_first(), own_run_folder(self.folder) as own:
            return subprocess.run(
                self.command(*FOR_PROGRAMS, "invoke", plugin, *args),
                cwd=self.folder,
                env=self._environment({**variables, **own}),
                input=stdin,
                stdin=None if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=OWNER_ALONE,
            )

    def _output(self, *args: str) -> str:
        with self._alone_at_first():
            done = subprocess.run(
                self.command("--log-level=error", *args),
                cwd=self.folder,
                env=self._environment({}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=OWNER_ALONE,
            )
        if done.returncode != 0:
            raise ConsoleError(f"meltano {args[0]}: {last_words(done.stderr or done.stdout)}")
        return done.stdout

    def _alone_at_first(self) -> AbstractContextManager[Any]:
        """Meltano 4.4: of two first starts in a project that make its database side by side, one fails."""
        is_new = not (self.folder / DATABASE).is_file() and "MELTANO_DATABASE_URI" not in os.environ
        return FIRST_START if is_new else nullcontext()

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_OUTER)}
        return {**kept, "NO_COLOR": "1", **self.variables, **variables}


def _failed(plugin: str, done: subprocess.CompletedProcess[str]) -> PluginError:
    name = plugin.split(":", maxsplit=1)[0]
    return PluginError(name, done.returncode or 1, last_words(done.stderr or done.stdout))


def _let_end(process: subprocess.Popen[str]) -> None:
    """Wait for its end, reading what it still says; one that does not end is told, then killed."""
    for end in (process.terminate, process.kill):
        try:
            process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            end()
        else:
            return
    process.communicate()


def side_by_side(*works: Callable[[], Any]) -> list[Any]:
    """The results of works that wait for other processes, in their order; the first error is raised."""
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def _watched(process: subprocess.Popen[str], watch: Watch) -> Iterator[Event]:
    for line in process.stdout or ():
        event = event_of(line)
        watch(event)
        yield event


def program(folder: Path) -> Path:
    """Meltano's executable: CASE_SYNC_MELTANO, beside this program, in the project's environment, or on the PATH.

    Raises:
        ConfigurationError: there is none.
    """
    named = os.environ.get("CASE_SYNC_MELTANO")
    places = [Path(named)] if named else []
    places += [Path(sys.executable).parent / "meltano", folder / ".venv" / "bin" / "meltano"]
    for place in places:
        if place.is_file():
            return place
    if found := shutil.which("meltano"):
        return Path(found)
    raise ConfigurationError(
        "Meltano is not found: run `make setup`, or name its executable in CASE_SYNC_MELTANO"
    )


def last_words(output: str) -> str:
    """What a failed process said, by itself or in Meltano's log: from its "Error: " on, else its last lines; never a traceback."""
    lines: Sequence[str] = [text for line in output.splitlines() if (text := event_of(line).text).strip()]
    for place, line in enumerate(lines):
        if line.startswith("Error: "):
            return "\n".join([line.removeprefix("Error: "), *lines[place + 1 :]])
    if any(line.startswith("Traceback ") for line in lines):
        return lines[-1]
    return "\n".join(lines[-3:]) or "it said nothing"
