"""Core: the bookmark of `cases`: never past what may still appear, and no row twice for having stood still.

A row is stamped inside its transaction and seen at its commit, so one can appear below rows that were read already. The
bookmark therefore stays `lookback` behind Salesforce's clock; rows of that overlap are remembered by id and stamp, and one
that did not change since it was emitted is not emitted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_cases.errors import TapError
from tap_salesforce_cases.moments import from_wire, to_wire

# More rows than this in one overlap (a mass update) are read again rather than remembered: state stays small.
MAX_REMEMBERED = 5_000
# Stamps have a second's resolution: a row read within its own second may change again without a new stamp. Such a row is not
# remembered, so the next run emits it once more rather than miss the change.
SETTLES_AFTER = timedelta(seconds=2)


@dataclass(slots=True, kw_only=True)
class Bookmark:
    """Where reading goes on, as it moves through a run.

    Attributes:
        since: lowest SystemModstamp to read, inclusive; None means all.
        ceiling: Salesforce's clock at the start minus the lookback; the bookmark never goes past it.
        settled: newest stamp whose second was surely over when the run began.
        remembered: id -> SystemModstamp of rows emitted at or above `since`, from the run before.
    """

    since: datetime | None
    ceiling: datetime
    settled: datetime
    remembered: Mapping[str, str] = field(default_factory=dict)
    _newest: str | None = None
    _emitted: dict[str, str] = field(default_factory=dict)

    def is_known(self, record_id: str, stamp: str) -> bool:
        """Whether this very version was emitted by the run before."""
        return self.remembered.get(record_id) == stamp

    def passed(self, record_id: str, stamp: str) -> None:
        """A row was read, emitted or known; rows come in the order of their stamps.

        Remembered are the rows that the next run reads again: those of the overlap, and those of the newest stamp below it.
        """
        moment = from_wire(stamp)
        if moment < self.ceiling and stamp != self._newest:
            self._emitted.clear()
        self._newest = stamp
        if moment <= self.settled:
            self._emitted[record_id] = stamp

    def value(self) -> datetime | None:
        """min(newest read, ceiling), and never below where the run began."""
        if self._newest is None:
            return self.since
        moved = min(from_wire(self._newest), self.ceiling)
        return max(moved, self.since) if self.since else moved

    def state(self) -> dict[str, Any]:
        """The bookmark as it stands in a STATE message; nothing before the first row of a first run."""
        value = self.value()
        if value is None:
            return {}
        remembered = {i: s for i, s in {**self.remembered, **self._emitted}.items() if from_wire(s) >= value}
        kept = remembered if len(remembered) <= MAX_REMEMBERED else {}
        return {
            "replication_key": "SystemModstamp",
            "replication_key_value": to_wire(value),
            "emitted_in_lookback": kept,
        }


def open_bookmark(
    state: Mapping[str, Any], start_date: str | None, server_time: datetime, lookback: timedelta
) -> Bookmark:
    """The bookmark of a run: from the state, else from `start_date`, else from the first case.

    Raises:
        TapError: the state is none of this tap's.
    """
    text = state.get("replication_key_value")
    try:
        since = from_wire(text) if text else (from_wire(start_date) if start_date else None)
        remembered = {str(i): str(s) for i, s in (state.get("emitted_in_lookback") or {}).items()}
        for stamp in remembered.values():
            from_wire(stamp)
    except (ValueError, TypeError, AttributeError):
        raise TapError(
            "the state's bookmark of `cases` can't be read: clear the state (meltano state clear) and import again"
        ) from None
    return Bookmark(
        since=since,
        ceiling=server_time - lookback,
        settled=server_time - SETTLES_AFTER,
        remembered=remembered,
    )
