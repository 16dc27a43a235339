"""Core: the bookmark of a stream: never past what may still appear, and no row twice for having stood still.

A row is stamped inside its transaction and seen at its commit, so one can appear below rows that were read already. The
bookmark therefore stays `lookback` behind Salesforce's clock; rows of that overlap are remembered by id and a digest of what was
emitted, and one that is still the same is not emitted again. A digest, not the stamp: stamps have a second's resolution.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from tap_salesforce_cases.errors import StateRefusedError
from tap_salesforce_cases.moments import from_wire, to_wire, whole_second
from tap_salesforce_cases.windows import Position

Row = Mapping[str, Any]
DIGEST_BYTES = 8
# More rows than this in one overlap (a mass update) are read again rather than remembered: state stays small.
MAX_REMEMBERED = 5_000
STATE_VERSION = 1  # of the bookmark's form
CLEAR = "clear the state (meltano state clear) to import again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a bookmark is of; one of another org, object or filter says nothing about this one."""

    organization_id: str
    object_name: str
    filter_fingerprint: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """A Bulk job whose rows are not all out: a later run goes on with it.

    Attributes:
        since, until: its window, as on the wire; "" for no lower end. It ends at or below the ceiling of its run.
        locator: where the next rows are; "" for the start.
        rows: rows that are out already.
        columns: fingerprint of what was selected.
    """

    id: str
    until: str
    since: str = ""
    locator: str = ""
    rows: int = 0
    columns: str = ""


@dataclass(slots=True, kw_only=True)
class Bookmark:
    """Where reading goes on, as it moves through a run.

    Attributes:
        origin: org, object and filter.
        since: lowest SystemModstamp to read, inclusive; None means all.
        after: the last row out when `since` lies before the lookback: rows up to it can't change places any more.
        ceiling: Salesforce's clock at the start minus the lookback, to the second: stamps are cut to it. The bookmark never
            goes past it.
        remembered: id -> version of rows emitted at or above `since` by the runs before.
        fields: the columns that were read.
        jobs: Bulk jobs to go on with, in the order of their windows.
    """

    origin: Origin
    since: datetime | None
    ceiling: datetime
    after: Position | None = None
    remembered: Mapping[str, Version] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    jobs: tuple[OpenJob, ...] = ()
    _emitted: dict[str, Version] = field(default_factory=dict)
    _ceiling_on_wire: str = ""

    def __post_init__(self) -> None:
        self._ceiling_on_wire = to_wire(self.ceiling)

    def is_known(self, row: Row) -> bool:
        """Whether this very version was emitted, by a run before or by this one."""
        known = self._emitted.get(row["Id"]) or self.remembered.get(row["Id"])
        return known is not None and known == Version.of(row)

    def remember(self, row: Row) -> None:
        """A row is out. Kept are those of the overlap, which the next run reads again; stamps on the wire compare as texts."""
        if row["SystemModstamp"] >= self._ceiling_on_wire and len(self._emitted) <= MAX_REMEMBERED:
            self._emitted[row["Id"]] = Version.of(row)

    def passed(self, position: Position) -> None:
        """All rows up to this one, in the order of (SystemModstamp, Id), are out. Never moves backwards."""
        moved, after = (self.ceiling, None) if position.stamp >= self.ceiling else (position.stamp, position)
        if self.since is None or moved >= self.since:
            self.since, self.after = moved, after

    def finished(self, until_exclusive: datetime) -> None:
        """All rows below a moment are out. Never moves backwards, nor past the ceiling."""
        moved = min(until_exclusive, self.ceiling)
        if self.since is None or moved > self.since:
            self.since, self.after = moved, None

    def start_at(self, moment: datetime) -> None:
        """What was stamped before a moment is not read, however late it is committed."""
        self.since, self.after = whole_second(moment), None

    def state(self) -> dict[str, Any]:
        """The bookmark as it stands in a STATE message."""
        state: dict[str, Any] = {
            "version": STATE_VERSION,
            "organization_id": self.origin.organization_id,
            "object": self.origin.object_name,
            "filter": self.origin.filter_fingerprint,
            "fields": list(self.fields),
        }
        if self.since:
            state["replication_key"] = "SystemModstamp"
            state["replication_key_value"] = to_wire(self.since)
        if self.after:
            state["after_id"] = self.after.record_id
        if kept := self._kept():
            state["emitted_in_lookback"] = kept
        if self.jobs:
            state["jobs"] = [_job_state(job) for job in self.jobs]
        return state

    def _kept(self) -> dict[str, str]:
        """Id -> version of the rows at or above the bookmark; none when there are too many to carry."""
        low = to_wire(self.since) if self.since else ""
        kept = {i: v.in_state() for i, v in {**self.remembered, **self._emitted}.items() if v.stamp >= low}
        return kept if len(kept) <= MAX_REMEMBERED else {}


