"""Shell: the Singer target: its settings and command line, signals, and how a run ends."""

from __future__ import annotations

import contextlib
import io
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any, ClassVar

import click
import simplejson
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities

from target_hubspot_tickets import commands, memory, reporting
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.environment import configured
from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    LedgerError,
    SettingError,
    StoppedError,
    StreamError,
    TargetError,
    TooManyRejectedError,
)
from target_hubspot_tickets.progress import Progress
from target_hubspot_tickets.reading import MessageReader
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.running import Run
from target_hubspot_tickets.sessions import Session
from target_hubspot_tickets.settings import JSON_SCHEMA, problems_of, with_defaults
from target_hubspot_tickets.stopping import Stopping, StopSignal

ENDED = "ended"
GRACE_SECONDS = 7.0  # that a signal leaves to what is under way
STATUS = {0: "complete", 4: "stopped: token refused", 5: "stopped: quota", 6: "stopped: HubSpot unreachable", 7: "stopped: rejected records",
          8: "stopped: deletions to confirm", 9: "stopped: another run"}  # fmt: skip


class TargetHubspotTickets(Target):
    """Singer target for HubSpot tickets: batch upsert by a unique property, associations, archiving."""

    name = "target-hubspot-tickets"
    package_name = "target-hubspot-tickets"
    _env_var_config: ClassVar[dict[str, Any]] = {}  # `configured` reads it: the SDK names no wrong variable
    config_jsonschema = JSON_SCHEMA
    message_reader_class = MessageReader
    capabilities = (PluginCapabilities.ABOUT, PluginCapabilities.ACTIVATE_VERSION)  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        """A target by its configuration; the options are the SDK's."""
        self._stopping = Stopping()
        self._out = sys.stdout
        self._run: Run | None = None
        self._held = contextlib.ExitStack()
        self._is_reporting = False
        self._last_state: dict[str, Any] | None = None
        self._began = datetime.now(UTC)
        self.report = Report()
        super().__init__(**options)
        self.message_reader.between_reads = self._between_reads  # type: ignore[attr-defined]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The configuration with defaults."""
        return with_defaults(self.config)

    @property
    def run(self) -> Run:
        """The run under way; one is begun for who calls the SDK's `listen` itself."""
        return self._run or self._begin(())

    def _begin(self, retried_keys: Sequence[str] | None) -> Run:
        client = self._held.enter_context(HubSpotClient(self.settings))
        session = self._held.enter_context(
            Session(self.settings, client, check_signal=self._stopping.check, retried_keys=retried_keys)
        )
        self._run = Run(session=session, report=self.report, emit=self._emit, check_signal=self._look)
        self._held.callback(self._run.close)
        self._held.callback(client.stop)  # before the run waits for its threads
        return self._run

    # -- messages

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.run.schema(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.run.record(message_dict, self.message_reader.line_bytes)  # type: ignore[attr-defined]

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self.run.state(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self.run.activate_version(message_dict)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise StreamError(
            f"stream '{message_dict.get('stream')}' comes as BATCH messages: switch batch_config off in the tap"
        )

    def process_endofpipe(self) -> None:
        """The input is over."""
        self.run.finish()
        if not self._is_reporting:
            self._held.close()

    def _between_reads(self) -> None:
        self._look()
        self.run.tick()

    # -- signals and states

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's form
        self._stopping.note(signum)

    def _look(self) -> None:
        """Between two steps, in the thread that reads: whether a signal came, and whether it is time to tell how far the run is."""
        self._stopping.check()
        self._progress.tick()

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self.settings["progress_path"], self._how_far)

    def _how_far(self) -> dict[str, Any]:
        """The report so far; its status and exit code once the run has ended."""
        now, run = datetime.now(UTC), self.run
        under_way: dict[str, Any] = {}
        if run.phase != ENDED:
            under_way = {"status": "running", "exit_code": None}
            self.report.seconds = (now - self._began).total_seconds()
            self.report.api_calls = run.session.client.api_calls
        times = {"started_at": self._began.isoformat(), "at": now.isoformat()}
        names = {"phase": run.phase, "run_name": self.settings["run_name"]}
        return names | times | self.report.as_json() | under_way

    def _emit(self, state: dict[str, Any]) -> None:
        """The one place that writes to stdout: any other JSON line there would become the state (D6). A dry run has none."""
        if self.settings["dry_run"]:
            return
        try:
            self._out.write(simplejson.dumps(state, use_decimal=True, allow_nan=True) + "\n")
            self._out.flush()
            self._last_state = state
        except BrokenPipeError:
            raise TargetError(
                "nobody reads the states any more: what was written is written again, alike"
            ) from None

    # -- a run

    def retry(self, keys: Sequence[str] | None) -> None:
        """A run without an input: what earlier ones left of the records with these keys (None: of all) is tried again."""
        self.listen_and_report(retried_keys=keys)

    def listen_and_report(
        self, file_input: IO[str] | None = None, *, retried_keys: Sequence[str] | None = ()
    ) -> None:
        """Load a whole input, and leave the report whatever the end.

        Raises:
            TargetError: what ended the run; all that could be confirmed was.
            SystemExit: with 128 + the signal that ended it.
        """
        started, self._began, self._out = time.monotonic(), datetime.now(UTC), sys.stdout
        self._is_reporting = True
        with self._stopping.watched(), contextlib.redirect_stdout(sys.stderr), self._held:
            session = self._begin(retried_keys).session
            session.begin()
            try:
                reporting.try_path(self.settings)
                self._progress.start()
                self._listen(file_input, session if retried_keys != () else None)
                self.report.exit_code = 0
            except TargetError as error:
                self.report.exit_code = error.exit_code
                raise
            except SystemExit as stop:
                self.report.exit_code = int(stop.code or 0)
                raise
            finally:
                self._note_end(session, time.monotonic() - started)

    def _listen(self, file_input: IO[str] | None, retried: Session | None) -> None:
        """Read to the end, or the streams that the ledger knows; an early end first saves what is under way."""
        try:
            self._read(file_input, retried)
        except (TargetError, StoppedError):
            raise
        except StopSignal:  # one more of them, while the first was being answered
            raise SystemExit(128 + self._stopping.signals[0]) from None
        except Exception as error:  # noqa: BLE001 - a traceback would quote values; confirmed rounds are saved first
            self.run.save(GRACE_SECONDS)
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise TargetError(
                f"a fault of this program: {type(error).__name__} in {Path(where.filename).name}, line {where.lineno}; "
                "what was confirmed is in the state. Please report it"
            ) from None
        if self.settings["fail_on_rejected"] and self.report.newly_rejected:
            raise TooManyRejectedError(
                f"{self.report.newly_rejected} records were rejected, and fail_on_rejected is on"
            )

    def _read(self, file_input: IO[str] | None, retried: Session | None) -> None:
        try:
            self.listen(_schemas_of(retried) if retried else file_input)
            self._add_up()
        except StreamError:
            self.run.settle()
            raise
        except StopSignal:
            signals = self._stopping.signals
            self.run.save(0 if len(signals) > 1 else GRACE_SECONDS)
            raise SystemExit(128 + signals[0]) from None
        except (TargetError, StoppedError) as error:
            self.run.save(GRACE_SECONDS)
            cause = self.run.session.client.ended_by
            if isinstance(error, StoppedError) and cause:
                raise cause from None
            raise

    def _add_up(self) -> None:
        """No record without an outcome (I9)."""
        report = self.report
        if report.outcomes != report.records + report.retried:
            raise TargetError(
                f"{report.records + report.retried} records came and {report.outcomes} have an outcome: a fault of this program. "
                "Please report it, and run again"
            )

    def _note_end(self, session: Session, seconds: float) -> None:
        """The report of the run: in the ledger, in the log, in a file."""
        self.report.seconds = seconds
        self.report.status = STATUS.get(self.report.exit_code, "incomplete")
        try:
            session.note_end(self.report, self._began, self._last_state)
        except LedgerError:
            if self.report.exit_code == 0:  # else the run has an error that says more
                raise
        self.run.phase = ENDED
        self._progress.write()
        reporting.tell(self.report, self.settings)

    # -- settings and command line

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """The files of --config; what is wrong with one is told in a line, without what it holds."""
        try:
            return super().cb_config(ctx, param, value)
        except FileNotFoundError:
            raise click.BadParameter(f"there is no such file: {_names(value)}", ctx, param) from None
        except (OSError, ValueError, TypeError):
            raise _Failure(
                f"--config: a file can't be read as a JSON object: {_names(value)}", SettingError.exit_code
            ) from None

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """All problems at once, none with a value: the SDK's own check would print a secret of the wrong type (D12)."""
        problems = problems_of(self._config)
        if problems and raise_errors:
            raise ConfigValidationError("; ".join(problems), errors=problems, schema=self.config_jsonschema)
        return problems

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """None of the SDK's own settings: they speak of sinks, which this target does not use."""

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's options, and those that look at the portal and the ledger."""
        command = super().get_singer_command()
        command.params.extend(commands.OPTIONS)
        return command

    @classmethod
    def invoke(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
        **asked: Any,
    ) -> None:
        """The command line; what ends a run is one readable message, not a traceback, and an exit code of its own."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        memory.prepare()
        try:
            target = cls(config=configured(config), parse_env_config=True)
            if not commands.carry_out(target, asked, file_input):
                target.listen_and_report(file_input)
        except ConfigValidationError as error:
            raise _Failure("; ".join(error.errors), SettingError.exit_code) from None
        except HubSpotAnswerError as error:
            raise _Failure(str(error), error.exit_code) from None
        except TargetError as error:
            raise _Failure(str(error), error.exit_code) from None


def _names(config: Sequence[str]) -> str:
    return ", ".join(name for name in config if name != "ENV")


def _schemas_of(session: Session) -> IO[str]:
    """An input of nothing but the streams that the ledger knows."""
    lines = (simplejson.dumps(one, use_decimal=True, allow_nan=True) for one in session.known_streams())
    return io.StringIO("\n".join(lines))


class _Failure(click.ClickException):
    """A message for the screen, and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance
