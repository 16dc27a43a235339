"""When an answer counts as dripping; the tap and the target have the rule each for itself, since each is installed alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce_cases import bodies as taps
from target_hubspot_tickets import bodies as targets


@pytest.mark.parametrize(
    ("received", "seconds", "is_dripping"),
    [
        (0, 29.0, False),  # not measured yet
        (0, 31.0, True),
        (30_000, 31.0, True),
        (31_001, 31.0, False),
        (5_000_000, 4_000.0, False),  # a long download over a slow line
        (3_000_000, 4_000.0, True),
    ],
)
def test_R72_after_three_timeouts_less_than_a_thousand_bytes_a_second_are_drops(
    received: int, seconds: float, is_dripping: bool
) -> None:
    assert taps.is_dripping(received, seconds, 10) == is_dripping


@given(
    st.integers(min_value=0, max_value=10**9),
    st.floats(min_value=0, max_value=10**5),
    st.integers(min_value=1, max_value=600),
)
def test_R72_both_have_the_same_rule(received: int, seconds: float, read_seconds: int) -> None:
    assert taps.is_dripping(received, seconds, read_seconds) == targets.is_dripping(
        received, seconds, read_seconds
    )
