"""Shell: HTTP to Salesforce: one more login when the session ends, retries, the quota, and no token to any other host."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import IO, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from tap_salesforce_cases.api_errors import Verdict, advice, refusal_of, verdict
from tap_salesforce_cases.bodies import body_of, origin, spooled
from tap_salesforce_cases.errors import (
    CursorLostError,
    FieldGoneError,
    QueryTooLongError,
    QuotaReachedError,
    ReplicationGapError,
    SalesforceAnswerError,
    SettingError,
    TapError,
    TooManyIdsError,
    TransientError,
    UnreachableError,
)  # fmt: skip
from tap_salesforce_cases.login import Session
from tap_salesforce_cases.login_call import Credentials
from tap_salesforce_cases.quota import Allowance, Usage, overdrawn, read_usage

logger = logging.getLogger("tap-salesforce-cases")
CONNECT_SECONDS = 10
LONGEST_WAIT_SECONDS = 60
# What a refusal becomes, where it is not simply given up.
RAISED: dict[Verdict, type[TapError]] = {
    Verdict.TRY_AGAIN: TransientError,
    Verdict.ASK_AGAIN: CursorLostError,
    Verdict.HALVE: QueryTooLongError,
    Verdict.DESCRIBE_AGAIN: FieldGoneError,
    Verdict.RECONCILE: ReplicationGapError,
    Verdict.FEWER_IDS: TooManyIdsError,
    Verdict.STOP_FOR_TODAY: QuotaReachedError,
}
DECODER = msgspec.json.Decoder(float_hook=Decimal)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A usable answer: JSON (None for 204 and 304), its headers, and the server's clock (aware, to the second)."""

    json: Any
    headers: Mapping[str, str]
    server_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file of a usable answer, at its start, and the answer's headers. The file is gone once it is closed."""

    file: IO[bytes]
    headers: Mapping[str, str]


