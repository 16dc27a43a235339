"""Shell: sends what a program asks of HubSpot's address to the sandbox instead; a line `import to_sandbox` in a .pth file loads it."""

import os
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

HUBSPOT, SANDBOX = "https://api.hubapi.com", os.environ.get("SANDBOX_HUBSPOT_URL", "").rstrip("/")
_send = HTTPAdapter.send


def to_sandbox(adapter: HTTPAdapter, request: PreparedRequest, **options: Any) -> Response:
    """HTTPAdapter.send with another address; anything that is not HubSpot's is an error."""
    if not (request.url or "").startswith(HUBSPOT):
        raise ValueError(f"not HubSpot: {request.url}")
    request.url = (request.url or "").replace(HUBSPOT, SANDBOX, 1)
    return _send(adapter, request, **options)


if SANDBOX:
    HTTPAdapter.send = to_sandbox  # type: ignore[assignment]
