"""Core: the bookmark of `cases`: never past what may still appear, and no row twice for having stood still.

A row is stamped inside its transaction and seen at its commit, so one can appear below rows that were read already. The
bookmark therefore stays `lookback` behind Salesforce's clock; rows of that overlap are remembered by id and a digest of what was
emitted, and one that is still the same is not emitted again. A digest, not the stamp: stamps have a second's resolution.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from tap_salesforce_cases.errors import StateError
from tap_salesforce_cases.moments import from_wire, to_wire

Row = Mapping[str, Any]
# More rows than this in one overlap (a mass update) are read again rather than remembered: state stays small.
MAX_REMEMBERED = 5_000
DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a row: its SystemModstamp on the wire, and a digest of its values, equal whatever their order."""

    stamp: str
    digest: str

    @classmethod
    def of(cls, row: Row) -> Version:
        text = json.dumps(row, sort_keys=True, default=str)
        values = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES)
        return cls(row["SystemModstamp"], values.hexdigest())

    @classmethod
    def from_state(cls, text: str) -> Version:
        """Raises ValueError where the text is none."""
        stamp, digest = text.split(" ")
        from_wire(stamp)
        return cls(stamp, digest)

    def in_state(self) -> str:
        return f"{self.stamp} {self.digest}"


@dataclass(slots=True, kw_only=True)
class Bookmark:
    """Where reading goes on, as it moves through a run.

    Attributes:
        since: lowest SystemModstamp to read, inclusive; None means all.
        ceiling: Salesforce's clock at the start minus the lookback; the bookmark never goes past it.
        remembered: id -> version of rows emitted at or above `since` by the runs before.
    """

    since: datetime | None
    ceiling: datetime
    remembered: Mapping[str, Version] = field(default_factory=dict)
    _newest: str | None = None
    _emitted: dict[str, Row] = field(default_factory=dict)

    def is_known(self, row: Row) -> bool:
        """Whether this very version was emitted by a run before."""
        known = self.remembered.get(row["Id"])
        return known is not None and known == Version.of(row)

    def passed(self, row: Row) -> None:
        """A row was read, emitted or known; rows come in the order of their stamps.

        Remembered are the rows that the next run reads again: those of the overlap, and those of the newest stamp below it.
        """
        stamp = row["SystemModstamp"]
        if stamp != self._newest and from_wire(stamp) < self.ceiling:
            self._emitted.clear()
        self._newest = stamp
        if len(self._emitted) <= MAX_REMEMBERED:
            self._emitted[row["Id"]] = row

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
        versions = {**self.remembered, **{i: Version.of(row) for i, row in self._emitted.items()}}
        kept = {i: v.in_state() for i, v in versions.items() if from_wire(v.stamp) >= value}
        return {
            "replication_key": "SystemModstamp",
            "replication_key_value": to_wire(value),
            "emitted_in_lookback": kept if len(kept) <= MAX_REMEMBERED else {},
        }


def refuse_other_org(state: Mapping[str, Any], organization_id: str) -> None:
    """A bookmark says nothing of another org's cases, and its deletions would be those of other tickets.

    Raises:
        StateError: the state is of another org than the login.
    """
    known = state.get("organization_id")
    if known and known != organization_id:
        raise StateError(
            f"the state is of the org {known}, and the login leads to {organization_id}: check login_url, or clear the state and import again"
        )


def open_bookmark(
    state: Mapping[str, Any], start_date: str | None, server_time: datetime, lookback: timedelta
) -> Bookmark:
    """The bookmark of a run: from the state, else from `start_date`, else from the first case.

    Raises:
        StateError: the state is none of this tap's.
    """
    text = state.get("replication_key_value")
    try:
        since = from_wire(text) if text else (from_wire(start_date) if start_date else None)
        remembered = {i: Version.from_state(v) for i, v in (state.get("emitted_in_lookback") or {}).items()}
    except (ValueError, TypeError, AttributeError):
        raise StateError(
            "the state's bookmark of `cases` can't be read: clear the state (meltano state clear) and import again"
        ) from None
    return Bookmark(since=since, ceiling=server_time - lookback, remembered=remembered)
