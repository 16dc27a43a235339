"""The checks of property values, as pure functions."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.hubspot.defaults import PROPERTIES
from case_sync_sandbox.hubspot.metadata import Property
from case_sync_sandbox.hubspot.values import check_values, checks_for, iso, parse_datetime

TICKET_CHECKS = checks_for("tickets", PROPERTIES["tickets"], frozenset({"910901"}))
MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001  (hypothesis adds the zone itself)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, OFFSETS)
def test_a_moment_is_the_same_in_every_zone_and_as_milliseconds(naive: datetime, zone: timezone) -> None:
    """ISO text with any offset and epoch milliseconds of one moment are kept as the same text in UTC."""
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    kept = iso(moment)
    epoch_ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert [
        iso(parse_datetime(text)) for text in (moment.astimezone(zone).isoformat(), kept, str(epoch_ms))
    ] == [kept] * 3


@given(st.text(max_size=40))
def test_text_that_is_no_time_is_none_and_never_an_exception(text: str) -> None:
    """Whatever the text, reading it as a time ends in an aware moment or None."""
    moment = parse_datetime(text)
    assert moment is None or moment.tzinfo is UTC


@given(st.dictionaries(st.sampled_from(["subject", "content"]), st.text(max_size=200)))
def test_text_is_kept_as_it_is(properties: Any) -> None:
    """No character of a text is changed."""
    checked = check_values(TICKET_CHECKS, properties)
    assert (checked.kept, checked.problems) == (properties, [])


@given(st.text(max_size=10))
def test_an_option_passes_only_by_its_exact_value(text: str) -> None:
    """Options are case-sensitive internal values; "" clears."""
    allowed = {"", "LOW", "MEDIUM", "HIGH", "URGENT"}
    assert (check_values(TICKET_CHECKS, {"hs_ticket_priority": text}).problems == []) == (text in allowed)


def test_each_problem_names_its_property() -> None:
    """Good values of an input are kept beside the problems of the others."""
    checked = check_values(
        TICKET_CHECKS, {"subject": "x", "nope": "y", "hs_is_closed": "true", "source_type": "FAX"}
    )
    assert checked.kept == {"subject": "x"}
    assert {p.property_name: p.code for p in checked.problems} == {
        "nope": "PROPERTY_DOESNT_EXIST",
        "hs_is_closed": "READ_ONLY_VALUE",
        "source_type": "INVALID_OPTION",
    }


def test_a_date_is_a_day_or_midnight_in_utc() -> None:
    """A date property takes YYYY-MM-DD or midnight as milliseconds, and no other time of the day."""
    checks = checks_for(
        "tickets", [Property(name="day", label="Day", type="date", field_type="date")], frozenset()
    )
    midnight = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp() * 1000)
    assert check_values(checks, {"day": str(midnight)}).kept == {"day": "2026-01-31"}
    assert check_values(checks, {"day": "2026-01-31"}).kept == {"day": "2026-01-31"}
    assert check_values(checks, {"day": str(midnight + 1)}).problems[0].code == "INVALID_DATE"


def test_numbers_and_booleans_are_tolerated_as_json_values() -> None:
    """HubSpot's samples send them so; they are kept as text."""
    checks = checks_for(
        "tickets",
        [
            Property(name="n", label="N", type="number", field_type="number"),
            Property(name="b", label="B", type="bool", field_type="booleancheckbox"),
        ],
        frozenset(),
    )
    assert check_values(checks, {"n": 4.5, "b": True}).kept == {"n": "4.5", "b": "true"}
    assert [p.code for p in check_values(checks, {"n": "four", "b": "yes"}).problems] == [
        "INVALID_INTEGER",
        "INVALID_BOOLEAN",
    ]


def test_an_archived_property_does_not_exist() -> None:
    """Its values are refused like those of an unknown one."""
    checks = checks_for("tickets", [Property(name="old", label="Old", archived=True)], frozenset())
    assert check_values(checks, {"old": "x"}).problems[0].code == "PROPERTY_DOESNT_EXIST"
