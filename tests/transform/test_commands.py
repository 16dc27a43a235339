"""--explain and --check-rules, as an admin runs them before anything is synced."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_ticket_mapper.errors import MapperError, RulesError
from case_ticket_mapper.explaining import explain
from case_ticket_mapper.metadata import Metadata, MetadataError, add
from case_ticket_mapper.places_shown import places
from case_ticket_mapper.rules_against_metadata import check
from case_ticket_mapper.rules_files import rules_of_file
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.ticket import Ticket, TicketMaker

from .asking import ROOT, command, options_of

# -- explain


def test_explanation_says_of_every_property_what_the_ticket_has(
    block: dict[str, Any], case: dict[str, Any]
) -> None:
    """The steps are made by the functions that a run uses: each mapped property is there, with its value."""
    rules = read_rules(block)
    told = explain(rules, case)
    outcome = TicketMaker(rules=rules).make(case)
    assert isinstance(outcome, Ticket)
    assert told.outcome == outcome
    steps = {step.what: step for step in told.steps}
    for rule in rules.fields:
        value = outcome.record.get(rule.property)
        assert steps[rule.property].out == ("empty" if value is None else repr(value))
        assert set(steps[rule.property].read) >= set(rule.sources)


def test_explain_shows_value_in_rule_and_value_out(tmp_path: Path, case: dict[str, Any]) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    done = command("--rules", "meltano.yml", "--explain", str(path))
    assert done.returncode == 0, done.stderr
    assert (
        "hs_ticket_priority\n    read   Priority = \"High\"\n    rule   option\n    gives  'HIGH'"
        in done.stdout
    )
    assert "gives  Technical Support / In progress" in done.stdout
    assert done.stdout.endswith("It becomes a ticket.\n")


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"Status": "Odd"}, "It is rejected (UNMAPPED_STATUS, Status)"),
        ({"_sdc_deleted_at": "2026-01-07T11:30:00.000Z"}, "Its ticket is deleted."),
    ],
)
def test_explain_tells_the_end_of_other_cases_too(
    tmp_path: Path, case: dict[str, Any], change: dict[str, Any], end: str
) -> None:
    path = tmp_path / "case.json"
    path.write_text(
        json.dumps({"type": "RECORD", "stream": "cases", "record": case | change}), encoding="utf-8"
    )
    assert end in command("--rules", "meltano.yml", "--explain", str(path)).stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "holds no JSON"), ("[]", "holds no case"), ('{"Subject": "x"}', "holds no case")],
)
def test_explain_of_what_is_no_case_says_so(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(content, encoding="utf-8")
    done = command("--rules", "meltano.yml", "--explain", str(path))
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (1, True, False)


# -- check


def test_project_rules_fit_the_sandbox_and_what_has_no_rule_is_listed(metadata: list[str]) -> None:
    done = command("--rules", "meltano.yml", "--check-rules", *options_of(metadata))
    assert "Problems" not in done.stdout, done.stdout
    assert done.returncode == 0
    assert "support process 'Legacy Process': the default" in done.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fields": {"content": "Descripton"}}, "rules.fields.content.from: Case has no field 'Descripton' that the user may read; did you mean 'Description'?"),
        ({"fields": {"contnt": "Description"}}, "rules.fields.contnt: HubSpot has no ticket property of this name; did you mean 'content'?"),
        ({"fields": {"hs_ticket_priority": {"from": "Priority", "options": {"High": "HIHG"}}}}, "'HIHG' is no option of the property; did you mean 'HIGH'?"),
        ({"fields": {"hs_ticket_priority": {"from": "CreatedDate", "convert": "datetime"}}}, "of HubSpot's type enumeration"),
        ({"pipelines": {"default": {"pipeline": "Suport Pipeline"}}}, "HubSpot has no ticket pipeline 'Suport Pipeline'; did you mean 'Support Pipeline'?"),
        ({"pipelines": {"default": {"pipeline": "Support Pipeline", "stages": {"New": "Nwe"}}}}, "the pipeline 'Support Pipeline' has no stage 'Nwe'; did you mean 'New'?"),
        ({"pipelines": {"default": {"pipeline": "Support Pipeline", "closed_stage": "New"}}}, "the stage 'New' is not a closed one"),
        ({"pipelines": {"default": {"pipeline": "Support Pipeline", "stages": {"Nwe": "New"}}}}, "Case has no active status 'Nwe'; did you mean 'New'?"),
        ({"pipelines": {"Biling Process": {"pipeline": "Billing"}, "default": {"pipeline": "Support Pipeline"}}}, "the org has no support process of this name; did you mean 'Billing Process'?"),
        ({"filter": {"record_types": {"include": ["Biling"]}}}, "the org has no record type 'biling'; did you mean 'Billing'?"),
    ],
)  # fmt: skip
def test_N02_S18_each_misfit_is_told_with_its_path_and_the_nearest(
    metadata: list[str], block: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    known = Metadata()
    for path in metadata:
        known = add(known, json.loads(Path(path).read_text(encoding="utf-8")))
    found = check(read_rules(block | change), known)
    assert any(told in problem for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Account__Name", None),
        ("Account__Industry", "add Account.Industry to its setting relationship_fields"),
        ("Account__Nam", "did you mean 'Account__Name'?"),
        ("Depot__r__Zone__c", "add Depot__r.Zone__c to its setting relationship_fields"),
        ("BusinessProcess__Nmae", "did you mean 'BusinessProcess__Name'?"),
        ("Comments", "is it in its setting exclude_fields?"),
    ],
)
def test_N02_columns_that_the_tap_does_not_read_are_told_before_a_run(field: str, told: str | None) -> None:
    """Describe of Case knows nothing of related records: the tap says which of their fields it reads."""
    read = ["Id", "Status", "Subject", "Account__Name", "BusinessProcess__Name", "Depot__r__Site__c"]
    case = {"name": "Case", "fields": [{"name": name, "type": "string"} for name in ["Comments", *read[:3]]]}
    known = add(Metadata(), {"case": case, "columns": read})
    rules = read_rules({"pipelines": {"default": {"pipeline": "P"}}, "fields": {"content": field}})
    found = [text for text in check(rules, known).problems if text.startswith("rules.fields.content")]
    assert len(found) == (0 if told is None else 1), found
    assert told is None or told in found[0]


def test_S19_only_statuses_that_a_support_process_allows_are_told_of_it() -> None:
    statuses = [{"ApiName": name, "IsClosed": name == "Closed"} for name in ("New", "In Repair", "Closed")]
    processes = [{"Name": name, "IsActive": True} for name in ("Billing", "Returns")]
    told = {
        "support_processes": {"records": processes},
        "case_statuses": {"records": statuses},
        "statuses_by_process": {"Billing": ["New", "Closed"]},
    }
    known = add(Metadata(), told)
    rules = read_rules({"pipelines": {"Billing": {"pipeline": "B"}, "default": {"pipeline": "P"}}})
    found = {p["process"]: [s["status"] for s in p["statuses"]] for p in places(rules, known)}
    every = ["New", "In Repair", "Closed"]
    assert found == {"Billing": ["New", "Closed"], "Returns": every, None: every}


def test_S19_every_process_status_and_value_without_a_rule_is_listed(metadata: list[str]) -> None:
    known = Metadata()
    for path in metadata:
        known = add(known, json.loads(Path(path).read_text(encoding="utf-8")))
    rules = read_rules({"pipelines": {"default": {"pipeline": "Support Pipeline", "stages": {"New": "New"}}}})
    found = check(rules, known)
    assert known.processes
    assert {
        p for p in known.processes if any(f"support process '{p}'" in line for line in found.without_rule)
    } == set(known.processes)
    assert known.fields
    assert all(
        any(f"status '{status}'" in line for line in found.without_rule) == (status != "New")
        for status in known.fields["Status"].values
    )


def test_problems_end_with_exit_code_1(metadata: list[str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("pipelines: {default: {pipeline: No such}}", encoding="utf-8")
    done = command("--rules", str(rules), "--check-rules", *options_of(metadata))
    assert (done.returncode, "HubSpot has no ticket pipeline 'No such'" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"results": []}, {"results": [7]}, {"records": [{}]}, {"name": "Case", "fields": 7}, "x"],
)
def test_metadata_that_is_none_is_told(answer: Any) -> None:
    with pytest.raises(MetadataError, match="is none of"):
        add(Metadata(), answer)


# -- files


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pipelines: [", "can't be read as YAML at line 1"),
        ("a: 1\na: 2", "'a' stands twice"),
        ("plugins: {}", "holds 0 mappings with rules"),
        ("plugins: [7]", "holds 0 mappings with rules"),
    ],
)
def test_rules_file_that_cant_be_read_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapperError, match=told):
        rules_of_file(path, "rules_file")


def test_rules_file_holds_the_block_or_a_document_with_it(tmp_path: Path, block: dict[str, Any]) -> None:
    """And days in it stay the texts that they are."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(block), encoding="utf-8")
    assert rules_of_file(path, "rules_file") == rules_of_file(ROOT / "meltano.yml", "--rules") == block
    path.write_text("rules: {filter: {all: [{field: CreatedDate, at_least: 2026-01-31}]}}", encoding="utf-8")
    assert rules_of_file(path, "rules_file")["filter"]["all"][0]["at_least"] == "2026-01-31"


