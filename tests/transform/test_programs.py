"""--show-rules, --check-rules=json and --fit: what a program is told of the rules, an org and a portal."""

import json
from pathlib import Path
from typing import Any

import pytest

from case_ticket_mapper.fitting import SUGGESTED, TAKEN_AS_IS, fit, types_taking
from case_ticket_mapper.metadata import CaseField, Metadata, MetadataError, TicketProperty, add
from case_ticket_mapper.rules import DEFAULT_FIELDS
from case_ticket_mapper.rules_against_metadata import check
from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.rules_shown import shown_rules
from case_ticket_mapper.schema_out import tickets_schema

from .asking import command, options_of

PIPELINES = {"default": {"pipeline": "Support Pipeline", "stages": {"New": "New"}}}


def known_from(paths: list[str]) -> Metadata:
    known = Metadata()
    for path in paths:
        known = add(known, json.loads(Path(path).read_text(encoding="utf-8")))
    return known


# -- --show-rules


def test_shown_rules_are_those_in_effect_with_the_defaults() -> None:
    rules = {
        "pipelines": PIPELINES | {"Billing": {"pipeline": "B", "closed_stage": "Done", "default_stage": "New"}},
        "lookups": {"queues": {"Tier 1": "lead@acme.example"}},
        "fields": {"content": None, "hubspot_owner_email": {"from": "Owner__Name", "lookup": "queues"}, "origin_text": {"value": 7}},
        "associations": {"account": {"match": [{"by": "domain", "from": "Account__Website", "convert": "domain"}], "label": "Customer"}},
        "filter": {"all": [{"field": "AccountId", "filled": True}], "any": [{"field": "Priority", "is": "High", "is_not": "Low"}]},
    }  # fmt: skip
    shown = shown_rules(read_rules(rules), rules)
    fields = {field["property"]: field for field in shown["fields"]}
    assert set(fields) == (set(DEFAULT_FIELDS) - {"content"}) | {"origin_text"}
    assert shown["switched_off"] == ["content"]
    assert {name for name, field in fields.items() if field["has_default"]} == {*DEFAULT_FIELDS} - {"content"}
    assert {name for name, field in fields.items() if not field["is_default"]} == {
        "hubspot_owner_email",
        "origin_text",
    }
    assert [name for name, field in fields.items() if not field["is_removable"]] == ["subject"]
    assert fields["hubspot_owner_email"]["options"] == {"Tier 1": "lead@acme.example"}
    assert (fields["origin_text"]["constant"], fields["origin_text"]["from"]) == (7, [])
    assert fields["subject"] == {
        "property": "subject", "from": ["Subject"], "template": "Case {CaseNumber}", "constant": None, "convert": "as_is",
        "rule": "or_template", "options": None, "write": "always", "is_default": True, "has_default": True, "is_removable": False,
    }  # fmt: skip
    assert shown["association_switches"] == {"account": True, "contact": False, "parent_case": False}
    assert shown["associations"] == [
        {
            "to": "company",
            "path": "associations.account",
            "on": True,
            "label": "Customer",
            "matches": [{"by": "domain", "from": "Account__Website", "convert": "domain"}],
        }
    ]
    assert shown["pipelines"] == {
        "default": {"pipeline": "Support Pipeline", "stages": {"New": "New"}, "default_stage": None, "closed_stage": None},
        "Billing": {"pipeline": "B", "stages": {}, "default_stage": "New", "closed_stage": "Done"},
    }  # fmt: skip
    assert shown["on_case_deleted"] == "do_nothing"
    assert shown["tickets_schema"] == tickets_schema(read_rules(rules))
    assert shown["always_written"] == [
        "salesforce_case_id",
        "salesforce_org_id",
        "salesforce_system_modstamp",
    ]


def test_a_filter_is_shown_in_the_form_in_which_it_can_be_read() -> None:
    block = {
        "pipelines": PIPELINES,
        "filter": {
            "record_types": {"include": ["Billing"]},
            "all": [{"field": "AccountId", "filled": True}, {"field": "CreatedDate", "at_least": "2026-01-01"}],
            "any": [{"field": "Priority", "one_of": ["High", "Critical"]}, {"field": "Type", "is": "A", "is_not": "B"}],
            "otherwise": "delete_ticket",
        },
    }  # fmt: skip
    shown = shown_rules(read_rules(block), block)["filter"]
    assert read_rules(block | {"filter": shown}).filter == read_rules(block).filter
    unfiltered = {"pipelines": PIPELINES}
    assert shown_rules(read_rules(unfiltered), unfiltered)["filter"] is None


