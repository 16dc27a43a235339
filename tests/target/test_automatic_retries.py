"""N29: rejected records are tried again by themselves, at most ten times, and not when the day's calls run out."""

import pytest

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.day_calls import DayCalls
from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.outcomes import RoundOutcome

from .conftest import PORTAL, Target, case_id, schema, ticket
from .ledger_rounds import rejected
from .whole_runs import PRIORITY, add_option, values


def tried_so_often(target: Target, number: int, times: int) -> None:
    """Put on record that it was rejected by more runs, with the record that it has there."""
    with Ledger.open(str(target.ledger), PORTAL) as ledger:
        [row] = ledger.rejected(keys=[case_id(number)])
        again = rejected(row.key, code=row.code, message=row.message, record=row.record, stream=row.stream)
        for _ in range(times - row.tries):
            ledger.record(RoundOutcome(rejected=[again]))


def test_N29_ten_times_by_itself_then_on_command_or_with_a_newer_record(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Rejected ten times it gets its tenth repeat; after that it waits, still listed, until it is asked for."""
    target.load([schema(), *(ticket(n, **PRIORITY) for n in range(3))])
    for number in range(3):
        tried_so_often(target, number, 10)
    assert target.load([schema()]).report["retried"] == 3
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    idle = target.load([schema()])
    assert (idle.report["retried"], len(idle.rejected)) == (0, 3)
    newer = target.load([schema(), ticket(0, subject="newer")])
    assert (newer.report["created"], len(newer.rejected)) == (1, 2)
    assert target.ask("--rejected=retry", "--key", case_id(1)).returncode == 0
    assert target.ask("--rejected=retry").returncode == 0
    assert (set(values(sandbox)), target.rejected()) == ({case_id(n) for n in range(3)}, [])


def test_N29_not_when_most_of_the_day_is_used(sandbox: RunningSandbox, target: Target) -> None:
    """Above the share it is left for later and said so, and new records are loaded; on command it is tried all the same."""
    target.load([schema(), ticket(1, **PRIORITY)])
    add_option(sandbox, "hs_ticket_priority", "NOSUCH")
    sandbox.admin("POST", "hubspot/limits", {"daily": 10_000})
    spared = target.load([schema(), ticket(2)], retry_below_percent=0)
    assert (spared.report["retried"], spared.report["created"]) == (0, 1)
    assert "retry_below_percent" in spared.log
    assert "--rejected=retry" in spared.log
    nothing = target.load([schema(), ticket(3)])
    assert nothing.report["retried"] == 1
    assert "retry_below_percent" not in nothing.log
    target.load([schema(), ticket(4, hs_ticket_priority="ALSO_NOT")])
    add_option(sandbox, "hs_ticket_priority", "ALSO_NOT")
    assert target.ask("--rejected=retry", retry_below_percent=0).returncode == 0
    assert case_id(4) in values(sandbox)


@pytest.mark.parametrize(
    ("allowed", "left", "percent", "is_above"),
    [
        (None, None, 0, False),
        (100, 25, 75, False),
        (100, 24, 75, True),
        (100, 0, 100, False),
        (100, 120, 0, False),
        (0, 0, 75, False),
    ],
)
def test_the_share_of_the_day(allowed: int | None, left: int | None, percent: int, *, is_above: bool) -> None:
    assert DayCalls(allowed=allowed, left=left).is_above(percent) is is_above


def test_headers_that_are_no_numbers_tell_nothing() -> None:
    """The last that told something counts."""
    day = DayCalls()
    for daily, left in (("", ""), ("many", "1"), ("10", "4"), ("", "3")):
        day.note({"X-HubSpot-RateLimit-Daily": daily, "X-HubSpot-RateLimit-Daily-Remaining": left})
    assert (day.allowed, day.left, day.used) == (10, 4, 6)
