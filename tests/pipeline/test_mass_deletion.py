"""Whatever makes it look as if all cases were gone, no ticket is archived: a permission lost, a filter mistyped, another org, an org emptied.

Each accident is met as an incremental sync, as a full refresh, and with a reconciliation, which compares the ids of all cases.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .expected import by_id, differences
from .forked import Ended, Forks, Pipeline

pytestmark = pytest.mark.faults

CASES = 240  # more than max_deletes allows to go
TOO_MANY = 8  # the target's exit code
Accident = Callable[[RunningSandbox, Pipeline], None]


def live(sandbox: RunningSandbox) -> list[str]:
    return sorted(i for i, case in by_id(sandbox, "Case").items() if not case["IsDeleted"])


def each(sandbox: RunningSandbox, action: str, ids: list[str], **more: Any) -> None:
    for case_id in ids:
        sandbox.admin("POST", "salesforce/records", {"action": action, "id": case_id, **more})


def permission_on_cases_lost(sandbox: RunningSandbox, _: Pipeline) -> None:
    sandbox.admin("POST", "salesforce/switches", {"hidden_objects": ["Case"]})


def half_of_the_cases_not_shared_any_more(sandbox: RunningSandbox, _: Pipeline) -> None:
    """View All taken away: those cases are in no query and in no delete log."""
    each(sandbox, "purge", live(sandbox)[::2], logged=False)


def filter_mistyped(_: RunningSandbox, pipeline: Pipeline) -> None:
    pipeline.tap |= {"where": "Priority = 'Hihg'"}


def filter_of_the_rules_mistyped(_: RunningSandbox, pipeline: Pipeline) -> None:
    """Where the rules delete the ticket of a case that does not fit."""
    pipeline.rules = pipeline.rules | {
        "filter": {"all": [{"field": "Priority", "is": "Hihg"}], "otherwise": "delete_ticket"}
    }


def org_of_another_company(sandbox: RunningSandbox, _: Pipeline) -> None:
    """A login to another org, which has other cases or none."""
    sandbox.admin("POST", "salesforce/switches", {"organization_id": "00D5g00000OtherEAA"})
    each(sandbox, "purge", live(sandbox), logged=False)


def everything_in_the_recycle_bin(sandbox: RunningSandbox, _: Pipeline) -> None:
    each(sandbox, "delete", live(sandbox))


def everything_purged(sandbox: RunningSandbox, _: Pipeline) -> None:
    each(sandbox, "purge", live(sandbox))


def org_emptied_and_its_log_too(sandbox: RunningSandbox, _: Pipeline) -> None:
    each(sandbox, "purge", live(sandbox), logged=False)
    sandbox.admin("POST", "salesforce/switches", {"purged_log": True})


ACCIDENTS: tuple[Accident, ...] = (
    permission_on_cases_lost,
    half_of_the_cases_not_shared_any_more,
    filter_mistyped,
    filter_of_the_rules_mistyped,
    org_of_another_company,
    everything_in_the_recycle_bin,
    everything_purged,
    org_emptied_and_its_log_too,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a run ends: exit codes of tap and target, and the tickets that the list to confirm names."""

    tap: int = 0
    target: int = 0
    listed: int = 0