def test_rules_are_shown_from_the_project_the_file_that_it_names_and_a_file(
    tmp_path: Path, block: dict[str, Any]
) -> None:
    rules, project = tmp_path / "rules.json", tmp_path / "meltano.yml"
    rules.write_text(json.dumps(block), encoding="utf-8")
    project.write_text(
        "plugins: {mappers: [{name: m, mappings: [{name: a, config: {rules_file: rules.json}}]}]}",
        encoding="utf-8",
    )
    shown = [command("--rules", str(path), "--show-rules") for path in ("meltano.yml", rules, project)]
    assert [done.returncode for done in shown] == [0, 0, 0], shown
    assert [json.loads(done.stdout) for done in shown] == [shown_rules(read_rules(block), block)] * 3


def test_malformed_rules_are_not_shown_but_told(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("fields: {subject: null}", encoding="utf-8")
    done = command("--rules", str(rules), "--show-rules")
    assert (done.returncode, done.stdout) == (1, "")
    assert "rules.fields.subject: can't be taken away" in done.stderr


# -- --check-rules=json


def test_N02_findings_come_as_json_and_say_what_the_text_says(metadata: list[str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("pipelines: {default: {pipeline: No such}}", encoding="utf-8")
    as_text = command("--rules", str(rules), "--check-rules", *options_of(metadata))
    done = command("--rules", str(rules), "--check-rules=json", *options_of(metadata))
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert len(told["problems"]) == 1
    assert told["without_rule"]
    assert all(line in as_text.stdout for line in [*told["problems"], *told["without_rule"]])
    assert told["rules"]["pipelines"]["default"]["pipeline"] == "No such"
    assert told["fit"] == fit(known_from(metadata))
    fine = command("--rules", "meltano.yml", "--check-rules=json", *options_of(metadata))
    assert (fine.returncode, json.loads(fine.stdout)["ok"]) == (0, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields: {subject: null}", ["rules.fields.subject: can't be taken away"]),
        ("fields: {subject: {}}", ["rules.fields.subject: needs one of 'from'", "rules.pipelines.default: is missing"]),
        ("pipelines: [", ["can't be read as YAML at line 1"]),
    ],
)  # fmt: skip
def test_malformed_rules_are_problems_in_the_json(tmp_path: Path, text: str, told: list[str]) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(text, encoding="utf-8")
    done = command("--rules", str(rules), "--check-rules=json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"], len(found["problems"])) == (1, False, len(told))
    assert found["rules"] is None
    assert all(any(words in problem for problem in found["problems"]) for words in told)


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("{}", "rules.pipelines.default: is missing"),
        ("unmapped_process: skip", "rules.pipelines: is empty: no case would become a ticket"),
        (
            "{unmapped_status: default_stage, pipelines: {default: {pipeline: Support Pipeline}}}",
            "rules.pipelines.default.default_stage: is missing",
        ),
    ],
)
def test_S36_rules_that_are_not_whole_yet_are_shown_but_taken_by_no_run(
    metadata: list[str], tmp_path: Path, text: str, gap: str
) -> None:
    """After `case-sync remove` the rules are an empty block, from which a set-up starts."""
    rules = tmp_path / "rules.yml"
    rules.write_text(text, encoding="utf-8")
    done = command("--rules", str(rules), "--check-rules=json", *options_of(metadata))
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"]) == (1, False)
    assert [problem for problem in found["problems"] if problem.startswith(gap)]
    assert {field["property"] for field in found["rules"]["fields"]} == set(DEFAULT_FIELDS)
    assert found["places"]
    for refused in (
        command("--rules", str(rules), "--show-rules"),
        command("--rules", str(rules), "--check-rules"),
    ):
        assert (refused.returncode, gap in refused.stderr) == (1, True), refused


