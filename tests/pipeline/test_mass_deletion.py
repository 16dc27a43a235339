"""Whatever makes it look as if all cases were gone, no ticket is archived: a permission lost, a filter mistyped, another org, an org emptied.

Each accident is met as an incremental sync, as a full refresh, and with a reconciliation, which compares the ids of all cases.
"""

from collections.abc import Callable
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
    org_of_another_company,
    everything_in_the_recycle_bin,
    everything_purged,
    org_emptied_and_its_log_too,
)
# Those that the tap can see for what they are, and refuses.
SEEN_BY_THE_TAP = {permission_on_cases_lost: ("plain", "fresh", "reconciling"), filter_mistyped: ("plain", "reconciling"),
                   org_of_another_company: ("plain", "reconciling")}  # fmt: skip


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


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda accident: accident.__name__)
def test_R53_R55_R56_accident_archives_no_ticket(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, accident: Accident
) -> None:
    """No way of running archives one; a deletion that the tap believed is told with an exit code, and listed ticket by ticket."""
    pipeline = synced(sandbox, forks, tmp_path)
    kept = {ticket["id"]: ticket["properties"] for ticket in sandbox.tickets()}
    accident(sandbox, pipeline)
    sandbox.admin("POST", "clock", {"advance": 300})
    state, told = pipeline.state, 0
    for how in ("plain", "reconciling", "fresh", "fresh reconciling", "plain"):
        pipeline.state = state
        ended = run_as(pipeline, how)
        told += not ended.is_clean
        if how in SEEN_BY_THE_TAP.get(accident, ()):
            assert ended.codes["tap"], (how, ended.log)
        listed = tmp_path / "deletes-to-confirm.csv"
        if ended.codes["target"] == TOO_MANY:
            lines = listed.read_text(encoding="utf-8").splitlines()
            assert len(lines) - 1 > 50, (how, lines)
        assert sandbox.tickets(archived=True) == [], how
    assert {ticket["id"] for ticket in sandbox.tickets()} == kept.keys()
    assert told, "nobody was told of anything"


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
