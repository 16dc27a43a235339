"""Imports: all cases or some, with a state of their own, beside a continuous sync; what both systems hold adds up."""

import io
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from case_sync_console import import_progress
from case_sync_console.case_filter import (
    Wanted,
    both,
    checked_condition,
    command_line,
    read_moment,
    scope,
    suffix,
    wanted,
)
from case_sync_console.errors import CommandLineError
from case_sync_console.import_balance import balance, left_out_of_plan, unexplained
from case_sync_console.import_screen import balance_screen, pace_line, span

from .conftest import Ended, Project

# The stages of the story are set up by whichever test asks first: a small machine may take its time.
pytestmark = [pytest.mark.xdist_group("console-imports"), pytest.mark.timeout(1200)]
HIGH = "Priority = 'High'"


def settle() -> None:
    time.sleep(2)


# -- put together


@given(st.lists(st.sampled_from(["A = 1", "B = 'x) OR (y'", "C = 1 OR D = 2", "", "  "]), max_size=4))
def test_conditions_are_joined_in_brackets_of_their_own(conditions: list[str]) -> None:
    joined = both(*conditions)
    wanted_parts = [f"({one.strip()})" for one in conditions if one.strip()]
    assert joined == " AND ".join(wanted_parts)


@pytest.mark.parametrize("text", ["A = 1) OR (B = 2", "(A = 1", "A = 'x", "A = 'x\\'", ")(", "A = ')' )"])
def test_a_condition_that_would_reach_out_of_its_brackets_is_refused(text: str) -> None:
    with pytest.raises(CommandLineError, match="--where"):
        checked_condition(text, "--where")


@pytest.mark.parametrize("text", ["", "A = ')'", r"Name = 'O\'Neill (x'", "(A = 1 AND (B = 2))"])
def test_brackets_in_quotes_are_text(text: str) -> None:
    assert checked_condition(text, "--where") == text


@given(st.text(alphabet="()'\\ A=1", max_size=14))
def test_what_passes_stays_within_its_brackets(text: str) -> None:
    """A scanner of its own walks the joined condition: our brackets close only at its end."""
    with suppress(CommandLineError):
        joined = f"({checked_condition(text, '--where')})"
        depth, at, is_quoted = 0, 0, False
        while at < len(joined):
            sign = joined[at]
            if is_quoted and sign == "\\":
                at += 1
            elif sign == "'":
                is_quoted = not is_quoted
            elif not is_quoted:
                depth += (sign == "(") - (sign == ")")
                assert depth > 0 or at == len(joined) - 1
            at += 1
        assert (depth, is_quoted) == (0, False)


def test_N35_since_and_until_are_half_open_and_in_utc() -> None:
    asked = wanted(None, "2026-01-01", "2026-02-01T00:00:00+01:00", "created")
    assert asked.conditions() == ["CreatedDate >= 2026-01-01T00:00:00Z", "CreatedDate < 2026-01-31T23:00:00Z"]
    assert wanted(None, "2026-01-01", None, "modified").conditions() == [
        "SystemModstamp >= 2026-01-01T00:00:00Z"
    ]
    assert "created at 2026-01-01 00:00:00 UTC or later" in asked.words()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((None, "yesterday", None, "created"), "--since"),
        ((None, None, "31.1.2026", "created"), "--until"),
        ((None, "2026-02-01", "2026-02-01", "created"), "--until"),
        ((None, None, None, "closed"), "--by"),
        (("(", None, None, "created"), "--where"),
    ],
)
def test_a_wrong_option_is_named(options: tuple[Any, ...], named: str) -> None:
    with pytest.raises(CommandLineError, match=named):
        wanted(*options)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - some have no zone
    st.sampled_from(["", "Z", "+05:30", "-08:00"]),
)
def test_a_moment_without_a_zone_is_utc(moment: datetime, zone: str) -> None:
    found = read_moment(moment.isoformat() + zone, "--since")
    assert found is not None
    expected = datetime.fromisoformat(moment.isoformat() + (zone or "Z"))
    assert (found, found.tzinfo) == (expected, UTC)


def test_the_scope_of_the_sync_limits_every_import() -> None:
    config = {"where": "A = 1 OR B = 2", "start_date": "2026-01-01", "record_types_include": None}
    assert (
        scope(config, Wanted(where="C = 3"))
        == "(A = 1 OR B = 2) AND (SystemModstamp >= 2026-01-01T00:00:00Z) AND (C = 3)"
    )
    assert scope({}, Wanted()) == ""


def test_every_filter_has_a_state_of_its_own() -> None:
    names = {
        suffix({}, ""),
        suffix({}, "A = 1"),
        suffix({}, "A = 2"),
        suffix({"record_types_include": "Billing"}, ""),
    }
    assert len(names) == 4
    assert all(len(name) == len("import-") + 8 for name in names)


def test_the_command_that_goes_on_is_the_same_import() -> None:
    asked = wanted("Subject = 'a \"b\"'", "2026-01-01", None, "modified")
    assert command_line(asked).startswith("case-sync import --where ")
    assert command_line(asked).endswith("--since 2026-01-01T00:00:00Z --by modified")
    assert command_line(Wanted()) == "case-sync import"


