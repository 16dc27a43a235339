"""The switch of the continuous sync, as an admin uses it: one project goes through its positions; each test looks at one."""

import time
from dataclasses import dataclass
from typing import Any

import pytest

from case_sync_console.definition import ACTIVE, PAUSED, SAVED
from case_sync_console.errors import ConfigurationError
from case_sync_console.switching import FROM_NOW, NEW, ON, STEPS, position, step

from .conftest import Ended, Project

pytestmark = [pytest.mark.xdist_group("console-activation"), pytest.mark.timeout(1200)]
STATUS_LINE = "          sync_status: {}\n"


def settle() -> None:
    """Lets Salesforce's second of a change be over: a row read within it is sent once more by the next run."""
    time.sleep(2)


def mutate_one(project: Project) -> str:
    """One case that was changed; it has no ticket unless an earlier step gave it one."""
    (changed,) = project.sandbox.mutate(edits=1)["edited"]
    settle()
    return str(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a command said, the text of meltano.yml and the cases with tickets behind it."""

    ended: Ended
    text: str
    tickets: frozenset[str]
    more: Any = None


def step_of(project: Project, ended: Ended, more: Any = None) -> Step:
    return Step(ended=ended, text=project.text(), tickets=frozenset(project.tickets()), more=more)


@pytest.fixture(scope="module")
def saved(module_project: Project) -> Step:
    """A new project with 40 old cases, saved for later, and what a run does then; `more` is the text before."""
    module_project.sandbox.seed(40)
    settle()
    before = module_project.text()
    ended = module_project.console("activate", "--save-for-later")
    return step_of(module_project, ended, before)


@pytest.fixture(scope="module")
def run_while_saved(module_project: Project, saved: Step) -> Step:
    seen = len(module_project.sandbox.requests(half="salesforce"))
    ended = module_project.meltano("run", "case-sync")
    return step_of(module_project, ended, module_project.sandbox.requests(half="salesforce")[seen:])


@pytest.fixture(scope="module")
def refused(module_project: Project, run_while_saved: Step) -> Step:
    """An activation whose rules name a pipeline that HubSpot does not have; `more` is the text before."""
    good = module_project.text()
    broken = good.replace("pipeline: Billing\n", "pipeline: Biling\n")
    assert broken != good
    path = module_project.folder / "meltano.yml"
    path.write_text(broken, encoding="utf-8")
    found = step_of(module_project, module_project.console("activate"), broken)
    path.write_text(good, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def activated(module_project: Project, refused: Step) -> Step:
    before = module_project.text()
    return step_of(module_project, module_project.console("activate"), before)


@pytest.fixture(scope="module")
def first_run(module_project: Project, activated: Step) -> Step:
    return step_of(module_project, module_project.console("run"))


@pytest.fixture(scope="module")
def updated(module_project: Project, first_run: Step) -> Step:
    """A case from before the activation is changed; `more` is its Id."""
    changed = mutate_one(module_project)
    return step_of(module_project, module_project.console("run"), changed)


@pytest.fixture(scope="module")
def paused(module_project: Project, updated: Step) -> Step:
    """Paused, then a case is changed, then runs by hand; `more` has that Id, the runs, and the state before and after."""
    ended = module_project.console("pause")
    state = module_project.state()
    changed = mutate_one(module_project)
    by_hand, by_schedule = module_project.meltano("run", "case-sync"), module_project.console("run")
    after = module_project.state()
    return step_of(module_project, ended, (changed, by_hand, by_schedule, state, after))


@pytest.fixture(scope="module")
def resumed(module_project: Project, paused: Step) -> Step:
    ended = module_project.console("resume")
    return step_of(module_project, ended, module_project.console("run"))


@pytest.fixture(scope="module")
def from_now(module_project: Project, resumed: Step) -> Step:
    """Paused once more; a case is changed; on again from now; then another one is changed. `more` has the two Ids."""
    module_project.console("pause")
    left_out = module_project.sandbox.mutate(adds=1)["added"]
    settle()
    ended = module_project.console("resume", "--from", "now")
    brought = module_project.sandbox.mutate(adds=1)["added"]
    settle()
    module_project.console("run")
    return step_of(module_project, ended, (left_out[0], brought[0]))


def test_S23_saved_for_later_keeps_the_settings_and_syncs_nothing(saved: Step, run_while_saved: Step) -> None:
    assert saved.ended.exit_code == 0, saved.ended.output
    assert saved.text.replace(STATUS_LINE.format(SAVED), "") == saved.more
    assert run_while_saved.ended.exit_code == 0, run_while_saved.ended.output
    assert "saved for later: nothing was read" in run_while_saved.ended.output
    assert (run_while_saved.more, run_while_saved.tickets) == ([], frozenset())


def test_S24_a_saved_configuration_is_activated_unchanged(activated: Step) -> None:
    """But for the switch, the file is the same, byte for byte."""
    assert activated.ended.exit_code == 0, activated.ended.output
    assert "The sync is on" in activated.ended.stdout
    assert activated.text == activated.more.replace(STATUS_LINE.format(SAVED), STATUS_LINE.format(ACTIVE))


def test_S25_activation_and_the_first_run_bring_no_existing_case(activated: Step, first_run: Step) -> None:
    assert activated.tickets == frozenset()
    assert first_run.ended.exit_code == 0, first_run.ended.output
    assert first_run.tickets == frozenset()
    assert first_run.ended.stdout.startswith(
        "0 cases: tickets 0 new, 0 updated, 0 unchanged, 0 deleted, 0 rejected"
    )


def test_S26_an_old_case_that_is_updated_comes_as_a_whole_ticket(
    module_project: Project, updated: Step
) -> None:
    assert updated.ended.exit_code == 0, updated.ended.output
    assert updated.tickets == {updated.more}
    ticket, case = module_project.tickets()[updated.more]["properties"], module_project.cases()[updated.more]
    assert ticket["subject"] == case["Subject"]
    assert ticket["content"] == case["Description"]
    assert ticket["salesforce_case_number"] == case["CaseNumber"]
    assert all(
        ticket[name] for name in ("hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "source_type")
    )


def test_S30_a_paused_sync_reads_nothing_and_keeps_its_place(updated: Step, paused: Step) -> None:
    _changed, by_hand, by_schedule, state, after = paused.more
    assert paused.ended.exit_code == 0, paused.ended.output
    assert paused.text == updated.text.replace(STATUS_LINE.format(ACTIVE), STATUS_LINE.format(PAUSED))
    for ended in (by_hand, by_schedule):
        assert ended.exit_code == 0, ended.output
        assert "The sync is paused: nothing was read" in ended.output
    assert state == after != ""
    assert paused.tickets == updated.tickets


def test_S30_what_changed_during_the_pause_arrives_after_it(
    updated: Step, paused: Step, resumed: Step
) -> None:
    assert resumed.ended.exit_code == 0, resumed.ended.output
    assert resumed.more.exit_code == 0, resumed.more.output
    assert resumed.tickets == updated.tickets | {paused.more[0]}
    assert resumed.text == updated.text


def test_S30_resumed_from_now_leaves_out_what_changed_during_the_pause(resumed: Step, from_now: Step) -> None:
    left_out, brought = from_now.more
    assert from_now.ended.exit_code == 0, from_now.ended.output
    assert from_now.tickets - resumed.tickets == {brought}
    assert left_out not in from_now.tickets


def test_a_refused_activation_leaves_the_file_and_tells_the_numbered_problems(refused: Step) -> None:
    assert refused.ended.exit_code == 3, refused.ended.output
    assert refused.text == refused.more
    assert "1. " in refused.ended.stderr
    assert "Biling" in refused.ended.stderr
    assert "Traceback" not in refused.ended.stderr


def test_activating_what_is_on_changes_nothing(module_project: Project, from_now: Step) -> None:
    ended = module_project.console("activate")
    assert (ended.exit_code, module_project.text()) == (0, from_now.text), ended.output
    assert "on already" in ended.stdout


# -- the table


@pytest.mark.parametrize("where", [NEW, ON, PAUSED, SAVED])
@pytest.mark.parametrize("command", ["activate", "save", "pause", "resume", "resume from now"])
def test_every_command_has_an_answer_in_every_position(command: str, where: str) -> None:
    """A step, or a refusal that names the right command."""
    try:
        words = step(command, where).words
    except ConfigurationError as error:
        words = str(error)
    assert words


def test_only_a_start_from_now_makes_an_unplaced_sync_active() -> None:
    """An active sync without a bookmark would read all cases of the org."""
    for (_command, where), found in STEPS.items():
        if found.status == ACTIVE and where in (NEW, SAVED):
            assert found.starts_from == FROM_NOW


def test_a_file_that_says_nothing_is_on_only_if_it_has_a_bookmark() -> None:
    assert position(None, has_state=True) == ON
    assert position(None, has_state=False) == NEW
    assert position(ACTIVE, has_state=False) == NEW
    assert position(PAUSED, has_state=False) == PAUSED
