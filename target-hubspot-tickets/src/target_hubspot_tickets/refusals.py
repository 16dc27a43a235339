"""Core: an answer that a repeat would not change, to the error that says what the caller must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    QuotaReachedError,
    TargetError,
    TokenRefusedError,
)
from target_hubspot_tickets.protocol import Call
from target_hubspot_tickets.scopes import required_scopes
from target_hubspot_tickets.verdicts import Verdict


def error_of(
    judged: Verdict, call: Call, status: int, body: Any, *, forbidden_is_answer: bool
) -> TargetError:
    """The error of an answer that a repeat would not change."""
    if judged is Verdict.STOP_FOR_TODAY:
        return QuotaReachedError(
            "HubSpot's API calls of the day are used up; run again after midnight of the account, nothing is lost"
        )
    if judged is Verdict.STOP_MIGRATION:
        return QuotaReachedError(
            "HubSpot moves this account to another data centre; run again later, nothing is lost"
        )
    where = f"{call.method} {call.path}"
    if judged is Verdict.RENEW_TOKEN or (judged is Verdict.FORBIDDEN and not forbidden_is_answer):
        return TokenRefusedError(_advice(status, body, where))
    detail = body if isinstance(body, Mapping) else {}
    return HubSpotAnswerError(
        status=status,
        category=str(detail.get("category", "")),
        message=str(detail.get("message", "")),
        correlation_id=str(detail.get("correlationId", "")),
        call=where,
        body=dict(detail),
    )


def _advice(status: int, body: Any, where: str) -> str:
    """What to do about a token that was refused, or that lacks a scope."""
    scopes = required_scopes(body)
    if status == 403 and scopes:
        return f"access_token lacks a scope for {where}: add {' or '.join(scopes)} to the service key or app in HubSpot"
    if status == 403:
        return f"HubSpot allows access_token no {where}: check the permissions of the service key or app"
    return "HubSpot refused access_token: it is wrong, or it was revoked; check it in HubSpot under Development > Keys"