# -- how it adds up


IDS = st.lists(st.sampled_from([f"c{n}" for n in range(30)]), unique=True, max_size=20)


@given(
    IDS,
    st.sets(st.sampled_from([f"c{n}" for n in range(30)])),
    st.sets(st.sampled_from([f"c{n}" for n in range(30)])),
    st.integers(0, 99),
)
def test_W05_every_case_is_a_ticket_or_has_one_reason(
    without: list[str], rejected: set[str], changed: set[str], tickets: int
) -> None:
    found = balance(
        cases=tickets + len(without), tickets=tickets, without_ticket=without, rejected=rejected,
        changed_since=changed, left_out=set(),
    )  # fmt: skip
    reasons = [*found.rejected, *found.left_out, *found.changed_since, *found.missing]
    assert sorted(reasons) == sorted(without)
    assert found.cases == found.tickets + len(reasons)
    assert set(found.missing) == set(unexplained(without, rejected, changed))
    assert found.exit_code == (1 if found.missing else 7 if found.rejected else 0)


def test_W05_twenty_missing_ids_are_shown_and_the_rest_is_in_a_file() -> None:
    ids = [f"500{n:015d}" for n in range(25)]
    found = balance(
        cases=25, tickets=0, without_ticket=ids, rejected=set(), changed_since=set(), left_out=set()
    )
    screen = Console(width=4000, file=None, record=True, quiet=False)
    with screen.capture() as captured:
        screen.print(balance_screen(found, "missing.txt"))
    text = captured.get()
    assert text.count("500000") == 20
    assert "all 25 stand in missing.txt" in text


def test_W05_cases_that_were_rejected_now_and_have_a_ticket_of_before_are_told() -> None:
    """Else the table would have no reason for exit code 7."""
    found = balance(
        cases=9, tickets=9, without_ticket=[], rejected=set(), changed_since=set(), left_out=set()
    )
    screen = Console(width=120)
    with screen.capture() as captured:
        screen.print(balance_screen(found, None, rejected=4))
    line = next(line for line in captured.get().splitlines() if "left as they were" in line)
    assert line.split()[5:7] == ["were", "4"]
    assert "case-sync errors" in line


def test_a_dry_run_tells_what_a_rule_leaves_out() -> None:
    plan = [{"key": "a", "would": "create"}, {"key": "b", "would": "delete"}, {"key": "c", "would": "reject"}]
    assert left_out_of_plan({"a", "b", "c", "d"}, plan) == {"b", "d"}


def test_the_pace_is_told() -> None:
    assert pace_line(1200, 3000, 3) == "1,200 of 3,000 cases, 400 a second, about 4 s left"
    assert pace_line(1200, None, 3) == "1,200 cases, 400 a second"
    assert pace_line(0, 3000, 0) == "Reading 3,000 cases from Salesforce"
    assert pace_line(0, None, 0) == "Starting"
    assert (span(40), span(720), span(12_000)) == ("40 s", "12 min", "3 h 20 min")


def test_on_a_pipe_a_line_now_and_then_tells_how_far_it_is() -> None:
    out = io.StringIO()
    screen = Console(width=120, file=out)
    counts = {"records": 500}
    with import_progress.told(screen, lambda: counts, lambda: 1000, every=0.05):
        time.sleep(0.3)
    lines = out.getvalue().splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("500 of 1,000 cases") for line in lines)
    assert "progress" not in [thread.name for thread in threading.enumerate()]


# -- real ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a command said, the cases with tickets behind it, and the state of the continuous sync before and after."""

    ended: Ended
    tickets: frozenset[str]
    before: str
    after: str
    more: Any = None


def imported(project: Project, *args: str, more: Any = None, **env: str) -> Step:
    before = project.state()
    ended = project.console("import", *args, **env)
    return Step(
        ended=ended, tickets=frozenset(project.tickets()), before=before, after=project.state(), more=more
    )


@pytest.fixture(scope="module")
def some(module_project: Project) -> Step:
    """450 cases; the sync is switched on and paused; those of high priority are imported."""
    module_project.sandbox.seed(450)
    settle()
    for command in ("activate", "pause"):
        ended = module_project.console(command)
        assert ended.exit_code == 0, ended.output
    return imported(module_project, "--where", HIGH, "--since", "1990-01-01")


@pytest.fixture(scope="module")
def cut_off(module_project: Project, some: Step) -> Step:
    """All of them, but HubSpot refuses the token in the middle; `more` is what status says then."""
    body = {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "no"}
    module_project.sandbox.faults(
        [{"half": "hubspot", "path": "batch/upsert", "nth": 4, "status": 401, "body": body}]
    )
    step = imported(
        module_project, TAP_SALESFORCE_CASES_PAGE_SIZE="200", TARGET_HUBSPOT_TICKETS_MAX_IN_FLIGHT="1"
    )
    module_project.sandbox.admin("DELETE", "faults")
    return Step(
        ended=step.ended,
        tickets=step.tickets,
        before=step.before,
        after=step.after,
        more=module_project.console("status"),
    )


