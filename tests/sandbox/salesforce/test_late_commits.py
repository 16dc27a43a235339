"""Late commits: rows that are stamped when their transaction starts, and seen when it is committed."""

from datetime import datetime

import pytest

from .conftest import NOON, Org
from .test_replication import DAY, MINUTE, ask, ids, shown


def late(org: Org, record_id: str, subject: str, **when: float) -> None:
    org.act("late-commit", {"changes": [["Case", record_id, {"Subject": subject}]], **when})


def test_a_late_commit_appears_below_newer_stamps(frozen: Org) -> None:
    """Stamped at noon and shown later: rows with newer stamps are there before it is."""
    one, two = ids(frozen, 2)
    late(frozen, one, "late")
    frozen.advance(seconds=300)
    frozen.change("update", id=two, values={"Subject": "newer"})
    after = f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp >= {NOON:%Y-%m-%dT%H:%M:%SZ} ORDER BY SystemModstamp"
    assert [two] == [r["Id"] for r in frozen.soql(after)]
    assert frozen.act("commit") == {"committed": 1}
    assert [one, two] == [r["Id"] for r in frozen.soql(after)]
    assert frozen.soql(after)[0]["SystemModstamp"] == "2026-05-04T12:00:00.000+0000"


def test_a_late_commit_may_bring_a_new_record(frozen: Org) -> None:
    """A row that was never there appears with the stamp of its transaction's start."""
    late(frozen, "5005g0000000999AAA", "new")
    frozen.advance(seconds=60)
    assert shown(frozen, "5005g0000000999AAA") is None
    frozen.act("commit")
    row = shown(frozen, "5005g0000000999AAA", "Subject, SystemModstamp")
    assert row == {"Subject": "new", "SystemModstamp": "2026-05-04T12:00:00.000+0000"}


def test_a_late_commit_comes_by_the_clock(frozen: Org) -> None:
    """With seconds it is committed at its time, by the sandbox's clock."""
    (one,) = ids(frozen, 1)
    late(frozen, one, "late", seconds=30)
    frozen.advance(seconds=29)
    assert shown(frozen, one, "Subject") != {"Subject": "late"}
    frozen.advance(seconds=1)
    assert shown(frozen, one, "Subject") == {"Subject": "late"}


@pytest.mark.parametrize("what", ["deleted", "updated"])
def test_latest_date_covered_waits_for_open_transactions(frozen: Org, what: str) -> None:
    """It is the end of the window, never later than now, and never later than the stamp of what is not committed yet."""

    def covered(end: datetime) -> str:
        return str(ask(frozen, what, NOON - DAY, end).json()["latestDateCovered"])

    assert covered(NOON - MINUTE) == "2026-05-04T11:59:00.000+0000"
    assert covered(NOON + DAY) == "2026-05-04T12:00:00.000+0000"
    late(frozen, ids(frozen, 1)[0], "late")
    frozen.advance(seconds=3_600)
    assert covered(NOON + DAY) == "2026-05-04T12:00:00.000+0000"
    frozen.act("commit")
    assert covered(NOON + DAY) == "2026-05-04T13:00:00.000+0000"
