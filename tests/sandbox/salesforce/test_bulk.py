"""Bulk API 2.0 query jobs: their states, their results in CSV, and their end."""

import csv
import io
from typing import Any

import httpx
import pytest

from case_sync_sandbox.salesforce.ids import make_id

from .conftest import Org, V, as_csv

ORDERED = "SELECT Id FROM Case ORDER BY Id"
WEEK = 7 * 86_400
NASTY = [
    'say "hello"',
    "a,b;c",
    "line one\nline two\r\nline three\n",
    '"',
    "N/A",
    "  spaces  ",
    "zürich 配电箱 🔴",
    "=1+1",
    "\t\\n",
]


def create(org: Org, soql: str = ORDERED, operation: str = "queryAll", **more: str) -> httpx.Response:
    return org.http.post(f"{V}/jobs/query", json={"operation": operation, "query": soql, **more})


def completed(org: Org, soql: str = ORDERED, operation: str = "queryAll") -> str:
    """The path of a job that is complete."""
    created = create(org, soql, operation)
    assert created.status_code == 200, created.text
    path = f"/jobs/query/{created.json()['id']}"
    while (state := org.get(path).json()["state"]) in {"UploadComplete", "InProgress"}:
        pass
    assert state == "JobComplete"
    return path


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    """The records of a result page, whose header says how many there are."""
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"), newline=""), strict=True))
    assert len(found) == int(answer.headers["Sforce-NumberOfRecords"])
    return found


