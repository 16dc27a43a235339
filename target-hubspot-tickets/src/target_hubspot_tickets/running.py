"""Shell: one run: messages to rounds, rounds to HubSpot and to the ledger, and at the end the deletions.

The SDK's sinks write state when a batch was handed over, and their signal handler drains in the middle of one (reliability.md D1).
Here everything but the loading of rounds happens in one thread, and a state leaves only behind the ledger's commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from target_hubspot_tickets.batching import ROUND_RECORDS, Round
from target_hubspot_tickets.errors import StreamError, TooManyRejectedError
from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.intake import REJECTED_CASES, read, take_in
from target_hubspot_tickets.ledger_rows import PendingRow
from target_hubspot_tickets.outcomes import RoundOutcome
from target_hubspot_tickets.records import Item, identity
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.rounds import LOOK_SECONDS, MOST_HEAVY, Rounds
from target_hubspot_tickets.sessions import Load, Session

ROUND_SECONDS = 5.0  # a round that does not get full is loaded after so long
ROUND_BYTES = 8_000_000  # of input lines; bounds memory when records are long
SNAPSHOTS = "case_snapshots"
_NEED_NO_PORTAL = frozenset({REJECTED_CASES, SNAPSHOTS})


@dataclass(slots=True, kw_only=True)
class _Stream:
    """A stream of the input: its schema, and what takes in its rounds; None until its portal has been looked at."""

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
class _Opening:
    """A stream whose portal is being looked at, and what came of it meanwhile.

    Attributes:
        is_new: what earlier runs left is still to be tried again.
        held: the number that keeps back the states.
        early: rounds of it that wait.
    """

    stream: str
    load: Future[Load]
    is_new: bool
    held: int
    early: list[_Building] = field(default_factory=list)


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
    _opening: _Opening | None = None
    _opener: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "opening"))
    _held: int | None = None  # the number that keeps back the states behind a snapshot

    def __post_init__(self) -> None:
        self._rounds = Rounds(self._confirm, self.emit, self.check_signal)

    # -- messages

    def schema(self, message: Mapping[str, Any]) -> None:
        """A new or changed schema: what came before is written first (D8), then the stream is checked against the portal.

        That takes some calls, one behind the other; records are read meanwhile, as many as rounds may hold values.
        """
        stream, schema = message["stream"], message["schema"]
        known = self._streams.get(stream)
        if known and known.schema == schema:
            return
        if stream in _NEED_NO_PORTAL:
            self._streams[stream] = _Stream(schema=schema)
            return
        self.settle()
        self._streams[stream] = _Stream(schema=schema)
        self._opening = _Opening(
            stream=stream,
            load=self._opener.submit(self.session.open_stream, message),
            is_new=known is None,
            held=self._rounds.hold(),
        )

    def record(self, message: Mapping[str, Any], size_bytes: int) -> None:
        """A record into the round under construction; of two with one key the later counts."""
        stream, record = message["stream"], message["record"]
        if stream not in self._streams:
            raise StreamError(f"a record of stream '{stream}' comes before its SCHEMA message")
        if stream == SNAPSHOTS:
            self._opened()
            self._hold()
            self.session.reconciler.snapshot(record)
            return
        self.report.records += 1
        building = self._round_for(stream)
        building.bytes += size_bytes
        take_in(building.round, stream, record, self.session.policy)
        if "version" in message and stream != REJECTED_CASES:
            self._opened()
            self.session.reconciler.versioned(stream, message["version"], record)
        if len(building.round) >= ROUND_RECORDS or building.bytes >= ROUND_BYTES:
            self._launch()

    def state(self, value: dict[str, Any]) -> None:
        """Kept until the records before it are confirmed."""
        self._rounds.state(value)

    def activate_version(self, message: Mapping[str, Any]) -> None:
        """A stream's version is complete: what has no record of it is gone, if enough speaks for that."""
        self._opened()
        if message["stream"] in self._streams and self.session.reconciler.has_version(message["stream"]):
            self._hold()
            self.session.reconciler.activate(message["stream"], message.get("version"))

    def tick(self) -> None:
        """Between two reads of the input: confirm what is loaded, and launch a round that has waited long enough."""
        if self._opening and self._opening.load.done():
            self._opened()
        self._rounds.collect(0)
        if self._building and time.monotonic() - self._building.since >= ROUND_SECONDS:
            self._launch()

    def finish(self) -> None:
        """The input is over, which does not mean that the tap was complete: write what is left, then the deletions."""
        self._opened()
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
        """Write and confirm all that has come."""
        self._opened()
        self._launch()
        self._rounds.settle()

    def save(self, seconds: float) -> None:
        """The run ends early: confirm what is under way, for so long; the rest is sent again by the next run."""
        self._building = None
        self._rounds.save(seconds, time.monotonic)

    def close(self) -> None:
        """After the client was stopped."""
        self._opener.shutdown(cancel_futures=True)
        self._rounds.close()

    def _opened(self) -> None:
        """Wait for the portal; then what earlier runs left, before anything newer of it, and the rounds that came meanwhile.

        Raises:
            PreflightError: what does not fit; nothing was written.
        """
        opening = self._opening
        if opening is None:
            return
        while not opening.load.done():
            wait([opening.load], LOOK_SECONDS)
            self.check_signal()
        self._opening = None
        self._streams[opening.stream].load = opening.load.result()
        if opening.is_new:  # once in a run, not with each change of the schema
            self.phase = "retrying"
            self._retry(opening.stream)
        self.phase = "loading"
        for building in opening.early:
            self._rounds.launch(building.round, self._load(building.stream))
        self._rounds.release(opening.held)

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

    def _launch(self) -> None:
        building, self._building = self._building, None
        if building is None:
            return
        if self._opening:
            self._opening.early.append(building)
            if len(self._opening.early) == MOST_HEAVY:
                self._opened()
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
                yield read(row.record or {}, self.session.policy)
            except StreamError:
                continue

    def _load(self, stream: str) -> Load:
        if stream == REJECTED_CASES:
            return self.session.rejections()
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
