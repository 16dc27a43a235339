"""Shell: HTTP to Salesforce: login, one more login when the session ends, retries, and no token to any other host."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from tap_salesforce_cases.api_errors import ADVICE, Verdict, refusal_of, verdict
from tap_salesforce_cases.errors import (
    CursorLostError,
    LoginRefusedError,
    QuotaReachedError,
    SalesforceAnswerError,
    SettingError,
    TapError,
    TransientError,
    UnreachableError,
)  # fmt: skip
from tap_salesforce_cases.login import TOKEN_PATH, Session, assertion_claims, read_token, token_form
from tap_salesforce_cases.quota import Usage, overdrawn, read_usage

logger = logging.getLogger("tap-salesforce-cases")
CONNECT_SECONDS = 10
LONGEST_WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A usable answer: JSON, and the server's clock when it was given (aware, to the second)."""

    json: Any
    server_time: datetime


class SalesforceSession:
    """One login's worth of calls. Safe among threads: they share one session and log in again once for all."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._http = requests.Session()
        self._http.headers["Accept-Encoding"] = "gzip"
        self._lock = threading.Lock()
        self._session: Session | None = None
        self.api_calls = 0
        self.usage: Usage | None = None

    @property
    def base_path(self) -> str:
        return f"/services/data/v{self._settings['api_version']}"

    @property
    def session(self) -> Session:
        """The open session; logs in at first use.

        Raises:
            TapError: the login was refused, or Salesforce can't be reached.
        """
        with self._lock:
            if self._session is None:
                self._session = self._retrying()(self._login)
            return self._session

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET a path of the instance (it starts with a slash).

        Raises:
            CursorLostError: a query locator is gone.
            QuotaReachedError: the day's calls are used up.
            SalesforceAnswerError: any other refusal.
            UnreachableError: no usable answer after all tries.
        """
        if not path.startswith("/") or urlsplit(path).netloc:
            raise SalesforceAnswerError(
                status=0,
                code="",
                message="the next page is on another host; no token was sent there",
                call=path[:40],
            )
        return self._retrying()(self._get_once_logged_in, path, params, headers)

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._settings["max_tries"]),
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS),
            before_sleep=lambda state: logger.warning(
                "%s; trying again", state.outcome.exception() if state.outcome else ""
            ),
            retry_error_callback=lambda state: _give_up(state.outcome.exception() if state.outcome else None),
        )

    def _get_once_logged_in(
        self, path: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        session = self.session
        response = self._send(session, path, params, headers)
        if verdict(response.status_code, _json(response)) is Verdict.LOGIN_AGAIN:
            response = self._send(self._login_again(session), path, params, headers)
        return self._judged(response, path)

    def _login_again(self, ended: Session) -> Session:
        """A new session, unless another thread has one already."""
        with self._lock:
            if self._session is ended:
                logger.info("The Salesforce session ended; logging in again")
                self._session = self._login()
            return self._session or self._login()

    def _send(
        self, session: Session, path: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> requests.Response:
        self.api_calls += 1
        return self._request(
            "GET",
            session.instance_url + path,
            params=params,
            headers={**(headers or {}), "Authorization": f"Bearer {session.access_token}"},
        )

    def _request(self, method: str, url: str, **more: Any) -> requests.Response:
        """One request; never follows a redirect, so that no token goes to another host."""
        try:
            return self._http.request(
                method,
                url,
                timeout=(CONNECT_SECONDS, self._settings["request_timeout_seconds"]),
                allow_redirects=False,
                **more,
            )
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"the TLS certificate of {_origin(url)} is not valid: {type(error).__name__}"
            ) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise SettingError(f"login_url is no valid address ({type(error).__name__})") from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"no answer from {_origin(url)} ({type(error).__name__})") from None

    def _judged(self, response: requests.Response, path: str) -> Answer:
        self.usage = read_usage(response.headers.get("Sforce-Limit-Info")) or self.usage
        body = _json(response)
        call = f"GET {path.split('?', maxsplit=1)[0]}"
        judged = verdict(response.status_code, body)
        if judged is Verdict.USE:
            self._keep_to_the_quota()
            return Answer(json=body, server_time=_server_time(response))
        refusal = refusal_of(body)
        if judged is Verdict.TRY_AGAIN:
            raise TransientError(f"Salesforce answered {response.status_code} {refusal.code} to {call}")
        if judged is Verdict.ASK_AGAIN:
            raise CursorLostError(detail=refusal.code)
        if judged is Verdict.STOP_FOR_TODAY:
            raise QuotaReachedError(
                "Salesforce's API calls of the day are used up (REQUEST_LIMIT_EXCEEDED); run again later, nothing is lost"
            )
        told = (
            f"{refusal.message.strip()}; {ADVICE[refusal.code]}"
            if refusal.code in ADVICE
            else refusal.message
        )
        raise SalesforceAnswerError(status=response.status_code, code=refusal.code, message=told, call=call)

    def _keep_to_the_quota(self) -> None:
        """Others need the org's calls, too."""
        why = overdrawn(self.usage, self._settings["quota_percent"]) if self.usage else None
        if why:
            raise QuotaReachedError(why)

    def _login(self) -> Session:
        url = self._settings["login_url"].rstrip("/")
        response = self._request("POST", url + TOKEN_PATH, data=token_form(self._settings, self._assertion()))
        if response.status_code in {429, 500, 502, 503, 504}:
            raise TransientError(f"Salesforce answered {response.status_code} to the login")
        return read_token(response.status_code, _json(response), url)

    def _assertion(self) -> str | None:
        if self._settings["auth_method"] != "jwt_bearer":
            return None
        import jwt  # noqa: PLC0415 - its cryptography is slow to import, and only this way to log in needs it

        try:
            return jwt.encode(
                assertion_claims(self._settings, time.time()),
                self._settings["private_key"],
                algorithm="RS256",
            )
        except (ValueError, TypeError, jwt.PyJWTError):
            raise LoginRefusedError("private_key is no RSA private key in PEM form") from None


def _give_up(error: BaseException | None) -> Any:
    raise UnreachableError(
        f"{error}; gave up. Check login_url, the network and Salesforce's status"
    ) from None


def _json(response: requests.Response) -> Any:
    if response.status_code == 304:
        return None
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError:
        return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _server_time(response: requests.Response) -> datetime:
    """The server's clock: HTTP's Date; this machine's may be wrong."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise TapError("the answer has no Date header: bookmarks need the server's clock") from None
