"""What is asked of Salesforce: windows that leave no gap, SOQL that nothing gets into."""

import itertools
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.salesforce.soql import parse
from tap_salesforce_cases.errors import SettingError
from tap_salesforce_cases.filters import build_filter, checked_where, record_type_names
from tap_salesforce_cases.objects import OTHERS
from tap_salesforce_cases.soql import (
    Source,
    checked_name,
    count_rows,
    datetime_literal,
    select_ids_of,
    select_rows,
    select_snapshot,
    string_literal,
)
from tap_salesforce_cases.windows import Counted, Position, Window, halve, split_by_rows, up_to

UNTIL = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CASE_ID = "5005g00000AbCdEAAV"
aware = st.datetimes(min_value=datetime(1999, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

# -- literals and names


@given(st.text(max_size=40))
def test_S6_string_literal_is_one_string_whatever_is_in_it(text: str) -> None:
    """No text closes its own quotes: injection has no way in."""
    literal = string_literal(text)
    assert re.fullmatch(r"'(\\.|[^'\\\n\r])*'", literal, re.DOTALL)


@given(st.text(max_size=20))
def test_S7_name_is_letters_digits_underscores_and_dots(text: str) -> None:
    try:
        assert re.fullmatch(r"[A-Za-z0-9_.]+", checked_name(text))
    except ValueError:
        assert not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text)


@given(aware, st.sampled_from([UTC, timezone(timedelta(hours=9))]))
def test_datetime_literal_is_the_moment_to_the_second_in_utc(moment: datetime, zone: timezone) -> None:
    assert datetime.fromisoformat(datetime_literal(moment.astimezone(zone))) == moment.replace(microsecond=0)


# -- queries


@pytest.mark.parametrize(
    ("window", "condition"),
    [
        (Window(since_inclusive=None, until_exclusive=UNTIL), "WHERE SystemModstamp < 2026-01-05T09:00:00Z ORDER"),
        (Window(since_inclusive=datetime(2026, 1, 1, tzinfo=UTC), until_exclusive=UNTIL), "AND SystemModstamp >= 2026-01-01T00:00:00Z ORDER"),
        (
            Window(since_inclusive=None, until_exclusive=UNTIL).from_position(Position(stamp=datetime(2026, 1, 2, tzinfo=UTC), record_id=CASE_ID)),
            "((SystemModstamp = 2026-01-02T00:00:00Z AND Id > '5005g00000AbCdEAAV') OR SystemModstamp > 2026-01-02T00:00:00Z)",
        ),
    ],
)  # fmt: skip
def test_query_of_a_window_and_of_what_is_left_of_it(window: Window, condition: str) -> None:
    """Ordered with a tie-break, and after a position among equals; it parses as SOQL."""
    soql = select_rows(["Id", "Account.Name"], Source(object_name="Case"), window)
    assert condition in soql
    assert soql.endswith("ORDER BY SystemModstamp, Id")
    parse(soql)


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: kind.name)
def test_queries_of_every_stream_are_soql(kind: object) -> None:
    """With the condition that keeps parents to those that cases refer to."""
    source = Source(object_name=kind.object_name, condition=kind.condition, has_deleted=kind.has_deleted)  # type: ignore[attr-defined]
    parse(count_rows(source, Window(since_inclusive=None, until_exclusive=UNTIL)))


def test_deleted_rows_come_whether_they_meet_the_filter_or_not() -> None:
    """Salesforce may have emptied a deleted row; a snapshot is of live rows only."""
    source = Source(object_name="Case", condition="(Priority = 'High')")
    window = Window(since_inclusive=None, until_exclusive=UNTIL)
    assert "((Priority = 'High')) OR IsDeleted = true" in select_rows(["Id"], source, window)
    assert "IsDeleted" not in select_snapshot(source, UNTIL, CASE_ID)
    parse(select_snapshot(source, UNTIL, CASE_ID))
    parse(select_ids_of(source, [CASE_ID, CASE_ID]))


# -- the user's filter


