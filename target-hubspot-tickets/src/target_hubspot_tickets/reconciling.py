"""Shell: what the source does not have any more: ids of a complete snapshot, or keys of a complete version, against the portal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from target_hubspot_tickets import versions
from target_hubspot_tickets.deletion_guard import NOT_IN_SOURCE, Doomed, Marked
from target_hubspot_tickets.marked_tickets import MarkedTickets
from target_hubspot_tickets.records import identity
from target_hubspot_tickets.snapshots import Flaw, Proof, Snapshot, is_older, suspicion
from target_hubspot_tickets.versions import Status, StreamVersion

logger = logging.getLogger("target-hubspot-tickets")
KEYS_AT_ONCE = 1_000  # of a versioned stream that are noted together
WRITTEN = "written in this run"


class Seen(Protocol):
    """What reconciliation notes in the ledger: sets of keys by name, and small values that stay."""

    def start_seen(self, snapshot_id: str) -> None: ...

    def add_seen(self, snapshot_id: str, keys: Sequence[str]) -> None: ...

    def unseen(self, snapshot_id: str, keys: Sequence[str]) -> list[str]: ...

    def count_seen(self, snapshot_id: str) -> int: ...

    def forget_seen(self) -> None: ...

    def remember(self, name: str, value: Mapping[str, Any]) -> None: ...

    def recall(self, name: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """That keys which are not among the seen ones are gone.

    Attributes:
        seen_id: what the seen keys are noted under.
        source: mark of the org; tickets of others are not spoken of.
        taken_at: a ticket with a later version is not spoken of either; None where that is not known.
        proof: the snapshot, where it is one.
    """

    seen_id: str
    source: str
    taken_at: datetime | None = None
    proof: Proof | None = None


class Reconciler:
    """Takes in what the stream says was there. Unless it `archives`, it does nothing at all; a dry run remembers nothing.

    Keys of a snapshot or version are noted in the ledger, not in memory: there may be millions.
    """

    def __init__(
        self,
        tickets: MarkedTickets,
        ledger: Seen,
        *,
        archives: bool,
        is_dry: bool = False,
        spare: Callable[[Sequence[Marked]], None] = lambda _tickets: None,
    ) -> None:
        """`spare` is told of tickets with the org's mark that nothing can be said of: without a key, or not older."""
        self._tickets, self._ledger, self._archives, self._is_dry = tickets, ledger, archives, is_dry
        self._spare = spare
        self._snapshots: dict[str, Snapshot] = {}
        self._versions: dict[str, StreamVersion] = {}
        self._keys: dict[str, list[str]] = {}
        self._notes_written = False
        self._evidence: Evidence | None = None
        self.suspicion: str | None = None
        self.marked_count: int | None = None  # active tickets of the org, once they were walked

    # -- what the stream says

    def snapshot(self, record: Mapping[str, Any]) -> None:
        """A record of the stream case_snapshots."""
        if not self._archives:
            return
        snapshot_id = str(record.get("snapshot_id"))
        snapshot = self._snapshots.pop(snapshot_id, None)
        if snapshot is None:
            snapshot = Snapshot(snapshot_id)
            self._ledger.start_seen(_seen_id(snapshot_id))
        self._snapshots[snapshot_id] = snapshot  # the one that spoke last stands last
        ids = snapshot.take(record)
        if ids:
            self._ledger.add_seen(_seen_id(snapshot_id), [identity(one) for one in ids])

    def versioned(self, stream: str, version: Any, record: Mapping[str, Any]) -> None:
        """A record with a version, of a stream of tickets; also one that will be rejected: its source has it."""
        if not self._archives or not isinstance(version, int):
            return
        under_way = self._versions.get(stream)
        if under_way is None or under_way.version != version:
            under_way = self._begin(stream, version)
        key = _text(record.get(self._tickets.marks.key))
        under_way.take(key, _text(record.get(self._tickets.marks.source)))
        if key:
            keys = self._keys[stream]
            keys.append(identity(key))
            if len(keys) >= KEYS_AT_ONCE:
                self._note(stream)

    def has_version(self, stream: str) -> bool:
        """Whether records of this stream came with a version; a marker in front of them proves nothing."""
        return stream in self._versions

    def activate(self, stream: str, version: Any) -> None:
        """A marker: the version is complete, if no record of it follows."""
        if stream in self._versions:
            self._versions[stream].activate(version)

    def note_written(self, keys: Sequence[str]) -> None:
        """Tickets written in this run, or found to be deleted otherwise: no reconciliation of this run speaks of them."""
        if not self._archives or not keys:
            return
        if not self._notes_written:
            self._ledger.start_seen(WRITTEN)
            self._notes_written = True
        self._ledger.add_seen(WRITTEN, [identity(key) for key in keys])

    def _begin(self, stream: str, version: int) -> StreamVersion:
        begun = StreamVersion(stream=stream, version=version)
        last = self._ledger.recall(_name(stream))
        if last and last["version"] == version:
            begun.resume(last, self._ledger.count_seen(begun.seen_id))
        else:
            self._ledger.start_seen(begun.seen_id)
        self._versions[stream], self._keys[stream] = begun, []
        self._remember(begun, Status.OPEN)
        return begun

    def _remember(self, version: StreamVersion, status: Status) -> None:
        if not self._is_dry:
            noted = self._ledger.count_seen(version.seen_id)
            self._ledger.remember(_name(version.stream), version.as_json(status, noted))

    def _note(self, stream: str) -> None:
        self._ledger.add_seen(self._versions[stream].seen_id, self._keys[stream])
        self._keys[stream] = []

    # -- what follows from it

    def candidates(self) -> Iterator[list[Doomed]]:
        """Active tickets of the org that no record speaks of, by pages, some of them empty; call it behind the last record."""
        self._evidence = self._snapshot_evidence() or self._version_evidence()
        self._pause_versions()
        if self._evidence is None:
            return
        proof = self._evidence.proof
        self.suspicion = suspicion(proof, self._ledger.recall(_baseline(proof))) if proof else None
        yield from self._walk(self._evidence)

    def covers(self, ticket: Marked) -> bool:
        """Whether the evidence speaks of such a ticket of its org: one that is not younger."""
        taken_at = self._evidence.taken_at if self._evidence else None
        return taken_at is None or is_older(ticket.version, taken_at)

    def accept(self) -> None:
        """What followed from it is done: later snapshots are compared with this one."""
        if self._evidence and self._evidence.proof and not self._is_dry:
            proof = self._evidence.proof
            self._ledger.remember(_baseline(proof), proof.fingerprint.as_json())

    def forget(self) -> None:
        """What was noted is of no use any more, unless a version goes on in a later run; a dry run does not know."""
        noted = self._snapshots or self._versions or self._notes_written
        if (
            noted
            and not self._is_dry
            and all(version.verdict() is not False for version in self._versions.values())
        ):
            self._ledger.forget_seen()

    def _walk(self, evidence: Evidence) -> Iterator[list[Doomed]]:
        of_org = spared = 0
        for page in self._tickets.pages():
            ours = {identity(t.key): t for t in page if t.key and t.source == evidence.source}
            unseen = self._ledger.unseen(evidence.seen_id, list(ours))
            unseen = self._ledger.unseen(WRITTEN, unseen) if self._notes_written else unseen
            doomed = [ours[key] for key in unseen if self.covers(ours[key])]
            self._spare([t for t in page if not t.key and t.source == evidence.source])
            self._spare([ours[key] for key in unseen if not self.covers(ours[key])])
            of_org, spared = of_org + len(ours), spared + len(unseen) - len(doomed)
            yield [
                Doomed(ticket_id=t.ticket_id, key=str(t.key), source=t.source, reason=NOT_IN_SOURCE)
                for t in doomed
            ]
        self.marked_count = of_org
        if not of_org:
            logger.warning("No ticket carries the mark of org %s: nothing to reconcile", evidence.source)
        if spared:
            logger.warning(
                "Left %s tickets alone that the snapshot does not have: by their %s they may be younger than it",
                spared,
                self._tickets.marks.version,
            )

    def _snapshot_evidence(self) -> Evidence | None:
        """The last snapshot that proves something."""
        found: Evidence | None = None
        for snapshot_id, snapshot in self._snapshots.items():
            verdict = snapshot.verdict(self._ledger.count_seen(_seen_id(snapshot_id)))
            if isinstance(verdict, Flaw):
                logger.warning("A snapshot proves nothing, no ticket is archived for it: %s", verdict.value)
                continue
            found = Evidence(
                seen_id=_seen_id(snapshot_id),
                source=verdict.fingerprint.organization_id,
                taken_at=verdict.taken_at,
                proof=verdict,
            )
        return found

    def _version_evidence(self) -> Evidence | None:
        """The complete version, if it is the only one: of two streams of one org neither speaks of the other's tickets."""
        for stream in self._versions:
            self._note(stream)
        complete = [v for v in self._versions.values() if v.verdict() is not False]
        if not complete:
            return None
        version = complete[0]
        flaw = version.verdict()
        if len(self._versions) > 1:
            logger.warning("Several streams have versions: neither proves which tickets are gone")
        elif isinstance(flaw, versions.Flaw):
            logger.warning("The version of stream '%s' proves nothing: %s", version.stream, flaw.value)
        elif version.source:
            return Evidence(seen_id=version.seen_id, source=version.source)
        return None

    def _pause_versions(self) -> None:
        """The input ended in order: a later run may go on with a version whose marker did not come."""
        for version in self._versions.values():
            self._remember(version, Status.PAUSED if version.verdict() is False else Status.COMPLETE)


def _seen_id(snapshot_id: str) -> str:
    return f"snapshot {snapshot_id}"


def _name(stream: str) -> str:
    return f"version of {stream}"


def _baseline(proof: Proof) -> str:
    """One for each org: two orgs may share a portal."""
    return f"snapshot of {proof.fingerprint.organization_id}"


def _text(value: Any) -> str | None:
    return (
        str(value).strip() or None if isinstance(value, str | int) and not isinstance(value, bool) else None
    )
