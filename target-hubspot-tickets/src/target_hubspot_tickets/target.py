"""Shell: the Singer target: its settings and command line, signals, and how a run ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any

import click
import simplejson
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities

from target_hubspot_tickets import commands
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    LedgerError,
    SettingError,
    StoppedError,
    StreamError,
    TargetError,
    TooManyRejectedError,
)
from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.reading import MessageReader
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.running import Run
from target_hubspot_tickets.sessions import Session
from target_hubspot_tickets.settings import JSON_SCHEMA, problems_of, with_defaults

GRACE_SECONDS = 7.0  # that a signal leaves to what is under way
LAST_SECONDS = 9.5  # after that the process ends, whatever hangs: what is not confirmed has no state
STATUS = {0: "complete", 4: "stopped: token refused", 5: "stopped: quota", 6: "stopped: HubSpot unreachable", 7: "stopped: rejected records",
          8: "stopped: deletions to confirm", 9: "stopped: another run"}  # fmt: skip


class StopSignal(Exception):  # noqa: N818 - not an error: somebody wants an end
    """SIGTERM or Ctrl-C came."""


class TargetHubspotTickets(Target):
    """Singer target for HubSpot tickets: batch upsert by a unique property, associations, archiving."""

    name = "target-hubspot-tickets"
    package_name = "target-hubspot-tickets"
    config_jsonschema = JSON_SCHEMA
    message_reader_class = MessageReader
    capabilities = (PluginCapabilities.ABOUT, PluginCapabilities.ACTIVATE_VERSION)  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        """A target by its configuration; the options are the SDK's."""
        self._signals: list[int] = []
        self._out = sys.stdout
        self._run: Run | None = None
        self._held = contextlib.ExitStack()
        self._is_reporting = False
        self._last_state: dict[str, Any] | None = None
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
            Session(self.settings, client, check_signal=self._check_signal, retried_keys=retried_keys)
        )
        self._run = Run(session=session, report=self.report, emit=self._emit, check_signal=self._check_signal)
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
        self._check_signal()
        self.run.tick()

    # -- signals and states

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's form
        """Only note it (D1): the thread that reads looks between two steps. A clock sees to it that a hung call ends, too."""
        if not self._signals:
            last = threading.Timer(LAST_SECONDS, os._exit, (128 + signum,))
            last.daemon = True
            last.start()
        self._signals.append(signum)

    def _check_signal(self) -> None:
        if self._signals:
            raise StopSignal

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
        started, began, self._out = time.monotonic(), datetime.now(UTC), sys.stdout
        self._is_reporting = True
        with contextlib.redirect_stdout(sys.stderr), self._held:
            session = self._begin(retried_keys).session
            try:
                self._try_report_path()
                self._listen(file_input, session if retried_keys != () else None)
                self.report.exit_code = 0
            except TargetError as error:
                self.report.exit_code = error.exit_code
                raise
            except SystemExit as stop:
                self.report.exit_code = int(stop.code or 0)
                raise
            finally:
                self._note_end(session, began, time.monotonic() - started)

    def _listen(self, file_input: IO[str] | None, retried: Session | None) -> None:
        """Read to the end, or the streams that the ledger knows; an early end first saves what is under way."""
        try:
            self.listen(_schemas_of(retried) if retried else file_input)
            self._add_up()
        except StreamError:
            self.run.settle()
            raise
        except StopSignal:
            self.run.save(0 if len(self._signals) > 1 else GRACE_SECONDS)
            raise SystemExit(128 + self._signals[0]) from None
        except (TargetError, StoppedError) as error:
            self.run.save(GRACE_SECONDS)
            cause = self.run.session.client.ended_by
            if isinstance(error, StoppedError) and cause:
                raise cause from None
            raise
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

    def _add_up(self) -> None:
        """No record without an outcome (I9)."""
        report = self.report
        if report.outcomes != report.records + report.retried:
            raise TargetError(
                f"{report.records + report.retried} records came and {report.outcomes} have an outcome: a fault of this program. "
                "Please report it, and run again"
            )

    def _try_report_path(self) -> None:
        """Told at the start, not when everything is written."""
        if path := self.settings["report_path"]:
            try:
                with Path(path).open("a", encoding="utf-8"):
                    pass
            except OSError as error:
                raise SettingError(f"report_path can't be written: {error.strerror}") from None

    def _note_end(self, session: Session, began: datetime, seconds: float) -> None:
        """The report of the run: in the ledger, in the log, in a file."""
        self.report.seconds = seconds
        self.report.status = STATUS.get(self.report.exit_code, "incomplete")
        try:
            session.note_end(self.report, began, self._last_state)
        except LedgerError:
            if self.report.exit_code == 0:  # else the run has an error that says more
                raise
        self.logger.info(
            self.report.line(plan_path=self.settings["plan_path"] if self.settings["dry_run"] else None)
        )
        if self.report.rejected:
            reasons = ", ".join(
                f"{count} {code}" for code, count in self.report.rejected_by_code.most_common(5)
            )
            self.logger.warning(
                "%s records were rejected (%s). %s. What HubSpot refused is tried again by the next run; a case that a rule refused "
                "comes with its next change, or with a full refresh",
                self.report.rejected,
                reasons,
                hint("See them", "rejected"),
            )
        if path := self.settings["report_path"]:
            try:
                Path(path).write_text(json.dumps(self.report.as_json()) + "\n", encoding="utf-8")
            except OSError as error:
                raise SettingError(f"report_path can't be written: {error.strerror}") from None

    # -- settings and command line

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
        try:
            target = cls(
                config=dict(config.config) if config else {},
                parse_env_config=bool(config and config.parse_env),
            )
            if not commands.carry_out(target, asked, file_input):
                target.listen_and_report(file_input)
        except ConfigValidationError as error:
            raise _Failure("; ".join(error.errors), SettingError.exit_code) from None
        except HubSpotAnswerError as error:
            raise _Failure(str(error), error.exit_code) from None
        except TargetError as error:
            raise _Failure(str(error), error.exit_code) from None


def _schemas_of(session: Session) -> IO[str]:
    """An input of nothing but the streams that the ledger knows."""
    lines = (simplejson.dumps(one, use_decimal=True, allow_nan=True) for one in session.known_streams())
    return io.StringIO("\n".join(lines))


class _Failure(click.ClickException):
    """A message for the screen, and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance
