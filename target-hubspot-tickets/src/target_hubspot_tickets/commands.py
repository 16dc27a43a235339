"""Shell: what the program does besides loading: looks at the portal (--check) and at the ledger (--rejected, --pending, ...)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

import click
import simplejson

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.deleting import forget_list
from target_hubspot_tickets.describing import describe
from target_hubspot_tickets.errors import PreflightError, StreamError, TargetError
from target_hubspot_tickets.incoming import Lines
from target_hubspot_tickets.messages import read_message
from target_hubspot_tickets.missing import missing
from target_hubspot_tickets.remedies import remedy_of_association, remedy_of_record
from target_hubspot_tickets.sessions import Session

if TYPE_CHECKING:
    from target_hubspot_tickets.target import TargetHubspotTickets

OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--check"],
        is_flag=False,
        flag_value="text",
        type=click.Choice(["text", "json"]),
        help="Look at the portal without writing: every problem with what to do. With --input FILE also at the streams of that file.",
    ),
    click.Option(
        ["--describe"],
        is_flag=True,
        help="The portal as one JSON object, for programs: its ticket properties and pipelines, and counts.",
    ),
    click.Option(
        ["--missing"],
        is_flag=True,
        help="Keys come in, one a line or JSON lines with the member Id; those without a ticket go out as JSON lines, then the counts.",
    ),
    click.Option(
        ["--rejected"],
        type=click.Choice(["list", "export", "retry"]),
        help="Rejected records: list as JSON lines without values, export as Singer messages, or try them again now.",
    ),
    click.Option(
        ["--pending"],
        type=click.Choice(["list", "retry"]),
        help="Associations that wait: list as JSON lines, or try them again now.",
    ),
    click.Option(
        ["--deletes"],
        type=click.Choice(["list", "discard"]),
        help="Deletions that wait for confirm_deletes: list them, or forget them, so that their tickets stay.",
    ),
    click.Option(["--runs"], is_flag=True, help="The last runs, as JSON lines, the newest first."),
    click.Option(
        ["--key"],
        multiple=True,
        help="With --rejected and --pending: only the record of this key; can be repeated.",
    ),
    click.Option(
        ["--forget"], multiple=True, help="Remove every trace of this key from the ledger; can be repeated."
    ),
    click.Option(["--empty-ledger"], is_flag=True, help="Remove all that the ledger holds of this portal."),
]


def carry_out(target: TargetHubspotTickets, asked: Mapping[str, Any], file_input: IO[str] | None) -> bool:
    """Do what was asked for; False if nothing was, so that it is a run."""
    if asked["describe"]:
        click.echo(json.dumps(describe(target.settings)))
        return True
    if asked["missing"]:
        for one in missing(target.settings, file_input or sys.stdin):
            click.echo(json.dumps(one))
        return True
    if asked["check"]:
        check(target.settings, file_input, as_json=asked["check"] == "json")
        return True
    wanted = [work for name, work in _LEDGER_COMMANDS.items() if asked[name]]
    if asked["key"] and not (asked["rejected"] or asked["pending"]):
        raise click.UsageError("--key goes with --rejected and --pending")
    if not wanted:
        return False
    if "retry" in {asked["rejected"], asked["pending"]}:
        target.retry(list(asked["key"]) or None)
        return True
    reads = not (asked["forget"] or asked["empty_ledger"] or asked["deletes"] == "discard")
    with (
        HubSpotClient(target.settings) as client,
        Session(target.settings, client, only_reads=reads) as session,
    ):
        for work in wanted:
            for line in work(session, asked):
                click.echo(line)
    return True


# -- the portal


def check(settings: Mapping[str, Any], file_input: IO[str] | None, *, as_json: bool) -> None:
    """Preflight alone: the portal, and the streams of a file; nothing is created.

    Raises:
        PreflightError: what does not fit.
    """
    schemas = _schemas(file_input) if file_input else {}
    streams: list[dict[str, Any] | None] = [*schemas.values()] or [None]
    notes: list[str] = []
    problems: dict[str, None] = {}  # each once, in order
    exit_code = 0
    with HubSpotClient(settings) as client:
        for columns in streams:
            try:
                notes += Session(settings, client).look(columns)
            except TargetError as error:
                exit_code = error.exit_code
                told = error.problems if isinstance(error, PreflightError) else (str(error),)
                problems |= dict.fromkeys(told)
    if as_json:
        click.echo(json.dumps({"ok": not problems, "problems": list(problems), "notes": notes}))
    else:
        for line in [*(f"{n}. {p}" for n, p in enumerate(problems, 1)), *notes]:
            click.echo(line)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        click.echo(count if problems else "All is well: a run can start.")
    if problems:
        raise click.exceptions.Exit(exit_code)


def _schemas(file_input: IO[str]) -> dict[str, dict[str, Any]]:
    """Columns by stream, of the streams of tickets."""
    found: dict[str, dict[str, Any]] = {}
    lines = Lines(file_input)
    while (read := lines.read(1.0)) is not None:
        for line in read:
            if b'"SCHEMA"' in line:
                message = read_message(line)
                if message["type"] == "SCHEMA":
                    found[message["stream"]] = message["schema"].get("properties") or {}
    if not found:
        raise StreamError("the input has no SCHEMA message: give what the tap and mapper write")
    return {
        stream: columns
        for stream, columns in found.items()
        if stream not in {"rejected_cases", "case_snapshots"}
    }


# -- the ledger


def _rejected(session: Session, asked: Mapping[str, Any]) -> Iterator[str]:
    rows = session.ledger.rejected(keys=list(asked["key"]) or None)
    if asked["rejected"] == "export":
        yield from _exported(session, rows)
        return
    for row in rows:
        shown = asdict(row)
        shown["has_record"] = shown.pop("record") is not None
        yield json.dumps(shown | remedy_of_record(row.code)._asdict(), default=str)


def _exported(session: Session, rows: Iterator[Any]) -> Iterator[str]:
    """Singer messages that this or another target reads; a record whose values were not kept is told on stderr."""
    announced: set[str] = set()
    for row in rows:
        if row.record is None:
            click.echo(f"{row.key}: its values were not kept; read the case again instead", err=True)
            continue
        if row.stream not in announced:
            announced.add(row.stream)
            yield simplejson.dumps(session.ledger.stream(row.stream), use_decimal=True, allow_nan=True)
        yield simplejson.dumps(
            {"type": "RECORD", "stream": row.stream, "record": row.record}, use_decimal=True
        )


def _pending(session: Session, asked: Mapping[str, Any]) -> Iterator[str]:
    for page in session.ledger.pending(keys=list(asked["key"]) or None):
        for row in page:
            shown = asdict(row)
            del shown["wish"]
            shown |= {"to": row.wish.to, "by": [way.by for way in row.wish.ways]}
            yield json.dumps(shown | remedy_of_association(row.reason)._asdict(), default=str)


def _deletes(session: Session, asked: Mapping[str, Any]) -> Iterator[str]:
    if asked["deletes"] == "discard":
        count = session.ledger.counts().held
        session.ledger.drop_held()
        forget_list(session.settings["deletes_path"])
        note = "for now: a full refresh or a reconciliation finds them again"
        yield json.dumps({"discarded": count, "note": note})
        return
    for page in session.ledger.held():
        for row in page:
            yield json.dumps(asdict(row))


def _runs(session: Session, _asked: Mapping[str, Any]) -> Iterator[str]:
    for run in session.ledger.runs():
        yield simplejson.dumps(asdict(run), use_decimal=True, allow_nan=True, default=str)


def _forget(session: Session, asked: Mapping[str, Any]) -> Iterator[str]:
    for key in asked["forget"]:
        yield json.dumps({"key": key, "rows": session.ledger.forget_case(key)})


def _empty(session: Session, _asked: Mapping[str, Any]) -> Iterator[str]:
    session.ledger.empty()
    yield json.dumps({"emptied": True})


_LEDGER_COMMANDS: dict[str, Callable[[Session, Mapping[str, Any]], Iterator[str]]] = {
    "rejected": _rejected,
    "pending": _pending,
    "deletes": _deletes,
    "runs": _runs,
    "forget": _forget,
    "empty_ledger": _empty,
}
