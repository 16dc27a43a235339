"""Shell: one call as the resources see it, whether it came by itself or inside a composite call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.errors import SalesforceError, not_found
from case_sync_sandbox.salesforce.schema import SObject
from case_sync_sandbox.salesforce.soql_scope import find_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call: its method, the parts of its path, its query, headers (lower case) and body."""

    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body.

        Raises:
            SalesforceError: JSON_PARSER_ERROR when it is no JSON object.
        """
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise SalesforceError(
                400, "JSON_PARSER_ERROR", "Unexpected character in the JSON body"
            ) from error
        if not isinstance(value, dict):
            raise SalesforceError(400, "JSON_PARSER_ERROR", "The body must be a JSON object")
        return value


Work = Callable[
    [SalesforceApi, Ask, str], Any
]  # with the API version; gives JSON content or a whole response


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json;charset=UTF-8")


def readable(api: SalesforceApi, ask: Ask) -> SObject:
    """The object that a path below /sobjects names.

    Raises:
        SalesforceError: 404 where the user may read none of that name (jsforce #1299 and restforce #235 quote it): INVALID_TYPE is
            what SOQL says.
    """
    try:
        return find_object(ask.path["name"], api.store.visible)
    except SalesforceError as error:
        raise not_found() from error