def pages(org: Org, path: str, max_records: int) -> list[list[dict[str, str]]]:
    """All result pages, by their locators."""
    found, query = [], {"maxRecords": str(max_records)}
    while True:
        answer = org.get(f"{path}/results", **query)
        found.append(rows(answer))
        if answer.headers["Sforce-Locator"] == "null":
            return found
        query["locator"] = answer.headers["Sforce-Locator"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# -- the life of a job


def test_a_job_goes_through_its_states(org: Org) -> None:
    """UploadComplete, InProgress while it is polled, then JobComplete with its counts."""
    org.switch(bulk_polls=2)
    created = create(org).json()
    expected = {
        "operation": "queryAll",
        "object": "Case",
        "state": "UploadComplete",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 67.0,
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    assert expected == {name: created[name] for name in expected}
    assert created["id"].startswith("750")
    path = f"/jobs/query/{created['id']}"
    polled = [org.get(path).json() for _ in range(3)]
    assert [p["state"] for p in polled] == ["InProgress", "InProgress", "JobComplete"]
    assert tuple(polled[-1][n] for n in ("numberRecordsProcessed", "jobType", "retries")) == (
        300,
        "V2Query",
        0,
    )
    assert created["id"] in [j["id"] for j in org.get("/jobs/query").json()["records"]]
    assert org.get(f"/jobs/query/{created['id'][:15]}").json()["id"] == created["id"]


def test_results_are_there_when_the_job_is_complete(org: Org) -> None:
    """Before that, results and resultPages are refused."""
    path = f"/jobs/query/{create(org).json()['id']}"
    for what in ("results", "resultPages"):
        assert refusal(org.get(f"{path}/{what}")) == (400, "INVALIDJOBSTATE")


def test_a_failing_job_says_why_and_has_no_results(org: Org) -> None:
    org.switch(bulk_outcome="Failed", bulk_polls=0)
    path = f"/jobs/query/{create(org).json()['id']}"
    status = org.get(path).json()
    assert (status["state"], "Retried more than 15" in status["errorMessage"]) == ("Failed", True)
    assert refusal(org.get(f"{path}/results"))[0] == 400


@pytest.mark.parametrize("outcome", ["Aborted", "InProgress"])
def test_a_job_may_be_aborted_by_others_or_get_stuck(org: Org, outcome: str) -> None:
    """The state that the switch names stays, however often it is asked."""
    org.switch(bulk_outcome=outcome, bulk_polls=0)
    path = f"/jobs/query/{create(org).json()['id']}"
    assert {outcome} == {org.get(path).json()["state"] for _ in range(5)}


def test_a_running_job_can_be_aborted_and_then_deleted(org: Org) -> None:
    """Abort ends it, without results; delete takes it away; a running job can't be deleted."""
    url = f"{V}/jobs/query/{create(org).json()['id']}"
    assert org.http.delete(url).status_code == 400
    assert org.http.patch(url, json={"state": "Open"}).status_code == 400
    assert org.http.patch(url, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert org.http.get(url).json()["state"] == "Aborted"
    assert org.http.get(f"{url}/results").status_code == 400
    assert org.http.delete(url).status_code == 204
    assert refusal(org.http.get(url)) == (404, "NOT_FOUND")


def test_a_complete_job_can_be_deleted_and_not_aborted(org: Org) -> None:
    path = completed(org)
    assert org.http.patch(V + path, json={"state": "Aborted"}).status_code == 400
    assert org.http.delete(V + path).status_code == 204
    assert org.get(f"{path}/results").status_code == 404


def test_a_job_belongs_to_its_api_version(org: Org) -> None:
    """Another version than it was made with is a conflict."""
    path = completed(org)
    for what in ("", "/results", "/resultPages"):
        assert org.http.get(f"/services/data/v66.0{path}{what}").status_code == 409


def test_jobs_are_kept_for_seven_days(org: Org) -> None:
    path = completed(org)
    org.advance(seconds=WEEK - 60)
    assert org.get(f"{path}/results").status_code == 200
    org.advance(seconds=120)
    assert org.get(f"{path}/results").status_code == 404


# -- results


def test_results_hold_every_case_with_every_value(org: Org) -> None:
    """Flat columns in the order asked for, moments with Z, checkboxes as words, nothing for null; parents with a dot."""
    types = org.types()
    parents = ["Account.Name", "Owner.Type", "Parent.CaseNumber"]
    soql = f"SELECT {', '.join([*types, *parents])} FROM Case"
    answer = org.get(f"{completed(org, soql)}/results")
    found = rows(answer)
    assert answer.headers["content-type"].startswith("text/csv")
    assert [*types, *parents] == list(found[0])
    accounts = {a["Id"]: a["Name"] for a in org.stored("Account")} | {None: ""}
    expected = {r["Id"]: {**as_csv(r, types), "Account.Name": accounts[r["AccountId"]]} for r in org.stored()}
    assert expected == {r["Id"]: {n: r[n] for n in [*types, "Account.Name"]} for r in found}


def test_texts_come_whole_out_of_the_csv(empty_org: Org) -> None:
    """Newlines, quotes, separators and unicode are quoted; each value has quotes, records end with a line feed."""
    cases = [{"Id": make_id("Case", n), "Subject": text, "Description": text} for n, text in enumerate(NASTY)]
    empty_org.change("insert", records=cases)
    soql = "SELECT Id, Subject, Description FROM Case ORDER BY Id"
    answer = empty_org.get(f"{completed(empty_org, soql)}/results")
    assert [(t, t) for t in NASTY] == [(r["Subject"], r["Description"]) for r in rows(answer)]
    first, last = f'"{make_id("Case", 0)}"', f'"{NASTY[-1]}"\n'
    assert answer.text.startswith(f'"Id","Subject","Description"\n{first},"say ""hello""",')
    assert answer.text.endswith(last)


@pytest.mark.parametrize("max_records", [1, 7, 100, 299, 300, 1_000])
def test_pages_hold_each_record_once(org: Org, max_records: int) -> None:
    """Locators lead from page to page until the word null; each page repeats the header."""
    found = pages(org, completed(org), max_records)
    assert [len(p) for p in found[:-1]] == [max_records] * (len(found) - 1)
    assert [r["Id"] for r in org.stored()] == [r["Id"] for page in found for r in page]


def test_a_locator_can_be_read_again_and_a_wrong_one_is_refused(org: Org) -> None:
    """The same page while the job is kept; no page for a locator that was not given."""
    path = completed(org)
    given = org.get(f"{path}/results", maxRecords="50").headers["Sforce-Locator"]
    again = [org.get(f"{path}/results", maxRecords="50", locator=given).content for _ in range(2)]
    assert again[0] == again[1]
    for wrong in ("nope", "LTU", "OTk5OTk"):  # the last two: -5 and 99999
        answer = org.get(f"{path}/results", locator=wrong)
        assert refusal(answer) == (400, "INVALID_QUERY_LOCATOR")


def test_result_pages_name_up_to_five_urls(org: Org) -> None:
    """15 pages come in three lists; read in any order they hold each record once."""
    org.switch(bulk_page_records=20)
    listing = org.get(f"{completed(org)}/resultPages").json()
    urls: list[Any] = []
    sizes = []
    while True:
        sizes.append(len(listing["resultPages"]))
        urls += [p["resultUrl"] for p in listing["resultPages"]]
        assert listing["done"] == ("nextRecordsUrl" not in listing)
        if listing["done"]:
            break
        listing = org.http.get(listing["nextRecordsUrl"]).json()
    assert sizes == [5, 5, 5]
    found = [r["Id"] for url in reversed(urls) for r in rows(org.http.get(url))]
    assert sorted(found) == [r["Id"] for r in org.stored()]


def test_an_empty_result_is_a_header(empty_org: Org) -> None:
    answer = empty_org.get(f"{completed(empty_org)}/results")
    assert (answer.text, answer.headers["Sforce-Locator"]) == ('"Id"\n', "null")
    assert answer.headers["Sforce-NumberOfRecords"] == "0"


def test_query_all_finds_deleted_cases_and_query_does_not(org: Org) -> None:
    gone = set(org.sandbox.mutate(deletes=4)["deleted"])
    every = {r["Id"] for r in rows(org.get(f"{completed(org)}/results"))}
    live = {r["Id"] for r in rows(org.get(f"{completed(org, operation='query')}/results"))}
    assert (300, gone) == (len(every), every - live)


# -- refusals


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Id, BillingAddress FROM Account", "API_ERROR", "Selecting compound data not supported in Bulk Query"),
        ("SELECT ApiName FROM CaseStatus", "INVALIDENTITY", "is not supported by the Bulk API"),
        ("SELECT COUNT() FROM Case", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Id FROM Case LIMIT 5 OFFSET 5", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Nope FROM Case", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT", "MALFORMED_QUERY", "unexpected token"),
    ],
)  # fmt: skip
def test_what_bulk_does_not_read_is_refused_at_once(org: Org, soql: str, code: str, words: str) -> None:
    """The texts are those by which readers fall back to REST."""
    answer = create(org, soql)
    assert refusal(answer) == (400, code)
    assert words in answer.json()[0]["message"]


def test_a_job_is_a_query_in_csv(org: Org) -> None:
    """Other operations, formats and bodies are refused."""
    assert create(org, operation="insert").status_code == 400
    assert create(org, columnDelimiter="TAB").status_code == 400
    assert refusal(org.http.post(f"{V}/jobs/query", content=b"{")) == (400, "JSON_PARSER_ERROR")
    assert org.get("/jobs/query/7505g0000000999AAA").status_code == 404
