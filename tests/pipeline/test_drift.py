"""What changes around the sync while it is in use: fields of Salesforce's that come, cases that are merged."""

from pathlib import Path

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .expected import by_id, differences
from .forked import Forks, Pipeline
from .test_native_sync import any_case, change, synced, tickets_of


@pytest.fixture
def pipeline(forks: Forks, sandbox: RunningSandbox, tmp_path: Path) -> Pipeline:
    return Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox)


def test_a_new_field_of_salesforces_is_ignored_until_a_rule_names_it(
    sandbox: RunningSandbox, pipeline: Pipeline
) -> None:
    """No run stops, and no ticket is written for it; cases that change come with it."""
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": [["Case", "Reason"]]})
    sandbox.seed(20)
    case_id = any_case(sandbox)["Id"]
    synced(pipeline)
    seen = len(sandbox.writes())
    sandbox.admin("POST", "salesforce/switches", {"hidden_fields": []})
    synced(pipeline)
    assert sandbox.writes()[seen:] == []
    change(sandbox, "update", case_id, values={"Subject": "Another", "Reason": "Installation"})
    synced(pipeline)
    assert {w["key"] for w in sandbox.writes()[seen:] if w["op"] == "update"} == {case_id}
    assert differences(sandbox) == []


@pytest.mark.parametrize(
    ("rules", "is_left"),
    [
        ({"on_case_deleted": "do_nothing", "on_case_merged": "follow_merge"}, False),
        ({"on_case_deleted": "do_nothing", "on_case_merged": "as_deleted"}, True),
        ({"on_case_deleted": "delete_ticket", "on_case_merged": "as_deleted"}, False),
    ],
)
def test_a_merged_case_goes_as_the_rule_says_and_the_winner_is_updated(
    sandbox: RunningSandbox, pipeline: Pipeline, rules: dict[str, str], is_left: bool
) -> None:
    sandbox.seed(40)
    pipeline.rules = pipeline.rules | rules
    synced(pipeline)
    before = {i: case["SystemModstamp"] for i, case in by_id(sandbox, "Case").items()}
    sandbox.mutate(merges=1)
    (loser,) = [i for i, case in by_id(sandbox, "Case").items() if case["IsDeleted"]]
    winner = by_id(sandbox, "Case")[loser]["MasterRecordId"]
    seen = len(sandbox.writes())
    synced(pipeline)
    assert bool(tickets_of(sandbox, loser)) is is_left
    assert len(tickets_of(sandbox, winner)) == 1
    changed = {i for i, case in by_id(sandbox, "Case").items() if case["SystemModstamp"] != before[i]}
    written = {w["key"] for w in sandbox.writes()[seen:] if w["op"] != "associate"}
    assert winner in written
    assert written <= changed