def test_S19_places_are_told_for_each_active_process_and_status(metadata: list[str], tmp_path: Path) -> None:
    """By the function that a run uses, with the names that HubSpot shows; what no rule covers says what becomes of it."""
    known = tmp_path / "known.json"
    processes = [{"Name": "Billing Process"}, {"Name": "Returns Process"}, {"Name": "Old", "IsActive": False}]
    statuses = [{"ApiName": name, "IsClosed": name == "Closed"} for name in ("New", "In Repair", "Closed")]
    tables = {"support_processes": {"records": processes}, "case_statuses": {"records": statuses}}
    known.write_text(json.dumps(tables), encoding="utf-8")
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "pipelines: {Billing Process: {pipeline: billing, stages: {New: NEW}}, default: {pipeline: Support Pipeline}}\n"
        "unmapped_status: same_name",
        encoding="utf-8",
    )
    done = command("--rules", str(rules), "--check-rules=json", *options_of([*metadata, str(known)]))
    told = {p["process"]: p for p in json.loads(done.stdout)["places"]}
    has_rule = {name: place["has_rule"] for name, place in told.items()}
    assert has_rule == {"Billing Process": True, "Returns Process": False, None: True}
    billing = {s["status"]: s for s in told["Billing Process"]["statuses"]}
    assert (billing["New"]["pipeline"], billing["New"]["stage"], billing["New"]["has_rule"]) == (
        "Billing",
        "New",
        True,
    )
    assert (billing["Closed"]["stage"], billing["Closed"]["has_rule"]) == ("Resolved", False)
    assert (billing["In Repair"]["becomes"], billing["In Repair"]["stage"]) == ("no_such_stage", "In Repair")


def test_commands_go_one_at_a_time() -> None:
    done = command("--rules", "meltano.yml", "--fit", "--show-rules")
    assert (done.returncode, "--show-rules and --fit go one at a time" in done.stderr) == (2, True)


# -- what a portal requires


def test_S13_required_property_without_a_mapping_is_a_problem(metadata: list[str]) -> None:
    known = add(known_from(metadata), {"required_properties": ["subject", "hs_pipeline", "content"], "properties": {"results": []}})  # fmt: skip
    problems = check(read_rules({"pipelines": PIPELINES, "fields": {"content": None}}), known).problems
    assert any(p.startswith("rules.fields.content: is missing: HubSpot requires") for p in problems)
    assert not any("is missing" in p for p in check(read_rules({"pipelines": PIPELINES}), known).problems)


# -- --fit


def test_S12_fit_tells_of_each_writable_property_its_types_and_what_is_required(metadata: list[str]) -> None:
    done = command("--fit", *options_of(metadata))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    known = known_from(metadata)
    assert known.properties
    assert set(told["properties"]) == {p.name for p in known.properties.values() if not p.is_read_only}
    assert {n for n, p in told["properties"].items() if p["required"]} == {
        "subject",
        "hs_pipeline",
        "hs_pipeline_stage",
    }
    subject, priority = told["properties"]["subject"], told["properties"]["hs_ticket_priority"]
    assert "Subject" in subject["fits"]
    assert "IsEscalated" not in priority["fits"]
    assert "Priority" in priority["same_label"]
    assert told["fields"]["Priority"]["convert"]["hs_ticket_priority"] == "option"
    assert told["properties"]["hs_pipeline"]["fits"] == []
    assert all(
        (name in told["fields"][field]["fits"])
        for name, found in told["properties"].items()
        for field in found["fits"]
    )


def test_N02_whatever_fits_is_no_problem_to_check_rules(metadata: list[str]) -> None:
    """The two commands have one table: every suggestion of --fit passes --check-rules."""
    known = known_from(metadata)
    tried = 0
    for field, found in fit(known)["fields"].items():
        for name, convert in found["convert"].items():
            tried += 1
            options = {"options": {"x": "y"}} if convert == "option" else {}
            rules = read_rules(
                {"pipelines": PIPELINES, "fields": {name: {"from": field, "convert": convert, **options}}}
            )
            problems = [p for p in check(rules, known).problems if p.startswith(f"rules.fields.{name}:")]
            assert all("is no option of the property" in p for p in problems), (field, name, problems)
    assert tried > 100


def test_every_suggested_conversion_is_taken_by_the_type_it_is_suggested_for() -> None:
    for case_type, ways in SUGGESTED.items():
        for ticket_type, convert in ways.items():
            taken = types_taking(convert, case_type)
            assert ticket_type in taken or (convert == "as_is" and case_type not in TAKEN_AS_IS), (
                case_type,
                ticket_type,
            )


