"""Core: records to rounds of distinct keys, and a round's tickets to batches that HubSpot takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from target_hubspot_tickets.outcomes import Rejected
from target_hubspot_tickets.protocol import MAX_BODY_BYTES, MAX_INPUTS
from target_hubspot_tickets.records import Item, Upsert, identity

ROUND_RECORDS = 2_000  # as many as one call associates (associate/default: 2,000 pairs)
_START, _END = b'{"inputs":[', b"]}"


@dataclass(slots=True, kw_only=True)
class Round:
    """Records of distinct keys that are loaded together; `items` by identity, in the order in which their keys came first.

    Attributes:
        number: rises from 1, in the order of the stream.
        rejected: records that can't even be read, and cases that the mapper rejected.
        superseded: records that a later one of the same key replaced, or was laid over.
        is_light: its tickets are written and its values gone; what is left to do takes no memory to speak of.
        is_retry: its records were rejected by earlier runs; what is rejected again does not count against this one.
    """

    number: int
    items: dict[str, Item] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    superseded: int = 0
    is_retry: bool = False
    is_light: bool = False

    def __len__(self) -> int:
        return len(self.items) + len(self.rejected)

    def add(self, item: Item) -> None:
        """Take a record in. Of two upserts of one key the later is laid over the earlier, as HubSpot would do it; else the later counts."""
        key = identity(item.key)
        before = self.items.get(key)
        if before is not None:
            self.superseded += 1
            if isinstance(item, Upsert) and isinstance(before, Upsert):
                item = _laid_over(before, item)
        self.items[key] = item
        self.superseded += self.rejected.pop(key, None) is not None

    def reject(self, rejected: Rejected) -> None:
        """Put a record on record that can't be loaded."""
        key = identity(rejected.key)
        self.superseded += self.items.pop(key, None) is not None
        self.superseded += key in self.rejected
        self.rejected[key] = rejected

    def lighten(self) -> None:
        """Its tickets are written: let its values go."""
        self.items.clear()
        self.is_light = True

    def keys(self) -> set[str]:
        """The identities of all records in it."""
        return set(self.items) | set(self.rejected)


def _laid_over(before: Upsert, after: Upsert) -> Upsert:
    wishes = before.wishes if after.wishes is None else after.wishes
    if before.values.keys() <= after.values.keys():
        return Upsert(key=after.key, values=after.values, wishes=wishes)
    return Upsert(key=after.key, values={**before.values, **after.values}, wishes=wishes)


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One input of batch/upsert, as JSON that is ready to be sent."""

    key: str
    content: bytes


def encode(key: str, properties: Mapping[str, str], key_property: str) -> Input:
    """An input with its key as trace id: HubSpot then judges each input by itself (error handling: multi-status errors)."""
    value: dict[str, Any] = {
        "idProperty": key_property,
        "id": key,
        "objectWriteTraceId": key,
        "properties": properties,
    }
    return Input(key=key, content=msgspec.json.encode(value))


def body_of(batch: Iterable[Input]) -> bytes:
    """The body of one call."""
    return _START + b",".join([one.content for one in batch]) + _END


def batches(inputs: Iterable[Input]) -> Iterator[list[Input]]:
    """Inputs in lists of at most 100 and two million bytes; one that is larger alone stands alone."""
    batch: list[Input] = []
    size = 0
    for one in inputs:
        weight = len(one.content) + 1
        if batch and (len(batch) == MAX_INPUTS or size + weight > MAX_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield batch
