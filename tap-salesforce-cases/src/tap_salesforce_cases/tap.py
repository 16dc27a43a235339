"""Shell: the Singer tap: its command line, its catalog and its report."""

from __future__ import annotations

import json
import time
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_salesforce_cases.errors import QuotaReachedError, TapError
from tap_salesforce_cases.reading import read_columns
from tap_salesforce_cases.report import Report
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.settings import JSON_SCHEMA, problems_of, with_defaults
from tap_salesforce_cases.streams import CasesStream


class TapSalesforceCases(Tap):
    """Singer tap for Salesforce Cases: every readable field, relationship columns, incremental, deletes as tombstones."""

    name = "tap-salesforce-cases"
    package_name = "tap-salesforce-cases"
    config_jsonschema = JSON_SCHEMA
    dynamic_catalog = True
    capabilities = (
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        PluginCapabilities.ABOUT,
    )  # type: ignore[assignment]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The configuration with defaults."""
        return with_defaults(self.config)

    @cached_property
    def session(self) -> SalesforceSession:
        return SalesforceSession(self.settings)

    @cached_property
    def report(self) -> Report:
        return Report()

    def discover_streams(self) -> list[Stream]:
        """One stream, whose columns are what describe shows to this user."""
        columns, server_time = read_columns(self.session, self.settings["exclude_fields"])
        return [CasesStream(self, columns, server_time)]

    def sync_and_report(self) -> None:
        """Run, and leave the report whatever the end."""
        started = time.monotonic()
        try:
            self.sync_all()
            self.report.status = "complete"
        except QuotaReachedError:
            self.report.status = "stopped: quota"
            raise
        finally:
            self._leave_report(time.monotonic() - started)

    def _leave_report(self, seconds: float) -> None:
        self.report.seconds = seconds
        self.report.api_calls, self.report.usage = self.session.api_calls, self.session.usage
        self.logger.info(self.report.line())
        if path := self.settings["report_path"]:
            try:
                Path(path).write_text(json.dumps(self.report.as_json()) + "\n", encoding="utf-8")
            except OSError as error:
                raise TapError(f"report_path can't be written: {error.strerror}") from None

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
            tap.sync_and_report()
        except TapError as error:
            raise click.ClickException(str(error)) from None

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: FBT001 - click's callback
        """`--discover`, with the same readable ends."""
        try:
            super().cb_discover(ctx, param, value)
        except TapError as error:
            ctx.close()  # the files of other options; click closes them only around a command that has begun
            raise click.ClickException(str(error)) from None


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
