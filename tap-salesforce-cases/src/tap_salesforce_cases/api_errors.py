"""Core: what to do after an answer of Salesforce's REST API, by status and errorCode.

Source: Salesforce REST API, status codes and error responses; query: locators; general API limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Verdict(Enum):
    """What the caller does next."""

    USE = "use the answer"
    LOGIN_AGAIN = "log in again, once, and repeat"
    TRY_AGAIN = "repeat after a pause"
    ASK_AGAIN = "the cursor is gone: ask from the last row read"
    HALVE = "the query takes too long: ask for a shorter window"
    DESCRIBE_AGAIN = "a column is gone: describe again"
    RECONCILE = "the delete log does not reach back so far"
    FEWER_IDS = "too many deleted ids: ask for a shorter window"
    STOP_FOR_TODAY = "the day's calls are used up"
    GIVE_UP = "nothing that a repeat would change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Salesforce's own words for an error: code and message of the first error in the body."""

    code: str
    message: str


BY_CODE = {
    "INVALID_SESSION_ID": Verdict.LOGIN_AGAIN,
    "INVALID_QUERY_LOCATOR": Verdict.ASK_AGAIN,
    "QUERY_LOCATOR_EXPIRED": Verdict.ASK_AGAIN,
    "QUERY_LOCATOR_NOT_FOUND": Verdict.ASK_AGAIN,
    "INVALID_QUERY_LOCATOR_FORMAT": Verdict.ASK_AGAIN,
    "QUERY_TIMEOUT": Verdict.HALVE,
    "INVALID_FIELD": Verdict.DESCRIBE_AGAIN,
    "INVALID_REPLICATION_DATE": Verdict.RECONCILE,
    "EXCEEDED_ID_LIMIT": Verdict.FEWER_IDS,
    "SERVER_UNAVAILABLE": Verdict.TRY_AGAIN,
    "UNKNOWN_EXCEPTION": Verdict.TRY_AGAIN,
    "UNABLE_TO_LOCK_ROW": Verdict.TRY_AGAIN,
}
# 406 and 420 come from the edge while an org is moved; 408, 429 and 5xx are passing.
BY_STATUS = dict.fromkeys((406, 408, 420, 429, 500, 502, 503, 504), Verdict.TRY_AGAIN) | {
    401: Verdict.LOGIN_AGAIN
}
# What an administrator can do about a refusal that no repeat mends, by errorCode.
ADVICE = {
    "API_DISABLED_FOR_ORG": "enable the API for this org or edition",
    "API_CURRENTLY_DISABLED": "enable the API for this user (permission API Enabled)",
    "INSUFFICIENT_ACCESS": "give the user read access to the object",
    "INVALID_TYPE": "give the user read access to the object; check the setting `where`, if it names the object",
    "INVALID_FIELD": "check the setting `where`, if it names the field",
    "OPERATION_TOO_LARGE": "give the user View All Data",
    "TXN_SECURITY_METERING_ERROR": "give the user Exempt from Transaction Security",
    "UNSUPPORTED_API_VERSION": "raise api_version",
    "NOT_FOUND": "does the org have this api_version, and may the user read the object?",
    "MALFORMED_QUERY": "check the setting `where`",
    "INVALID_QUERY_FILTER_OPERATOR": "check the setting `where`",
}
# Bulk 2.0 refuses these: the same rows are there by REST. Matched in code or message, in lower case.
# Source: Bulk API 2.0 limits and query restrictions, in the words that Salesforce answers with.
NO_BULK_FOR_THIS_QUERY = (
    "selecting compound data not supported",
    "is not supported by the bulk api",
    "invalidentity",
    "implementation restriction",
)
NO_BULK_FOR_THIS_RUN = (
    "max bulk v2 query jobs",
    "max bulk v2 query result size",
    "limit_exceeded",
    "api_disabled_for_org",
    "featurenotenabled",
)


def refusal_of(body: Any) -> Refusal:
    """Code and message of an error body: an array in REST, an object at OAuth, anything at a proxy."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return Refusal(code="", message="the answer is not JSON of Salesforce's")
    return Refusal(
        code=str(first.get("errorCode") or first.get("error") or ""),
        message=str(first.get("message") or first.get("error_description") or ""),
    )


def verdict(status: int, body: Any) -> Verdict:
    """What an answer asks for; `body` is the parsed JSON (or the CSV), or None where it is none.

    A redirect, or a body that is not JSON behind a status of success, is a proxy's page or a cut answer: passing. One errorCode says two
    things: REQUEST_LIMIT_EXCEEDED for too many calls at once passes, for the day's total it does not.
    """
    if status in {204, 304} or (200 <= status < 300 and body is not None):
        return Verdict.USE
    if status < 400:
        return Verdict.TRY_AGAIN
    refusal = refusal_of(body)
    if refusal.code == "REQUEST_LIMIT_EXCEEDED":
        return Verdict.TRY_AGAIN if "concurrent" in refusal.message.lower() else Verdict.STOP_FOR_TODAY
    return BY_CODE.get(refusal.code) or BY_STATUS.get(status, Verdict.GIVE_UP)


def advice(code: str) -> str:
    """What to do, in brackets, or nothing."""
    return f" ({ADVICE[code]})" if code in ADVICE else ""


def bulk_refusal(code: str, message: str) -> bool | None:
    """Whether Bulk 2.0 refuses all queries of this run (True), this one only (False), or said something else (None)."""
    said = f"{code} {message}".lower()
    if any(text in said for text in NO_BULK_FOR_THIS_RUN):
        return True
    return False if any(text in said for text in NO_BULK_FOR_THIS_QUERY) else None
