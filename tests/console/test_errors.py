"""What did not arrive: by category with reason and remedy, exported, and tried again after a repair."""

import csv
import io
import json
import stat
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_sync_console.error_remedies import remedy_here, with_process
from case_sync_console.error_rows import (
    COLUMNS,
    ErrorRow,
    cell,
    chosen,
    counts,
    exported,
    groups,
    identity,
    of_case,
    read_row,
    retry_of,
    to_18,
)
from case_sync_console.errors import CommandLineError

from .conftest import Ended, Project

pytestmark = [pytest.mark.xdist_group("console-errors"), pytest.mark.timeout(1200)]
VALUE, RULE, ASSOCIATION = "property value", "rule", "association"


def row(key: str = "5005g0000000001AAA", category: str = VALUE, **more: Any) -> ErrorRow:
    line = {
        "key": key, "code": "INVALID_OPTION", "message": "not an option", "category": category, "remedy": "add the option",
        "tries": 1, "first_at": "2026-01-01T00:00:00", "last_at": "2026-01-02T00:00:00", "has_record": True,
    }  # fmt: skip
    found = read_row({**line, **more})
    assert found is not None
    return found


def test_N25_errors_are_grouped_by_category_with_counts_and_cases() -> None:
    rows = [
        row("a"),
        row("a"),
        row("b"),
        row("c", message="too long", code="X"),
        row("a", ASSOCIATION, to="companies", reason="NOT_FOUND", by=["domain"]),
    ]
    assert counts(rows) == {ASSOCIATION: 1, VALUE: 3}
    assert [(g.category, g.keys) for g in groups(rows)] == [
        (ASSOCIATION, ("a",)),
        (VALUE, ("a", "b")),
        (VALUE, ("c",)),
    ]


def test_N26_a_waiting_association_has_a_plain_reason() -> None:
    waiting = row("a", ASSOCIATION, to="companies", reason="NOT_FOUND", by=["salesforceaccountid", "domain"])
    assert waiting.reason == "the case's company is not in HubSpot (looked up by salesforceaccountid, domain)"
    assert (waiting.to, waiting.code) == ("company", "NOT_FOUND")


REASON = "no stage of pipeline 'Billing' for Status 'Working'"


@pytest.mark.parametrize(
    ("code", "reason", "command"),
    [
        ("UNMAPPED_STATUS", REASON, 'case-sync pipelines set PROCESS --stage "Working=STAGE"'),
        (
            "UNMAPPED_PROCESS",
            "no pipeline for BusinessProcess__Name 'Sales'",
            'case-sync pipelines set "Sales" PIPELINE',
        ),
        (
            "UNMAPPED_PROCESS",
            "no pipeline for an empty BusinessProcess__Name",
            "case-sync pipelines set default PIPELINE",
        ),
        (
            "UNKNOWN_VALUE",
            "rules.fields.hs_ticket_priority: no option",
            'case-sync mappings edit hs_ticket_priority --option "VALUE=OPTION"',
        ),
    ],
)
def test_N26_the_remedy_of_a_rule_is_a_command(code: str, reason: str, command: str) -> None:
    found = remedy_here(code, reason, "mend the rules", "rule")
    assert found.startswith(command)
    assert found.endswith('; then: case-sync errors retry --category "rule"')
    assert remedy_here("INVALID_EMAIL", reason, "correct it", "property value") == "correct it"


def test_N26_the_support_process_is_named_where_the_rules_have_one_for_the_pipeline() -> None:
    remedy = remedy_here("UNMAPPED_STATUS", REASON, "", "rule")
    rules = {"Billing Process": {"pipeline": "Billing"}, "default": {"pipeline": "Support"}}
    assert 'set "Billing Process" --stage "Working=STAGE"' in with_process(remedy, REASON, rules)
    for other in ({}, rules | {"Refunds": {"pipeline": "Billing"}}):
        assert with_process(remedy, REASON, other) == remedy


def test_what_a_rule_refused_is_read_again_and_the_rest_comes_from_the_ledger() -> None:
    rows = [
        row("a"),
        row("b", RULE),
        row("c", has_record=False),
        row("d", ASSOCIATION, to="contacts", reason="NOT_FOUND"),
    ]
    found = retry_of(rows)
    assert (found.from_ledger, found.read_again, found.waiting) == (("a",), ("b", "c"), ("d",))


