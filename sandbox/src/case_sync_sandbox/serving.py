"""Core: how to serve, as values, for the commands that must not load the servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SALESFORCE_PORT = 8351
HUBSPOT_PORT = 8352
MEMORY = ":memory:"
ANNOUNCEMENT = Path(".sandbox") / "server.json"


class ServeError(Exception):
    """The servers can't start; the message says which option to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How to serve. Port 0 takes a free one; `database` is a folder, or ":memory:"."""

    host: str = "127.0.0.1"
    salesforce_port: int = SALESFORCE_PORT
    hubspot_port: int = HUBSPOT_PORT
    database: str = MEMORY
    real_limits: bool = False
    announce: bool = True
