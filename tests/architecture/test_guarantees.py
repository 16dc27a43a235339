"""docs/guarantees.md names a test, or says why there is none, for every number; and the tests that it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([IRDS])(\d+) \| [^|]+ \| (.+) \|$", re.MULTILINE)
ROWS = {f"{kind}{number}": proof for kind, number, proof in ROW.findall(TEXT)}
NUMBERS = [
    f"{kind}{n}" for kind, last in (("I", 9), ("R", 83), ("D", 13), ("S", 24)) for n in range(1, last + 1)
]
FILES = re.compile(r"`(tests/[\w/]+\.py)` (test_\w+)")


def test_every_number_has_its_row() -> None:
    assert list(ROWS) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_row_names_tests_that_are_there_or_says_why_there_is_none(number: str) -> None:
    named = FILES.findall(ROWS[number])
    assert named or re.fullmatch(r"none: .{20,}", ROWS[number])
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_test_that_is_named_anywhere_is_there() -> None:
    """In the promises and in what happens when, too; a name that is cut names nothing."""
    named = FILES.findall(TEXT)
    assert len(named) > 100
    assert not [
        test for file, test in named if f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert not re.findall(r"test_\w+\.\.\.", TEXT)
