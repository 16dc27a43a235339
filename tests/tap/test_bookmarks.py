"""Bookmarks against a model of Salesforce: whatever commits late, every version that stays is emitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce_cases.bookmarks import MAX_REMEMBERED, Version, open_bookmark
from tap_salesforce_cases.errors import TapError
from tap_salesforce_cases.moments import from_wire, to_wire

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


def rows_at(now: int, made: list[Change], since: datetime | None) -> Iterator[dict[str, Any]]:
    """What a query of [since, now] gives: of each id the version that was committed last, in order."""
    seen: dict[str, tuple[int, int]] = {}
    for number, change in sorted(enumerate(made), key=lambda n: (n[1].stamp + n[1].delay, n[0])):
        if change.stamp + change.delay <= now:
            seen[change.id] = (change.stamp, number)
    for record_id, (stamp, number) in sorted(seen.items(), key=lambda s: (s[1][0], s[0])):
        moment = START + timedelta(seconds=stamp)
        if since is None or moment >= since:
            yield {"Id": record_id, "SystemModstamp": to_wire(moment), "Subject": str(number)}


def run(state: dict[str, Any], now: int, made: list[Change]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    bookmark = open_bookmark(state, None, START + timedelta(seconds=now), timedelta(seconds=LOOKBACK_SECONDS))
    emitted = []
    for row in rows_at(now, made, bookmark.since):
        if not bookmark.is_known(row):
            emitted.append(row)
        bookmark.passed(row)
    return emitted, bookmark.state()


@given(changes, runs)
def test_every_version_that_stays_is_emitted(made: list[Change], times: list[int]) -> None:
    """Late commits and changes within one second included: what the last run could see, some run has emitted, as its last word."""
    state: dict[str, Any] = {}
    last_word: dict[str, str] = {}
    for now in times:
        emitted, state = run(state, now, made)
        last_word |= {row["Id"]: row["Subject"] for row in emitted}
    assert last_word == {row["Id"]: row["Subject"] for row in rows_at(times[-1], made, None)}


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
    bookmark = open_bookmark({}, None, START + timedelta(seconds=now), timedelta(seconds=LOOKBACK_SECONDS))
    emitted = []
    for row in list(rows_at(now, made, None))[:after]:
        emitted.append(row)
        bookmark.passed(row)
    rest, _ = run(bookmark.state(), now, made)
    assert {r["Id"]: r["Subject"] for r in [*emitted, *rest]} == {
        r["Id"]: r["Subject"] for r in rows_at(now, made, None)
    }


def test_more_rows_than_state_should_hold_are_read_again() -> None:
    """A mass update within one overlap: state stays small, and the rows come once more rather than never."""
    bookmark = open_bookmark({}, None, START, timedelta(seconds=LOOKBACK_SECONDS))
    for number in range(MAX_REMEMBERED + 10):
        bookmark.passed({"Id": str(number), "SystemModstamp": to_wire(START)})
    assert bookmark.state()["emitted_in_lookback"] == {}


def test_start_date_holds_until_there_is_a_state() -> None:
    opened = open_bookmark({}, "2026-01-01", START, timedelta(0))
    assert opened.since == datetime(2026, 1, 1, tzinfo=UTC)
    state = {"replication_key_value": "2026-01-03T00:00:00.000Z"}
    assert open_bookmark(state, "2026-01-01", START, timedelta(0)).since == datetime(2026, 1, 3, tzinfo=UTC)


def test_no_row_leaves_the_state_valid() -> None:
    """An empty org writes an empty bookmark, and one that had a bookmark keeps it."""
    assert open_bookmark({}, None, START, timedelta(0)).state() == {}
    state = {"replication_key_value": "2026-01-03T00:00:00.000Z"}
    assert (
        open_bookmark(state, None, START, timedelta(0)).state()["replication_key_value"]
        == state["replication_key_value"]
    )


@pytest.mark.parametrize(
    "state",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": 7},
        {"replication_key_value": "2026-01-03T00:00:00.000Z", "emitted_in_lookback": ["A"]},
        {"replication_key_value": "2026-01-03T00:00:00.000Z", "emitted_in_lookback": {"A": "?"}},
    ],
)
def test_state_of_another_tap_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(TapError, match="clear the state"):
        open_bookmark(state, None, START, timedelta(0))


@given(st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers(), max_size=5))
def test_version_depends_on_values_not_on_their_order(row: dict[str, Any]) -> None:
    row = {**row, "SystemModstamp": "2026-01-03T00:00:00.000Z"}
    version = Version.of(row)
    assert version == Version.of(dict(reversed(row.items())))
    assert version != Version.of({**row, "one more": 1})
    assert Version.from_state(version.in_state()) == version