def test_a_ticket_that_arrived_and_waits_for_its_company_is_no_longer_rejected() -> None:
    waiting = row("a", ASSOCIATION, to="companies", reason="NOT_FOUND")
    assert identity(waiting) != identity(row("a"))
    assert identity(row("a", message="for another reason")) == identity(row("a"))


@pytest.mark.parametrize(
    ("keys", "category", "everything"),
    [((), None, False), (("a",), None, True), (("a",), VALUE, False), ((), VALUE, True)],
)
def test_a_retry_is_of_one_kind(keys: tuple[str, ...], category: str | None, everything: bool) -> None:
    with pytest.raises(CommandLineError, match="--all"):
        chosen([row("a")], keys, category, everything=everything)


def test_an_unknown_category_or_case_is_said_with_what_there_is() -> None:
    with pytest.raises(CommandLineError, match=f"there are: {VALUE}"):
        chosen([row("a")], (), "nothing", everything=False)
    with pytest.raises(CommandLineError, match="nothing is on record"):
        of_case([row("a")], "b")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("5005g0000000001", "5005g0000000001AAA"),
        ("500D0000001kNPT", "500D0000001kNPTIA2"),
        ("x", "x"),
        ("5005g0000000001AAA", "5005g0000000001AAA"),
    ],
)
def test_an_id_of_15_characters_is_found_too(short: str, long: str) -> None:
    assert to_18(short) == long


