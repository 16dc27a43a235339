"""Core: cases by their ids, in conditions that Salesforce takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from case_sync_console.case_filter import CASE_ID
from case_sync_console.errors import ConsoleError

# Salesforce: a SOQL statement has at most 100,000 characters; 21 of them an id, and the columns of Case need some, too.
# A process is started for each batch, whose environment holds the condition: 128 KiB a variable on Linux.
IDS_IN_ONE_RUN = 1_000


def batches(keys: Iterable[str], size: int = IDS_IN_ONE_RUN) -> Iterator[list[str]]:
    """Lists of at most `size`, read as they are asked for."""
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def condition_of(keys: Iterable[str]) -> str:
    """The condition that only these cases meet.

    Raises:
        ConsoleError: a key is no Id of a case, so that nothing may be made of it.
    """
    listed = list(keys)
    for key in listed:
        if not CASE_ID.fullmatch(key):
            raise ConsoleError(f"'{key}' is no Id of a case: a ticket with this key is not one of the sync's")
    return f"Id IN ({', '.join(map(_quoted, listed))})"


def _quoted(key: str) -> str:
    return f"'{key}'"
