"""Real text and real messy values: the complaints of a public data set arrive as tickets, byte for byte."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from case_sync_sandbox.testing import RunningSandbox

from .conftest import ROOT, Project

COMPLAINTS = ROOT.parent / "shared" / "fixtures" / "cfpb" / "complaints.csv"


def for_complaints(statuses: dict[str, set[str]]) -> Callable[[dict[str, Any]], None]:
    """Rules for the file: a pipeline per product, each of its statuses to the stage of that name."""

    def change(definition: dict[str, Any]) -> None:
        rules = definition["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]
        rules["fields"] = {"source_ref": {"from": "Type"}}
        rules["pipelines"] = {
            product: {"pipeline": product, "stages": {s: s for s in sorted(names)}}
            for product, names in statuses.items()
        }
        rules["pipelines"]["default"] = {"pipeline": "Support Pipeline", "stages": {"New": "New"}}

    return change


@pytest.mark.skipif(not COMPLAINTS.exists(), reason="the shared fixtures are not beside this checkout")
def test_complaints_arrive_byte_for_byte(sandbox: RunningSandbox, project: Callable[..., Project]) -> None:
    """145 complaints in, 145 tickets out: subject and text equal byte for byte, counts per pipeline and stage add up."""
    with COMPLAINTS.open(encoding="utf-8", newline="") as file:
        rows = {row["complaint_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 145
    sandbox.admin("POST", "seed", {"from_csv": str(COMPLAINTS)})
    statuses: dict[str, set[str]] = {}
    for row in rows.values():
        statuses.setdefault(row["product"], set()).add(row["company_response_to_consumer"] or "New")

    run = project(for_complaints(statuses)).sync("--full-refresh")

    assert run.returncode == 0, run.output
    assert (run.tap["rows"]["cases"], run.target["created"], run.target["rejected"]) == (145, 145, 0)
    tickets = {t["properties"]["salesforce_case_number"]: t["properties"] for t in sandbox.tickets()}
    assert set(tickets) == set(rows)
    for number, row in rows.items():
        assert tickets[number]["subject"].encode() == row["issue"].encode()
        assert (tickets[number].get("content") or "").encode() == row["consumer_complaint_narrative"].encode()
        assert (tickets[number].get("source_ref") or "").encode() == row["sub_issue"].encode()
    assert sum(bool(r["consumer_complaint_narrative"]) for r in rows.values()) == 13
    answer = requests.get(
        f"{sandbox.hubspot_url}/crm/v3/pipelines/tickets",
        headers={"Authorization": "Bearer sandbox-token"},
        timeout=10,
    )
    pipelines = {p["id"]: p for p in answer.json()["results"]}
    assert Counter(label_of(pipelines, t) for t in tickets.values()) == Counter(
        (r["product"], r["company_response_to_consumer"] or "New") for r in rows.values()
    )


def test_own_export_runs_under_the_rules_as_they_stand(
    sandbox: RunningSandbox, project: Callable[..., Project], tmp_path: Path
) -> None:
    """A first rehearsal before any rule is edited: what has a rule arrives, a status without one is on record by name."""
    export = tmp_path / "cases.csv"
    export.write_text(
        'Number,Topic,State,Kind\n1001,"Größe 😀",New,Repairs\n1002,Second,On Ice,Repairs\n', encoding="utf-8"
    )
    columns = {"Number": "CaseNumber", "Topic": "Subject", "State": "Status", "Kind": "record_type"}
    sandbox.admin("POST", "seed", {"from_csv": str(export), "columns": columns})

    synced = project()
    run = synced.sync("--full-refresh")

    assert run.returncode == 0, run.output
    assert [t["properties"]["subject"] for t in sandbox.tickets()] == ["Größe 😀"]
    (rejected,) = synced.rejected()
    assert "Status 'On Ice'" in rejected.message


def label_of(pipelines: dict[str, Any], ticket: dict[str, Any]) -> tuple[str, str]:
    pipeline = pipelines[ticket["hs_pipeline"]]
    stage = next(s for s in pipeline["stages"] if s["id"] == ticket["hs_pipeline_stage"])
    return pipeline["label"], stage["label"]