@given(st.text(max_size=30))
def test_N27_no_cell_of_a_spreadsheet_is_a_formula(text: str) -> None:
    """And nothing else of the text is changed."""
    found = cell(text)
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found in (text, f"'{text}")


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_N27_an_exported_row_comes_back_from_csv(texts: list[str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    rows = [row(message=text) for text in texts]
    writer.writerows([cell(value) for value in exported(one).values()] for one in rows)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert [line[COLUMNS.index("reason")] for line in read] == [cell(one.reason) for one in rows]


# -- a real one


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the commands said, one after the other."""

    run: Ended
    listed: Ended
    rows: list[dict[str, Any]]
    status: Ended


def spoil(rules: Any) -> None:
    """A priority that HubSpot does not have, and a status without a stage."""
    known = {"Mechanical": "LOW", "Electrical": "LOW", "Other": "LOW"}
    rules["fields"]["hs_ticket_priority"] = {"from": "Type", "options": known, "when_unknown": "create"}
    del rules["pipelines"]["Technical Support Process"]["stages"]["Working"]


def mend(rules: Any) -> None:
    del rules["fields"]["hs_ticket_priority"]
    rules["pipelines"]["Technical Support Process"]["stages"]["Working"] = "In progress"


@pytest.fixture(scope="module")
def story(module_project: Project) -> Story:
    """80 cases under rules that do not fit all of them."""
    module_project.sandbox.seed(80)
    module_project.sandbox.settings(association_limits={"companies_to_tickets": 1})
    time.sleep(2)
    module_project.change_rules(spoil)
    module_project.switch_on()
    run = module_project.console("run")
    listed, as_json = module_project.console("errors"), module_project.console("errors", "list", "--json")
    assert as_json.exit_code == 0, as_json.output
    return Story(
        run=run, listed=listed, rows=as_json.json(), status=module_project.console("status", "--json")
    )


@pytest.fixture(scope="module")
def one_retried(module_project: Project, story: Story) -> tuple[Ended, str, set[str]]:
    """The rules are mended, and one case is tried again: the command's end, its Id, and the cases that were written."""
    module_project.change_rules(mend)
    key = next(one["key"] for one in story.rows if one["category"] == VALUE)
    seen = len(module_project.sandbox.writes())
    number = module_project.cases()[key]["CaseNumber"]
    ended = module_project.console("errors", "retry", number)
    written = {one["key"] for one in module_project.sandbox.writes()[seen:] if one["op"] != "associate"}
    return ended, key, written


@pytest.fixture(scope="module")
def rule_retried(module_project: Project, one_retried: Any) -> Ended:
    return module_project.console("errors", "retry", "--category", RULE)


def keys_of(story: Story, category: str) -> set[str]:
    return {one["key"] for one in story.rows if one["category"] == category}


def test_N30_bad_records_do_not_stop_the_others(module_project: Project, story: Story) -> None:
    """Exit code 7: done, and what was rejected is said."""
    assert story.run.exit_code == 7, story.run.output
    assert "case-sync errors" in story.run.stdout
    bad = keys_of(story, VALUE) | keys_of(story, RULE)
    assert bad
    assert 0 < len(bad) < 80


def test_N25_N26_the_list_has_categories_counts_reasons_and_remedies(story: Story) -> None:
    text = story.listed.stdout
    for category in (VALUE, RULE, ASSOCIATION):
        assert f"{category}: {len(keys_of(story, category))} case" in text, story.listed.output
    assert text.count("To do: ") >= 3
    assert 'case-sync errors retry --category "rule"' in text
    assert 'case-sync pipelines set "Technical Support Process" --stage "Working=STAGE"' in text
    assert all(one["reason"] and one["remedy"] for one in story.rows)


def test_N20_an_association_limit_is_told_of_each_case_and_its_ticket_is_there(
    module_project: Project, story: Story
) -> None:
    limited = [one for one in story.rows if one["code"] == "ASSOCIATION_LIMIT_EXCEEDED"]
    assert limited
    assert {one["reason"] for one in limited} == {"the company has as many tickets as HubSpot lets it have"}
    assert {one["key"] for one in limited} <= set(module_project.tickets())


def test_N25_status_counts_them_too(story: Story) -> None:
    assert story.status.exit_code == 0, story.status.output
    assert story.status.json()["on_record"] == {c: len(keys_of(story, c)) for c in (ASSOCIATION, VALUE, RULE)}


def test_no_text_of_a_case_is_shown(module_project: Project, story: Story) -> None:
    shown = story.listed.stdout + json.dumps(story.rows)
    assert not [case["Id"] for case in module_project.cases().values() if case["Subject"] in shown]


def test_N28_after_a_repair_one_case_is_tried_again_alone(module_project: Project, one_retried: Any) -> None:
    ended, key, written = one_retried
    assert ended.exit_code == 0, ended.output
    assert "1 case tried again: 1 done, 0 still on record" in ended.stdout
    assert written == {key}
    assert key in module_project.tickets()


def test_N28_cases_that_a_rule_refused_are_read_again(
    module_project: Project, story: Story, rule_retried: Ended
) -> None:
    assert rule_retried.exit_code == 0, rule_retried.output
    assert keys_of(story, RULE) <= set(module_project.tickets())


def test_N19_an_association_that_waited_is_made_once_its_company_is_there(
    module_project: Project, story: Story, rule_retried: Ended
) -> None:
    """The ticket was written long before; retrying the category touches associations alone."""
    waiting = next(one for one in story.rows if one["code"] == "NOT_FOUND" and one["to"] == "company")
    case = module_project.cases()[waiting["key"]]
    assert waiting["key"] in module_project.tickets()
    made = httpx.post(
        f"{module_project.sandbox.hubspot_url}/crm/v3/objects/companies",
        json={"properties": {"name": "Late", "salesforceaccountid": case["AccountId"]}},
        headers={"Authorization": "Bearer sandbox-token"},
        trust_env=False,
    )
    assert made.status_code == 201, made.text
    ended = module_project.console("errors", "retry", waiting["key"])
    assert ended.exit_code in (0, 7), ended.output
    links = module_project.tickets()[waiting["key"]]["associations"]
    assert made.json()["id"] in json.dumps(links), ended.output


def test_N27_the_list_is_exported_for_its_owner_only(
    module_project: Project, story: Story, rule_retried: Ended
) -> None:
    path = module_project.folder / "errors.csv"
    ended = module_project.console("errors", "export", "-o", str(path))
    assert ended.exit_code == 0, ended.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert lines
    assert set(lines[0]) == set(COLUMNS)
    again = module_project.console("errors", "export", "-o", str(path), "--format", "jsonl")
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    printed = module_project.console("errors", "export", "--format", "jsonl")
    assert {json.loads(line)["key"] for line in printed.stdout.splitlines()} == {
        line["key"] for line in lines
    }


def test_one_case_is_shown_whole(module_project: Project, story: Story, rule_retried: Ended) -> None:
    key = next(one["key"] for one in module_project.console("errors", "list", "--json").json())
    shown = module_project.console("errors", "show", key)
    assert shown.exit_code == 0, shown.output
    assert f"Case {key}" in shown.stdout
    assert "tried" in shown.stdout
    number = module_project.cases()[key]["CaseNumber"]
    title, *by_number = module_project.console("errors", "show", number).stdout.splitlines()
    assert (title.strip(), by_number) == (f"Case {number} ({key})", shown.stdout.splitlines()[1:])
    unknown = module_project.console("errors", "show", "500000000000000AAA")
    assert unknown.exit_code == 2, unknown.output
