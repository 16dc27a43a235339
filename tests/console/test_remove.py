"""The sync is removed: settings, schedule and states go; tickets and logins stay; set-up can begin again."""

import time
from typing import Any

import pytest
import yaml

from case_sync_console.file_edits import removal_splices
from case_sync_console.yaml_splicing import spliced

from .conftest import Ended, Project

pytestmark = [pytest.mark.xdist_group("console-remove"), pytest.mark.timeout(1200)]


def after_removal(text: str, environment: str, *, with_shared: bool) -> Any:
    document = yaml.safe_load(text)
    return yaml.safe_load(spliced(text, removal_splices(document, environment, with_shared=with_shared)))


def test_connections_stay_and_all_else_of_the_environment_goes(module_project: Project) -> None:
    document = yaml.safe_load(module_project.text())
    tap = document["environments"][0]["config"]["plugins"]["extractors"][0]
    tap["config"] |= {"where": "A = 1", "sync_status": "active", "lookback_seconds": 5}
    found = after_removal(yaml.safe_dump(document), "sandbox", with_shared=False)
    kept = found["environments"][0]["config"]["plugins"]["extractors"][0]["config"]
    assert set(kept) == {"login_url", "client_id", "client_secret", "sync_status"}
    assert found["schedules"] == document["schedules"]
    assert found["plugins"] == document["plugins"]


def test_what_environments_share_goes_with_the_last_one(module_project: Project) -> None:
    found = after_removal(module_project.text(), "prod", with_shared=True)
    assert found["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"] == {}
    assert not found.get("schedules")


@pytest.fixture(scope="module")
def removed(module_project: Project) -> tuple[Ended, Ended, set[str]]:
    """A sync that runs is removed, first without and then with --yes; the tickets before."""
    module_project.sandbox.seed(12)
    time.sleep(2)
    for command in (("activate",), ("import",)):
        ended = module_project.console(*command)
        assert ended.exit_code == 0, ended.output
    tickets = set(module_project.tickets())
    before = module_project.text()
    unasked = module_project.console("remove")
    assert module_project.text() == before
    return unasked, module_project.console("remove", "--yes", "--empty-ledger"), tickets


def test_S36_it_asks_first(removed: Any) -> None:
    """Without a terminal nobody can be asked: it says what it would remove, and names the option."""
    unasked = removed[0]
    assert unasked.exit_code == 2, unasked.output
    assert "--yes" in unasked.stderr
    assert "all tickets" in unasked.stdout


def test_S36_configuration_and_state_are_gone_and_tickets_stay(module_project: Project, removed: Any) -> None:
    _unasked, ended, tickets = removed
    assert ended.exit_code == 0, ended.output
    assert set(module_project.tickets()) == tickets
    assert len(tickets) == 12
    assert module_project.rules() == {}
    assert not module_project.definition().get("schedules")
    assert module_project.states() == {}
    assert "meltano.yml says sync_status: saved" in ended.stdout
    assert "login_url: http://127.0.0.1:8351" in module_project.text()


def test_S36_a_forgotten_run_reads_nothing(module_project: Project, removed: Any) -> None:
    ended = module_project.console("run")
    assert (ended.exit_code, "saved for later" in ended.stdout) == (0, True), ended.output


def test_S36_the_ledger_is_empty_and_the_status_says_so(module_project: Project, removed: Any) -> None:
    found = module_project.console("status", "--json")
    assert found.exit_code == 0, found.output
    assert (found.json()["sync"], found.json()["runs"], found.json()["on_record"]) == ("not set up", [], {})


def test_S36_without_rules_it_can_be_looked_at_and_not_be_switched_on(
    module_project: Project, removed: Any
) -> None:
    plan = module_project.console("plan")
    assert (plan.exit_code, "The sync would not run" in plan.stdout) == (3, True), plan.output
    assert "To do: case-sync setup" in plan.stdout
    for command in ("activate", "import"):
        refused = module_project.console(command)
        assert (refused.exit_code, "there are no rules yet" in refused.stderr) == (3, True), refused.output
        assert "case-sync setup" in refused.stderr
    status = module_project.console("status")
    assert "not set up: case-sync setup" in status.stdout, status.output
    assert "nothing yet" in status.stdout
    assert "sync_status: saved" in module_project.text()


def test_S36_the_sync_can_be_set_up_again(module_project: Project, removed: Any) -> None:
    """As at the first time; comments of the file are still there."""
    assert "# Yours: nothing stands here" in module_project.text()
    ended = module_project.console("setup", "--yes", "--account", "--activate")
    assert ended.exit_code == 0, ended.output
    assert "The sync is on." in ended.stdout
    rules = module_project.rules()
    assert rules["associations"] == {"account": "on"}
    assert rules["pipelines"]["default"]["pipeline"] == "Support Pipeline"
    assert set(rules["pipelines"]) > {"Billing Process", "Returns Process"}
