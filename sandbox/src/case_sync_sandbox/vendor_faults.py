"""Core: the vendors' own refusals, ready to be named in a fault rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CORRELATION_ID = "a43683b0-5717-4ceb-80b4-104d02915d8c"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyMade:
    """A vendor's answer: status, extra headers, and a body (JSON value, or text as it is)."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def hubspot_rate_limit(policy: str, message: str, group: str) -> dict[str, Any]:
    """HubSpot's 429 body ("Usage guidelines", error responses). Its `errorType` stands where others have `category`."""
    return {
        "status": "error",
        "message": message,
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION_ID,
        "policyName": policy,
        "groupName": group,
    }


TEN_SECONDLY = hubspot_rate_limit(
    "TEN_SECONDLY_ROLLING",
    "You have reached your ten_secondly_rolling limit.",
    "publicapi:private_app-api-calls-ten-secondly:1:44556677",
)
SECONDLY = hubspot_rate_limit(
    "SECONDLY", "You have reached your secondly limit.", "publicapi:crm:search:oauth:44556677"
)
DAILY = hubspot_rate_limit(
    "DAILY", "You have reached your daily limit.", "publicapi:private_app-api-calls-daily:1:44556677"
) | {"requestId": "e1f9c7b0a2d84a5c"}


def _hubspot(message: str, category: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": CORRELATION_ID, "category": category}


def _salesforce(code: str, message: str) -> list[dict[str, str]]:
    return [{"message": message, "errorCode": code}]


def _gateway_page(status: int, title: str) -> ReadyMade:
    """What a gateway in front of the vendor says: HTML, not JSON."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return ReadyMade(status=status, body=page, headers={"content-type": "text/html"})


# HubSpot: "Error handling" (423, 477, 5xx) and "Usage guidelines" (429). Bodies of 5xx are not documented: HTML from the
# gateway for 502/504/524, JSON for 500/503; no referee can confirm them.
HUBSPOT: dict[str, ReadyMade] = {
    "429_ten_secondly": ReadyMade(status=429, body=TEN_SECONDLY),
    "429_secondly": ReadyMade(status=429, body=SECONDLY),
    "429_daily": ReadyMade(status=429, body=DAILY),
    "401": ReadyMade(
        status=401,
        body=_hubspot("Authentication credentials not found.", "INVALID_AUTHENTICATION"),
    ),
    "423": ReadyMade(status=423, body=_hubspot("The resource is locked; wait at least 2 seconds.", "LOCKED")),
    "477": ReadyMade(
        status=477,
        body=_hubspot("The account is being migrated between data centers.", "MIGRATION_IN_PROGRESS"),
        headers={"retry-after": "3600"},
    ),
    "500": ReadyMade(status=500, body=_hubspot("internal error", "INTERNAL_ERROR")),
    "502": _gateway_page(502, "Bad Gateway"),
    "503": ReadyMade(status=503, body=_hubspot("Service temporarily unavailable.", "SERVICE_UNAVAILABLE")),
    "504": _gateway_page(504, "Gateway Timeout"),
    "524": _gateway_page(524, "A timeout occurred"),
}

# Salesforce: REST API "Status Codes and Error Responses".
SALESFORCE: dict[str, ReadyMade] = {
    "401": ReadyMade(status=401, body=_salesforce("INVALID_SESSION_ID", "Session expired or invalid")),
    "403_daily": ReadyMade(
        status=403, body=_salesforce("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    ),
    "403_concurrent": ReadyMade(
        status=403,
        body=_salesforce(
            "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        ),
    ),
    "500": ReadyMade(
        status=500,
        body=_salesforce("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId"),
    ),
    "502": _gateway_page(502, "Bad Gateway"),
    "503": ReadyMade(
        status=503, body=_salesforce("SERVER_UNAVAILABLE", "The server is temporarily unavailable.")
    ),
    "504": _gateway_page(504, "Gateway Timeout"),
}

READY_MADE: dict[tuple[str, str], ReadyMade] = {
    **{("hubspot", name): answer for name, answer in HUBSPOT.items()},
    **{("salesforce", name): answer for name, answer in SALESFORCE.items()},
}
