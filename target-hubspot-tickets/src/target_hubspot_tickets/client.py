"""Shell: HTTP to HubSpot: rate windows, retries, and a token that goes to one host only."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    QuotaReachedError,
    SettingError,
    TokenRefusedError,
    TransientError,
    UnreachableError,
)
from target_hubspot_tickets.protocol import Call
from target_hubspot_tickets.rate_limits import first_windows
from target_hubspot_tickets.verdicts import Verdict, verdict, wait_seconds

logger = logging.getLogger("target-hubspot-tickets")
CONNECT_SECONDS = 10
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)


class HubSpotClient:
    """Calls one portal. One thread at a time."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._base_url = settings["base_url"].rstrip("/")
        self._timeout = (CONNECT_SECONDS, settings["request_timeout_seconds"])
        self._max_tries = settings["max_tries"]
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {settings['access_token']}"
        self._windows = first_windows()
        self.api_calls = 0

    def send(self, call: Call) -> dict[str, Any]:
        """The JSON of an answer; empty where it has none.

        Raises:
            HubSpotAnswerError: HubSpot refused the call: one of its records, or all of it.
            QuotaReachedError, TokenRefusedError, UnreachableError: the run can't go on.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._max_tries),
            wait=_pause,
            before_sleep=lambda state: logger.warning("%s; trying again", _error(state)),
            retry_error_callback=_give_up,
        )
        return retrying(self._once, call)

    def _once(self, call: Call) -> dict[str, Any]:
        time.sleep(self._windows[call.bucket].take(time.monotonic()))
        self.api_calls += 1
        response = self._request(call)
        self._learn(call, response)
        body = _json(response)
        judged = verdict(response.status_code, body)
        if judged is Verdict.USE:
            return body or {}
        where = f"{call.method} {call.path}"
        if judged is Verdict.TRY_AGAIN:
            wait = wait_seconds(response.status_code, body, response.headers.get("Retry-After"))
            raise TransientError(f"HubSpot answered {response.status_code} to {where}", wait)
        if judged is Verdict.STOP_FOR_TODAY:
            raise QuotaReachedError(
                "HubSpot's API calls of the day are used up; run again after midnight of the account, nothing is lost"
            )
        if judged is Verdict.STOP_ACCESS:
            raise TokenRefusedError(refusal(response.status_code, body, where))
        detail = body if isinstance(body, Mapping) else {}
        raise HubSpotAnswerError(
            status=response.status_code, category=str(detail.get("category", "")), message=str(detail.get("message", "")),
            correlation_id=str(detail.get("correlationId", "")), call=where,
        )  # fmt: skip

    def _request(self, call: Call) -> requests.Response:
        """One request; never follows a redirect, so that the token goes to no other host."""
        try:
            return self._http.request(
                call.method,
                self._base_url + call.path,
                params=dict(call.params),
                json=call.body,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise SettingError("base_url is no valid address") from None
        except requests.exceptions.SSLError:
            raise UnreachableError(f"the TLS certificate of {self._base_url} is not valid") from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"no answer from {self._base_url} ({type(error).__name__})") from None

    def _learn(self, call: Call, response: requests.Response) -> None:
        """The allowed rate, as HubSpot tells it with each answer."""
        told = response.headers.get("X-HubSpot-RateLimit-Max", "")
        if told.isdigit() and call.bucket != "search":
            self._windows[call.bucket].limit = max(int(told), 1)


def refusal(status: int, body: Any, where: str) -> str:
    """What to do about a token that was refused, or that lacks a scope."""
    errors = body.get("errors") or () if isinstance(body, Mapping) else ()
    scopes = [s for e in errors for s in (e.get("context") or {}).get("requiredGranularScopes", ())]
    if status == 403 and scopes:
        return f"access_token lacks a scope for {where}: add {' or '.join(scopes)} to the service key or app in HubSpot"
    if status == 403:
        return f"HubSpot allows access_token no {where}: check the permissions of the service key or app"
    return "HubSpot refused access_token: it is wrong, or it was revoked; check it in HubSpot under Development > Keys"


def _json(response: requests.Response) -> Any:
    try:
        return response.json() if response.content else None
    except requests.exceptions.JSONDecodeError:
        return None


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    """As long as HubSpot says, else longer each time, at random."""
    error = _error(state)
    told = error.wait_seconds if isinstance(error, TransientError) else None
    return told if told is not None else _BACKOFF(state)


def _give_up(state: RetryCallState) -> Any:
    raise UnreachableError(
        f"{_error(state)}; gave up. Check base_url, the network and HubSpot's status"
    ) from None
