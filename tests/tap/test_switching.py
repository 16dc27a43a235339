"""What whoever switches the sync on and off asks of a run: to rest, to start now, to look at a few cases; and its exit code."""

from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.bookmarks import MAX_REMEMBERED

from .conftest import Tap, run_here, stored

LONG_AGO = {"lookback_seconds": 400_000_000}  # every seeded case lies in the overlap


def change(sandbox: RunningSandbox, action: str, record_id: str, **values: Any) -> None:
    """One write, in a second of its own."""
    sandbox.admin("POST", "clock", {"advance": 2})
    sandbox.admin("POST", "salesforce/records", {"action": action, "id": record_id, "values": values})


# -- at rest


@pytest.mark.parametrize(
    ("status", "told"), [("paused", "case-sync resume"), ("saved", "case-sync activate")]
)
def test_sync_at_rest_says_so_and_does_nothing_at_all(
    sandbox: RunningSandbox, tap: Tap, status: str, told: str
) -> None:
    """Exit 0, not a byte on stdout, so that the state stays; and not one call, not even a login."""
    sandbox.seed(5)
    state = run_here(tap).state
    before = len(sandbox.requests(half="salesforce"))
    assert tap.discover(sync_status=status) == {"streams": []}
    read = tap.read(state, catalog={"streams": []}, sync_status=status)
    assert (read.returncode, read.messages) == (0, [])
    assert told in read.log
    assert read.report["status"] == status
    assert len(sandbox.requests(half="salesforce")) == before


def test_catalog_of_the_time_at_rest_hides_nothing_afterwards(sandbox: RunningSandbox, tap: Tap) -> None:
    """An empty catalog would be a sync that reads nothing and says that all is well."""
    sandbox.seed(5)
    assert len(run_here(tap, catalog={"streams": []}).rows) == 5


# -- start now


@pytest.mark.parametrize("settings", [{}, LONG_AGO, {"lookback_seconds": 0}], ids=["usual", "all", "none"])
def test_S25_start_now_reads_no_case_that_is_there(
    sandbox: RunningSandbox, tap: Tap, settings: dict[str, Any]
) -> None:
    """Neither in this run nor in those that follow; also those that changed within the lookback."""
    sandbox.seed(100)
    first = run_here(tap, start_now=True, **settings)
    assert first.rows == []
    assert first.state
    assert first.state["bookmarks"]["cases"]["replication_key_value"]
    sandbox.admin("POST", "clock", {"advance": 2})
    second = run_here(tap, first.state, **settings)
    assert second.rows == []
    assert run_here(tap, second.state, **settings).rows == []