def _job_state(job: OpenJob) -> dict[str, Any]:
    return {name: value for name in OpenJob.__dataclass_fields__ if (value := getattr(job, name))}


def open_bookmark(
    state: Mapping[str, Any], origin: Origin, *, start: datetime | None, ceiling: datetime
) -> Bookmark:
    """The bookmark of a run: from the state, else from a start, else from the first row.

    Raises:
        StateRefusedError: the state is of another org, object or filter, or none of this tap's.
    """
    check_origin(state, origin)
    try:
        return _read(state, origin, start, ceiling)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise StateRefusedError(
            f"the state's bookmark of {origin.object_name} can't be read: {CLEAR}"
        ) from None


def check_form(state: Mapping[str, Any], streams: Collection[str]) -> None:
    """Refuse a whole state that this tap did not write: read as an empty one, it would mean an import of everything.

    Raises:
        StateRefusedError: it has no bookmarks, or of streams that are not among `streams`.
    """
    bookmarks: Any = state.get("bookmarks") if state else {}
    known = isinstance(bookmarks, Mapping) and set(bookmarks) <= set(streams)
    if not known or not all(isinstance(value, Mapping) for value in bookmarks.values()):
        raise StateRefusedError(f"the state is none of this tap's: nothing was read. Use its own, or {CLEAR}")


def is_empty(state: Mapping[str, Any]) -> bool:
    """Whether it says nothing of what was read."""
    return not state.get("replication_key_value") and not state.get("jobs")


def check_origin(state: Mapping[str, Any], origin: Origin) -> None:
    """Refuse a bookmark that is not of this origin; one that does not say whose it is may be anybody's.

    Raises:
        StateRefusedError: it is of another org, object or filter.
    """
    if is_empty(state):
        return
    if state.get("version", STATE_VERSION) != STATE_VERSION:
        raise StateRefusedError(
            f"the state of {origin.object_name} was made with another version of this tap: install that one, or {CLEAR}"
        )
    checks: Sequence[tuple[str, str, str]] = (
        ("organization_id", origin.organization_id, "another Salesforce org"),
        ("object", origin.object_name, "another object"),
        (
            "filter",
            origin.filter_fingerprint,
            "other settings where / record_types_include / record_types_exclude",
        ),
    )
    for key, now, said in checks:
        if str(state.get(key, "")) != now:
            raise StateRefusedError(
                f"the state of {origin.object_name} was made with {said} ({key} {state.get(key)!r}, now {now!r}): "
                f"nothing was read. Use the state of this one, or {CLEAR}"
            )


def _read(state: Mapping[str, Any], origin: Origin, start: datetime | None, ceiling: datetime) -> Bookmark:
    text = state.get("replication_key_value")
    since = from_wire(text) if text else start
    after_id = state.get("after_id")
    if after_id and not (after_id.isascii() and after_id.isalnum()):  # it goes into a query
        raise ValueError
    remembered = {i: Version.from_state(v) for i, v in (state.get("emitted_in_lookback") or {}).items()}
    return Bookmark(
        origin=origin,
        since=since,
        ceiling=whole_second(ceiling),
        after=Position(stamp=since, record_id=after_id) if since and after_id else None,
        remembered=remembered,
        fields=tuple(str(name) for name in state.get("fields") or ()),
        jobs=tuple(_job(job) for job in state.get("jobs") or ()),
    )


def _job(state: Mapping[str, Any]) -> OpenJob:
    """A job of the state; one that is none would end a later step, behind the first messages, as a fault of this program.

    Raises:
        ValueError, TypeError, AttributeError: it is none.
    """
    job = OpenJob(**state)
    if not all(text.isascii() for text in (job.id, job.until, job.since, job.locator, job.columns)):
        raise ValueError
    if isinstance(job.rows, bool) or not isinstance(job.rows, int) or job.rows < 0:
        raise ValueError
    from_wire(job.until)
    if job.since:
        from_wire(job.since)
    return job
