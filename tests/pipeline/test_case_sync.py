"""`meltano run case-sync` as its users run it; what counts is what HubSpot holds in the end."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import pytest
import yaml

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Project

KEY = "salesforce_case_id"


def by_case(sandbox: RunningSandbox, *, archived: bool = False) -> dict[str, dict[str, Any]]:
    """Tickets by case id; fails when two active ones share a case."""
    tickets = sandbox.tickets(archived=archived)
    found = {t["properties"][KEY]: t for t in tickets}
    assert archived or len(found) == len(tickets), "two tickets of one case"
    return found


def cases(sandbox: RunningSandbox) -> dict[str, dict[str, Any]]:
    return {c["Id"]: c for c in sandbox.admin("GET", "salesforce/records?object=Case")}


def written_since(sandbox: RunningSandbox, count: int) -> set[str]:
    """Cases whose tickets were created, updated or archived after that many entries of the write log."""
    return {w["key"] for w in sandbox.writes()[count:] if w["op"] != "associate"}


def settle() -> None:
    """Lets Salesforce's second of a change be over: a row read within it is sent once more by the next run."""
    time.sleep(3)


def test_full_refresh_imports_everything_and_a_plain_run_moves_only_what_changed(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Every case has its ticket after `--full-refresh`; a plain run after it writes the changed ones and no other."""
    sandbox.seed(230)
    settle()
    sync = project()

    imported = sync.sync("--full-refresh")
    assert imported.returncode == 0, imported.output
    live = {i for i, c in cases(sandbox).items() if not c["IsDeleted"]}
    assert set(by_case(sandbox)) == live
    assert (imported.target["created"], imported.target["rejected"]) == (230, 0)

    ids_before = {case: t["id"] for case, t in by_case(sandbox).items()}
    seen = len(sandbox.writes())
    changed = sandbox.mutate(edits=5, closes=4, deletes=3, adds=2)
    settle()
    second = sync.sync()
    assert second.returncode == 0, second.output
    wanted = {*changed["edited"], *changed["closed"], *changed["deleted"], *changed["added"]}
    assert written_since(sandbox, seen) == wanted
    tickets = by_case(sandbox)
    assert set(tickets) == (live | set(changed["added"])) - set(changed["deleted"])
    assert set(by_case(sandbox, archived=True)) == set(changed["deleted"])
    assert all(tickets[case]["id"] == ids_before[case] for case in changed["edited"] + changed["closed"])
    now = cases(sandbox)
    assert all(tickets[case]["properties"]["subject"] == now[case]["Subject"] for case in changed["edited"])
    assert all(tickets[case]["properties"]["hs_is_closed"] == "true" for case in changed["closed"])

    seen = len(sandbox.writes())
    third = sync.sync()
    assert (third.returncode, third.tap["rows"]["cases"]) == (0, 0), third.output
    assert sandbox.writes()[seen:] == []


def test_full_refresh_again_makes_no_duplicates(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """A second import updates the same tickets."""
    sandbox.seed(120)
    sync = project()
    sync.sync("--full-refresh")
    before = {case: t["id"] for case, t in by_case(sandbox).items()}
    again = sync.sync("--full-refresh")
    assert (again.returncode, again.target["created"], again.target["updated"]) == (0, 0, 120), again.output
    assert {case: t["id"] for case, t in by_case(sandbox).items()} == before


def test_undeleted_case_has_one_active_ticket(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Deleted, synced, undeleted, synced: one active ticket with the case's values."""
    sandbox.seed(20)
    sync = project()
    sync.sync()
    (case,) = sandbox.mutate(deletes=1)["deleted"]
    settle()
    sync.sync()
    assert case not in by_case(sandbox)
    sandbox.mutate(undeletes=1)
    settle()
    back = sync.sync()
    assert back.returncode == 0, back.output
    assert (
        by_case(sandbox)[case]["properties"]["salesforce_case_number"] == cases(sandbox)[case]["CaseNumber"]
    )


def test_S04_deletion_rule_do_nothing_leaves_the_ticket_as_it_was(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Under do_nothing a deleted case's ticket is not archived, not blanked, not touched."""

    def keep(definition: dict[str, Any]) -> None:
        definition["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]["on_case_deleted"] = (
            "do_nothing"
        )

    sandbox.seed(15)
    sync = project(keep)
    sync.sync()
    before = by_case(sandbox)
    (case,) = sandbox.mutate(deletes=1)["deleted"]
    settle()
    assert sync.sync().returncode == 0
    assert by_case(sandbox)[case] == before[case]


def test_associations_are_those_of_account_and_contact(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Each ticket is associated with the company and the contact of its case where HubSpot has them, and with no other."""
    sandbox.seed(150)
    run = project().sync()
    companies = {
        c["properties"]["salesforceaccountid"]: c["id"]
        for c in sandbox.admin("GET", "hubspot/records/companies")["results"]
    }
    contacts = {
        c["properties"]["salesforcecontactid"]: c["id"]
        for c in sandbox.admin("GET", "hubspot/records/contacts")["results"]
    }
    made, sources = 0, cases(sandbox)
    for case, ticket in by_case(sandbox).items():
        source = sources[case]
        wanted = {
            "companies": [companies[source["AccountId"]]] if source["AccountId"] in companies else [],
            "contacts": [contacts[source["ContactId"]]] if source["ContactId"] in contacts else [],
        }
        found = {name: others(ticket, name) for name in wanted}
        assert found == wanted, case
        made += sum(map(len, wanted.values()))
    assert made > 100
    assert run.target["associations"] == made


def others(ticket: dict[str, Any], name: str) -> list[str]:
    return sorted(a["id"] for a in ticket["associations"].get(name, []))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"TAP_SALESFORCE_CASES_CLIENT_SECRET": "not-the-secret"}, "client_secret"),
        (
            {"TAP_SALESFORCE_CASES_LOGIN_URL": "http://127.0.0.1:9", "TAP_SALESFORCE_CASES_MAX_TRIES": "1"},
            "login_url",
        ),
        ({"TAP_SALESFORCE_CASES_LOGIN_URL": "http://salesforce.example"}, "login_url"),
        ({"TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN": "not-the-token"}, "access_token"),
        (
            {
                "TARGET_HUBSPOT_TICKETS_BASE_URL": "http://127.0.0.1:9",
                "TARGET_HUBSPOT_TICKETS_MAX_TRIES": "1",
            },
            "base_url",
        ),
        ({"TARGET_HUBSPOT_TICKETS_ON_DELETE": "explode"}, "on_delete"),
        ({"TARGET_HUBSPOT_TICKETS_DRY_RUN": "ture"}, "dry_run must be of type boolean"),
        ({"TAP_SALESFORCE_CASES_SAMPLE_SIZE": "abc"}, "sample_size must be of type integer"),
        ({"TARGET_HUBSPOT_TICKETS_MAX_DELETES": "5" * 5_000}, "max_deletes must be of type integer"),
        ({"TAP_SALESFORCE_CASES_PAGE_SIZE": "many"}, "page_size"),  # these two meltano.yml does not declare
        ({"TARGET_HUBSPOT_TICKETS_MAX_TRIES": "0"}, "max_tries"),
    ],
)
def test_wrong_setting_ends_in_a_message_that_names_it(
    sandbox: RunningSandbox, project: Callable[..., Project], broken: dict[str, str], named: str
) -> None:
    """Non-zero exit, the setting by name, no traceback of ours, no secret, nothing written."""
    sandbox.seed(5)
    run = project().sync(**broken)
    assert run.returncode != 0
    assert named in run.output
    assert "Traceback" not in run.output, run.output
    assert "not-the-" not in run.output
    assert sandbox.tickets() == []


def test_settings_that_are_not_declared_count_by_variable_and_in_the_file(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """page_size: 450 cases come in one page, in three by the variable, and in three by `config:`."""
    sandbox.seed(450)

    def small_pages(definition: dict[str, Any]) -> None:
        definition["plugins"]["extractors"][0]["config"] = {"page_size": 200}

    def pages(sync: Project, **env: str) -> int:
        before = len(sandbox.requests(half="salesforce", path="/query"))
        assert sync.sync("--full-refresh", **env).returncode == 0
        return len(sandbox.requests(half="salesforce", path="/query")) - before

    sync = project()
    usual = pages(sync)
    assert pages(sync, TAP_SALESFORCE_CASES_PAGE_SIZE="200") == usual + 2
    assert pages(project(small_pages)) == usual + 2


def test_lists_with_commas_and_empty_variables_are_taken(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Two fields are left out; what is empty counts as not there, a number, a switch and a choice among them."""
    sandbox.seed(5)
    empty = ("SAMPLE_SIZE", "START_NOW", "SYNC_STATUS", "RECORD_TYPES_INCLUDE", "START_DATE")
    env = {f"TAP_SALESFORCE_CASES_{name}": "" for name in empty} | {
        "TAP_SALESFORCE_CASES_EXCLUDE_FIELDS": "SuppliedCompany,SuppliedPhone",
        "TARGET_HUBSPOT_TICKETS_MAX_DELETES": "",
        "TARGET_HUBSPOT_TICKETS_DRY_RUN": "",
        "TARGET_HUBSPOT_TICKETS_WRITE_MODE": "",
    }
    run = project().sync("--full-refresh", **env)
    assert run.returncode == 0, run.output
    assert len(sandbox.tickets()) == 5
    queries = [unquote_plus(one["query"]) for one in sandbox.requests(path="/query")]
    assert any("SuppliedName" in query for query in queries)
    assert not any("SuppliedCompany" in query or "SuppliedPhone" in query for query in queries)


def test_name_that_is_no_setting_is_refused(sandbox: RunningSandbox, project: Callable[..., Project]) -> None:
    """Mistyped in the file, for either plugin."""
    sandbox.seed(5)

    def mistyped(kind: str, name: str) -> Callable[[dict[str, Any]], None]:
        def change(definition: dict[str, Any]) -> None:
            definition["plugins"][kind][0].setdefault("config", {})[name] = 250

        return change

    for kind, name, meant in (
        ("extractors", "page_siz", "page_size"),
        ("loaders", "max_trys", "max_tries"),
    ):
        run = project(mistyped(kind, name)).sync()
        assert run.returncode == 1
        assert f"did you mean {meant}?" in run.output
    assert sandbox.tickets() == []


def test_prod_without_its_variables_names_each(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """--environment=prod takes everything from the environment, and says what is missing."""
    sync = project()
    env = {"TAP_SALESFORCE_CASES_LOGIN_URL": ""}
    run = sync.meltano("--environment=prod", "run", "case-sync", **env)
    assert run.returncode != 0
    assert "client_id is missing" in run.output
    assert "TAP_SALESFORCE_CASES_CLIENT_ID" in run.output
    assert "Traceback" not in run.output, run.output


def test_unknown_column_in_the_rules_is_named(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """A rule that reads a field that the tap does not send stops the run before anything is written."""

    def misspell(definition: dict[str, Any]) -> None:
        definition["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]["fields"]["content"] = {
            "from": "Descripton"
        }

    sandbox.seed(5)
    run = project(misspell).sync()
    assert run.returncode != 0
    assert "did you mean 'Description'" in run.output
    assert "Traceback" not in run.output, run.output
    assert sandbox.tickets() == []


def test_unmapped_status_is_rejected_and_the_others_go_on(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """A case that the rules can't map is on record with its reason; the rest arrives."""

    def forget(definition: dict[str, Any]) -> None:
        rules = definition["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]
        for pipeline in rules["pipelines"].values():
            pipeline["stages"].pop("Working", None)

    sandbox.seed(60)
    sync = project(forget)
    run = sync.sync()
    unmapped = {i for i, c in cases(sandbox).items() if c["Status"] == "Working"}
    assert run.returncode == 0, run.output
    assert unmapped
    assert set(by_case(sandbox)) == set(cases(sandbox)) - unmapped
    assert run.target["rejected"] == len(unmapped)
    assert {rejected.key for rejected in sync.rejected()} == unmapped


def test_every_command_of_the_target_runs_under_meltano(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """`meltano invoke target-hubspot-tickets:...`, each as the README names it."""
    sandbox.seed(20)
    sync = project()
    assert sync.sync("--full-refresh").returncode == 0
    definition = yaml.safe_load((sync.folder / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = definition["plugins"]["loaders"]
    assert loader["commands"]
    for command in loader["commands"]:
        # A share from the environment comes along: Meltano can't hand over a setting of kind decimal from there.
        done = sync.meltano(
            "invoke", f"target-hubspot-tickets:{command}", TARGET_HUBSPOT_TICKETS_MAX_DELETE_RATIO="0.02"
        )
        assert done.returncode == 0, (command, done.output)
