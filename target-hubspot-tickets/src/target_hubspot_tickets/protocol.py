"""Core: the calls to HubSpot's API as values: paths by API version, bodies, limits.

Source: HubSpot's API reference for tickets, associations, search, properties, pipelines and owners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

MAX_INPUTS = 100  # of every object batch
MAX_PAIRS = 2000  # of associate/default; documented for batch/create only
MAX_SEARCH_VALUES = 100  # of one IN; a body has to stay below 3,000 characters
MAX_BODY_BYTES = 2_000_000  # HubSpot publishes no number; a batch above this is split
T = TypeVar("T")
Bucket = Literal["general", "associations", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: what to send, which rate bucket it counts in, and whether it may be sent twice (all of ours may)."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    bucket: Bucket = "general"


# What each API version calls each part of the API.
PATHS = {
    "dated": {
        "objects": "/crm/objects/{version}/{name}", "properties": "/crm/properties/{version}/{name}", "pipelines": "/crm/pipelines/{version}/tickets",
        "owners": "/crm/owners/{version}", "associations": "/crm/associations/{version}/{name}/{other}", "account": "/account-info/{version}/details",
    },
    "v3": {
        "objects": "/crm/v3/objects/{name}", "properties": "/crm/v3/properties/{name}", "pipelines": "/crm/v3/pipelines/tickets",
        "owners": "/crm/v3/owners", "associations": "/crm/v4/associations/{name}/{other}", "account": "/account-info/v3/details",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of batch/upsert: the key and all properties that are sent."""

    key: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Api:
    """The calls of one API version."""

    version: str

    def _path(self, part: str, name: str = "", other: str = "") -> str:
        table = PATHS["v3" if self.version == "v3" else "dated"]
        return table[part].format(version=self.version, name=name, other=other)

    def account(self) -> Call:
        return Call(method="GET", path=self._path("account"))

    def properties(self, name: str) -> Call:
        return Call(method="GET", path=self._path("properties", name))

    def create_property(self, body: Mapping[str, Any]) -> Call:
        return Call(method="POST", path=self._path("properties", "tickets"), body=body)

    def pipelines(self) -> Call:
        return Call(method="GET", path=self._path("pipelines"))

    def owners(self, after: str | None) -> Call:
        return Call(
            method="GET",
            path=self._path("owners"),
            params={"limit": "100"} | ({"after": after} if after else {}),
        )

    def upsert(self, inputs: Sequence[Input], key_property: str) -> Call:
        """Each input with its key as trace id: HubSpot then judges each by itself."""
        body = [
            {"idProperty": key_property, "id": i.key, "objectWriteTraceId": i.key, "properties": i.properties}
            for i in inputs
        ]
        return Call(
            method="POST", path=self._path("objects", "tickets") + "/batch/upsert", body={"inputs": body}
        )

    def read_by(self, name: str, key_property: str, keys: Sequence[str]) -> Call:
        body = {
            "idProperty": key_property,
            "properties": [key_property],
            "inputs": [{"id": key} for key in keys],
        }
        return Call(method="POST", path=self._path("objects", name) + "/batch/read", body=body)

    def archive(self, ids: Sequence[str]) -> Call:
        return Call(
            method="POST",
            path=self._path("objects", "tickets") + "/batch/archive",
            body={"inputs": [{"id": i} for i in ids]},
        )

    def search(self, name: str, by: str, values: Sequence[str]) -> Call:
        """Values in lower case: HubSpot finds no others with IN on texts."""
        filters = [{"propertyName": by, "operator": "IN", "values": [v.lower() for v in values]}]
        body = {"filterGroups": [{"filters": filters}], "properties": [by], "limit": 200}
        return Call(method="POST", path=self._path("objects", name) + "/search", body=body, bucket="search")

    def associate(self, other: str, pairs: Sequence[tuple[str, str]]) -> Call:
        body = {"inputs": [{"from": {"id": ticket}, "to": {"id": to}} for ticket, to in pairs]}
        return Call(
            method="POST",
            path=self._path("associations", "tickets", other) + "/batch/associate/default",
            body=body,
            bucket="associations",
        )


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`, in order."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def batches(inputs: Iterable[Input]) -> Iterator[list[Input]]:
    """Inputs in lists of at most 100 and about two million bytes."""
    batch: list[Input] = []
    size = 0
    for one in inputs:
        weight = sum(len(v) * 4 + len(n) + 8 for n, v in one.properties.items())
        if batch and (len(batch) == MAX_INPUTS or size + weight > MAX_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield batch