WAYS = ("plain", "reconciling", "fresh", "fresh reconciling", "plain")
SEEN = Told(tap=3)  # for what it is, and refused: nothing was read
UNSEEN = Told()  # a run that asks for what changed, or for what is there, can't know of what is not
HALF, ALL = Told(target=TOO_MANY, listed=CASES // 2), Told(target=TOO_MANY, listed=CASES)
# In the order of WAYS. Without a state the tap has nothing to compare a filter or an org with; that another org's ids say nothing of
# these tickets, the target sees by itself.
EXPECTED: dict[Accident, tuple[Told, ...]] = {
    permission_on_cases_lost: (SEEN, SEEN, SEEN, SEEN, SEEN),
    half_of_the_cases_not_shared_any_more: (UNSEEN, HALF, UNSEEN, HALF, UNSEEN),
    filter_mistyped: (SEEN, SEEN, UNSEEN, ALL, SEEN),
    # What was read before comes through the rules again with a full refresh only; what is held then stays so.
    filter_of_the_rules_mistyped: (UNSEEN, UNSEEN, ALL, ALL, ALL),
    org_of_another_company: (SEEN, SEEN, UNSEEN, UNSEEN, SEEN),
    everything_in_the_recycle_bin: (ALL, ALL, ALL, ALL, ALL),
    everything_purged: (ALL, ALL, ALL, ALL, ALL),
    org_emptied_and_its_log_too: (ALL, ALL, ALL, ALL, ALL),
}
# After these an import finds no case, not even a deleted one.
NONE_LEFT = {filter_mistyped, org_of_another_company, everything_purged, org_emptied_and_its_log_too}


def synced(sandbox: RunningSandbox, forks: Forks, folder: Path) -> Pipeline:
    sandbox.seed(CASES)
    sandbox.admin("POST", "clock", {"freeze": "2026-12-01T12:00:00Z"})
    pipeline = Pipeline(forks=forks, folder=folder, sandbox=sandbox, target={"unknown_owner": "clear"})
    assert pipeline.run().is_clean
    sandbox.admin("POST", "clock", {"advance": 300})
    assert differences(sandbox) == []
    return pipeline


def run_as(pipeline: Pipeline, how: str) -> Ended:
    if "fresh" in how:
        pipeline.state = None
    pipeline.tap["reconcile"] = "reconciling" in how
    return pipeline.run()


def confirmable(folder: Path) -> set[str]:
    """Ids of the tickets in the list; it is taken away, so that the next run has to write its own."""
    path = folder / "deletes-to-confirm.csv"
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        listed = [row["ticket_id"] for row in csv.DictReader(file)]
    path.unlink()
    assert len(listed) == len(set(listed))
    return set(listed)


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda accident: accident.__name__)
def test_R53_R55_R56_accident_archives_no_ticket(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, accident: Accident
) -> None:
    """No way of running archives one; each is told as its accident has it, and a deletion that the tap believed is listed ticket by ticket."""
    pipeline = synced(sandbox, forks, tmp_path)
    kept = {ticket["id"]: ticket["properties"] for ticket in sandbox.tickets()}
    accident(sandbox, pipeline)
    sandbox.admin("POST", "clock", {"advance": 300})
    state, told = pipeline.state, list[Told]()
    for how in WAYS:
        pipeline.state = state
        ended = run_as(pipeline, how)
        listed = confirmable(tmp_path)
        assert listed <= kept.keys(), how
        told.append(Told(tap=ended.codes["tap"], target=ended.codes["target"], listed=len(listed)))
        assert sandbox.tickets(archived=True) == [], how
        assert {ticket["id"] for ticket in sandbox.tickets()} == kept.keys(), how
        # Without a state there is nothing to compare with; an import that finds no case is told all the same.
        if "fresh" in how and ended.codes["tap"] == 0:
            assert ("No case is in scope" in ended.log) == (accident in NONE_LEFT), how
    assert tuple(told) == EXPECTED[accident]


def test_R53_reconciliation_archives_what_is_gone_when_it_is_little(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    """The guard is no wall: five cases that are nowhere any more take their tickets along."""
    pipeline = synced(sandbox, forks, tmp_path)
    gone = live(sandbox)[:5]
    each(sandbox, "purge", gone, logged=False)
    assert run_as(pipeline, "plain").is_clean
    assert len(sandbox.tickets(archived=True)) == 0
    ended = run_as(pipeline, "reconciling")
    assert ended.is_clean, ended.log
    assert {t["properties"]["salesforce_case_id"] for t in sandbox.tickets(archived=True)} == set(gone)
    assert differences(sandbox) == []
