"""Preview, edits and setup as an admin runs them: through Meltano, against both systems; one project goes through it all."""

import contextlib
import json
import sqlite3
import subprocess
from typing import Any

import pytest

from .conftest import Ended, Project
from .recordings import changed_lines

pytestmark = [pytest.mark.xdist_group("console-settings"), pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def live(module_project: Project) -> Project:
    """A project in git, with 30 cases and no ticket."""
    module_project.sandbox.seed(30)
    git(module_project, "init", "--quiet")
    (module_project.folder / ".gitignore").write_text(".meltano/\n.cache/\n", encoding="utf-8")
    git(module_project, "add", ".")
    git(
        module_project,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.com",
        "commit",
        "--quiet",
        "-m",
        "Begin",
    )
    return module_project


def git(project: Project, *args: str) -> str:
    return subprocess.run(
        ["git", *args], cwd=project.folder, capture_output=True, text=True, check=True
    ).stdout


def refused(project: Project, *args: str, exit_code: int = 3) -> str:
    """What a refused command says; the file stays as it was, byte for byte, and nothing is left beside it."""
    before, files = project.text(), sorted(p.name for p in project.folder.iterdir())
    done = project.console(*args)
    assert done.exit_code == exit_code, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert project.text() == before
    assert sorted(p.name for p in project.folder.iterdir()) == files
    return done.stderr


def done(project: Project, *args: str, **env: str) -> Ended:
    ended = project.console(*args, **env)
    assert ended.exit_code == 0, ended.output
    return ended


# -- before anything is changed


@pytest.fixture(scope="module")
def first_plan(live: Project) -> Ended:
    return done(live, "plan", "--sample", "4", "--json")


def test_S20_W03_the_preview_tries_real_cases_and_writes_nothing(live: Project, first_plan: Ended) -> None:
    told = first_plan.json()
    assert told["would_run"] is True
    assert [one["would"] for one in told["cases"]] == ["create"] * 4
    assert all(
        one["changes"]["hs_pipeline"][1] in {"Support Pipeline", "Billing", "Returns", "Technical Support"}
        for one in told["cases"]
    )
    assert live.sandbox.writes() == []
    assert live.sandbox.tickets() == []
    assert {p.name for p in live.folder.iterdir()} - {".cache"} == {
        ".git",
        ".gitignore",
        ".meltano",
        "meltano.yml",
    }
    assert git(live, "status", "--porcelain") == ""


def test_S12_S19_the_preview_reads_both_systems_as_they_are(live: Project, first_plan: Ended) -> None:
    told = first_plan.json()
    assert [one["property"]["name"] for one in told["required"]] == [
        "subject",
        "hs_pipeline",
        "hs_pipeline_stage",
    ]
    assert {p["process"] for p in told["places"]} == {
        "Billing Process",
        "Returns Process",
        "Technical Support Process",
        None,
    }
    assert told["salesforce"] == {"instance_url": live.sandbox.salesforce_url, "cases": 30}


def test_the_preview_leaves_no_state(live: Project, first_plan: Ended) -> None:
    assert first_plan.exit_code == 0
    with contextlib.closing(sqlite3.connect(live.folder / ".meltano" / "meltano.db")) as database:
        assert database.execute("SELECT count(*) FROM state").fetchone() == (0,)


# -- refused


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["mappings", "add", "created_by", "Subject"],
            ["'Subject' (Text) does not fit the ticket property 'created_by' (Number)"],
        ),
        (
            ["mappings", "add", "hs_resolution", "Account__Industry"],
            ["add Account.Industry to its setting relationship_fields"],
        ),
        (["mappings", "edit", "content", "--convert", "percent"], ["rules.fields.content", "number"]),
    ],
    ids=["by-the-console", "not-read-by-the-tap", "by-the-mapper"],
)
def test_N02_what_would_not_work_is_refused_byte_for_byte(
    live: Project, command: list[str], words: list[str]
) -> None:
    told = refused(live, *command)
    assert "nothing was changed" in told
    assert all(word in told for word in words), told


def test_malformed_yaml_is_answered_by_file_line_and_column(live: Project) -> None:
    whole = live.text()
    (live.folder / "meltano.yml").write_text(
        whole.replace("          associations:\n", "          associations: [\n"), encoding="utf-8"
    )
    try:
        told = refused(live, "plan")
    finally:
        (live.folder / "meltano.yml").write_text(whole, encoding="utf-8")
    assert "meltano.yml, line" in told
    assert "column" in told


def test_rules_that_can_not_be_read_are_answered_all_at_once(live: Project) -> None:
    whole = live.text()
    broken = whole.replace("on_case_deleted: delete_ticket", "on_case_deleted: delete").replace(
        "account: on", "acount: on"
    )
    (live.folder / "meltano.yml").write_text(broken, encoding="utf-8")
    try:
        told = refused(live, "plan")
    finally:
        (live.folder / "meltano.yml").write_text(whole, encoding="utf-8")
    assert "1. rules.on_case_deleted: must be one of do_nothing, delete_ticket" in told
    assert "2. rules.associations.acount: is not known" in told
    assert "To do: case-sync rules set on_case_deleted VALUE" in told


