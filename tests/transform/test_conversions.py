"""Each conversion: what it promises for any value, and what it does with the values people have."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.conversions import (
    CONVERSIONS,
    CUT_MARK,
    JSON_SCHEMAS,
    MAX_TEXT,
    UNWANTED,
    UnconvertibleError,
    boolean,
    conversion_of,
    day,
    domain,
    html_text,
    id18,
    moment,
    multi_option,
    number,
    option,
    percent,
    text,
    trim,
)
from case_ticket_mapper.rules import FieldRule

any_text = st.text(alphabet=st.characters(codec=None))


@given(any_text)
def test_text_keeps_all_but_control_characters(value: str) -> None:
    """What comes out is what went in without the characters that HubSpot refuses; so a clean text is untouched."""
    assert text(value) == UNWANTED.sub("", value)
    text(value).encode("utf-8")


@given(st.integers(min_value=0, max_value=40))
def test_text_above_the_limit_is_cut_and_says_so(above: int) -> None:
    """Exactly 65,536 characters stay whole; one more is cut to the limit, with the mark."""
    whole = "ä" * MAX_TEXT
    cut = text(whole + "b" * above)
    assert len(cut) == MAX_TEXT
    assert (cut == whole) == (above == 0)
    assert cut.endswith(CUT_MARK) == (above > 0)


@pytest.mark.parametrize(
    ("website", "host"),
    [
        ("https://www.harbour-pumps.example/contact?x=1", "harbour-pumps.example"),
        ("HARBOUR-Pumps.example", "harbour-pumps.example"),
        ("www.harbour-pumps.example", "harbour-pumps.example"),
        ("http://harbour-pumps.example:8080", "harbour-pumps.example"),
        ("  https://harbour-pumps.example  ", "harbour-pumps.example"),
        ("https://[broken", None),
        ("https://", None),
        ("", None),
    ],
)
def test_domain_is_the_host_as_hubspot_writes_it(website: str, host: str | None) -> None:
    assert domain(website) == host


@given(any_text)
def test_domain_never_fails(value: str) -> None:
    """People type anything into a website field."""
    found = domain(value)
    assert found is None or found


@given(st.integers())
def test_number_keeps_whole_numbers_whole(value: int) -> None:
    assert number(value) == value
    assert str(number(Decimal(value))) == str(value)


@pytest.mark.parametrize("value", ["12", True, None, [1]])
def test_number_takes_numbers_only(value: object) -> None:
    with pytest.raises(UnconvertibleError):
        number(value)


@pytest.mark.parametrize("value", ["true", 1, 0, None])
def test_boolean_takes_checkboxes_only(value: object) -> None:
    with pytest.raises(UnconvertibleError):
        boolean(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("2026-02-28", "2026-02-28"), ("2026-02-28T23:59:59.000Z", "2026-02-28")]
)
def test_date_is_the_calendar_day_in_utc(value: str, expected: str) -> None:
    assert day("UTC")(value) == expected


def test_date_takes_dates_only() -> None:
    with pytest.raises(UnconvertibleError):
        day("UTC")("yesterday")


@given(st.lists(st.text(alphabet="abcä ", min_size=1).map(str.strip).filter(bool)))
def test_multi_option_keeps_each_choice_once_in_order(choices: list[str]) -> None:
    """A multi-select picklist goes over as its choices, whatever blanks and empty parts stand between them."""
    assert multi_option(" ; ".join(choices) + ";;") == ";".join(choices)


def test_option_finds_its_value_whatever_the_letters() -> None:
    convert = option({"High": "HIGH"})
    assert [convert(v) for v in ("High", "high", "HIGH")] == ["HIGH"] * 3
    with pytest.raises(UnconvertibleError) as refused:
        convert("Secret customer word")
    assert "Secret" not in str(refused.value)


@given(st.text(alphabet=st.characters(codec=None)))
def test_html_text_never_fails_and_leaves_no_tag(value: str) -> None:
    found = html_text(f"<p>{value.replace('<', '')}</p><script>{value}</script>")
    assert found is None or "<p>" not in found


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>Hello<br>world</p>", "Hello\nworld"),
        ("<div>A &amp; B</div><div>gr&ouml;&szlig;er</div>", "A & B\n\ngrößer"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n\n- two"),
        ("<style>p {}</style>text<script>evil()</script>", "text"),
        ("no html: 3 < 4", "no html: 3 < 4"),
        ("<p> </p>", None),
        ("", None),
    ],
)
def test_html_text_is_the_words_in_lines(html: str, words: str | None) -> None:
    assert html_text(html) == words


@pytest.mark.parametrize(("value", "expected"), [("  a b ", "a b"), (" \n ", None), (7, "7")])
def test_trim_takes_blanks_away(value: object, expected: str | None) -> None:
    assert trim(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12.5, Decimal("0.125")),
        (Decimal("12.5"), Decimal("0.125")),
        (100, 1),
        (0, 0),
        (33.3, Decimal("0.333")),
    ],
)
def test_percent_of_salesforce_is_a_hundred_times_hubspots(value: object, expected: object) -> None:
    assert percent(value) == expected


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-03-29", "Pacific/Auckland", "2026-03-29"),
        ("2026-03-29", "America/Los_Angeles", "2026-03-29"),
        ("2026-03-28T23:30:00.000Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T01:30:00.000Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T23:30:00.000+0000", "America/New_York", "2026-03-29"),
        ("2026-01-01T00:30:00.000Z", "America/New_York", "2025-12-31"),
    ],
)
def test_N09_date_stays_that_date_in_every_zone_and_a_moment_has_the_zones_day(
    value: str, zone: str, expected: str
) -> None:
    """Also on the night when the clocks change."""
    assert day(zone)(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-29T01:30:00.000+0200", "2026-03-28T23:30:00.000Z"),
        ("2026-03-29T01:30:00.123Z", "2026-03-29T01:30:00.123Z"),
        ("2026-03-29", "2026-03-29T00:00:00.000Z"),
    ],
)
def test_N09_datetime_is_the_moment_in_utc(value: str, expected: str) -> None:
    assert moment(value) == expected


@given(st.text(max_size=12) | st.integers() | st.booleans() | st.lists(st.integers(), max_size=2))
def test_dates_of_anything_else_cant_be_converted(value: object) -> None:
    for convert in (moment, day("Europe/Berlin")):
        with suppress(UnconvertibleError):
            assert isinstance(convert(value), str)


@pytest.mark.parametrize(
    ("short", "long"), [("001A0000006Vm9r", "001A0000006Vm9rIAC"), ("00D000000000062", "00D000000000062EAA")]
)
def test_id_of_15_characters_gets_its_three_letters(short: str, long: str) -> None:
    assert id18(short) == long
    assert id18(long) == long


@given(st.from_regex(r"[A-Za-z0-9]{15}", fullmatch=True))
def test_ids_that_differ_in_letters_only_differ_in_every_case(short: str) -> None:
    """That is what the 18 characters are for."""
    other = short.swapcase()
    assert (id18(short).lower() == id18(other).lower()) == (short == other)


@given(st.text(max_size=80), st.integers(min_value=1, max_value=30))
def test_max_length_is_never_passed(value: str, limit: int) -> None:
    convert = conversion_of(FieldRule(property="x", sources=("A",), max_length=limit))
    assert len(convert(value)) <= limit
    assert convert(value) == value or len(value) > limit


def test_N05_multi_picklist_goes_choice_by_choice_through_the_table() -> None:
    rule = FieldRule(property="x", sources=("A",), convert="multi_option", options={"Red": "R", "Blue": "B"})
    assert conversion_of(rule)("red;Blue") == "R;B"
    with pytest.raises(UnconvertibleError):
        conversion_of(rule)("red;Green")


@pytest.mark.parametrize("name", list(CONVERSIONS))
def test_every_conversion_gives_the_type_that_its_schema_says(name: str) -> None:
    """The target makes properties and values by it."""
    value = {"boolean": True, "id18": "5005g00000AbCdE"}.get(name, "2026-03-29" if "date" in name else 7)
    kinds = JSON_SCHEMAS.get(name, {"type": ["string", "number", "boolean"]})["type"]
    found = CONVERSIONS[name](value)
    names = {bool: "boolean", int: "number", float: "number", Decimal: "number", str: "string"}
    assert names[type(found)] in kinds
