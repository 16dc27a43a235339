"""Core: the calls to HubSpot's API as values: paths by API version, bodies, limits.

Source: HubSpot's API reference for tickets, associations, search, properties, pipelines and owners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

MAX_INPUTS = 100  # of every object batch
MAX_PAIRS = 2000  # of associate/default; documented for batch/create only
MAX_ASSOCIATIONS_READ = 1000  # of associations' batch/read
MAX_IN_VALUES = 100  # of one IN
MAX_SEARCH_VALUES = 200  # of one search, in two filter groups: as many records as one page shows
MAX_SEARCH_BODY = 3_000  # characters of a search's body
MAX_BODY_BYTES = 2_000_000  # HubSpot publishes no number; a batch above this is split
T = TypeVar("T")
Bucket = Literal["general", "associations", "search"]
# Who waits for its turn together: the calls of a bucket, or lookups in the general one, which rounds that came earlier wait for.
Lane = Literal["general", "associations", "search", "lookups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: what to send (a value, or JSON that is ready), and which rate bucket it counts in. All may be sent twice.

    `read` makes a value of a successful answer's bytes, in place of the plain JSON; it raises ValueError on what is none.
    One that `goes_first` is let through before the others of its bucket.
    """

    method: str
    path: str
    body: Mapping[str, Any] | bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    bucket: Bucket = "general"
    read: Callable[[bytes], Mapping[str, Any]] | None = None
    goes_first: bool = False


# What each API version calls each part of the API.
PATHS = {
    "dated": {
        "objects": "/crm/objects/{version}/{name}", "properties": "/crm/properties/{version}/{name}", "pipelines": "/crm/pipelines/{version}/tickets",
        "owners": "/crm/owners/{version}", "associations": "/crm/associations/{version}/{name}/{other}", "account": "/account-info/{version}/details",
        "token": "/oauth/{version}/token", "schemas": "/crm-object-schemas/{version}/schemas/{name}",
    },
    "v3": {
        "objects": "/crm/v3/objects/{name}", "properties": "/crm/v3/properties/{name}", "pipelines": "/crm/v3/pipelines/tickets",
        "owners": "/crm/v3/owners", "associations": "/crm/v4/associations/{name}/{other}", "account": "/account-info/v3/details",
        "token": "/oauth/v3/token", "schemas": "/crm-object-schemas/v3/schemas/{name}",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Api:
    """The calls of one API version."""

    version: str

    def _path(self, part: str, name: str = "", other: str = "") -> str:
        table = PATHS["v3" if self.version == "v3" else "dated"]
        return table[part].format(version=self.version, name=name, other=other)

    def token_path(self) -> str:
        return self._path("token")

    def account(self) -> Call:
        return Call(method="GET", path=self._path("account"))

    def schema(self, name: str) -> Call:
        """What an object is made of; its properties are read elsewhere."""
        params = {"includePropertyDefinitions": "false", "includeAssociationDefinitions": "false"}
        return Call(method="GET", path=self._path("schemas", name), params=params)

    def properties(self, name: str) -> Call:
        return Call(method="GET", path=self._path("properties", name))

    def create_property(self, body: Mapping[str, Any]) -> Call:
        return Call(method="POST", path=self._path("properties", "tickets"), body=body)

    def create_properties(self, bodies: Sequence[Mapping[str, Any]]) -> Call:
        """201 where all were made, 207 with those that were, and errors."""
        path = f"{self._path('properties', 'tickets')}/batch/create"
        return Call(method="POST", path=path, body={"inputs": list(bodies)})

    def change_property(self, name: str, body: Mapping[str, Any]) -> Call:
        """Options in `body` replace the whole list."""
        return Call(method="PATCH", path=f"{self._path('properties', 'tickets')}/{name}", body=body)

    def property_groups(self) -> Call:
        return Call(method="GET", path=f"{self._path('properties', 'tickets')}/groups")

    def create_property_group(self, name: str, label: str) -> Call:
        return Call(
            method="POST",
            path=f"{self._path('properties', 'tickets')}/groups",
            body={"name": name, "label": label},
        )

    def pipelines(self) -> Call:
        return Call(method="GET", path=self._path("pipelines"))

    def owners(self, after: str | None) -> Call:
        return Call(
            method="GET",
            path=self._path("owners"),
            params={"limit": "100"} | ({"after": after} if after else {}),
        )

    def upsert(
        self, body: Mapping[str, Any] | bytes, read: Callable[[bytes], Mapping[str, Any]] | None = None
    ) -> Call:
        path = self._path("objects", "tickets") + "/batch/upsert"
        return Call(method="POST", path=path, body=body, read=read)

    def read_by(
        self, name: str, key_property: str | None, keys: Sequence[str], properties: Sequence[str] = ()
    ) -> Call:
        """Records by the values of a unique property (None: by record id), at most 100, with that property and `properties`."""
        shown = list(dict.fromkeys([*([key_property] if key_property else []), *properties]))
        body: dict[str, Any] = {"properties": shown, "inputs": [{"id": key} for key in keys]}
        if key_property:
            body["idProperty"] = key_property
        return Call(method="POST", path=self._path("objects", name) + "/batch/read", body=body)

    def list_tickets(self, properties: Sequence[str], after: str | None) -> Call:
        """One page of at most 100 active tickets, in the order of their ids."""
        params = {"limit": "100", "archived": "false", "properties": ",".join(properties)}
        return Call(
            method="GET",
            path=self._path("objects", "tickets"),
            params=params | ({"after": after} if after else {}),
        )

    def archive(self, ids: Sequence[str]) -> Call:
        return Call(
            method="POST",
            path=self._path("objects", "tickets") + "/batch/archive",
            body={"inputs": [{"id": i} for i in ids]},
        )

    def search(self, name: str, by: str, values: Sequence[str]) -> Call:
        """Values in lower case: HubSpot finds no others with IN on texts. At most 200, in groups of which one has to hold."""
        groups = [
            {"filters": [{"propertyName": by, "operator": "IN", "values": [v.lower() for v in part]}]}
            for part in chunks(values, MAX_IN_VALUES)
        ]
        body = {"filterGroups": groups, "properties": [by], "limit": 200}
        return Call(method="POST", path=self._path("objects", name) + "/search", body=body, bucket="search")

    def count_having(self, name: str, by: str) -> Call:
        """The answer's `total` counts the records that have a value in this property."""
        filters = [{"propertyName": by, "operator": "HAS_PROPERTY"}]
        body = {"filterGroups": [{"filters": filters}], "properties": [by], "limit": 1}
        return Call(method="POST", path=self._path("objects", name) + "/search", body=body, bucket="search")

    def associations(self, other: str, operation: str, inputs: Sequence[Mapping[str, Any]]) -> Call:
        """A batch call between tickets and `other`: operation is batch/associate/default, batch/create, batch/read, batch/archive, ..."""
        return Call(
            method="POST",
            path=f"{self._path('associations', 'tickets', other)}/{operation}",
            body={"inputs": list(inputs)},
            bucket="associations",
        )

    def labels(self, other: str) -> Call:
        return Call(
            method="GET",
            path=f"{self._path('associations', 'tickets', other)}/labels",
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
