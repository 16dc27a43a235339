"""Shell: the Singer target: messages in, tickets into HubSpot, STATE out when all that it covers is confirmed.

The SDK's sinks write state when a batch was handed over, and their signal handler drains in the middle of one. Here a buffer
takes the records, one place empties it, and only that place lets a state out.
"""

from __future__ import annotations

import json
import time
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.io_base import SingerReader

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    QuotaReachedError,
    SettingError,
    StreamError,
    TargetError,
)
from target_hubspot_tickets.loading import Loader
from target_hubspot_tickets.messages import read_message
from target_hubspot_tickets.opening import open_portal
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.records import Item, read_record
from target_hubspot_tickets.rejected import RejectedFile
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.settings import JSON_SCHEMA, problems_of, with_defaults
from target_hubspot_tickets.tickets import Choices

BUFFERED_RECORDS = 1000
CHECKPOINT_SECONDS = 30.0
REJECTED_CASES = "rejected_cases"  # cases that the mapper could not map: put on record, not loaded
NOT_TICKETS = {"case_snapshots"}
SNAPSHOT_UNUSED = (
    "%s: the ids are not compared yet; tickets of cases that were purged unnoticed stay as they are"
)


class MessageReader(SingerReader):
    """Reads messages without the SDK's habit of logging a line that it can't read: customers wrote it."""

    def deserialize_json(self, line: str) -> dict[str, Any]:
        return read_message(line)


class TargetHubspotTickets(Target):
    """Singer target for HubSpot tickets: batch upsert by a unique property, associations, archiving."""

    name = "target-hubspot-tickets"
    package_name = "target-hubspot-tickets"
    config_jsonschema = JSON_SCHEMA
    message_reader_class = MessageReader
    capabilities = (PluginCapabilities.ABOUT,)  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        """A target by its configuration; the options are the SDK's."""
        self._busy = False
        self._stop_signal: int | None = None
        super().__init__(**options)
        self._buffer: dict[str, Item] = {}
        self._waiting_state: dict[str, Any] | None = None
        self._emptied_at = time.monotonic()
        self._schemas: dict[str, dict[str, Any]] = {}
        self._loader: Loader | None = None
        self.report = Report()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The configuration with defaults."""
        return with_defaults(self.config)

    @cached_property
    def client(self) -> HubSpotClient:
        return HubSpotClient(self.settings)

    @cached_property
    def rejected(self) -> RejectedFile:
        return RejectedFile(self.settings["rejected_path"])

    # -- messages

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """A new or changed schema: what came before is written first, then the stream is checked against the portal."""
        stream, schema = message_dict["stream"], message_dict["schema"]
        if self._schemas.get(stream) == schema:
            return
        self._empty_buffer()
        self._schemas[stream] = schema
        if stream != REJECTED_CASES and stream not in NOT_TICKETS:
            self._loader = self._open(schema.get("properties") or {})

    def _open(self, columns: dict[str, Any]) -> Loader:
        settings = self.settings
        api = Api(settings["api_version"])
        portal = open_portal(
            self.client, api, columns, settings["key_property"], may_create=settings["create_properties"]
        )
        choices = Choices(
            key_property=settings["key_property"],
            empty_values=settings["empty_values"],
            unknown_owner=settings["unknown_owner"],
        )
        return Loader(self.client, api, portal, choices, self.rejected, self.report)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Into the buffer; of two records with one key the later is written."""
        stream, record = message_dict["stream"], message_dict["record"]
        if stream not in self._schemas:
            raise StreamError(f"a record of stream '{stream}' comes before its SCHEMA message")
        if stream in NOT_TICKETS:
            if record.get("kind") == "complete":
                self.logger.warning(SNAPSHOT_UNUSED, stream)
            return
        self.report.records += 1
        key_property = self.settings["key_property"]
        if stream == REJECTED_CASES:
            self.rejected.add(
                str(record.get(key_property)), str(record.get("code")), str(record.get("message"))
            )
            self.report.rejected += 1
            return
        item = read_record(record, key_property)
        self.report.superseded += item.key.lower() in self._buffer
        self._buffer[item.key.lower()] = item
        if len(self._buffer) >= BUFFERED_RECORDS or time.monotonic() - self._emptied_at > CHECKPOINT_SECONDS:
            self._empty_buffer()

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Kept until the records before it are confirmed."""
        self._waiting_state = message_dict["value"]
        if not self._buffer:
            self._let_state_out()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Old versions are tickets not seen: deleting what was not seen needs more proof than the end of a stream."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise StreamError(
            f"stream '{message_dict.get('stream')}' comes as BATCH messages: switch batch_config off in the tap"
        )

    def process_endofpipe(self) -> None:
        """The input is over: write what is left. It does not mean that the tap was complete."""
        self._empty_buffer()

    # -- writing

    def _empty_buffer(self) -> None:
        """Write the buffer, then let out the newest state: all that it covers is confirmed or on record."""
        self._busy = True
        items, self._buffer = list(self._buffer.values()), {}
        if items and self._loader:
            self._loader.load(items, archive=self.settings["on_delete"] == "archive")
        self._let_state_out()
        self._emptied_at = time.monotonic()
        self._busy = False
        if self._stop_signal is not None:
            raise SystemExit(128 + self._stop_signal)

    def _let_state_out(self) -> None:
        if self._waiting_state is not None:
            self._write_state_message(self._waiting_state)
            self._waiting_state = None

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's form
        """Never write inside the handler: the write under way ends first, and no state runs ahead of it."""
        if not self._busy:
            raise SystemExit(128 + signum)
        self._stop_signal = signum

    # -- command line

    def listen_and_report(self, file_input: IO[str] | None = None) -> None:
        """Load a whole input, and leave the report whatever the end."""
        started = time.monotonic()
        try:
            self.listen(file_input)
            self.report.status = "complete"
        except QuotaReachedError:
            self.report.status = "stopped: quota"
            raise
        finally:
            self.report.seconds = time.monotonic() - started
            self.report.api_calls = self.client.api_calls
            self.rejected.close()
            self._leave_report()

    def _leave_report(self) -> None:
        self.logger.info(self.report.line())
        if self.report.rejected:
            self.logger.warning(
                "%s records were rejected; keys and reasons are in %s",
                self.report.rejected,
                self.settings["rejected_path"],
            )
        if path := self.settings["report_path"]:
            try:
                Path(path).write_text(json.dumps(self.report.as_json()) + "\n", encoding="utf-8")
            except OSError as error:
                raise SettingError(f"report_path can't be written: {error.strerror}") from None

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """All problems at once, none with a value: the SDK's own check would print a secret of the wrong type."""
        problems = problems_of(self._config)
        if problems and raise_errors:
            raise ConfigValidationError("; ".join(problems), errors=problems, schema=self.config_jsonschema)
        return problems

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """None of the SDK's own settings: they speak of sinks, which this target does not use."""

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """The command line; what ends a run is one readable message, not a traceback."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        target = cls(
            config=dict(config.config) if config else {}, parse_env_config=bool(config and config.parse_env)
        )
        try:
            target.listen_and_report(file_input)
        except HubSpotAnswerError as error:
            raise click.ClickException(f"{error}: {error.message[:300]}") from None
        except TargetError as error:
            raise click.ClickException(str(error)) from None
