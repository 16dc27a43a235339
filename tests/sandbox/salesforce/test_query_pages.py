"""Query and queryAll: which rows, pages and their locators, and what each answer says of the day's calls."""

import re

import httpx
import pytest

from case_sync_sandbox.salesforce.ids import make_id

from .conftest import Org, V, fields_of

LOST = [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
SELECT = "SELECT Id FROM Case ORDER BY Id"
TWO_DAYS = 2 * 86_400


def fill(org: Org, cases: int) -> list[str]:
    """That many bare cases; their ids in order."""
    ids = [make_id("Case", n) for n in range(1, cases + 1)]
    org.change("insert", records=[{"Id": one} for one in ids])
    return ids


def first_page(org: Org, batch_size: str | None = None, *, every: bool = True, soql: str = SELECT) -> dict:
    headers = {"Sforce-Query-Options": f"batchSize={batch_size}"} if batch_size else {}
    answer = org.http.get(f"{V}/{'queryAll' if every else 'query'}", params={"q": soql}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def usage(answer: httpx.Response) -> tuple[int, int]:
    """Used and allowed calls, as the header says."""
    found = re.search(r"(?<!per-app-)api-usage=(\d+)/(\d+)", answer.headers["Sforce-Limit-Info"])
    assert found
    return int(found[1]), int(found[2])


def test_query_leaves_the_recycle_bin_out(org: Org) -> None:
    """Deleted and merged-away rows are in queryAll and in ALL ROWS, with IsDeleted and their master, and not in query."""
    changes = org.sandbox.mutate(deletes=5, merges=2)
    gone = {*changes["deleted"], *changes["merged"]}
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Case"
    live = {r["Id"] for r in first_page(org, every=False, soql=soql)["records"]}
    every = {r["Id"]: r for r in first_page(org, soql=soql)["records"]}
    assert (len(live), len(every)) == (300 - 7, 300)
    assert gone == {i for i, r in every.items() if r["IsDeleted"]} == set(every) - live
    assert set(changes["merged"]) == {i for i, r in every.items() if r["MasterRecordId"]}
    assert every.keys() == {r["Id"] for r in first_page(org, every=False, soql=f"{soql} ALL ROWS")["records"]}


@pytest.mark.parametrize(
    ("batch_size", "rows"),
    [(None, 2000), ("200", 200), ("1999", 1999), ("2000", 2000), ("1", 200), ("9999", 2000)],
)
def test_a_page_has_200_to_2000_rows(empty_org: Org, batch_size: str | None, rows: int) -> None:
    """What batchSize asks for is kept between its bounds; without it a page has 2,000 rows."""
    fill(empty_org, 2_100)
    page = first_page(empty_org, batch_size)
    assert (rows, 2_100, False) == (len(page["records"]), page["totalSize"], page["done"])


@pytest.mark.parametrize("every", [True, False])
def test_pages_hold_each_row_once_and_end(empty_org: Org, every: bool) -> None:
    """Following nextRecordsUrl gives all rows in order; totalSize stays, done comes with the last page, which names none."""
    ids, found = fill(empty_org, 801), []
    page = first_page(empty_org, "200", every=every)
    while not page["done"]:
        assert (len(page["records"]), page["totalSize"]) == (200, 801)
        assert re.fullmatch(rf"{V}/query/01g\w{{15}}-\d+", page["nextRecordsUrl"])
        found += [r["Id"] for r in page["records"]]
        page = empty_org.http.get(page["nextRecordsUrl"]).json()
    assert ids == found + [r["Id"] for r in page["records"]]
    assert (len(page["records"]), page["totalSize"], page.get("nextRecordsUrl")) == (1, 801, None)


def test_a_whole_result_is_done_at_once(empty_org: Org) -> None:
    """Exactly a page, no row and COUNT() need no second page."""
    fill(empty_org, 200)
    for soql, total, rows in (
        (SELECT, 200, 200),
        ("SELECT Id FROM Case WHERE Status = 'x'", 0, 0),
        ("SELECT COUNT() FROM Case", 200, 0),
        (f"{SELECT} LIMIT 7", 7, 7),
    ):
        page = first_page(empty_org, "200", soql=soql)
        assert (total, True, rows) == (page["totalSize"], page["done"], len(page["records"]))
        assert "nextRecordsUrl" not in page


def test_rows_that_change_between_pages_are_neither_lost_nor_doubled(empty_org: Org) -> None:
    """A cursor keeps its rows and their order; it shows the values of now, and a purged row no more."""
    ids = fill(empty_org, 450)
    page = first_page(empty_org, "200", soql="SELECT Id, Subject FROM Case ORDER BY SystemModstamp, Id")
    empty_org.change("update", id=ids[250], values={"Subject": "moved"})
    empty_org.change("purge", id=ids[251])
    second = empty_org.http.get(page["nextRecordsUrl"]).json()
    expected = {"Id": ids[250], "Subject": "moved"}
    assert expected in [fields_of(r) for r in second["records"]]
    assert [i for i in ids[200:400] if i != ids[251]] == [r["Id"] for r in second["records"]]


def test_long_texts_and_salesforce_itself_shrink_a_page(empty_org: Org) -> None:
    """With two custom long texts a page has 200 rows; a smaller page than asked for may come any time."""
    ids = fill(empty_org, 250)
    long_texts = "SELECT Id, Internal_Notes__c, Parent.Internal_Notes__c FROM Case"
    assert len(first_page(empty_org, soql=long_texts)["records"]) == 200
    empty_org.switch(max_page_rows=30)
    assert ids == [r["Id"] for r in empty_org.soql(SELECT)]
    assert len(first_page(empty_org, "200")["records"]) == 30


def test_a_page_can_be_read_again(empty_org: Org) -> None:
    """A locator means its page, however often it is asked."""
    fill(empty_org, 500)
    following = first_page(empty_org, "200")["nextRecordsUrl"]
    assert empty_org.http.get(following).json() == empty_org.http.get(following).json()


@pytest.mark.parametrize("ending", ["forgotten", "switched", "two days"])
def test_an_expired_cursor_is_an_invalid_query_locator(empty_org: Org, ending: str) -> None:
    """400 INVALID_QUERY_LOCATOR once the cursor is gone: by the administrator, or two days after its query."""
    fill(empty_org, 500)
    following = first_page(empty_org, "200")["nextRecordsUrl"]
    empty_org.advance(seconds=TWO_DAYS - 60)
    assert empty_org.http.get(following).status_code == 200
    if ending == "two days":
        empty_org.advance(seconds=120)
    elif ending == "switched":
        empty_org.switch(expire_locators=True)
    else:
        empty_org.act("expire-cursors")
    answer = empty_org.http.get(following)
    assert (answer.status_code, answer.json()) == (400, LOST)


@pytest.mark.parametrize(
    "change", ["nope", "{name}", "{name}-", "{name}-x", "{name}-5000", "01g000000000000AAA-200"]
)
def test_what_is_no_locator_is_refused(empty_org: Org, change: str) -> None:
    """No page is made up for a locator that was never given."""
    fill(empty_org, 500)
    name = first_page(empty_org, "200")["nextRecordsUrl"].rpartition("/")[2].partition("-")[0]
    answer = empty_org.get(f"/query/{change.format(name=name)}")
    assert (answer.status_code, answer.json()) == (400, LOST)


def test_each_answer_says_how_many_calls_are_used(org: Org) -> None:
    """Sforce-Limit-Info is in successes and refusals, and grows by one a call."""
    used, allowed = usage(org.get("/limits"))
    assert allowed == 100_000
    calls = (
        ("GET", "/query?q=SELECT+Id+FROM+Case", 200),
        ("GET", "/query?q=SELECT", 400),
        ("GET", "/nothing", 404),
        ("DELETE", "/sobjects/Case/500", 405),
        ("GET", "/sobjects/Case/describe", 200),
    )
    for number, (method, path, status) in enumerate(calls, start=1):
        answer = org.http.request(method, V + path)
        assert (status, (used + number, allowed)) == (answer.status_code, usage(answer))


def test_the_header_may_name_the_app(org: Org) -> None:
    """The longer flavour has the app's own count behind the org's."""
    org.switch(per_app_usage=True)
    info = org.get("/limits").headers["Sforce-Limit-Info"]
    assert re.fullmatch(r"api-usage=\d+/100000; per-app-api-usage=\d+/\d+\(appName=[\w-]+\)", info)


def test_limits_says_what_is_left(org: Org) -> None:
    """DailyApiRequests agrees with the header; a query job takes one of the day's jobs."""
    answer = org.get("/limits")
    used, allowed = usage(answer)
    assert answer.json()["DailyApiRequests"] == {"Max": allowed, "Remaining": allowed - used}
    before = answer.json()["DailyBulkV2QueryJobs"]["Remaining"]
    org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Case"})
    assert before - 1 == org.get("/limits").json()["DailyBulkV2QueryJobs"]["Remaining"]


def test_the_daily_limit_ends_all_calls(org: Org) -> None:
    """After the last allowed call each answer is 403 REQUEST_LIMIT_EXCEEDED; so it is with the other message."""
    org.switch(daily_limit=usage(org.get("/limits"))[0] + 1)
    assert org.get("/limits").status_code == 200
    answer = org.get("/limits")
    refused = {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}
    assert (403, [refused]) == (answer.status_code, answer.json())
    words = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    org.switch(limit_message=words)
    assert (403, words) == ((answer := org.get("/limits")).status_code, answer.json()[0]["message"])


def test_versions_are_listed_without_a_session(org: Org) -> None:
    """/services/data names each version once, needs no token, counts nothing and says nothing of limits."""
    before = usage(org.get("/limits"))[0]
    for path in ("/services/data", "/services/data/"):
        answer = httpx.get(org.sandbox.salesforce_url + path)
        assert answer.status_code == 200
        assert "Sforce-Limit-Info" not in answer.headers
        listed = answer.json()
        assert [f"{n}.0" for n in range(31, 68)] == [v["version"] for v in listed]
        last = {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}
        assert last == listed[-1]
    assert before + 1 == usage(org.get("/limits"))[0]


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [("v30.0", 410, "UNSUPPORTED_API_VERSION"), ("v68.0", 404, "NOT_FOUND"), ("v67", 404, "NOT_FOUND")],
)
def test_a_version_that_is_not_served_is_named(org: Org, version: str, status: int, code: str) -> None:
    """A retired version is GONE, an unknown one not there."""
    answer = org.http.get(f"/services/data/{version}/limits")
    assert (status, code) == (answer.status_code, answer.json()[0]["errorCode"])
