"""Bookmarks against a model of Salesforce: whatever commits late, every version that stays is emitted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce_cases.bookmarks import (
    MAX_REMEMBERED,
    Bookmark,
    OpenJob,
    Origin,
    Version,
    open_bookmark,
)
from tap_salesforce_cases.errors import StateRefusedError
from tap_salesforce_cases.moments import from_wire, to_wire
from tap_salesforce_cases.windows import Position, Window, up_to

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LOOKBACK_SECONDS = 30


@dataclass(frozen=True)
class Change:
    """A write: stamped at `stamp` (seconds), seen from `stamp + delay` on."""

    id: str
    stamp: int
    delay: int


changes = st.lists(
    st.builds(
        Change,
        id=st.sampled_from("ABCDEFGH"),
        stamp=st.integers(0, 120),
        delay=st.integers(0, LOOKBACK_SECONDS - 1),
    ),
    max_size=40,
)
runs = st.lists(st.integers(0, 200), min_size=1, max_size=8).map(sorted)


ORIGIN = Origin(organization_id="00D5g00000SandBEAA", object_name="Case", filter_fingerprint="all")


def opened(state: dict[str, Any], now: int, start: datetime | None = None) -> Bookmark:
    return open_bookmark(
        state, ORIGIN, start=start, ceiling=START + timedelta(seconds=now - LOOKBACK_SECONDS)
    )


def rows_at(now: int, made: list[Change], window: Window | None = None) -> Iterator[dict[str, Any]]:
    """What a query of a window gives: of each id the version that was committed last, in order."""
    seen: dict[str, tuple[int, int]] = {}
    for number, change in sorted(enumerate(made), key=lambda n: (n[1].stamp + n[1].delay, n[0])):
        if change.stamp + change.delay <= now:
            seen[change.id] = (change.stamp, number)
    for record_id, (stamp, number) in sorted(seen.items(), key=lambda s: (s[1][0], s[0])):
        moment = START + timedelta(seconds=stamp)
        if window is None or lies_in(window, Position(stamp=moment, record_id=record_id)):
            yield {"Id": record_id, "SystemModstamp": to_wire(moment), "Subject": str(number)}


def lies_in(window: Window, row: Position) -> bool:
    """What the SOQL of a window says."""
    after = window.after
    return (
        (window.since_inclusive is None or row.stamp >= window.since_inclusive)
        and row.stamp < window.until_exclusive
        and (after is None or (row.stamp, row.record_id) > (after.stamp, after.record_id))
    )


def read(bookmark: Bookmark, now: int, made: list[Change], most: int | None = None) -> list[dict[str, Any]]:
    """The rows that a run emits, the first `most` of them."""
    window = up_to(bookmark.since, bookmark.after, START + timedelta(seconds=now))
    emitted = []
    for row in list(rows_at(now, made, window))[:most]:
        if not bookmark.is_known(row):
            emitted.append(row)
            bookmark.remember(row)
        bookmark.passed(Position(stamp=from_wire(row["SystemModstamp"]), record_id=row["Id"]))
    return emitted


def run(state: dict[str, Any], now: int, made: list[Change]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    bookmark = opened(state, now)
    emitted = read(bookmark, now, made)
    return emitted, bookmark.state()


@given(changes, runs)
def test_every_version_that_stays_is_emitted(made: list[Change], times: list[int]) -> None:
    """Late commits and changes within one second included: what the last run could see, some run has emitted, as its last word."""
    state: dict[str, Any] = {}
    last_word: dict[str, str] = {}
    for now in times:
        emitted, state = run(state, now, made)
        last_word |= {row["Id"]: row["Subject"] for row in emitted}
    assert last_word == {row["Id"]: row["Subject"] for row in rows_at(times[-1], made)}


@given(changes, st.integers(0, 200))
def test_a_run_without_changes_emits_nothing(made: list[Change], now: int) -> None:
    """The overlap is read again and not emitted again, however often."""
    _, state = run({}, now, made)
    for _ in range(3):
        emitted, state = run(state, now, made)
        assert emitted == []


@given(changes, runs)
def test_bookmark_never_moves_back_nor_past_the_lookback(made: list[Change], times: list[int]) -> None:
    state: dict[str, Any] = {}
    for now in times:
        before = state.get("replication_key_value")
        _, state = run(state, now, made)
        value = state.get("replication_key_value")
        assert not before or value >= before
        ceiling = START + timedelta(seconds=now - LOOKBACK_SECONDS)
        assert not value or from_wire(value) <= ceiling or value == before


@given(changes, st.integers(0, 200), st.integers(0, 7))
def test_a_run_cut_off_at_any_state_loses_nothing(made: list[Change], now: int, after: int) -> None:
    """Killed after some rows: the next run starts from the state of that moment, and the union is the whole."""
    bookmark = opened({}, now)
    emitted = read(bookmark, now, made, after)
    rest, _ = run(bookmark.state(), now, made)
    assert {r["Id"]: r["Subject"] for r in [*emitted, *rest]} == {
        r["Id"]: r["Subject"] for r in rows_at(now, made)
    }


def test_more_rows_than_state_should_hold_are_read_again() -> None:
    """A mass update within one overlap: state stays small, and the rows come once more rather than never."""
    bookmark = opened({}, 0)
    for number in range(MAX_REMEMBERED + 10):
        bookmark.remember({"Id": str(number), "SystemModstamp": to_wire(START)})
    assert "emitted_in_lookback" not in bookmark.state()


def test_row_of_the_ceilings_own_second_may_still_be_joined_by_another() -> None:
    """Stamps are cut to the second: a bookmark inside of one would skip what commits late with a lower id."""
    bookmark = open_bookmark({}, ORIGIN, start=None, ceiling=START + timedelta(milliseconds=500))
    bookmark.passed(Position(stamp=START, record_id="Z"))
    assert (bookmark.since, bookmark.after) == (START, None)


STATE = {"replication_key_value": "2026-01-03T00:00:00.000Z", "organization_id": ORIGIN.organization_id, "object": "Case", "filter": "all"}  # fmt: skip


def test_start_date_holds_until_there_is_a_state() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    assert opened({}, 0, first).since == first
    assert opened(STATE, 0, first).since == datetime(2026, 1, 3, tzinfo=UTC)


def test_no_row_leaves_the_state_valid() -> None:
    """An empty org writes no bookmark, and one that had a bookmark keeps it."""
    assert "replication_key_value" not in opened({}, 0).state()
    assert opened(opened({}, 0).state(), 0).since is None
    assert opened(STATE, 0).state()["replication_key_value"] == STATE["replication_key_value"]


@pytest.mark.parametrize(
    "change",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": 7},
        {"emitted_in_lookback": ["A"]},
        {"emitted_in_lookback": {"A": "?"}},
        {"jobs": [{"of": "another kind"}]},
        {"organization_id": "00D5g00000OtherEAA"},
        {"organization_id": None},
        {"object": "Account"},
        {"filter": "another"},
    ],
)
def test_state_of_another_tap_org_object_or_filter_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StateRefusedError, match="clear the state"):
        opened(STATE | change, 0)


def test_finished_windows_move_the_bookmark_up_to_the_ceiling_and_never_back() -> None:
    bookmark = opened(STATE, 0)
    for moved, expected in (("2026-01-02", "2026-01-03"), ("2026-01-04", "2026-01-04")):
        bookmark.finished(from_wire(moved))
        assert bookmark.since == from_wire(expected)
    bookmark.finished(START + timedelta(days=1))
    assert bookmark.since == bookmark.ceiling


def test_open_jobs_survive_the_state() -> None:
    """What a later run needs to go on with a large import."""
    bookmark = opened({}, 0)
    bookmark.jobs = (
        OpenJob(id="750A", until="2026-01-02T00:00:00.000Z", locator="MjAw", rows=200, columns="c"),
    )
    assert opened(json.loads(json.dumps(bookmark.state())), 0).jobs == bookmark.jobs


@given(st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers(), max_size=5))
def test_version_depends_on_values_not_on_their_order(row: dict[str, Any]) -> None:
    row = {**row, "SystemModstamp": "2026-01-03T00:00:00.000Z"}
    version = Version.of(row)
    assert version == Version.of(dict(reversed(row.items())))
    assert version != Version.of({**row, "one more": 1})
    assert Version.from_state(version.in_state()) == version
