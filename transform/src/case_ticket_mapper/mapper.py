"""Shell: the Singer inline mapper: messages in, messages out, one summary line at the end."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import FrameType
from typing import IO, Any, ClassVar

import click
from singer_sdk import singerlib as singer
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper_base import InlineMapper

from case_ticket_mapper.commands import COMMANDS, OPTIONS, answer
from case_ticket_mapper.endings import readable_ends
from case_ticket_mapper.errors import MapperError, RulesError
from case_ticket_mapper.pipes import MessageReader, MessageWriter
from case_ticket_mapper.rules import KEY, Rules
from case_ticket_mapper.rules_checking import near
from case_ticket_mapper.rules_files import rules_block
from case_ticket_mapper.rules_reading import columns_of, read_rules
from case_ticket_mapper.schema_out import rejected_schema, tickets_schema
from case_ticket_mapper.ticket import Rejection, Skipped, TicketMaker

CASES, TICKETS, REJECTED = "cases", "tickets", "rejected_cases"
PASSED_ON = {"case_snapshots"}  # meant for the target as they are
WORDS = {
    "Ticket": "to tickets",
    "Tombstone": "to deletions",
    "Rejection": "rejected",
    "Skipped": "skipped by the rules",
}
SETTINGS = ("rules", "rules_file", "other_streams")


class CaseTicketMapper(InlineMapper):
    """Singer inline mapper: Salesforce cases become HubSpot tickets by field, pipeline, association and deletion rules."""

    name = "case-ticket-mapper"
    package_name = "case-ticket-mapper"
    message_reader_class = MessageReader
    message_writer_class = MessageWriter
    message_writer: MessageWriter
    capabilities = (PluginCapabilities.ABOUT,)  # type: ignore[assignment]
    _env_var_config: ClassVar[dict[str, Any]] = {}  # `configured` reads it: the SDK names no wrong variable
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "rules": {
                "type": ["object", "null"],
                "title": "Rules",
                "description": "How a case becomes a ticket; contracts/rules.schema.json describes the block.",
            },
            "rules_file": {
                "type": ["string", "null"],
                "title": "Rules file",
                "description": "A YAML or JSON file with the rules, instead of the setting rules.",
            },
            "other_streams": {
                "type": ["string", "null"],
                "title": "Other streams",
                "description": "What becomes of streams that are neither cases nor meant for the target.",
                "enum": ["drop", "pass", None],
                "allowed_values": ["drop", "pass"],
                "default": "drop",
            },
        },
    }

    def __init__(self, **options: Any) -> None:
        """A mapper by its configuration; the options are the SDK's."""
        super().__init__(**options)
        self.counts: Counter[str] = Counter()
        super()._setup_signal_handlers()

    @cached_property
    def rules(self) -> Rules:
        return read_rules(rules_block(self._config))

    @cached_property
    def maker(self) -> TicketMaker:
        return TicketMaker(rules=self.rules)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        problems = [
            f"{name} is not a setting; {near(name, SETTINGS)}"
            for name in self._config
            if name not in SETTINGS
        ]
        if self._config.get("other_streams") not in {None, "drop", "pass"}:
            problems.append("other_streams must be drop or pass")
        try:
            read_rules(rules_block(self._config))
        except RulesError as error:
            problems += error.problems
        except MapperError as error:
            problems.append(str(error))
        if problems and raise_errors:
            raise ConfigValidationError("; ".join(problems), errors=problems, schema=self.config_jsonschema)
        return problems

    def _setup_signal_handlers(self) -> None:
        """Not as early as the SDK would: a handler needs the writer."""

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        """Stop behind a whole line; records behind the last STATE come again."""
        self.message_writer.stop(signum)

    # -- messages

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """The schema of `cases` becomes those of `tickets` and `rejected_cases`, once the rules fit it."""
        stream = message_dict["stream"]
        if stream == CASES:
            self._check_columns(message_dict["schema"].get("properties") or {})
            yield singer.SchemaMessage(
                stream=TICKETS, schema=tickets_schema(self.rules), key_properties=[KEY]
            )
            yield singer.SchemaMessage(stream=REJECTED, schema=rejected_schema(), key_properties=[KEY])
        elif self._passes(stream):
            yield singer.SchemaMessage(
                stream=stream, schema=message_dict["schema"], key_properties=message_dict.get("key_properties") or [],
                bookmark_properties=message_dict.get("bookmark_properties"),
            )  # fmt: skip

    def _check_columns(self, properties: Mapping[str, Any]) -> None:
        """All columns that the rules read and the tap does not send, at once."""
        missing = {name: path for name, path in columns_of(self.rules).items() if name not in properties}
        if missing:
            lines = [
                f"rules.{path}: the tap sends no column '{name}'; {near(name, properties)}"
                for name, path in missing.items()
            ]
            raise MapperError(
                "\n".join([*lines, "Is the field selected in the tap, and may the Salesforce user read it?"])
            )

    def _passes(self, stream: str) -> bool:
        return stream in PASSED_ON or self._config.get("other_streams") == "pass"

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        for stream, record in self._mapped(message_dict["stream"], message_dict["record"]):
            yield singer.RecordMessage(stream=stream, record=record)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """The same without a message object for each record, which takes longer than the mapping."""
        for stream, record in self._mapped(message_dict["stream"], message_dict["record"]):
            self.message_writer.write_record(stream, record)

    def _mapped(self, stream: str, record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What goes out for a record: nothing, or a record of another stream."""
        if stream != CASES:
            if self._passes(stream):
                yield stream, record
            return
        if not isinstance(record.get("Id"), str):
            raise MapperError("a record of the stream 'cases' has no Id: is it this tap's?")
        outcome = self.maker.make(record)
        self.counts[type(outcome).__name__] += 1
        if not isinstance(outcome, Skipped):
            yield REJECTED if isinstance(outcome, Rejection) else TICKETS, outcome.record

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """State passes as it is."""
        yield singer.StateMessage(value=message_dict["value"])

    def map_activate_version_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        stream = message_dict["stream"]
        if stream == CASES or self._passes(stream):
            yield singer.ActivateVersionMessage(
                stream=TICKETS if stream == CASES else stream, version=message_dict["version"]
            )

    def map_batch_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """Batches come as files that only the next plugin would read: cases in them could not be mapped."""
        raise MapperError(
            f"stream '{message_dict.get('stream')}' comes as BATCH messages: switch batch_config off in the tap"
        )

    def summary(self) -> str:
        made = ", ".join(f"{self.counts[kind]} {word}" for kind, word in WORDS.items())
        left_out = ", ".join(f"{name} {count}" for name, count in sorted(self.maker.left_out.items()))
        return f"cases mapped: {made}" + (
            f"; values without a match, left out: {left_out}" if left_out else ""
        )

    # -- command line

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command with those of our own."""
        command = super().get_singer_command()
        command.params.extend(OPTIONS)
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
        """The command line; what ends a run is one readable message, not a traceback."""
        super(InlineMapper, cls).invoke(about=about, about_format=about_format)
        gc.freeze()  # records make no circles: to look for some after each 700 objects takes a tenth of the time
        gc.set_threshold(100_000)
        gc.enable()  # it is off while the program is imported
        given = configured(config)
        with readable_ends():
            if any(asked[name] for name in COMMANDS):
                cls._answer(given, **asked)
            else:
                cls._map(given, parse_env=bool(config and config.parse_env), file_input=file_input)

    @classmethod
    def _answer(cls, given: Mapping[str, Any], **asked: Any) -> None:
        """One of the commands; exit code 1 says that there are problems."""
        if len(wanted := [option for name, option in COMMANDS.items() if asked[name]]) > 1:
            raise click.UsageError(f"{' and '.join(wanted)} go one at a time")
        lines, is_fit = answer(given, **asked)
        click.echo("\n".join(lines))
        if not is_fit:
            raise SystemExit(1)

    @classmethod
    def _map(cls, given: dict[str, Any], *, parse_env: bool, file_input: IO[str] | None) -> None:
        mapper = cls(config=given, parse_env_config=parse_env)
        try:
            mapper.listen(file_input)
        except Exception:
            mapper.message_writer.flush()  # what came before it is mapped
            raise
        mapper.message_writer.flush()
        mapper.logger.info(mapper.summary())


def configured(given: Any) -> dict[str, Any]:
    """The configuration of a command line: its files and, with --config=ENV, what the environment has before them.

    `given` is what the SDK read of --config; None where there was none.
    """
    files: dict[str, Any] = dict(given.config) if given else {}
    if not (given and given.parse_env):
        return files
    return files | {n: text for n in SETTINGS if (text := os.environ.get(f"CASE_TICKET_MAPPER_{n.upper()}"))}