# -- edits, one after another; the sync runs with them


@pytest.fixture(scope="module")
def moved(live: Project, first_plan: Ended) -> tuple[str, str, Ended]:
    """The text before and after content's field was moved to another property."""
    assert first_plan.exit_code == 0
    before = live.text()
    ended = done(live, "mappings", "edit", "Ticket description", "--property", "source_ref")
    return before, live.text(), ended


def test_S15_S33_an_edit_changes_only_its_own_lines(moved: tuple[str, str, Ended]) -> None:
    before, after, ended = moved
    left, came = changed_lines(before, after)
    assert left == []
    assert [line.strip() for line in came] == [
        "content: null",
        "source_ref:",
        "from: Description",
        "convert: text",
    ]
    assert "Changed  mappings / source_ref: (none) -> Description" in ended.stdout
    assert "Written to meltano.yml" in ended.stdout


def test_S21_S35_one_more_edit_is_one_more_line_of_the_preview(
    live: Project, moved: tuple[str, str, Ended]
) -> None:
    assert moved[2].exit_code == 0
    done(live, "pipelines", "set", "billing process", "--stage", "Escalated=In progress")
    told = done(live, "plan", "--json").json()
    assert told["changes"] == [
        "mappings / source_ref: (none) -> Description",
        "pipelines / Billing Process / Escalated: (none) -> In progress",
        "mappings / content: Description -> (none)",
    ]


@pytest.fixture(scope="module")
def synced(live: Project, moved: tuple[str, str, Ended]) -> dict[str, dict[str, Any]]:
    assert moved[2].exit_code == 0
    ended = live.meltano("run", "case-sync")
    assert ended.exit_code == 0, ended.output
    return live.tickets()


def test_S15_S16_the_value_arrives_in_the_new_property_and_no_more_in_the_old(
    live: Project, synced: dict[str, dict[str, Any]]
) -> None:
    cases = live.cases()
    described = {key: t["properties"] for key, t in synced.items() if cases[key].get("Description")}
    assert described
    assert all(ticket.get("source_ref") and not ticket.get("content") for ticket in described.values())


def test_W03_after_the_sync_the_same_cases_are_unchanged_and_a_changed_one_shows_its_difference(
    live: Project, synced: dict[str, dict[str, Any]]
) -> None:
    (changed,) = live.sandbox.mutate(edits=1)["edited"]
    number = live.cases()[changed]["CaseNumber"]
    other = next(case["CaseNumber"] for key, case in live.cases().items() if key in synced and key != changed)
    told = done(live, "plan", "--case", number, "--case", other, "--json").json()
    by_key = {one["key"]: one for one in told["cases"]}
    assert by_key[changed]["would"] == "update"
    assert by_key[changed]["changes"]
    assert [one["would"] for key, one in by_key.items() if key != changed] == ["unchanged"]


def test_S34_S32_a_mapping_is_deleted_and_comes_again(
    live: Project, synced: dict[str, dict[str, Any]]
) -> None:
    assert synced
    before = live.text()
    done(live, "mappings", "delete", "hs_ticket_category")
    assert live.text() != before
    done(live, "mappings", "add", "hs_ticket_category", "Type", "--option", "Billing=BILLING_ISSUE")
    listed = done(live, "mappings", "list", "--json").json()
    mapping = next(one for one in listed["mappings"] if one["property"]["name"] == "hs_ticket_category")
    assert mapping["how"] == "Billing = BILLING_ISSUE"


def test_rules_in_a_file_of_their_own_are_edited_there(
    live: Project, synced: dict[str, dict[str, Any]]
) -> None:
    """JSON stays JSON; meltano.yml, which only names the file, stays as it is."""
    assert synced
    whole = live.text()
    rules = json.loads(json.dumps(live.rules()))
    (live.folder / "rules.json").write_text(json.dumps({"rules": rules}, indent=2), encoding="utf-8")

    def name_the_file(document: Any) -> None:
        config = document["plugins"]["mappers"][0]["mappings"][0]["config"]
        del config["rules"]
        config["rules_file"] = "rules.json"

    try:
        live.change(name_the_file)
        named = live.text()
        done(live, "rules", "set", "account", "off")
        assert live.text() == named
        found = json.loads((live.folder / "rules.json").read_text(encoding="utf-8"))
        assert found["rules"]["associations"]["account"] == "off"
        assert found["rules"] | {"associations": None} == rules | {"associations": None}
    finally:
        (live.folder / "meltano.yml").write_text(whole, encoding="utf-8")
        (live.folder / "rules.json").unlink(missing_ok=True)
