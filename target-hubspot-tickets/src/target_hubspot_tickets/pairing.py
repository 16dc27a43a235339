"""Shell: sends pairs in bulk, reads what tickets are associated with, and says what became of each pair."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.halving import Part, accepted_size, ask
from target_hubspot_tickets.pairs import (
    Links,
    Pair,
    Reading,
    code_of,
    confirmed,
    named_pairs,
    note_links,
    read_input,
    reasons,
)
from target_hubspot_tickets.protocol import MAX_ASSOCIATIONS_READ, MAX_PAIRS, Api, Call, chunks

T = TypeVar("T", Pair, Reading)
DEFAULT = "batch/associate/default"
CREATE = "batch/create"
ARCHIVE = "batch/archive"
ARCHIVE_LABELS = "batch/labels/archive"
READ = "batch/read"
# Their answers list no pairs (204, or an empty list): what they do not refuse is done.
SILENT = frozenset({ARCHIVE, ARCHIVE_LABELS})
LEAST_PAIRS = 100  # no fewer are sent at once, however often calls were refused


@dataclass(slots=True, kw_only=True)
class Sent:
    """What became of pairs: confirmed, or refused with a code."""

    confirmed: set[Pair] = field(default_factory=set)
    refused: dict[Pair, str] = field(default_factory=dict)


class Pairing:
    """The batch calls on associations; any thread may use it."""

    def __init__(self, client: HubSpotClient, api: Api) -> None:
        self._client, self._api = client, api
        self._limit = MAX_PAIRS
        self._lock = threading.Lock()

    def send(
        self, operation: str, pairs: Iterable[Pair], input_of: Callable[[Pair], Mapping[str, Any]]
    ) -> Sent:
        """Send each pair; one that is refused, or not confirmed, holds back no other.

        Raises:
            TargetError: the run can't go on.
        """
        parts = ask(
            self._client.send_all,
            by_object(pairs, self._limit),
            lambda items: self._api.associations(items[0].to, operation, [input_of(pair) for pair in items]),
            _at_fault,
        )
        self._learn(accepted_size(parts))
        sent = Sent()
        for part in parts:
            _note(sent, part, operation)
        return sent

    def read(self, readings: Iterable[Reading]) -> Links:
        """What tickets are associated with, over all pages."""
        links = Links()
        waiting = list(readings)
        while waiting:
            parts = ask(self._client.send_all, by_object(waiting, MAX_ASSOCIATIONS_READ), self._read_call)
            waiting = [again for part in parts for again in _noted(links, part)]
        return links

    def _read_call(self, items: list[Reading]) -> Call:
        return self._api.associations(items[0].to, READ, [read_input(one) for one in items])

    def _learn(self, size: int | None) -> None:
        """HubSpot does not document how many pairs associate/default takes: later calls are as large as went well."""
        if size is not None:
            with self._lock:
                self._limit = max(LEAST_PAIRS, min(self._limit, size))


def by_object(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """In lists of one object each, of at most `size`."""
    by_to: dict[str, list[T]] = {}
    for item in items:
        by_to.setdefault(item.to, []).append(item)
    for same in by_to.values():
        yield from chunks(same, size)


@reading("associations that were refused")
def _at_fault(pairs: list[Pair], error: HubSpotAnswerError) -> list[Pair]:
    return named_pairs(pairs, error.body)


@reading("associations")
def _note(sent: Sent, part: Part[Pair], operation: str) -> None:
    if isinstance(part.answer, HubSpotAnswerError):
        sent.refused |= reasons(part.items, part.answer.body)
        return
    if operation in SILENT:
        refused = set(named_pairs(part.items, part.answer))
        done = {pair for pair in part.items if pair not in refused}
    else:
        done = confirmed(part.items, part.answer)
    sent.confirmed |= done
    sent.refused |= reasons([pair for pair in part.items if pair not in done], part.answer)


@reading("associations")
def _noted(links: Links, part: Part[Reading]) -> list[Reading]:
    if isinstance(part.answer, HubSpotAnswerError):
        links.unread |= {(one.to, one.ticket_id): code_of(part.answer.body) for one in part.items}
        return []
    return note_links(links, part.items, part.answer)