@pytest.fixture(scope="module")
def completed(module_project: Project, cut_off: Step) -> Step:
    """The same command again."""
    return imported(module_project, TAP_SALESFORCE_CASES_PAGE_SIZE="200")


@pytest.fixture(scope="module")
def caught_up(module_project: Project, completed: Step) -> Step:
    """The continuous sync goes on, after a case was changed; `more` is its Id."""
    changed = module_project.sandbox.mutate(edits=1)["edited"]
    settle()
    module_project.console("resume")
    ended = module_project.console("run")
    return Step(ended=ended, tickets=frozenset(module_project.tickets()), before="", after="", more=changed)


def test_N15_N35_some_cases_are_imported_while_the_sync_is_paused(
    module_project: Project, some: Step
) -> None:
    high = {i for i, case in module_project.cases().items() if case["Priority"] == "High"}
    assert some.ended.exit_code == 0, some.ended.output
    assert some.tickets == high
    assert f"that fulfil {HIGH}, created at 1990-01-01 00:00:00 UTC or later" in some.ended.stdout
    assert f"{len(high):,}" in some.ended.stdout


def test_W05_an_import_that_was_cut_off_says_how_to_go_on(cut_off: Step) -> None:
    assert cut_off.ended.exit_code == 4, cut_off.ended.output
    assert "the same command goes on where it stopped" in cut_off.ended.stdout
    assert cut_off.more.exit_code == 0, cut_off.more.output
    assert "to go on: case-sync import" in cut_off.more.stdout


def test_S27_W05_all_cases_have_their_ticket_in_the_end_and_both_systems_agree(
    module_project: Project, completed: Step
) -> None:
    """The second command goes on with the first; it compares all cases of Salesforce with all tickets."""
    live = {i for i, case in module_project.cases().items() if not case["IsDeleted"]}
    assert completed.ended.exit_code == 0, completed.ended.output
    assert completed.tickets == live
    assert "it goes on where it stopped" in completed.ended.stdout
    lines = {" ".join(line.split()) for line in completed.ended.stdout.splitlines()}
    assert {
        f"cases in Salesforce {len(live)}",
        f"tickets in HubSpot with their ids {len(live)}",
        "missing 0",
    } <= lines
    assert not [one for one in module_project.states() if ":import-" in one]


def test_S28_an_import_does_not_move_the_continuous_bookmark(some: Step, completed: Step) -> None:
    assert some.before == some.after != ""
    assert completed.before == completed.after == some.before


def test_S28_import_and_sync_may_meet_on_a_case_without_a_second_ticket(
    completed: Step, caught_up: Step
) -> None:
    """Cases that changed during the pause and came with the import come once more; none has two tickets."""
    assert caught_up.ended.exit_code == 0, caught_up.ended.output
    assert caught_up.tickets == completed.tickets


def test_an_import_of_some_archives_no_ticket_of_others(module_project: Project, caught_up: Step) -> None:
    """Cases outside of its filter are purged, the rule says delete_ticket, and the tap may reconcile: their tickets stay."""
    outside = [i for i, case in module_project.cases().items() if case["Priority"] != "High"][:3]
    for one in outside:
        module_project.sandbox.admin(
            "POST", "salesforce/records", {"action": "delete", "object": "Case", "id": one}
        )
        module_project.sandbox.admin(
            "POST", "salesforce/records", {"action": "purge", "object": "Case", "id": one}
        )
    settle()
    ended = module_project.console("import", "--where", HIGH, TAP_SALESFORCE_CASES_RECONCILE="true")
    assert ended.exit_code == 0, ended.output
    assert set(module_project.tickets()) == caught_up.tickets


def test_what_a_rule_leaves_out_is_no_missing_ticket(module_project: Project, caught_up: Step) -> None:
    """New cases that the admin's filter keeps out are counted, and explained by a dry run of just them."""
    module_project.change_rules(
        lambda rules: rules.update(filter={"all": [{"field": "Subject", "contains": "nobody writes this"}]})
    )
    added = module_project.sandbox.mutate(adds=3)["added"]
    time.sleep(1)
    ended = module_project.console("import", "--since", "1990-01-01", "--by", "modified")
    assert ended.exit_code == 0, ended.output
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert any(line.startswith(f"left out by a rule {len(added)}") for line in lines), ended.output
    assert "missing 0" in lines


def test_W05_an_import_that_could_not_begin_is_no_interrupted_one(module_project: Project) -> None:
    """A condition that Salesforce refuses: there is nothing to go on with."""
    runs = len(module_project.console("status", "--json").json()["runs"])
    ended = module_project.console("import", "--where", "Nonsense__c = 1")
    assert ended.exit_code == 3, ended.output
    assert "Nonsense__c" in ended.stderr
    assert "check --where" in ended.stderr
    assert "goes on where it stopped" not in ended.stdout
    told = module_project.console("status", "--json").json()
    assert told["interrupted"] == []
    assert len(told["runs"]) == runs
