"""Composite calls: long SOQL in a body, several reads in one call, and what they count."""

import httpx
import pytest

from .conftest import Org, V
from .test_query_pages import usage


def composite(org: Org, *urls: str) -> httpx.Response:
    wanted = [{"method": "GET", "url": u, "referenceId": f"r{n}"} for n, u in enumerate(urls)]
    return org.http.post(f"{V}/composite", json={"compositeRequest": wanted})


def long_query(org: Org) -> str:
    """A query of more than 16,384 bytes that finds three cases."""
    ids = [r["Id"] for r in org.stored()[:3]] + [f"500{n:012d}" for n in range(1_000)]
    listed = ",".join(f"'{i}'" for i in ids)
    return f"SELECT Id FROM Case WHERE Id IN ({listed}) ORDER BY Id"


def test_a_query_too_long_for_a_url_goes_into_a_body(org: Org) -> None:
    """Above 16,384 bytes of URI and headers the answer is 414; in a composite call the same query finds its rows."""
    soql = long_query(org)
    assert org.get("/query", q=soql).status_code == 414
    (found,) = composite(org, str(httpx.URL(f"{V}/query", params={"q": soql}))).json()["compositeResponse"]
    assert (found["httpStatusCode"], found["referenceId"]) == (200, "r0")
    assert [r["Id"] for r in org.stored()[:3]] == [r["Id"] for r in found["body"]["records"]]


def test_a_composite_call_counts_once_and_keeps_errors_apart(org: Org) -> None:
    """Each subrequest has its own status and body; a next page can be among them."""
    org.switch(max_page_rows=100)
    following = org.get("/query", q="SELECT Id FROM Case").json()["nextRecordsUrl"]
    used = usage(org.get("/limits"))[0]
    answer = composite(org, f"{V}/sobjects/Case/describe", f"{V}/query?q=SELECT+Nope+FROM+Case", following)
    assert used + 1 == usage(answer)[0]
    described, refused, page = answer.json()["compositeResponse"]
    assert (described["httpStatusCode"], described["body"]["name"]) == (200, "Case")
    assert (refused["httpStatusCode"], refused["body"][0]["errorCode"]) == (400, "INVALID_FIELD")
    assert len(page["body"]["records"]) == 100


def test_a_batch_counts_each_of_its_reads(org: Org) -> None:
    """Three reads are three calls; one that fails marks the whole as having errors."""
    used = usage(org.get("/limits"))[0]
    urls = [f"{V}/limits", f"{V}/sobjects/Case/describe", f"{V}/nothing"]
    wanted = {"batchRequests": [{"method": "GET", "url": url} for url in urls]}
    answer = org.http.post(f"{V}/composite/batch", json=wanted)
    assert used + 3 == usage(answer)[0]
    assert [r["statusCode"] for r in answer.json()["results"]] == [200, 200, 404]
    assert answer.json()["hasErrors"] is True


@pytest.mark.parametrize("count", [0, 26])
def test_a_composite_call_takes_1_to_25_reads(org: Org, count: int) -> None:
    assert composite(org, *[f"{V}/limits"] * count).status_code == 400


def test_a_composite_call_takes_five_queries(org: Org) -> None:
    query = f"{V}/query?q=SELECT+COUNT()+FROM+Case"
    assert composite(org, *[query] * 5).status_code == 200
    assert (
        (answer := composite(org, *[query] * 6)).status_code,
        answer.json()[0]["errorCode"],
    ) == (400, "LIMIT_EXCEEDED")


def test_nothing_is_written(org: Org) -> None:
    """The sandbox takes no write of Salesforce data, by itself or inside a composite call."""
    before = org.stored()
    url = f"{V}/sobjects/Case/{before[0]['Id']}"
    assert org.http.patch(url, json={"Subject": "x"}).status_code == 405
    assert org.http.post(f"{V}/sobjects/Case", json={"Subject": "x"}).status_code == 405
    body = {
        "compositeRequest": [{"method": "PATCH", "url": url, "referenceId": "r", "body": {"Subject": "x"}}]
    }
    answer = org.http.post(f"{V}/composite", json=body).json()["compositeResponse"][0]
    assert answer["httpStatusCode"] == 405
    assert before == org.stored()
