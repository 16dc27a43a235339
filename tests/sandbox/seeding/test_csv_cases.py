"""Cases from a CSV file by a column map: a real public data set, small files of every trouble, and errors that say where."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox, SandboxError

from .conftest import names, stored

# Beside the checkout of the project; a clone elsewhere does without it.
COMPLAINTS = Path(__file__).parents[3].parent / "shared" / "fixtures" / "cfpb" / "complaints.csv"
real_file = pytest.mark.skipif(
    not COMPLAINTS.exists(), reason="the shared fixtures are not beside this checkout"
)
HEADER = [
    "number",
    "title",
    "text",
    "kind",
    "state",
    "firm",
    "since",
    "price",
    "units",
    "careful",
    "bought",
    "tags",
]
COLUMNS = {
    "number": "CaseNumber",
    "title": "Subject",
    "text": "Description",
    "kind": "record_type",
    "state": "Status",
    "firm": "account",
    "since": "CreatedDate",
    "price": "Claim_Amount__c",
    "careful": "Under_Warranty__c",
    "bought": "Purchase_Date__c",
    "tags": "Topics__c",
}
FIRST = [
    "A-1",
    "Naïve — 配电箱 🔴",
    'one\ntwo "quoted", three\r\n',
    "Repairs",
    "Waiting",
    "Firm, Ltd",
    "2026-01-02T03:04:05+02:00",
]
FIRST += ["12.50", "3", "yes", "2025-12-31", "Safety;Noise"]
SECOND = ["A-2", "N/A", "  ", "Repairs", "Closed - done", "Firm, Ltd", "2026-01-03", "", "", "false", "", ""]
THIRD = ["A-3", "", "", "", "", "", "", "", "", "", "", ""]


def write(folder: Path, rows: list[list[str]], encoding: str = "utf-8") -> Path:
    path = folder / "cases.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def seed(sandbox: RunningSandbox, path: Path, columns: dict[str, str] | None = None) -> Any:
    body = {"from_csv": str(path)} | ({"columns": columns} if columns is not None else {})
    return sandbox.admin("POST", "seed", body)


def described(sandbox: RunningSandbox) -> dict[str, list[str]]:
    """Field of Case -> its picklist values, as a client sees them."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    token = httpx.post(f"{sandbox.salesforce_url}/services/oauth2/token", data=form).json()["access_token"]
    url = f"{sandbox.salesforce_url}/services/data/v67.0/sobjects/Case/describe"
    fields = httpx.get(url, headers={"Authorization": f"Bearer {token}"}).json()["fields"]
    return {f["name"]: [v["value"] for v in f["picklistValues"]] for f in fields}


def complaints() -> dict[str, dict[str, str]]:
    with COMPLAINTS.open(encoding="utf-8", newline="") as file:
        return {row["complaint_id"]: row for row in csv.DictReader(file)}


@real_file
def test_real_complaints_become_cases_byte_for_byte(sandbox: RunningSandbox) -> None:
    """145 rows, 145 cases: every mapped column has its own text, no text is null, and the file's words are picklist values."""
    rows = complaints()
    assert seed(sandbox, COMPLAINTS)["cases"] == len(rows) == 145
    accounts, kinds = names(sandbox, "Account"), names(sandbox, "RecordType")
    for case in stored(sandbox):
        row = rows[case["CaseNumber"]]
        assert case["Subject"] == (row["issue"] or None)
        assert case["Description"] == (row["consumer_complaint_narrative"] or None)
        assert case["Type"] == (row["sub_issue"] or None)
        assert case["Origin"] == (row["submitted_via"] or None)
        assert case["Topics__c"] == (row["tags"] or None)
        assert case["Status"] == (row["company_response_to_consumer"] or "New")
        assert case["CreatedDate"] == f"{row['date_received']}T00:00:00"
        assert accounts[case["AccountId"]] == row["company"]
        assert kinds[case["RecordTypeId"]] == row["product"]
        assert case["IsClosed"] == case["Status"].startswith("Closed")
    picklists = described(sandbox)
    for field, column in {"Type": "sub_issue", "Origin": "submitted_via", "Topics__c": "tags"}.items():
        assert {r[column] for r in rows.values() if r[column]} <= set(picklists[field])
    assert {c["Status"] for c in stored(sandbox)} | {"New"} == set(picklists["Status"])


