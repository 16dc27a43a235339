"""A client of the HubSpot half: plain HTTP, so that the tests see what a stranger's client sees."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

KEY = "salesforce_case_id"


class Portal:
    """HTTP calls with the sandbox's token, and the short forms that many tests use."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(
            base_url=sandbox.hubspot_url,
            headers={"authorization": "Bearer sandbox-token"},
            trust_env=False,
            timeout=30,
        )

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.http.request(method, path, json=body, headers=headers)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.call("POST", path, body)

    def get(self, path: str) -> httpx.Response:
        return self.call("GET", path)

    def add_property(self, name: str, object_type: str = "tickets", **more: Any) -> None:
        self.sandbox.admin(
            "POST",
            "hubspot/load",
            {"properties": [{"objectType": object_type, "name": name, "label": name, **more}]},
        )

    def load(self, **contents: Any) -> Any:
        return self.sandbox.admin("POST", "hubspot/load", contents)

    def upsert(
        self, *keys: str, version: str = "2026-09", traced: bool = True, **properties: Any
    ) -> httpx.Response:
        """Upsert one ticket per key, all with the same properties."""
        inputs = [
            {"idProperty": KEY, "id": key, "properties": {KEY: key, **properties}}
            | ({"objectWriteTraceId": f"trace {key}"} if traced else {})
            for key in keys
        ]
        return self.upsert_inputs(inputs, version=version)

    def upsert_inputs(self, inputs: list[dict[str, Any]], *, version: str = "2026-09") -> httpx.Response:
        path = "/crm/v3/objects/tickets" if version == "v3" else f"/crm/objects/{version}/tickets"
        return self.post(f"{path}/batch/upsert", {"inputs": inputs})

    def ticket(self, key: str) -> dict[str, str]:
        """The stored properties of the live ticket with this key, read past the API."""
        found = [t for t in self.sandbox.tickets() if t["properties"].get(KEY) == key]
        assert len(found) == 1, f"{len(found)} live tickets have the key {key}"
        return {"id": found[0]["id"], **found[0]["properties"]}


@pytest.fixture
def portal(sandbox: RunningSandbox) -> Iterator[Portal]:
    """An empty portal with the sync's key property."""
    portal = Portal(sandbox)
    portal.add_property(KEY, hasUniqueValue=True)
    with portal.http:
        yield portal