def test_S26_case_of_before_comes_whole_once_it_changes(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(100)
    state = run_here(tap, start_now=True).state
    record_id = next(iter(stored(sandbox)))
    change(sandbox, "update", record_id, Priority="High")
    (row,) = run_here(tap, state).rows
    (whole,) = run_here(tap, where=f"Id = '{record_id}'").rows
    assert row == whole
    assert (row["Id"], row["Priority"]) == (record_id, "High")
    assert row["CaseNumber"]
    assert row["CreatedDate"]


def test_start_now_misses_nothing_that_is_committed_late(sandbox: RunningSandbox, tap: Tap) -> None:
    """Stamped before the start, seen after it."""
    sandbox.seed(20)
    late = next(iter(stored(sandbox)))
    changes = {"changes": [["Case", late, {"Subject": "Committed late"}]], "seconds": 20}
    sandbox.admin("POST", "salesforce/late-commit", changes)
    sandbox.admin("POST", "clock", {"advance": 5})
    first = run_here(tap, start_now=True)
    assert first.rows == []
    sandbox.admin("POST", "clock", {"advance": 30})
    assert [row["Subject"] for row in run_here(tap, first.state).rows] == ["Committed late"]


def test_start_now_among_more_changes_than_can_be_remembered(sandbox: RunningSandbox, tap: Tap) -> None:
    """A mass update was under way: it begins at Salesforce's clock then, and the state stays small."""
    sandbox.seed(MAX_REMEMBERED + 10)
    sandbox.admin("POST", "clock", {"advance": 5})
    first = run_here(tap, start_now=True, **LONG_AGO)
    assert first.state
    assert "emitted_in_lookback" not in first.state["bookmarks"]["cases"]
    change(sandbox, "update", next(iter(stored(sandbox))), Priority="High")
    second = run_here(tap, first.state, **LONG_AGO)
    assert (first.rows, len(second.rows)) == ([], 1)


def test_start_now_leaves_deletions_of_before_alone(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(20)
    ids = list(stored(sandbox))
    for action in ("delete", "purge"):
        change(sandbox, action, ids[0])
    change(sandbox, "delete", ids[1])
    sandbox.admin("POST", "clock", {"advance": 120})
    first = run_here(tap, start_now=True)
    change(sandbox, "delete", ids[2])
    second = run_here(tap, first.state)
    assert (first.rows, second.ids) == ([], [ids[2]])


def test_start_now_goes_on_where_there_is_a_state(sandbox: RunningSandbox, tap: Tap) -> None:
    """A switch that somebody forgot to turn off again loses no change."""
    sandbox.seed(20)
    state = run_here(tap).state
    record_id = next(iter(stored(sandbox)))
    change(sandbox, "update", record_id, Priority="High")
    assert run_here(tap, state, start_now=True).ids == [record_id]


# -- a few cases


def test_sample_is_the_cases_that_changed_last_and_moves_no_state(sandbox: RunningSandbox, tap: Tap) -> None:
    """No STATE at all, no deletions, no snapshot; whatever state comes in."""
    sandbox.seed(60)
    ids = list(stored(sandbox))
    for record_id in (*ids[:7], *ids[7:9]):
        change(sandbox, "update", record_id, Subject="Changed")
    for record_id in ids[7:9]:
        change(sandbox, "delete", record_id)
    for state in (None, run_here(tap).state):
        read = run_here(tap, state, sample_size=4, reconcile=True)
        assert read.ids == ids[3:7][::-1]
        assert {m["type"] for m in read.messages} == {"SCHEMA", "RECORD"}
        assert {m.get("stream") for m in read.messages} == {"cases"}
    filtered = run_here(tap, sample_size=4, where=f"Id IN ('{ids[1]}', '{ids[20]}')")
    assert filtered.ids == [ids[1], ids[20]]
    assert len(run_here(tap, sample_size=1_000).rows) == 58


def test_run_without_deleted_cases_reads_what_meets_the_filter_only(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    """Else a look at one case brings the whole recycle bin along."""
    sandbox.seed(30)
    ids = list(stored(sandbox))
    for record_id in ids[:5]:
        change(sandbox, "delete", record_id)
    where = f"Id = '{ids[9]}'"
    assert len(run_here(tap, where=where).rows) == 6
    for mode in ("rest", "bulk"):
        few = run_here(tap, where=where, soft_deletes=False, hard_deletes=False, api_mode=mode)
        assert few.ids == [ids[9]]


@pytest.mark.parametrize("api_mode", ["rest", "bulk"])
def test_filter_by_number_id_and_moments(sandbox: RunningSandbox, tap: Tap, api_mode: str) -> None:
    """What an import or a resync asks for, together with a filter that is there already."""
    sandbox.seed(80)
    cases = sorted(stored(sandbox).values(), key=lambda c: str(c["CreatedDate"]))
    middle = cases[40]
    moment = middle["CreatedDate"] + "Z"
    stamp = middle["SystemModstamp"] + "Z"
    numbers = ", ".join(f"'{c['CaseNumber']}'" for c in cases[:3])
    wanted = {
        f"CaseNumber IN ({numbers})": {c["Id"] for c in cases[:3]},
        f"Id IN ('{cases[5]['Id']}')": {cases[5]["Id"]},
        f"CreatedDate >= {moment}": {c["Id"] for c in cases if c["CreatedDate"] >= middle["CreatedDate"]},
        f"SystemModstamp < {stamp}": {
            c["Id"] for c in cases if c["SystemModstamp"] < middle["SystemModstamp"]
        },
        f"(Priority = 'High') AND (CreatedDate >= {moment})": {
            c["Id"] for c in cases if c["Priority"] == "High" and c["CreatedDate"] >= middle["CreatedDate"]
        },
    }
    for where, ids in wanted.items():
        assert ids
        assert set(run_here(tap, where=where, api_mode=api_mode).ids) == ids, where


# -- what a run tells


def test_last_state_says_what_the_run_took(sandbox: RunningSandbox, tap: Tap) -> None:
    """Beside the bookmarks, and only when all is read: an answer of yesterday is gone from the first state of a run on."""
    sandbox.seed(20)
    change(sandbox, "delete", next(iter(stored(sandbox))))
    read = tap.read()
    assert read.state
    told = read.state["salesforce"]
    assert told["at"] == read.messages[-2]["value"]["bookmarks"]["case_snapshots"]["reconciled_at"]
    assert (told["rows"], told["tombstones"]) == (20, 1)
    assert told["api_calls"] == read.report["api_calls"]
    assert told["api_used_24h"] >= told["api_calls"]
    assert told["api_allowed_24h"] == 100_000
    assert told["seconds"] > 0
    garbage = run_here(tap, read.state | {"salesforce": {"at": "yesterday"}})
    assert garbage.rows == []
    assert garbage.messages[0]["value"] == {"bookmarks": read.state["bookmarks"]}


@pytest.mark.parametrize(
    ("settings", "switches", "code"),
    [
        ({"where": "Priority = "}, {}, 3),
        ({"where": "Nonsense__c = 1"}, {}, 3),
        ({"where": "Id LIKE 'x%'"}, {}, 3),
        ({"where": "Priority = 'High' ORDER BY Id"}, {}, 3),
        ({"where": "Id IN (SELECT CaseId FROM Nothing)"}, {}, 3),
        ({"record_types_include": ["Nothing"]}, {}, 3),
        ({}, {"hidden_objects": ["Case"]}, 3),
        ({}, {"hidden_fields": [["Case", "SystemModstamp"]]}, 3),
        ({}, {"limit_message": "TotalRequests Limit exceeded."}, 5),
    ],
)
@pytest.mark.parametrize("option", [(), ("--describe",)], ids=["sync", "describe"])
def test_exit_code_says_whose_turn_it_is(
    sandbox: RunningSandbox,
    tap: Tap,
    option: tuple[str, ...],
    settings: dict[str, Any],
    switches: dict[str, Any],
    code: int,
) -> None:
    """A filter that is broken is told by the setting's name."""
    if option and "hidden_fields" in switches:
        code = 0  # a describe says what there is
    sandbox.seed(3)
    sandbox.admin("POST", "salesforce/switches", switches)
    read = tap.read(None, *option, **settings)
    assert read.returncode == code, read.log
    assert "Traceback" not in read.log
    told = [line for line in read.log.splitlines() if line.startswith("Error: ")]
    assert all(name in told[-1] for name in settings)
    assert not any(m.get("type") == "RECORD" for m in read.messages)
