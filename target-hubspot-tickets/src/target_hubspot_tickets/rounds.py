"""Shell: rounds on their way, some at once: never two with a common key, and a state only behind what it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from target_hubspot_tickets.acknowledgement import Acknowledgements
from target_hubspot_tickets.batching import Round
from target_hubspot_tickets.outcomes import RoundOutcome

MOST_ROUNDS = 32  # most of them wait for searches, which are few a second
MOST_HEAVY = (
    4  # rounds whose tickets are not written yet: they hold values, so they are what memory depends on
)
LOOK_SECONDS = 0.05  # between two looks at whether a round has become light, or a signal came
Load = Callable[[Round], RoundOutcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    round: Round
    keys: set[str]


class Rounds:
    """Loads rounds in threads of their own; all else happens in the caller's thread.

    `confirm` is told of each outcome, and has put it on record when it returns; only then `emit` gets the state behind it.
    """

    def __init__(
        self,
        confirm: Callable[[Round, RoundOutcome], None],
        emit: Callable[[dict[str, Any]], None],
        check_signal: Callable[[], None],
    ) -> None:
        self._confirm, self._emit, self._check_signal = confirm, emit, check_signal
        self._acks = Acknowledgements()
        self._pool = ThreadPoolExecutor(MOST_ROUNDS, "round")
        self._flights: dict[Future[RoundOutcome], _Flight] = {}
        self._keys: set[str] = set()  # of all that are under way
        self._ended: SimpleQueue[Future[RoundOutcome]] = SimpleQueue()
        self._newest = 0

    def open(self) -> Round:
        """A new round for the records that come next."""
        self._newest += 1
        self._acks.opened(self._newest)
        return Round(number=self._newest)

    def hold(self) -> int:
        """Keep back the states that come from now on, until `release` of the number that this gives."""
        return self.open().number

    def release(self, number: int) -> None:
        """What the states were kept back for, a round or another step, is done."""
        self._acks.confirmed(number)
        self._let_out()

    def state(self, value: dict[str, Any]) -> None:
        """A state came; it leaves when all rounds opened so far are confirmed."""
        self._acks.came(value, self._newest)
        self._let_out()

    def launch(self, round_: Round, load: Load, keys: set[str] | None = None) -> None:
        """Start to load a round: as soon as there is room, and no round with one of its keys is under way.

        `keys` are the identities that it writes, where its records do not tell.
        """
        keys = keys or round_.keys()
        while not (self._has_room() and self._keys.isdisjoint(keys)):
            self._wait_for_one()
        future = self._pool.submit(load, round_)
        self._flights[future] = _Flight(round=round_, keys=keys)
        self._keys |= keys
        future.add_done_callback(self._ended.put)

    def _has_room(self) -> bool:
        heavy = sum(not flight.round.is_light for flight in self._flights.values())
        return len(self._flights) < MOST_ROUNDS and heavy < MOST_HEAVY

    def _wait_for_one(self) -> None:
        self.collect(LOOK_SECONDS)
        self._check_signal()

    def collect(self, timeout_seconds: float) -> None:
        """Confirm what has been loaded; wait at most so long for the first.

        Raises:
            Exception: what a round failed with, after all others that have ended were confirmed.
        """
        failure: BaseException | None = None
        for future in self._take_ended(timeout_seconds):
            flight = self._flights.pop(future)
            self._keys -= flight.keys
            if error := future.exception():
                failure = failure or error
                continue
            self._confirm(flight.round, future.result())
            self.release(flight.round.number)
        if failure:
            raise failure

    def _take_ended(self, timeout_seconds: float) -> Iterator[Future[RoundOutcome]]:
        """Those that have ended by now, or that end first."""
        try:
            yield self._ended.get(timeout=timeout_seconds) if timeout_seconds else self._ended.get_nowait()
            while True:
                yield self._ended.get_nowait()
        except Empty:
            return

    def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._flights:
            self._wait_for_one()

    def save(self, seconds: float, clock: Callable[[], float]) -> bool:
        """The run ends early: confirm what still gets done in so many seconds, whatever fails; whether nothing is left."""
        until = clock() + seconds
        while self._flights and clock() < until:
            try:
                self.collect(min(LOOK_SECONDS, max(until - clock(), 0)))
            except Exception:  # noqa: BLE001, S112 - the run has its error already; unconfirmed rounds are sent again
                continue
        return not self._flights

    def close(self) -> None:
        """Wait for the threads; the client was stopped, so that they end soon."""
        self._pool.shutdown(cancel_futures=True)

    def _let_out(self) -> None:
        state = self._acks.take_due()
        if state is not None:
            self._emit(state)