@pytest.mark.parametrize(
    ("case_type", "ticket", "convert"),
    [
        ("string", ("string", "text"), "as_is"),
        ("textarea", ("string", "textarea"), "text"),
        ("picklist", ("enumeration", "select"), "option"),
        ("picklist", ("enumeration", "checkbox"), "option"),
        ("multipicklist", ("enumeration", "checkbox"), "multi_option"),
        ("multipicklist", ("enumeration", "select"), None),
        ("boolean", ("bool", "booleancheckbox"), "boolean"),
        ("boolean", ("enumeration", "select"), None),
        ("percent", ("number", "number"), "percent"),
        ("currency", ("number", "number"), "currency"),
        ("date", ("date", "date"), "date"),
        ("datetime", ("date", "date"), "date"),
        ("date", ("datetime", "date"), "datetime"),
        ("string", ("number", "number"), None),
        ("string", ("enumeration", "select"), None),
        ("double", ("date", "date"), None),
        ("address", ("string", "text"), None),
        ("phone", ("phone_number", "phonenumber"), "as_is"),
    ],
)
def test_N02_types_that_fit_and_types_that_do_not(
    case_type: str, ticket: tuple[str, str], convert: str | None
) -> None:
    field = CaseField(name="F__c", type=case_type)
    found = TicketProperty(name="p", type=ticket[0], field_type=ticket[1], options=("a", "b"))
    told = fit(Metadata(fields={"F__c": field}, properties={"p": found}))
    assert told["fields"]["F__c"]["convert"] == ({} if convert is None else {"p": convert})
    assert told["properties"]["p"]["fits"] == ([] if convert is None else ["F__c"])


def test_what_can_never_be_mapped_fits_nothing_and_rich_text_is_read_as_text() -> None:
    field = CaseField(name="Notes__c", type="textarea", label="Notes", is_html=True)
    names = ("notes", "salesforce_case_id", "read_only", "owner_like")
    properties = {name: TicketProperty(
        name=name, type="string", field_type="text", label=name, is_read_only=name == "read_only", is_filled_elsewhere=name == "owner_like",
    ) for name in names}  # fmt: skip
    told = fit(Metadata(fields={"Notes__c": field}, properties=properties))
    assert told["fields"]["Notes__c"]["convert"] == {"notes": "html_text"}
    assert "read_only" not in told["properties"]
    assert told["properties"]["notes"]["same_label"] == ["Notes__c"]


def test_labels_are_compared_as_people_do() -> None:
    fields = {"Case_Reason__c": CaseField(name="Case_Reason__c", type="string", label="Why it was opened")}
    properties = {"x": TicketProperty(name="x", type="string", field_type="text", label="case reason")}
    found = fit(Metadata(fields=fields, properties=properties))["properties"]["x"]
    assert found["same_label"] == ["Case_Reason__c"]


def test_fit_without_metadata_says_what_is_missing() -> None:
    done = command("--fit")
    assert (done.returncode, "--metadata" in done.stderr, "describe of Case" in done.stderr) == (
        1,
        True,
        True,
    )


# -- what the tap and the target answer to --describe


def test_describe_of_tap_and_target_is_metadata_too(metadata: list[str]) -> None:
    describe, processes, properties, pipelines = (json.loads(Path(p).read_text(encoding="utf-8")) for p in metadata)  # fmt: skip
    statuses = {"records": [{"ApiName": "New", "MasterLabel": "New", "IsClosed": False}, {"ApiName": "Closed", "MasterLabel": "Closed", "IsClosed": True}]}  # fmt: skip
    tap = {"organization_id": "00D", "case": describe, "support_processes": processes, "case_statuses": statuses, "cases": 5}  # fmt: skip
    target = {"portal_id": 1, "properties": properties, "pipelines": pipelines, "required_properties": ["subject", "content"]}  # fmt: skip
    known = add(add(Metadata(), tap), target)
    one_by_one = known_from(metadata)
    assert (known.fields, known.processes, known.properties, known.pipelines) == (
        one_by_one.fields,
        one_by_one.processes,
        one_by_one.properties,
        one_by_one.pipelines,
    )
    assert known.statuses == {"New": False, "Closed": True}
    assert known.required == ("subject", "content")


def test_answer_that_holds_a_broken_part_is_refused() -> None:
    with pytest.raises(MetadataError, match="is none of"):
        add(Metadata(), {"case": {"fields": [7]}})


def test_S19_retired_support_process_needs_no_rule_and_a_status_that_closes_is_told() -> None:
    processes = {"records": [{"Name": "Old", "IsActive": False}, {"Name": "Live", "IsActive": True}]}
    statuses = {"records": [{"ApiName": "Solved", "IsClosed": True}, {"ApiName": "Odd", "IsClosed": False}]}
    values = [{"value": "Solved"}, {"value": "Odd"}]
    describe = {"name": "Case", "fields": [{"name": "Status", "type": "picklist", "picklistValues": values}]}
    known = Metadata()
    for one in (processes, statuses, describe):
        known = add(known, one)
    assert check(read_rules({"pipelines": {"default": {"pipeline": "p"}}}), known).without_rule == (
        "support process 'Live': the default",
        "status 'Solved' in rules.pipelines.default: a closed stage",
        "status 'Odd' in rules.pipelines.default: rejected",
    )
