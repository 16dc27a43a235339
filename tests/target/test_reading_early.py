"""While the portal is looked at, records are read and nothing else: what comes of it must not be seen before the portal fits."""

import signal

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Target, by_key, lines, read_states, schema, state, ticket
from .whole_runs import PRIORITY, add_option, begun, swallowed, values

PROPERTIES = "/crm/properties/2026-09/tickets"
WRITES = "batch/(upsert|create|update|archive)"


def test_R76_records_are_read_while_the_portal_is_looked_at_but_not_all(
    sandbox: RunningSandbox, target: Target
) -> None:
    """HubSpot does not tell its properties: four rounds are read, and whoever sends more waits."""
    sandbox.faults([{"half": "hubspot", "path": PROPERTIES, "latency_ms": 60_000}])
    process = target.start()
    assert process.stdin
    process.stdin.write(lines([schema()]))
    process.stdin.flush()
    taken = swallowed(process, lines(map(ticket, range(60_000))).encode())
    assert 8_000 <= 60_000 * taken < 20_000
    process.kill()
    process.communicate()
    assert by_key(sandbox) == {}
    sandbox.admin("DELETE", "faults")


def test_portal_that_does_not_fit_is_told_and_nothing_is_written(
    sandbox: RunningSandbox, target: Target
) -> None:
    """Its records are read by then, and states came before, among and behind them: none leaves."""
    stream = [
        schema(salesforce_nosuch={"type": "string"}),
        state("none"),
        *map(ticket, range(5_000)),
        state("all"),
    ]
    loaded = target.load(stream, create_properties=False)
    assert (loaded.returncode, loaded.states) == (3, []), loaded.log
    assert "salesforce_nosuch" in loaded.log
    assert by_key(sandbox) == {}
    assert sandbox.writes() == []


def test_state_without_records_leaves_once_the_portal_fits(target: Target) -> None:
    assert target.load([schema(), state("none")]).states == ["none"]


def test_signal_ends_a_run_that_has_read_and_waits_for_another(
    sandbox: RunningSandbox, target: Target
) -> None:
    """It holds rounds, and the other run holds the portal: it ends as fast as any, has written nothing and lets no state out."""
    other = begun(target)
    waiting = target.start(lock_wait_seconds=600)
    assert waiting.stdin
    waiting.stdin.write(lines([schema(), *map(ticket, range(2, 9_000)), state("all")]))
    waiting.stdin.flush()
    waiting.send_signal(signal.SIGTERM)
    stdout, log = waiting.communicate(timeout=12)
    assert waiting.returncode == 128 + signal.SIGTERM, log
    assert read_states(stdout) == []
    other.communicate(timeout=30)
    assert other.returncode == 0
    assert len(by_key(sandbox)) == 1


def test_what_earlier_runs_left_is_tried_before_what_was_read_meanwhile(
    sandbox: RunningSandbox, target: Target
) -> None:
    """A record was rejected, its option is there now, and a newer record of the same case comes: the newer one holds."""
    old = ticket(1, subject="old", **PRIORITY)
    assert target.load([schema(), old]).report["newly_rejected"] == 1
    add_option(sandbox, "hs_ticket_priority", PRIORITY["hs_ticket_priority"])
    newer = [ticket(n, subject="new") for n in range(1, 2_500)]
    assert target.load([schema(), *newer, state("all")]).states == ["all"]
    assert set(values(sandbox).values()) == {"new"}
    by_version = [w["op"] for w in sandbox.writes() if w["key"] == newer[0]["record"]["salesforce_case_id"]]
    assert by_version == ["create", "update"]
