"""Shell: what the program does besides reading: describes the org for other programs, counts and lists the cases in scope."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tap_salesforce_cases.describing import Described
from tap_salesforce_cases.errors import QueryTooLongError, TapError, UnreadableObjectError
from tap_salesforce_cases.listing import Listing
from tap_salesforce_cases.moments import to_wire
from tap_salesforce_cases.objects import CASES
from tap_salesforce_cases.org import LISTED, TABLES, listed_case, org_as_json, user_name_query
from tap_salesforce_cases.process_statuses import statuses_by_process
from tap_salesforce_cases.rest_query import small_tables
from tap_salesforce_cases.soql import Source

if TYPE_CHECKING:
    from tap_salesforce_cases.tap import TapSalesforceCases

LINES_AT_A_TIME = 500
ENCODER = msgspec.json.Encoder(decimal_format="number")
OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--describe"],
        is_flag=True,
        help="Print one JSON object for other programs: the org, its API calls, Case with its fields, the columns of `cases`, support processes, statuses.",
    ),
    click.Option(["--count-cases"], is_flag=True, help="Print how many cases are in scope."),
    click.Option(
        ["--list-cases"], is_flag=True, help="Print the cases in scope as JSON lines: ids, numbers, moments."
    ),
]


def command_of(asked: Mapping[str, bool]) -> Callable[[TapSalesforceCases], None] | None:
    """What was asked for; None for a run.

    Raises:
        UsageError: more than one thing was.
    """
    wanted = [work for name, work in _COMMANDS.items() if asked[name]]
    if len(wanted) > 1:
        raise click.UsageError("--describe, --count-cases and --list-cases go one at a time")
    return wanted[0] if wanted else None


def describe(tap: TapSalesforceCases) -> None:
    """One object; what of it this user may not read is null or empty."""
    described = tap.describer.describe(CASES.object_name)
    session = tap.session.session
    tables = small_tables(tap.session, [*TABLES.values(), user_name_query(session.user_id)])
    try:
        cases = _listing(tap, described).count()
    except QueryTooLongError:
        cases = None
    named = dict(zip([*TABLES, "user"], tables, strict=True))
    answer = org_as_json(named, described.body, _columns(tap, described))
    statuses = statuses_by_process(tap.session, named["support_processes"], named["record_types"])
    usage = tap.session.usage
    about = {
        "organization_id": session.organization_id,
        "instance_url": session.instance_url,
        "username": answer.pop("username"),
        "server_time": to_wire(described.server_time),
        "api_version": tap.settings["api_version"],
        "api_used_24h": usage.used if usage else None,
        "api_allowed_24h": usage.allowed if usage else None,
        "cases": cases,
    }
    _print([about | answer | {"statuses_by_process": statuses}])


def _columns(tap: TapSalesforceCases, described: Described) -> list[str] | None:
    """Those of `cases`; None for a user to whom a run would refuse to read it."""
    try:
        return list(tap.describer.columns(CASES, described).schema()["properties"])
    except UnreadableObjectError:
        return None


def count_cases(tap: TapSalesforceCases) -> None:
    _print([{"cases": _listing(tap, tap.describer.describe(CASES.object_name)).count()}])


def list_cases(tap: TapSalesforceCases) -> None:
    listing = _listing(tap, tap.describer.describe(CASES.object_name))
    _print(listed_case(row) for row in listing.rows())


_COMMANDS: dict[str, Callable[[TapSalesforceCases], None]] = {
    "describe": describe,
    "count_cases": count_cases,
    "list_cases": list_cases,
}


def _listing(tap: TapSalesforceCases, described: Described) -> Listing:
    source = Source(object_name=CASES.object_name, condition=tap.scope(described).condition)
    return Listing(
        session=tap.session,
        settings=tap.settings,
        source=source,
        taken_at=described.server_time,
        fields=LISTED,
    )


def _print(rows: Iterable[Any]) -> None:
    """JSON lines, as they come.

    Raises:
        TapError: the reader has gone.
    """
    lines = (ENCODER.encode(row) + b"\n" for row in rows)
    try:
        while some := b"".join(islice(lines, LINES_AT_A_TIME)):
            sys.stdout.buffer.write(some)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise TapError("the reader of the tap's output has gone") from None
