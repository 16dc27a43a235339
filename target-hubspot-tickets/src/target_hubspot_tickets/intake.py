"""Core: a record of the input into the round that takes it in: as what is to be done, or, where it can't be read, as a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from target_hubspot_tickets.batching import Round
from target_hubspot_tickets.errors import StreamError
from target_hubspot_tickets.outcomes import Rejected
from target_hubspot_tickets.records import Item, read_record
from target_hubspot_tickets.settings import Policy

REJECTED_CASES = "rejected_cases"  # cases that the mapper could not map: put on record, not loaded
UNREADABLE = "UNREADABLE"  # code of a record that is none; trying it again is of no use


def take_in(round_: Round, stream: str, record: Mapping[str, Any], policy: Policy) -> None:
    """A record that can't be read is put on record as it is; it does not hold up the others."""
    if stream == REJECTED_CASES:
        round_.reject(_rejected_by_mapper(record, policy))
        return
    try:
        round_.add(read(record, policy))
    except StreamError as error:
        round_.reject(_unreadable(stream, record, str(error), policy))


def read(record: Mapping[str, Any], policy: Policy) -> Item:
    """What a record asks for.

    Raises:
        StreamError: it can't be read.
    """
    return read_record(record, policy.key_property, policy.source_property, policy.version_property)


def _unreadable(stream: str, record: Mapping[str, Any], message: str, policy: Policy) -> Rejected:
    """By its key, or by a digest of it where it has none."""
    key = record.get(policy.key_property)
    digest = blake2b(repr(sorted(record.items())).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Rejected(
        key=str(key) if isinstance(key, str | int) and str(key).strip() else f"(no key) {digest}",
        code=UNREADABLE,
        message=message,
        record=dict(record) if policy.keeps_payloads else None,
        stream=stream,
    )


def _rejected_by_mapper(record: Mapping[str, Any], policy: Policy) -> Rejected:
    """A case that the rules could not map: the mapper sends the reason without values."""
    return Rejected(
        key=str(record.get(policy.key_property)),
        code=str(record.get("code")),
        message=str(record.get("message")),
        stream=REJECTED_CASES,
    )
