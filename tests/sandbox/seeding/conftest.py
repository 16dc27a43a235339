"""What tests of the seed look at: both halves as they are stored."""

from typing import Any

import httpx

from case_sync_sandbox.salesforce.schema import OBJECTS
from case_sync_sandbox.testing import RunningSandbox


def stored(sandbox: RunningSandbox, name: str = "Case") -> list[dict[str, Any]]:
    """Every record of an object as the sandbox keeps it, deleted ones too, by id."""
    url = f"{sandbox.salesforce_url}/_sandbox/salesforce/records"
    found: list[dict[str, Any]] = httpx.get(url, params={"object": name}, timeout=60).json()
    return found


def whole_org(sandbox: RunningSandbox) -> dict[str, list[dict[str, Any]]]:
    return {name: stored(sandbox, name) for name in OBJECTS}


def names(sandbox: RunningSandbox, object_name: str) -> dict[str | None, str | None]:
    """Id -> Name; no id has no name."""
    return {None: None, **{r["Id"]: r["Name"] for r in stored(sandbox, object_name)}}
