"""Shell: describes objects: once a run, and only if they changed where a cache is allowed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tap_salesforce_cases.composite import Part, ask_together
from tap_salesforce_cases.describe import Column, Columns, parent_column, parent_step, read_describe
from tap_salesforce_cases.errors import SalesforceAnswerError, SettingError
from tap_salesforce_cases.objects import PARENT_OBJECTS, StreamKind
from tap_salesforce_cases.private_files import write_privately
from tap_salesforce_cases.session import SalesforceSession

logger = logging.getLogger("tap-salesforce-cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A describe answer, and Salesforce's clock when it was given."""

    body: Mapping[str, Any]
    server_time: datetime


class Describer:
    """Describes objects of one org.

    With describe_cache_path the answers are kept in a file and asked for with If-Modified-Since: Salesforce answers 304 where
    nothing changed (REST: Get Object Metadata Changes).
    """

    def __init__(self, session: SalesforceSession, settings: Mapping[str, Any]) -> None:
        self._session, self._settings = session, settings
        path = settings["describe_cache_path"]
        self._path = Path(path) if path else None
        self._kept: dict[str, Any] = self._load()
        self._prepared: dict[str, Part] = {}

    def prepare(self, object_names: Sequence[str]) -> None:
        """Describe several objects in one call of the API; `describe` then answers from it, once for each."""
        urls = [f"{self._session.base_path}/sobjects/{name}/describe" for name in object_names]
        self._prepared = dict(zip(object_names, ask_together(self._session, urls), strict=True))

    def describe(self, object_name: str, *, fresh: bool = False) -> Described:
        """The describe of an object; `fresh` asks whatever the cache has.

        Raises:
            SalesforceAnswerError: there is no such object for this user.
        """
        if part := self._prepared.pop(object_name, None):
            return Described(body=part.body(), server_time=part.server_time)
        key = f"{self._session.session.organization_id} {self._session.base_path} {object_name}"
        kept = None if fresh else self._kept.get(key)
        headers = {"If-Modified-Since": kept["modified"]} if kept else None
        answer = self._session.get(
            f"{self._session.base_path}/sobjects/{object_name}/describe", headers=headers
        )
        if answer.json is None and kept:
            return Described(body=kept["body"], server_time=answer.server_time)
        if modified := answer.headers.get("Last-Modified"):
            self._keep(key, {"modified": modified, "body": answer.json})
        return Described(body=answer.json, server_time=answer.server_time)

    def columns(self, kind: StreamKind, described: Described) -> Columns:
        """What the user may read of a stream's object."""
        wanted = self._settings["relationship_fields"] if kind.object_name == "Case" else []
        extra = [self._parent(path, described.body) for path in wanted]
        return read_describe(described.body, kind, excluded=self._settings["exclude_fields"], extra=extra)

    def unreadable_parents(self, columns: Columns) -> frozenset[str]:
        """Names of parents' columns that this user may not read: asked only when Salesforce refused a query (INVALID_FIELD)."""
        found = set()
        for column in columns.columns:
            relationship, _, field = column.path.partition(".")
            target = PARENT_OBJECTS.get(relationship)
            if field and "." not in field and target and not self._has_field(target, column.path):
                found.add(column.name)
        return frozenset(found)

    def _has_field(self, object_name: str, path: str) -> bool:
        try:
            return parent_column(path, self.describe(object_name).body) is not None
        except SalesforceAnswerError as error:
            if error.status not in {400, 403, 404}:
                raise
            return False

    def _parent(self, path: str, described: Mapping[str, Any]) -> Column:
        """The column of a path, by a describe of each object on the way.

        Raises:
            SettingError: there is no such field.
        """
        for relationship in path.split(".")[:-1]:
            target = parent_step(described, relationship)
            if target is None:
                raise SettingError(f"relationship_fields: {path} has no relationship {relationship}")
            if target == "Name":  # several objects: their common columns, all of them texts
                return Column(path=path, kind="text")
            described = self._parent_describe(path, target)
        column = parent_column(path, described)
        if column is None:
            raise SettingError(f"relationship_fields: {path} is no field that the user may read")
        return column

    def _parent_describe(self, path: str, target: str) -> Mapping[str, Any]:
        try:
            return self.describe(target).body
        except SalesforceAnswerError as error:
            raise SettingError(
                f"relationship_fields: {path} leads to {target}, which can't be read ({error.code})"
            ) from None

    def _load(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            kept = msgspec.json.decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError, RecursionError):
            logger.warning("describe_cache_path can't be read; describing anew")
            return {}
        return kept if isinstance(kept, dict) else {}

    def _keep(self, key: str, entry: Mapping[str, Any]) -> None:
        self._kept[key] = dict(entry)
        if self._path is None:
            return
        try:
            # All or nothing: taps side by side may share the cache.
            write_privately(self._path, msgspec.json.encode(self._kept).decode())
        except OSError as error:
            raise SettingError(f"describe_cache_path can't be written: {error.strerror}") from None
