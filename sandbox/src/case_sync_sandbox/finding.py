"""Shell: finds the running sandbox and talks to its admin calls, for the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from case_sync_sandbox.serving import ANNOUNCEMENT


class NotRunningError(Exception):
    """No sandbox answers; the message says how to start one."""


class RefusedError(Exception):
    """The sandbox refused the call; the message is its reason."""


def announced_url(announcement: Path = ANNOUNCEMENT) -> str:
    """The URL that the running sandbox has written down in this folder.

    Raises:
        NotRunningError: there is none.
    """
    try:
        return str(json.loads(announcement.read_text(encoding="utf-8"))["hubspot_url"])
    except (OSError, ValueError, KeyError):
        raise NotRunningError(
            "no sandbox is running: start it with `case-sync-sandbox serve`, or name one with --url"
        ) from None


def call(url: str | None, method: str, path: str, body: Any = None) -> Any:
    """Make an admin call to the sandbox at `url`, or to the announced one.

    Raises:
        NotRunningError: nothing answers there.
        RefusedError: it answered with an error.
    """
    base = url or announced_url()
    try:
        answer = httpx.request(
            method, f"{base.rstrip('/')}/_sandbox/{path}", json=body, timeout=3600, trust_env=False
        )
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise NotRunningError(
            f"no sandbox is running at {base}: start it with `case-sync-sandbox serve`, or name another one with --url"
        ) from None
    try:
        told = answer.json()
    except ValueError:
        raise RefusedError(f"what answers at {base} is no sandbox (status {answer.status_code})") from None
    if answer.status_code >= 400:
        raise RefusedError(str(told.get("error", told)))
    return told
