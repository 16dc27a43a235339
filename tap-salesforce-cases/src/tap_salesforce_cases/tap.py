"""Shell: the Singer tap: its command line, its catalog, its streams in order, and its report."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_salesforce_cases.case_stream import CasesStream
from tap_salesforce_cases.configuration import problems_of, with_defaults
from tap_salesforce_cases.describe import record_types_of
from tap_salesforce_cases.describing import Described, Describer
from tap_salesforce_cases.errors import (
    QuotaReachedError,
    ReplicationGapError,
    SalesforceAnswerError,
    StoppedError,
    TapError,
    UnreadableObjectError,
)
from tap_salesforce_cases.filters import Filter, build_filter, record_type_names
from tap_salesforce_cases.messages import MessageWriter
from tap_salesforce_cases.moments import from_wire
from tap_salesforce_cases.objects import CASES, OTHERS, SNAPSHOTS, StreamKind
from tap_salesforce_cases.report import Report
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.settings import JSON_SCHEMA
from tap_salesforce_cases.snapshot_stream import SnapshotStream
from tap_salesforce_cases.streams import SObjectStream

UPDATED_CALL = timedelta(minutes=5)  # getUpdated wants more than a minute


class TapSalesforceCases(Tap):
    """Singer tap for Salesforce Cases: every readable field, relationship columns, gapless, deletes as tombstones."""

    name = "tap-salesforce-cases"
    package_name = "tap-salesforce-cases"
    config_jsonschema = JSON_SCHEMA
    dynamic_catalog = True
    message_writer_class = MessageWriter
    message_writer: MessageWriter
    capabilities = [  # noqa: RUF012 - the SDK's form
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        PluginCapabilities.ABOUT,
    ]
    _discovers_all = False

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The configuration with defaults."""
        return with_defaults(self.config)

    @cached_property
    def session(self) -> SalesforceSession:
        return SalesforceSession(self.settings)

    @cached_property
    def describer(self) -> Describer:
        return Describer(self.session, self.settings)

    @cached_property
    def report(self) -> Report:
        return Report()

    # -- streams

    def discover_streams(self) -> list[Stream]:
        """What the user may read: in discovery all streams, in a run those that are selected."""
        wanted = [kind for kind in OTHERS if self._is_wanted(kind.name, by_default=kind.by_default)]
        if wanted and not self.settings["describe_cache_path"]:
            self.describer.prepare([CASES.object_name, *(kind.object_name for kind in wanted)])
        described = self.describer.describe(CASES.object_name)
        scope = self._scope(described)
        columns = self.describer.columns(CASES, described)
        cases = CasesStream(self, columns, described.server_time, scope)
        snapshots = SnapshotStream(self, described.server_time, scope)
        return [cases, *(s for kind in wanted if (s := self._stream(kind))), snapshots]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of a run: `cases` first, `case_snapshots` last, so that no snapshot is older than a row."""
        if self._streams is None:
            found = super().streams
            last = len(found)
            order = {CASES.name: 0, SNAPSHOTS: last}
            self._streams = dict(sorted(found.items(), key=lambda item: order.get(item[0], 1)))
        return self._streams

    def _is_wanted(self, name: str, *, by_default: bool) -> bool:
        if self._discovers_all:
            return True
        if self.input_catalog is None:
            return by_default
        entry = self.input_catalog.get_stream(name)
        return bool(entry and entry.metadata.resolve_selection().get((), False))

    def _stream(self, kind: StreamKind) -> Stream | None:
        try:
            described = self.describer.describe(kind.object_name)
            return SObjectStream(self, kind, self.describer.columns(kind, described), described.server_time)
        except (SalesforceAnswerError, UnreadableObjectError) as error:
            if isinstance(error, SalesforceAnswerError) and error.status not in {400, 403, 404}:
                raise
            self.logger.warning("No stream %s: %s", kind.name, error)
            return None

    def _scope(self, described: Described) -> Filter:
        known = record_types_of(described.body)
        names = {
            setting: record_type_names(self.settings[setting], known, setting)
            for setting in ("record_types_include", "record_types_exclude")
        }
        return build_filter(
            self.settings["where"], names["record_types_include"], names["record_types_exclude"]
        )

    def ceiling(self, object_name: str, server_time: datetime) -> datetime:
        """The highest bookmark of a run: the lookback behind the clock, and behind open transactions if asked for."""
        ceiling = server_time - timedelta(seconds=self.settings["lookback_seconds"])
        if not self.settings["use_get_updated"] or object_name != CASES.object_name:
            return ceiling
        start = server_time - UPDATED_CALL
        parameters = {
            "start": f"{start:%Y-%m-%dT%H:%M:%S}+00:00",
            "end": f"{server_time:%Y-%m-%dT%H:%M:%S}+00:00",
        }
        try:
            answer = self.session.get(f"{self.session.base_path}/sobjects/{object_name}/updated/", parameters)
        except ReplicationGapError:
            return ceiling
        covered = from_wire(answer.json["latestDateCovered"])
        floor = server_time - timedelta(seconds=self.settings["max_lookback_seconds"])
        return min(ceiling, max(covered, floor))

    def note_gap(self) -> None:
        """The delete log has a gap: the ids are reconciled in this run, or in the next one that gets so far."""
        self.state.setdefault("bookmarks", {}).setdefault(SNAPSHOTS, {})["due"] = True
        if SNAPSHOTS in self.streams and not self.streams[SNAPSHOTS].selected:
            self.logger.warning("Select the stream case_snapshots: purged cases can't be found without it")

    # -- the run

    def run_discovery(self) -> str:
        """The catalog of all streams."""
        self._discovers_all = True
        return super().run_discovery()

    def sync_all(self) -> None:  # type: ignore[misc] # the SDK's own, with a report around it
        """Run, and leave the report whatever the end."""
        started = time.monotonic()
        try:
            self._check_states()
            super().sync_all()
            self.report.status = "complete"
        except QuotaReachedError:
            self.report.status = "stopped: quota"
            raise
        except StoppedError:
            self.report.status = "stopped: signal"
            raise
        finally:
            self._leave_report(time.monotonic() - started)

    def _check_states(self) -> None:
        """Refuse a foreign state before any message and any work."""
        for stream in self.streams.values():
            if isinstance(stream, SObjectStream) and stream.selected and stream.kind.incremental:
                _ = stream.bookmark

    def _leave_report(self, seconds: float) -> None:
        self.report.seconds = seconds
        self.report.api_calls, self.report.usage = self.session.api_calls, self.session.usage
        self.logger.info(self.report.line())
        if path := self.settings["report_path"]:
            try:
                Path(path).write_text(json.dumps(self.report.as_json()) + "\n", encoding="utf-8")
            except OSError as error:
                raise TapError(f"report_path can't be written: {error.strerror}") from None

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        """Stop behind a whole line; the last STATE stands, since rows behind it may not all be out."""
        self.message_writer.stop()

    # -- the command line

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """All problems at once, none with a value: the SDK's own check would print a secret of the wrong type."""
        problems = problems_of(self._config)
        if problems and raise_errors:
            raise ConfigValidationError("; ".join(problems), errors=problems, schema=self.config_jsonschema)
        return problems

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """The command line; what ends a run is one readable line, not a traceback."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        try:
            tap = cls(
                config=config.config if config else {},
                state=_json_file(state, "--state"),
                catalog=_json_file(catalog, "--catalog"),
                parse_env_config=bool(config and config.parse_env),
            )
            tap.sync_all()
        except TapError as error:
            raise _ended(error) from None

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: FBT001 - click's callback
        """`--discover`, with the same readable ends."""
        try:
            super().cb_discover(ctx, param, value)
        except TapError as error:
            ctx.close()  # the files of other options; click closes them only around a command that has begun
            raise _ended(error) from None


def _json_file(file: IO[str] | None, option: str) -> dict[str, Any] | None:
    """The object in a file given on the command line.

    Raises:
        TapError: it holds no JSON object.
    """
    if file is None:
        return None
    try:
        value = json.loads(file.read() or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TapError(f"the file given with {option} holds no JSON object")
    return value


def _ended(error: TapError) -> click.ClickException:
    """One line and the error's exit code; a process that was told to stop does not wait for its downloads."""
    if isinstance(error, StoppedError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.exit_code)
    return click.ClickException(str(error))
