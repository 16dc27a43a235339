"""Shell: SDK plugins that do nothing, for what an empty run of Meltano costs by itself; by kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from singer_sdk import Sink, Stream, Tap, Target
from singer_sdk import typing as th
from singer_sdk.mapper_base import InlineMapper

NO_SETTINGS: dict[str, Any] = {"type": "object", "properties": {}}


class NothingStream(Stream):
    """No records."""

    name = "nothing"
    schema = th.PropertiesList(th.Property("id", th.StringType)).to_dict()
    primary_keys = ("id",)

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        return []


class NothingTap(Tap):
    """One stream."""

    name = "tap-nothing"
    config_jsonschema = NO_SETTINGS

    def discover_streams(self) -> list[Stream]:
        return [NothingStream(self)]


class NothingMapper(InlineMapper):
    """What comes goes."""

    name = "mapper-nothing"
    config_jsonschema = NO_SETTINGS

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterator[Any]:  # type: ignore[override]
        from singer_sdk.singerlib import SchemaMessage  # noqa: PLC0415

        yield SchemaMessage(message_dict["stream"], message_dict["schema"], message_dict["key_properties"])

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterator[Any]:  # type: ignore[override]
        from singer_sdk.singerlib import RecordMessage  # noqa: PLC0415

        yield RecordMessage(message_dict["stream"], message_dict["record"])

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterator[Any]:  # type: ignore[override]
        from singer_sdk.singerlib import StateMessage  # noqa: PLC0415

        yield StateMessage(message_dict["value"])

    def map_activate_version_message(self, message_dict: dict[str, Any]) -> Iterator[Any]:  # type: ignore[override]
        from singer_sdk.singerlib import ActivateVersionMessage  # noqa: PLC0415

        yield ActivateVersionMessage(message_dict["stream"], message_dict["version"])


class NothingSink(Sink):
    """Takes what comes."""

    max_size = 10_000

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None: ...

    def process_batch(self, context: dict[str, Any]) -> None: ...


class NothingTarget(Target):
    """Its records go nowhere."""

    name = "target-nothing"
    config_jsonschema = NO_SETTINGS
    default_sink_class = NothingSink


KINDS = {"tap": NothingTap, "mapper": NothingMapper, "target": NothingTarget}