@pytest.mark.parametrize(
    "text",
    [
        "Priority = 'High'",
        "(Priority = 'High' OR Subject LIKE '%(ORDER BY%') AND CreatedDate > 2024-01-01T00:00:00Z",
        "Subject = 'it\\'s' AND AccountId IN (SELECT Id FROM Account WHERE Name != null)",
        "NOT (Status IN ('New', 'Closed'))",
    ],
)
def test_condition_is_taken_as_it_is_in_brackets(text: str) -> None:
    condition = checked_where(text)
    assert condition == f"({text})"
    parse(f"SELECT Id FROM Case WHERE {condition}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Id = '1' ORDER BY Id", "ORDER can't stand in it"),
        ("Id != null LIMIT 1", "LIMIT"),
        ("Id = '1') OR (Id != null", "a bracket too many"),
        ("(Id = '1'", "not closed"),
        ("Id = 'open", "not part of a SOQL condition"),
        ("Id = '1' ; SELECT Id FROM User", "';' at character"),
        ("Id = '1' FROM User", "FROM"),
        ("Id IN (SELECT Id FROM Case LIMIT 1)", "LIMIT"),
        ("Id = '1' ALL ROWS", "ALL"),
    ],
)
def test_S6_what_is_no_condition_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingError, match=re.escape(told)):
        checked_where(text)


@given(st.text(max_size=30))
def test_S6_no_text_reaches_out_of_its_brackets(text: str) -> None:
    """Whatever passes has balanced brackets outside of its strings and no clause of its own."""
    try:
        condition = checked_where(text)
    except SettingError:
        return
    outside = re.sub(r"'(\\.|[^'\\])*'", "", condition, flags=re.DOTALL)
    depth = 0
    for place, char in enumerate(outside):
        depth += (char == "(") - (char == ")")
        assert depth > 0 or place == len(outside) - 1
    assert depth == 0


def test_S6_S7_record_types_are_checked_and_escaped() -> None:
    known = {"billing": "Billing", "o'hara": "O'Hara"}
    assert record_type_names(["BILLING"], known, "record_types_include") == ["Billing"]
    with pytest.raises(
        SettingError,
        match="record_types_include: Case has no record type 'Biling'; there are: Billing, O'Hara",
    ):
        record_type_names(["Biling"], known, "record_types_include")
    scope = build_filter(None, ["O'Hara"], ["Billing"])
    parse(f"SELECT Id FROM Case WHERE {scope.condition}")
    assert r"'O\'Hara'" in scope.condition


def test_fingerprint_is_the_scopes() -> None:
    """The same names in another order are the same scope."""
    assert build_filter(None, ["A", "B"], []) == build_filter(" ", ["B", "A", "A"], [])
    assert build_filter(None, ["A"], []).fingerprint != build_filter(None, [], ["A"]).fingerprint


# -- windows

stamps = st.lists(st.integers(0, 400), max_size=60).map(
    lambda seconds: [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s) for s in sorted(seconds)]
)
LOW = st.none() | st.just(datetime(2026, 1, 1, tzinfo=UTC))


def holds(window: Window, stamp: datetime) -> bool:
    return (
        window.since_inclusive is None or stamp >= window.since_inclusive
    ) and stamp < window.until_exclusive


@given(stamps, LOW, st.integers(1, 20))
def test_split_windows_hold_every_second_once(rows: list[datetime], low: datetime | None, most: int) -> None:
    """Gapless, disjoint, in order; each within the limit unless its rows share one second; counts are right."""
    whole = Window(since_inclusive=low, until_exclusive=datetime(2026, 1, 1, 0, 7, tzinfo=UTC))

    def count(window: Window) -> int:
        return sum(holds(window, row) for row in rows)

    parts = split_by_rows(Counted(window=whole, rows=len(rows)), most, count)
    assert parts[0].window.since_inclusive == low
    assert parts[-1].window.until_exclusive == whole.until_exclusive
    for part, following in itertools.pairwise(parts):
        assert part.window.until_exclusive == following.window.since_inclusive
    for part in parts:
        assert part.rows == count(part.window)
        assert part.rows <= most or len({row for row in rows if holds(part.window, row)}) == 1


@given(aware, st.integers(0, 10**8))
def test_halves_are_the_whole(low: datetime, seconds: int) -> None:
    low = low.replace(microsecond=0)
    window = Window(since_inclusive=low, until_exclusive=low + timedelta(seconds=seconds))
    halves = halve(window)
    if halves is None:
        assert seconds <= 1
        return
    early, late = halves
    assert (early.since_inclusive, late.until_exclusive) == (low, window.until_exclusive)
    assert early.until_exclusive == late.since_inclusive
    assert low < early.until_exclusive < window.until_exclusive


@given(st.lists(st.tuples(aware, aware), min_size=1, max_size=5))
def test_windows_of_any_runs_leave_no_gap(runs: list[tuple[datetime, datetime]]) -> None:
    """A run's window begins at or below its bookmark and holds the present second, whatever the clock did since."""
    for since, now in runs:
        window = up_to(since, None, now)
        assert window.since_inclusive is not None
        assert window.since_inclusive <= since
        assert window.since_inclusive <= window.until_exclusive
        assert now < window.until_exclusive <= now + timedelta(seconds=1)