class SalesforceSession:
    """One login's worth of calls. Safe among threads: they share one session and log in again once for all."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._read_seconds: float = settings["request_timeout_seconds"]
        self._http = requests.Session()
        self._http.headers["Accept-Encoding"] = "gzip"
        self._credentials = Credentials(settings)
        self._allowance = Allowance(
            total_percent=settings["quota_percent"], run_percent=settings["quota_percent_per_run"]
        )
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
                self._session = self._retrying(self._login)
            return self._session

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET a path of the instance (it starts with a slash).

        Raises:
            CursorLostError, QueryTooLongError, FieldGoneError, ReplicationGapError, TooManyIdsError: as they say.
            QuotaReachedError: the day's calls are used up, or the tap's share of them.
            SalesforceAnswerError: any other refusal.
            UnreachableError: no usable answer after all tries.
        """
        return self.call("GET", path, params=params, headers=headers)

    def call(self, method: str, path: str, **more: Any) -> Answer:
        """Any request whose answer is JSON; raises as `get` does. Every one that the tap makes may be repeated."""
        return self._retrying(lambda: self._read_json(method, _own_path(path), more))

    def download(self, path: str) -> Download:
        """GET a CSV into a temporary file, decompressed on the way; raises as `get` does."""
        return self._retrying(lambda: self._read_file(_own_path(path)))

    def _read_json(self, method: str, path: str, more: Mapping[str, Any]) -> Answer:
        with self._send(method, path, more) as response:
            body = _json(self._body(response))
            self._judge(response, body, f"{method} {path.split('?', maxsplit=1)[0]}")
            return Answer(json=body, headers=response.headers, server_time=_server_time(response))

    def _read_file(self, path: str) -> Download:
        with self._send("GET", path, {"headers": {"Accept": "text/csv"}}) as response:
            is_csv = response.status_code == 200 and "csv" in response.headers.get("Content-Type", "")
            body = True if is_csv else _json(self._body(response)) if response.status_code >= 400 else None
            self._judge(response, body, f"GET {path.split('?', maxsplit=1)[0]}")
            return Download(file=spooled(response, self._read_seconds), headers=response.headers)

    def _body(self, response: requests.Response) -> bytes:
        return body_of(response, self._read_seconds)

    def _retrying(self, work: Callable[[], T]) -> T:
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._settings["max_tries"]),
            wait=wait_random_exponential(
                multiplier=self._settings["retry_wait_seconds"], max=LONGEST_WAIT_SECONDS
            ),
            before_sleep=lambda state: logger.warning("%s; trying again", _failure(state)),
            retry_error_callback=_give_up,
        )
        return retrying(work)

    def _send(self, method: str, path: str, more: Mapping[str, Any]) -> requests.Response:
        """The answer, its body not read yet; with one more login when the session has ended."""
        session = self.session
        response = self._request_as(session, method, path, more)
        if response.status_code == 401:
            response.close()
            response = self._request_as(self._login_again(session), method, path, more)
        return response

    def _request_as(
        self, session: Session, method: str, path: str, more: Mapping[str, Any]
    ) -> requests.Response:
        with self._lock:
            self.api_calls += 1
        return self._request(method, session.instance_url + path, auth=_Bearer(session.access_token), **more)

    def _request(self, method: str, url: str, **more: Any) -> requests.Response:
        """One request; never follows a redirect, so that no token goes to another host."""
        timeout = (CONNECT_SECONDS, self._read_seconds)
        try:
            return self._http.request(
                method, url, timeout=timeout, allow_redirects=False, stream=True, **more
            )
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"the TLS certificate of {origin(url)} is not valid: {type(error).__name__}"
            ) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise SettingError(f"login_url is no valid address ({type(error).__name__})") from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"no answer from {origin(url)} ({type(error).__name__})") from None

    def _login_again(self, ended: Session) -> Session:
        """A new session, unless another thread has one already."""
        with self._lock:
            if self._session is None or self._session is ended:
                logger.info("The Salesforce session ended; logging in again")
                self._session = self._login()
            return self._session

    def _login(self) -> Session:
        def post(url: str, form: Mapping[str, str]) -> tuple[int, Any]:
            with self._request("POST", url, auth=_Bearer(None), data=form) as response:
                return response.status_code, _json(self._body(response))

        return self._credentials.login(post)

    def _judge(self, response: requests.Response, body: Any, call: str) -> None:
        """Let a usable answer pass; the quota counts before it does.

        Raises:
            TapError: what `RAISED` says for the verdict.
        """
        self.usage = read_usage(response.headers.get("Sforce-Limit-Info")) or self.usage
        judge(response.status_code, body, call)
        if reason := self.usage and overdrawn(self.usage, self.api_calls, self._allowance):
            raise QuotaReachedError(f"stopped: {reason}; run again later, nothing is lost")


class _Bearer(requests.auth.AuthBase):
    """The token of one request, or none; set so that no netrc file of the machine says who we are."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def judge(status: int, body: Any, call: str) -> None:
    """Let a usable answer pass.

    Raises:
        TapError: what `RAISED` says for the verdict.
    """
    judged = verdict(status, body)
    if judged is Verdict.USE:
        return
    refusal = refusal_of(body)
    # In one line: whoever reads the log line by line gets all of it.
    told = " ".join(refusal.message.split()) + advice(refusal.code)
    if raised := RAISED.get(judged):
        raise raised(f"Salesforce answered {status} {refusal.code} to {call}: {told}")
    raise SalesforceAnswerError(
        status=status, code=refusal.code, message=told, call=call, is_mendable=bool(advice(refusal.code))
    )


def _own_path(path: Any) -> str:
    """A path of the instance; one that names a host gets no token.

    Raises:
        TapError: it is another host's, or none.
    """
    if not isinstance(path, str):
        raise TapError("Salesforce's answer names a next page that is no address: run again")
    if not path.startswith("/") or urlsplit(path).netloc:
        raise TapError("Salesforce's answer names a next page on another host; no token was sent there")
    return path


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _give_up(state: RetryCallState) -> NoReturn:
    raise UnreachableError(
        f"{_failure(state)}; gave up after {state.attempt_number} tries. Check login_url, the network and Salesforce's status"
    ) from None


def _json(content: bytes) -> Any:
    try:
        return DECODER.decode(content) if content else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _server_time(response: requests.Response) -> datetime:
    """The server's clock: HTTP's Date; this machine's may be wrong."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise TransientError("the answer has no Date header: bookmarks need the server's clock") from None
