"""Shell: Composite and Composite Batch: several reads in one call.

Source: Salesforce REST API, Composite (25 subrequests, one API call in all) and Batch (each subrequest counts).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from starlette.responses import Response

from case_sync_sandbox.salesforce.api import SalesforceApi
from case_sync_sandbox.salesforce.asking import Ask, Work
from case_sync_sandbox.salesforce.errors import SalesforceError, no_writes, not_found

MAX_SUBREQUESTS = 25
MAX_QUERIES = 5  # of the 25; known by use only, no referee confirms it


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A resource that a subrequest may name: what its path below the version looks like, and its work."""

    pattern: re.Pattern[str]
    work: Work


def readable_resources(table: Sequence[tuple[str, Work, list[str]]]) -> tuple[Readable, ...]:
    """The resources of a routing table that a GET reads."""
    return tuple(
        Readable(pattern=re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "/?"), work=work)
        for path, work, methods in table
        if "GET" in methods
    )


def composite(resources: Sequence[Readable]) -> Work:
    def work(api: SalesforceApi, ask: Ask, version: str) -> Any:
        wanted = subrequests(ask, "compositeRequest")
        if sum("/query" in str(r.get("url", "")) for r in wanted) > MAX_QUERIES:
            raise SalesforceError(
                400, "LIMIT_EXCEEDED", f"At most {MAX_QUERIES} query operations in one composite request"
            )
        return {
            "compositeResponse": [
                {
                    "body": body,
                    "httpHeaders": {},
                    "httpStatusCode": status,
                    "referenceId": r.get("referenceId"),
                }
                for r in wanted
                for status, body in [run(api, r, version, resources)]
            ]
        }

    return work


def batch(resources: Sequence[Readable]) -> Work:
    def work(api: SalesforceApi, ask: Ask, version: str) -> Any:
        wanted = subrequests(ask, "batchRequests")
        api.calls += len(wanted) - 1  # the call itself was counted
        results = [
            {"statusCode": status, "result": body}
            for r in wanted
            for status, body in [run(api, r, version, resources)]
        ]
        return {"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results}

    return work


def subrequests(ask: Ask, member: str) -> list[dict[str, Any]]:
    wanted = ask.json().get(member)
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_SUBREQUESTS:
        raise SalesforceError(400, "INVALID_INPUT", f"{member} must hold 1 to {MAX_SUBREQUESTS} subrequests")
    return wanted


def run(
    api: SalesforceApi, request: dict[str, Any], version: str, resources: Sequence[Readable]
) -> tuple[int, Any]:
    """Status and body of one subrequest; its errors are its own."""
    url = urlsplit(str(request.get("url", "")))
    path = url.path.removeprefix("/services/data").removeprefix("/").removeprefix(version)
    try:
        if request.get("method") != "GET":
            raise no_writes(str(request.get("method")))
        for resource in resources:
            if found := resource.pattern.fullmatch(path):
                ask = Ask(method="GET", path=found.groupdict(), query=dict(parse_qsl(url.query)))
                body = resource.work(api, ask, version)
                return (
                    (body.status_code, orjson.loads(body.body)) if isinstance(body, Response) else (200, body)
                )
        raise not_found()
    except SalesforceError as error:
        return error.status, error.body()
