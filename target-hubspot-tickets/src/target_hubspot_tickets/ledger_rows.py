"""Core: rows of the ledger as values, and values as rows: what is put into columns, and what is read from them.

Keys and texts may hold what a database refuses: NUL (PostgreSQL), lone surrogates (both), more characters than an index takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
import simplejson

from target_hubspot_tickets.outcomes import HeldDelete, MadeAssociation, PendingAssociation, Rejected
from target_hubspot_tickets.records import Wish, identity

# PostgreSQL: a row of a B-tree index has at most 2,704 bytes (documentation, "B-Tree Indexes"); a character at most 4.
IDENTITY_CHARACTERS = 200
DIGEST_BYTES = 16
QUOTE = '"'
ORDINARY_RUN = "sync"

Values = dict[str, Any]  # of a row, by column


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow(Rejected):
    """A rejected record as it is on record; times are UTC, `tries` counts how often it was rejected."""

    first_at: datetime
    last_at: datetime
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow(PendingAssociation):
    """An association that waits; times are UTC, `tries` counts how often it could not be made."""

    first_at: datetime
    last_at: datetime
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run that ended; times are UTC.

    Attributes:
        number: rises from run to run of a ledger.
        state: the last that it acknowledged; None where it acknowledged none.
        run_name: what the run was for.
    """

    number: int
    started_at: datetime
    ended_at: datetime
    status: str
    exit_code: int
    run_name: str
    state: Mapping[str, Any] | None
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCounts:
    """Rows of one portal; `associations` are those that this target made."""

    rejected: int
    pending: int
    held: int
    associations: int
    digests: int


# -- columns


def kept_text(text: str) -> str:
    """A text that every database takes; `read_text` gives back the very same one."""
    return text if text.isprintable() and not text.startswith(QUOTE) else json.dumps(text)


def read_text(kept: str) -> str:
    return str(json.loads(kept)) if kept.startswith(QUOTE) else kept


def kept_identity(key: str) -> str:
    """What finds a key again in any spelling; a long one is cut, with a digest of the whole."""
    kept = kept_text(identity(key))
    return kept if len(kept) <= IDENTITY_CHARACTERS else kept[:IDENTITY_CHARACTERS] + _digest(kept).hex()


def seen_digest(key: str) -> bytes:
    """What a key is noted as in a snapshot: of one size, so that millions stay small."""
    return _digest(identity(key))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def kept_moment(moment: datetime) -> str:
    """An aware moment in UTC; later ones are greater as texts, too."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def kept_json(value: Any) -> str:
    """ASCII only, decimals as numbers; `read_json` gives back an equal value, numbers with a point as decimals."""
    return simplejson.dumps(value, use_decimal=True, allow_nan=True, separators=(",", ":"))


def read_json(kept: str) -> Any:
    return simplejson.loads(kept, use_decimal=True, allow_nan=True)


def kept_wish(wish: Wish) -> str:
    """As JSON; equal wishes are kept as equal texts."""
    try:
        return msgspec.json.encode(wish).decode()
    except UnicodeEncodeError:  # lone surrogates: JSON can escape them, msgspec does not
        return json.dumps(msgspec.to_builtins(wish))


def read_wish(kept: str) -> Wish:
    try:
        return msgspec.json.decode(kept, type=Wish)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(kept), type=Wish)


# -- values to rows


def _row(portal_id: str, key: str) -> Values:
    return {"portal_id": portal_id, "identity": kept_identity(key), "key": kept_text(key)}


def _first_try(at: str) -> Values:
    return {"first_at": at, "last_at": at, "tries": 1}


def rejected_values(portal_id: str, one: Rejected, at: str) -> Values:
    """Rejected for the first time, at a kept moment."""
    return {
        **_row(portal_id, one.key),
        "code": kept_text(one.code),
        "message": kept_text(one.message),
        "correlation_id": kept_text(one.correlation_id),
        "stream": kept_text(one.stream),
        "record": None if one.record is None else kept_json(dict(one.record)),
        **_first_try(at),
    }


def pending_values(portal_id: str, one: PendingAssociation, at: str) -> Values:
    """Waiting since a kept moment."""
    wish = kept_wish(one.wish)
    return {
        **_row(portal_id, one.key),
        "wish_digest": _digest(wish),
        "to_object": one.wish.to,
        "ticket_id": one.ticket_id,
        "reason": kept_text(one.reason),
        "wish": wish,
        **_first_try(at),
    }


def held_values(portal_id: str, one: HeldDelete) -> Values:
    return {**_row(portal_id, one.key), "source": None if one.source is None else kept_text(one.source)}


def made_values(portal_id: str, one: MadeAssociation) -> Values:
    return {
        **_row(portal_id, one.key),
        "ticket_id": one.ticket_id,
        "to_object": one.to,
        "to_id": one.to_id,
        "type_id": one.type_id,
    }


def digest_values(portal_id: str, key: str, digest: bytes) -> Values:
    return {"portal_id": portal_id, "identity": kept_identity(key), "digest": digest}


def run_values(  # noqa: PLR0913 - the columns
    portal_id: str,
    summary: Mapping[str, Any],
    started_at: datetime,
    ended_at: datetime,
    run_name: str,
    state: Mapping[str, Any] | None,
) -> Values:
    return {
        "portal_id": portal_id,
        "started_at": kept_moment(started_at),
        "ended_at": kept_moment(ended_at),
        "status": str(summary.get("status") or ""),
        "exit_code": int(summary.get("exit_code") or 0),
        "summary": kept_json(dict(summary)),
        "run_name": kept_text(run_name),
        "state": None if state is None else kept_json(dict(state)),
    }


# -- rows to values; a row has its columns as attributes


def read_rejected(row: Any) -> RejectedRow:
    return RejectedRow(
        key=read_text(row.key),
        code=read_text(row.code),
        message=read_text(row.message),
        correlation_id=read_text(row.correlation_id),
        record=None if row.record is None else read_json(row.record),
        stream=read_text(row.stream),
        **_tried(row),
    )


def read_pending(row: Any) -> PendingRow:
    return PendingRow(
        key=read_text(row.key),
        ticket_id=row.ticket_id,
        wish=read_wish(row.wish),
        reason=read_text(row.reason),
        **_tried(row),
    )


def _tried(row: Any) -> dict[str, Any]:
    first_at, last_at = (datetime.fromisoformat(at) for at in (row.first_at, row.last_at))
    return {"first_at": first_at, "last_at": last_at, "tries": row.tries}


def read_held(row: Any) -> HeldDelete:
    return HeldDelete(key=read_text(row.key), source=None if row.source is None else read_text(row.source))


def read_made(row: Any) -> MadeAssociation:
    return MadeAssociation(
        key=read_text(row.key),
        ticket_id=row.ticket_id,
        to=row.to_object,
        to_id=row.to_id,
        type_id=row.type_id,
    )


def read_run(row: Any) -> RunRow:
    return RunRow(
        number=row.number,
        started_at=datetime.fromisoformat(row.started_at),
        ended_at=datetime.fromisoformat(row.ended_at),
        status=row.status,
        exit_code=row.exit_code,
        run_name=ORDINARY_RUN if row.run_name is None else read_text(row.run_name),
        state=None if row.state is None else read_json(row.state),
        summary=read_json(row.summary),
    )
