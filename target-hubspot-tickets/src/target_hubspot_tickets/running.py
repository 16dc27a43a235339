"""Shell: one run: messages to rounds, rounds to HubSpot and to the ledger, and at the end the deletions.

The SDK's sinks write state when a batch was handed over, and their signal handler drains in the middle of one (reliability.md D1).
Here everything but the loading of rounds happens in one thread, and a state leaves only behind the ledger's commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

from target_hubspot_tickets.batching import ROUND_RECORDS, Round
from target_hubspot_tickets.errors import StreamError, TooManyRejectedError
from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.ledger_rows import PendingRow
from target_hubspot_tickets.outcomes import Rejected, RoundOutcome
from target_hubspot_tickets.records import Item, identity, read_record
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.rounds import Rounds
from target_hubspot_tickets.sessions import Load, Session

ROUND_SECONDS = 5.0  # a round that does not get full is loaded after so long
ROUND_BYTES = 8_000_000  # of input lines; bounds memory when records are long
REJECTED_CASES = "rejected_cases"  # cases that the mapper could not map: put on record, not loaded
SNAPSHOTS = "case_snapshots"
UNREADABLE = "UNREADABLE"  # code of a record that is none; trying it again is of no use


@dataclass(slots=True, kw_only=True)
class _Stream:
    """A stream of the input: its schema, and what takes in its rounds; None for one that has none."""

    schema: Mapping[str, Any]
    load: Load | None = None


@dataclass(slots=True)
class _Building:
    """The round that takes in records now."""

    round: Round
    stream: str
    since: float
    bytes: int = 0


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of the target. The methods are called in the order of the stream, from one thread."""

    session: Session
    report: Report
    emit: Callable[[dict[str, Any]], None]
    check_signal: Callable[[], None]
    phase: str = "opening"  # then retrying, loading, finishing, deleting
    _rounds: Rounds = field(init=False)
    _streams: dict[str, _Stream] = field(default_factory=dict)
    _building: _Building | None = None
    _held: int | None = None  # the number that keeps back the states behind a snapshot

    def __post_init__(self) -> None:
        self._rounds = Rounds(self._confirm, self.emit, self.check_signal)

    # -- messages

    def schema(self, message: Mapping[str, Any]) -> None:
        """A new or changed schema: what came before is written first (D8), then the stream is checked against the portal."""
        stream, schema = message["stream"], message["schema"]
        known = self._streams.get(stream)
        if known and known.schema == schema:
            return
        self._launch()
        self._rounds.settle()
        self._streams[stream] = _Stream(schema=schema)
        if stream == REJECTED_CASES:
            self._streams[stream].load = self.session.rejections()
        elif stream != SNAPSHOTS:
            self._streams[stream].load = self.session.open_stream(message)
            if known is None:  # once in a run, not with each change of the schema
                self.phase = "retrying"
                self._retry(stream)
            self.phase = "loading"

    def record(self, message: Mapping[str, Any], size_bytes: int) -> None:
        """A record into the round under construction; of two with one key the later counts."""
        stream, record = message["stream"], message["record"]
        if stream not in self._streams:
            raise StreamError(f"a record of stream '{stream}' comes before its SCHEMA message")
        if stream == SNAPSHOTS:
            self._hold()
            self.session.reconciler.snapshot(record)
            return
        self.report.records += 1
        building = self._round_for(stream)
        building.bytes += size_bytes
        if stream == REJECTED_CASES:
            building.round.reject(self._rejected_by_mapper(record))
        else:
            self._take_in(building.round, stream, record)
            if "version" in message:
                self.session.reconciler.versioned(stream, message["version"], record)
        if len(building.round) >= ROUND_RECORDS or building.bytes >= ROUND_BYTES:
            self._launch()

    def state(self, value: dict[str, Any]) -> None:
        """Kept until the records before it are confirmed."""
        self._rounds.state(value)

    def activate_version(self, message: Mapping[str, Any]) -> None:
        """A stream's version is complete: what has no record of it is gone, if enough speaks for that."""
        if message["stream"] in self._streams and self.session.reconciler.has_version(message["stream"]):
            self._hold()
            self.session.reconciler.activate(message["stream"], message.get("version"))

    def tick(self) -> None:
        """Between two reads of the input: confirm what is loaded, and launch a round that has waited long enough."""
        self._rounds.collect(0)
        if self._building and time.monotonic() - self._building.since >= ROUND_SECONDS:
            self._launch()

    def finish(self) -> None:
        """The input is over, which does not mean that the tap was complete: write what is left, then the deletions."""
        self.phase = "finishing"
        self._launch()
        self.session.hurry()
        self._rounds.settle()
        self._retry_tickets()
        self.phase = "deleting"
        self.session.delete(self.report, self.check_signal)
        if self._held is not None:
            self._rounds.release(self._held)

    def _hold(self) -> None:
        """A state behind a snapshot says that it was used, so it leaves only when it was."""
        if self._held is None and self.session.policy.archives:
            self._held = self._rounds.hold()

    def settle(self) -> None:
        """Write and confirm all that has come: the stream has an error behind it."""
        self._launch()
        self._rounds.settle()

    def save(self, seconds: float) -> None:
        """The run ends early: confirm what is under way, for so long; the rest is sent again by the next run."""
        self._building = None
        self._rounds.save(seconds, time.monotonic)

    def close(self) -> None:
        """After the client was stopped."""
        self._rounds.close()

    # -- rounds

    def _round_for(self, stream: str) -> _Building:
        """The round that a record of this stream goes into; a round holds tickets of one stream."""
        building = self._building
        if building and building.stream != stream and REJECTED_CASES not in {stream, building.stream}:
            self._launch()
            building = None
        if building is None:
            building = self._building = _Building(self._rounds.open(), stream, time.monotonic())
        if building.stream == REJECTED_CASES:
            building.stream = stream
        return building

    def _take_in(self, round_: Round, stream: str, record: Mapping[str, Any]) -> None:
        """A record that can't be read is put on record as it is; it does not hold up the others."""
        try:
            round_.add(self._read(record))
        except StreamError as error:
            round_.reject(self._unreadable(stream, record, str(error)))

    def _read(self, record: Mapping[str, Any]) -> Item:
        policy, settings = self.session.policy, self.session.settings
        return read_record(record, policy.key_property, settings["source_property"], policy.version_property)

    def _unreadable(self, stream: str, record: Mapping[str, Any], message: str) -> Rejected:
        """By its key, or by a digest of it where it has none."""
        policy = self.session.policy
        key = record.get(policy.key_property)
        digest = blake2b(repr(sorted(record.items())).encode("utf-8", "replace"), digest_size=8).hexdigest()
        return Rejected(
            key=str(key) if isinstance(key, str | int) and str(key).strip() else f"(no key) {digest}",
            code=UNREADABLE,
            message=message,
            record=dict(record) if policy.keeps_payloads else None,
            stream=stream,
        )

    def _rejected_by_mapper(self, record: Mapping[str, Any]) -> Rejected:
        """A case that the rules could not map: the mapper sends the reason without values."""
        return Rejected(
            key=str(record.get(self.session.policy.key_property)),
            code=str(record.get("code")),
            message=str(record.get("message")),
            stream=REJECTED_CASES,
        )

    def _launch(self) -> None:
        building, self._building = self._building, None
        if building is None:
            return
        self._rounds.launch(building.round, self._load(building.stream))

    def _confirm(self, round_: Round, outcome: RoundOutcome) -> None:
        """Put a round's outcome on record; its states may leave then."""
        self.session.record(outcome)
        self.report.count(outcome, round_.superseded, is_retry=round_.is_retry)
        settings = self.session.settings
        if settings["dry_run"]:  # it is to tell of all of them
            return
        reason = self.report.too_many_rejected(
            max_rejected=settings["max_rejected"],
            max_ratio=settings["max_rejected_ratio"],
            max_same=settings["max_same_rejections"],
        )
        if reason:
            raise TooManyRejectedError(
                f"{reason}. {hint('See them', 'rejected')}, mend the cause, then run again"
            )

    # -- what earlier runs left

    def _retry(self, stream: str) -> None:
        """Associations that wait, then rejected records, before anything newer of them comes."""
        for page in self.session.waiting_associations():
            self._launch_keys({identity(row.key) for row in page}, partial(self._again, page))
        self._rounds.settle()
        for items in _grouped(self._readable_again(stream)):
            round_ = self._rounds.open()
            round_.is_retry = True
            for item in items:
                round_.add(item)
            self.report.retried += len(items)
            self._rounds.launch(round_, self._load(stream))
        self._rounds.settle()

    def _retry_tickets(self) -> None:
        """Tickets that wait for another one, which may have come later in this very run."""
        for page in self.session.waiting_associations(to="tickets"):
            self._launch_keys({identity(row.key) for row in page}, partial(self._again, page))
        self._rounds.settle()

    def _again(self, page: Sequence[PendingRow], _round: Round) -> RoundOutcome:
        return self.session.associate_again(page)

    def _launch_keys(self, keys: set[str], load: Callable[[Round], RoundOutcome]) -> None:
        self._rounds.launch(self._rounds.open(), load, keys)

    def _readable_again(self, stream: str) -> Iterator[Item]:
        for row in self.session.rejected_to_retry(stream):
            try:
                yield self._read(row.record or {})
            except StreamError:
                continue

    def _load(self, stream: str) -> Load:
        load = self._streams[stream].load
        assert load is not None, stream  # noqa: S101 - open_stream was called
        return load


def _grouped(items: Iterator[Item]) -> Iterator[list[Item]]:
    """In lists that are rounds."""
    group: list[Item] = []
    for item in items:
        group.append(item)
        if len(group) == ROUND_RECORDS:
            yield group
            group = []
    if group:
        yield group
