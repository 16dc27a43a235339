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
    "SERVER_UNAVAILABLE": Verdict.TRY_AGAIN,
    "UNKNOWN_EXCEPTION": Verdict.TRY_AGAIN,
    "UNABLE_TO_LOCK_ROW": Verdict.TRY_AGAIN,
}
# What to do about a refusal that no repeat changes, by errorCode.
ADVICE = {
    "UNSUPPORTED_API_VERSION": "name a newer version in api_version",
    "NOT_FOUND": "check api_version, and whether the user may read Case",
    "INVALID_TYPE": "give the Salesforce user read access to Case",
    "API_DISABLED_FOR_ORG": "the org's edition has no API, or the user lacks the permission API Enabled",
    "API_CURRENTLY_DISABLED": "the org's API is switched off",
    "INSUFFICIENT_ACCESS": "give the Salesforce user read access",
    "INVALID_SESSION_ID": "the session ended twice in a row: check the app's session policy and the user's IP ranges",
}
# 406 and 420 come from the edge while an org is moved; 408, 429 and 5xx are passing.
BY_STATUS = dict.fromkeys((406, 408, 420, 429, 500, 502, 503, 504), Verdict.TRY_AGAIN) | {
    401: Verdict.LOGIN_AGAIN
}


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
    """What an answer asks for; `body` is the parsed JSON, or None where it is none.

    A body that is not JSON behind a status of success is a proxy's page or a cut answer: passing. One errorCode says two
    things: REQUEST_LIMIT_EXCEEDED for too many calls at once passes, for the day's total it does not.
    """
    if status == 304 or (200 <= status < 300 and body is not None):
        return Verdict.USE
    if status < 400:
        return Verdict.TRY_AGAIN if 200 <= status < 300 else Verdict.GIVE_UP
    refusal = refusal_of(body)
    if refusal.code == "REQUEST_LIMIT_EXCEEDED":
        return Verdict.TRY_AGAIN if "concurrent" in refusal.message.lower() else Verdict.STOP_FOR_TODAY
    return BY_CODE.get(refusal.code) or BY_STATUS.get(status, Verdict.GIVE_UP)