def test_rules_file_serves_as_setting_and_not_beside_rules(tmp_path: Path, block: dict[str, Any]) -> None:
    rules, config = tmp_path / "rules.json", tmp_path / "config.json"
    rules.write_text(json.dumps(block), encoding="utf-8")
    sample = (ROOT / "contracts/samples/cases.jsonl").read_text(encoding="utf-8")

    def mapped(settings: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        config.write_text(json.dumps(settings), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "case_ticket_mapper", "--config", str(config)],
            input=sample, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert mapped({"rules_file": str(rules)}).stdout == mapped({"rules": block}).stdout != ""
    both = mapped({"rules_file": str(rules), "rules": block})
    assert (both.returncode != 0, "rules and rules_file are both given" in both.stderr) == (True, True)
    missing = mapped({"rules_file": str(tmp_path / "nowhere.yml")})
    assert (missing.returncode != 0, "rules_file" in missing.stderr, "Traceback" in missing.stderr) == (
        True,
        True,
        False,
    )


@given(st.text(max_size=60))
def test_any_text_as_rules_file_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Fuzzed files: rules, or a message; and a refusal of rules names a path."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.yml"
    path.write_text(text, encoding="utf-8")
    try:
        read_rules(rules_of_file(path, "rules_file"))
    except RulesError as error:
        refused = error.problems
    except MapperError as error:
        refused = [f"rules_file: {error}"]
    else:
        refused = ["rules"]
    assert refused
    assert all(problem.startswith("rules") for problem in refused)
