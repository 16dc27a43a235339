"""Shell: the Singer tap: its command line, its catalog, its streams in order, and its report."""

from __future__ import annotations

import gc
import json
import time
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any, ClassVar

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog

from tap_salesforce_cases import commands
from tap_salesforce_cases.bookmarks import check_form
from tap_salesforce_cases.case_stream import CasesStream
from tap_salesforce_cases.configuration import problems_of, with_defaults
from tap_salesforce_cases.describe import record_types_of
from tap_salesforce_cases.describing import Described, Describer
from tap_salesforce_cases.endings import json_file, readable_ends
from tap_salesforce_cases.environment import configured
from tap_salesforce_cases.errors import (
    QuotaReachedError,
    SalesforceAnswerError,
    SettingError,
    StoppedError,
    UnreadableObjectError,
)
from tap_salesforce_cases.filters import Filter, build_filter, record_type_names
from tap_salesforce_cases.messages import MessageWriter
from tap_salesforce_cases.moments import from_wire
from tap_salesforce_cases.objects import CASES, OTHERS, SNAPSHOTS, StreamKind
from tap_salesforce_cases.private_files import write_privately
from tap_salesforce_cases.report import Report
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.settings import JSON_SCHEMA
from tap_salesforce_cases.snapshot_stream import SnapshotStream
from tap_salesforce_cases.streams import SObjectStream

# What a run says that has nothing to do, by sync_status.
AT_REST = {
    "paused": "The sync is paused: nothing was read. Switch it on again with: case-sync resume",
    "saved": "The sync was saved for later: nothing was read. Switch it on with: case-sync activate",
}


class TapSalesforceCases(Tap):
    """Singer tap for Salesforce Cases: every readable field, relationship columns, gapless, deletes as tombstones."""

    name = "tap-salesforce-cases"
    package_name = "tap-salesforce-cases"
    _env_var_config: ClassVar[dict[str, Any]] = {}  # `configured` reads it: the SDK names no wrong variable
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
    _server_time: datetime

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

    @property
    def start(self) -> datetime | None:
        """Where a run without state begins; None for all history."""
        text = self.settings["start_date"]
        return from_wire(text) if text else None

    # -- streams

    @property
    def input_catalog(self) -> Catalog | None:
        """The catalog that was given; an empty one is of a time when the sync was paused, and selects nothing."""
        return self._input_catalog or None

    def discover_streams(self) -> list[Stream]:
        """What the user may read: in discovery all streams, in a run those that are selected; none when the sync is at rest."""
        if self.settings["sync_status"] in AT_REST:
            return []
        wanted = [kind for kind in OTHERS if self._is_wanted(kind.name, by_default=kind.by_default)]
        if wanted and not self.settings["describe_cache_path"]:
            self.describer.prepare([CASES.object_name, *(kind.object_name for kind in wanted)])
        described = self.describer.describe(CASES.object_name)
        self._server_time = self.report.server_time = described.server_time
        scope = self.scope(described)
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

    def scope(self, described: Described) -> Filter:
        """Which cases the settings let through.

        Raises:
            SettingError: Case has no such record type.
        """
        known = record_types_of(described.body)
        names = {
            setting: record_type_names(self.settings[setting], known, setting)
            for setting in ("record_types_include", "record_types_exclude")
        }
        return build_filter(
            self.settings["where"], names["record_types_include"], names["record_types_exclude"]
        )

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

    def load_state(self, state: dict[str, Any]) -> None:
        """A sample begins anywhere and ends nowhere: it has no state.

        Raises:
            StateRefusedError: the state is another program's.
        """
        if not self.settings["sample_size"]:
            check_form(state, {CASES.name, SNAPSHOTS, *(kind.name for kind in OTHERS)})
            super().load_state(state)

    def sync_all(self) -> None:  # type: ignore[misc] # the SDK's own, with a report around it
        """Run, and leave the report whatever the end."""
        if told := AT_REST.get(self.settings["sync_status"]):
            self.report.status = self.settings["sync_status"]
            self._write_report()
            self.logger.info(told)
            return
        started = time.monotonic()
        try:
            self._check_states()
            super().sync_all()
            self.report.status = "complete"
            self._tell_in_state(time.monotonic() - started)
        except QuotaReachedError:
            self.report.status = "stopped: quota"
            raise
        except StoppedError:
            self.report.status = "stopped: signal"
            raise
        finally:
            self._leave_report(time.monotonic() - started)

    def _tell_in_state(self, seconds: float) -> None:
        """The last STATE says what the run took, for whoever watches the sync."""
        if self.settings["sample_size"]:
            return
        self._add_up(seconds)
        self.state["salesforce"] = self.report.in_state(self._server_time)  # type: ignore[typeddict-unknown-key]
        self.state_writer.write_state(self.state)

    def _check_states(self) -> None:
        """Refuse a foreign state before any message and any work."""
        if self.settings["sample_size"]:
            return
        for stream in self.streams.values():
            if isinstance(stream, SObjectStream) and stream.selected and stream.kind.incremental:
                _ = stream.bookmark, stream.more_state()

    def _add_up(self, seconds: float) -> None:
        self.report.seconds = seconds
        self.report.api_calls, self.report.usage = self.session.api_calls, self.session.usage

    def _leave_report(self, seconds: float) -> None:
        self._add_up(seconds)
        self.logger.info(self.report.line())
        self._write_report()

    def _write_report(self) -> None:
        if path := self.settings["report_path"]:
            try:
                write_privately(Path(path), json.dumps(self.report.as_json()) + "\n")
            except OSError as error:
                raise SettingError(f"report_path can't be written: {error.strerror}") from None

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        """Stop behind a whole line; the last STATE stands, since rows behind it may not all be out."""
        self.message_writer.stop(signum)

    # -- the command line

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """All problems at once, none with a value: the SDK's own check would print a secret of the wrong type."""
        problems = problems_of(self._config)
        if problems and raise_errors:
            raise ConfigValidationError("; ".join(problems), errors=problems, schema=self.config_jsonschema)
        return problems

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's options, and those that only look at the org."""
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
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **asked: bool,
    ) -> None:
        """The command line; what ends a run is one readable line and an exit code, not a traceback."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        gc.freeze()  # records make no circles: to look for some after each 700 objects takes a tenth of the time
        gc.set_threshold(100_000)
        gc.enable()  # it is off while the program is imported
        command = commands.command_of(asked)
        with readable_ends():
            tap = cls(
                config=configured(config),
                parse_env_config=True,
                state=json_file(state, "--state"),
                catalog=json_file(catalog, "--catalog"),
                setup_mapper=command is None,  # which describes the streams
            )
            if command:
                command(tap)
            else:
                tap.sync_all()

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: ARG003, FBT001 - click's callback
        """`--discover`, with the same readable ends."""
        if not value:
            return
        config = ctx.params.get("config")
        try:
            with readable_ends():
                tap = cls(config=configured(config), parse_env_config=True, setup_mapper=False)
                tap.run_discovery()
        except click.ClickException:
            ctx.close()  # the files of other options; click closes them only around a command that has begun
            raise
        ctx.exit()
