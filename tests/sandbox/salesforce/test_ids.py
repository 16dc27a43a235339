"""Record ids."""

from hypothesis import given
from hypothesis import strategies as st

from case_sync_sandbox.salesforce.ids import ALPHABET, KEY_PREFIXES, make_id, to_18

ids15 = st.text(ALPHABET, min_size=15, max_size=15)


def test_the_suffix_of_ids_that_salesforce_gave() -> None:
    """The three characters agree with ids that Salesforce's own documentation shows."""
    for known in ("003RO0000035WQgYAM", "a00D0000008pQRAIA2"):
        assert known == to_18(known[:15])


@given(ids15, ids15)
def test_ids_that_differ_by_case_only_get_different_suffixes(one: str, other: str) -> None:
    """Without case, two 18-character ids are equal only when they are the same id."""
    if one != other and one.lower() == other.lower():
        assert to_18(one).lower() != to_18(other).lower()


@given(ids15, st.data())
def test_swapped_case_changes_the_id_without_case(one: str, data: st.DataObject) -> None:
    """Changing the case of one letter changes the suffix."""
    places = [n for n, c in enumerate(one) if c.isalpha()]
    if places:
        place = data.draw(st.sampled_from(places))
        other = one[:place] + one[place].swapcase() + one[place + 1 :]
        assert to_18(one)[15:] != to_18(other)[15:]


@given(st.sampled_from(sorted(KEY_PREFIXES)), st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_numbers_and_ids_sort_alike(name: str, one: int, other: int) -> None:
    """Ids are 18 long, start with their object's prefix, and grow with the number."""
    first, second = make_id(name, one), make_id(name, other)
    assert len(first) == 18
    assert first.startswith(KEY_PREFIXES[name])
    assert (one < other) == (first[:15] < second[:15])
