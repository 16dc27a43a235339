"""Each conversion: what it promises for any value, and what it does with the values people have."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.conversions import (
    CUT_MARK,
    MAX_TEXT,
    UNWANTED,
    UnconvertibleError,
    boolean,
    day,
    domain,
    multi_option,
    number,
    option,
    text,
)

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
    assert day(value) == expected


def test_date_takes_dates_only() -> None:
    with pytest.raises(UnconvertibleError):
        day("yesterday")


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