@real_file
def test_real_complaints_go_where_a_column_map_says(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The command takes the same file with a map of one's own; columns that it leaves out are nowhere."""
    columns = {
        "complaint_id": "External_Reference__c",
        "issue": "Type",
        "timely_response": "Under_Warranty__c",
        "consumer_disputed": "IsEscalated",
        "date_sent_to_company": "Purchase_Date__c",
        "company": "account",
    }
    (tmp_path / "columns.json").write_text(json.dumps(columns), encoding="utf-8")
    command = [sys.executable, "-m", "case_sync_sandbox.cli", "seed", "--url", sandbox.salesforce_url]
    options = ["--from-csv", str(COMPLAINTS), "--columns", str(tmp_path / "columns.json")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "145 cases"), done.stderr
    rows, accounts = complaints(), names(sandbox, "Account")
    for case in stored(sandbox):
        row = rows[case["External_Reference__c"]]
        assert (row["issue"], row["date_sent_to_company"]) == (case["Type"], case["Purchase_Date__c"])
        assert (row["timely_response"] == "true") == bool(case["Under_Warranty__c"])
        assert (row["consumer_disputed"] == "Yes") == bool(case["IsEscalated"])
        assert row["company"] == accounts[case["AccountId"]]
        assert (case["Subject"], case["Description"], case["Status"]) == (None, None, "New")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_each_kind_of_column_is_read(sandbox: RunningSandbox, tmp_path: Path, encoding: str) -> None:
    """Texts byte for byte over lines, quotes and unicode; numbers, dates, checkboxes by their words; an empty value is null."""
    sandbox.admin("POST", "clock", {"freeze": "2026-05-04T12:00:00Z"})
    said = seed(sandbox, write(tmp_path, [HEADER, FIRST, SECOND, THIRD], encoding), COLUMNS)
    assert (said["cases"], said["companies"]) == (3, 1)
    first, second, third = sorted(stored(sandbox), key=lambda r: r["CaseNumber"])
    assert FIRST[1:3] == [first["Subject"], first["Description"]]
    assert tuple(first[f] for f in ("Claim_Amount__c", "Under_Warranty__c", "Purchase_Date__c")) == (
        12.5,
        1,
        "2025-12-31",
    )
    assert (first["CreatedDate"], first["Status"], first["IsClosed"]) == ("2026-01-02T01:04:05", "Waiting", 0)
    assert (second["Subject"], second["Description"], second["IsClosed"]) == ("N/A", "  ", 1)
    assert (second["Claim_Amount__c"], second["Under_Warranty__c"]) == (None, 0)
    assert second["ClosedDate"] == second["CreatedDate"] == "2026-01-03T00:00:00"
    assert first["AccountId"] == second["AccountId"]
    assert tuple(third[f] for f in ("Subject", "AccountId", "RecordTypeId", "Status")) == (
        None,
        None,
        None,
        "New",
    )
    assert third["CreatedDate"] == "2026-05-04T12:00:00"
    assert {"Safety", "Noise"} <= set(described(sandbox)["Topics__c"])


def changed(place: str, value: str) -> list[list[str]]:
    """The file with one value of its second record changed; the first takes lines 2 to 4."""
    row = list(SECOND)
    row[HEADER.index(place)] = value
    return [HEADER, FIRST, row]


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        ([HEADER, FIRST], {"nope": "Subject"}, "no column 'nope'; it has: number, title"),
        ([HEADER, FIRST], {"title": "Nope"}, "column 'title' is mapped to 'Nope'"),
        ([HEADER, FIRST], {"title": "Id"}, "no Case field; allowed: account, record_type, MasterRecordId"),
        ([], COLUMNS, "no column 'number'"),
        ([HEADER, FIRST, SECOND[:-1]], COLUMNS, "line 5 has another number of columns"),
        ([HEADER, FIRST, [*SECOND, "x"]], COLUMNS, "line 5 has another number of columns"),
        (changed("price", "12,50"), COLUMNS, "line 5, column 'price': the value is no currency"),
        (changed("price", "nan"), COLUMNS, "line 5, column 'price': the value is no currency"),
        (changed("since", "soon"), COLUMNS, "line 5, column 'since': the value is no datetime"),
        (changed("bought", "31.12.2025"), COLUMNS, "line 5, column 'bought': the value is no date"),
        (changed("careful", "perhaps"), COLUMNS, "line 5, column 'careful': the value is no boolean"),
        (
            changed("title", "x" * 256),
            COLUMNS,
            "line 5, column 'title': 256 characters do not fit into Subject",
        ),
    ],
)
def test_an_error_names_the_column_or_the_line(
    sandbox: RunningSandbox, tmp_path: Path, rows: list[list[str]], columns: dict[str, str], words: str
) -> None:
    """The file is refused as a whole: nothing of it is in the org, which can be seeded again."""
    with pytest.raises(SandboxError) as refused:
        seed(sandbox, write(tmp_path, rows), columns)
    assert words in str(refused.value)
    assert stored(sandbox) == []
    assert seed(sandbox, write(tmp_path, [HEADER, FIRST]), COLUMNS)["cases"] == 1


def test_a_file_that_is_no_text_or_not_there_is_named(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Latin-1 is not guessed at."""
    with pytest.raises(SandboxError, match=r"cases\.csv can't be read as UTF-8 text"):
        seed(sandbox, write(tmp_path, [HEADER, ["é"] * len(HEADER)], "latin-1"), COLUMNS)
    with pytest.raises(SandboxError, match=r"absent\.csv can't be read"):
        seed(sandbox, tmp_path / "absent.csv", COLUMNS)


def test_cases_of_a_file_can_be_changed(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Closing gives a status that the file's own cases have; added cases are of the file's kinds."""
    rows = [HEADER, *[[f"B-{n}", *FIRST[1:]] for n in range(20)], SECOND]
    seed(sandbox, write(tmp_path, rows), COLUMNS)
    before = {r["Id"] for r in stored(sandbox)}
    said = sandbox.mutate(closes=5, adds=3)
    after = {r["Id"]: r for r in stored(sandbox)}
    assert {"Closed - done"} == {after[i]["Status"] for i in said["closed"]}
    assert set(said["added"]) == set(after) - before
    assert {"Waiting", "Closed - done"} >= {after[i]["Status"] for i in said["added"]}
