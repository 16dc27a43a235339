"""Shell: HTTP to HubSpot: several calls side by side, paced, tried again, and a token that goes to one host only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import msgspec
import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from target_hubspot_tickets.bodies import Answer, whole
from target_hubspot_tickets.day_calls import DayCalls
from target_hubspot_tickets.errors import (
    HubSpotAnswerError,
    SettingError,
    StoppedError,
    TargetError,
    TransientError,
    UnreachableError,
)
from target_hubspot_tickets.pacing import Gate
from target_hubspot_tickets.protocol import Api, Call, Lane
from target_hubspot_tickets.refusals import error_of
from target_hubspot_tickets.tokens import FixedToken, RefreshedToken, Token
from target_hubspot_tickets.verdicts import Verdict, verdict, wait_seconds

logger = logging.getLogger("target-hubspot-tickets")
CONNECT_SECONDS = 10
PARTLY = 207  # some records of a batch were refused
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)
# Side by side of each kind; apart, so that calls that wait for one window do not hold up those of another.
_THREADS: dict[Lane, int] = {"general": 32, "associations": 8, "search": 4, "lookups": 12}
Given = TypeVar("Given")
Result = TypeVar("Result")
RETRIABLE = retry_if_exception_type(TransientError)


class HubSpotClient:
    """Calls one portal, from any thread. A context manager: at its end no call is under way."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._base_url = settings["base_url"].rstrip("/")
        self._timeout = (CONNECT_SECONDS, settings["request_timeout_seconds"])
        self._max_tries = settings["max_tries"]
        self._local = threading.local()
        self._token = self._token_of(settings)
        self._gate = Gate(settings["max_in_flight"])
        self.day = DayCalls()
        self._pools = {lane: ThreadPoolExecutor(n, f"hubspot-{lane}") for lane, n in _THREADS.items()}
        self._stopped = threading.Event()
        self._ended_by: TargetError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send nothing more and wait for the calls under way."""
        self.stop()
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    @property
    def ended_by(self) -> TargetError | None:
        """What ended the run, if a call did."""
        return self._ended_by

    @property
    def api_calls(self) -> int:
        """Calls sent so far, repeats included."""
        return self._gate.calls.total()

    @property
    def refusals(self) -> int:
        """Calls that HubSpot refused for their rate (429) or a lock (423)."""
        return self._gate.refusals.total()

    def stop(self) -> None:
        """Start no call any more; those that wait for their turn or for a repeat raise StoppedError."""
        self._stopped.set()
        self._gate.close()

    def check(self) -> None:
        """Between two steps that send nothing.

        Raises:
            StoppedError: the run was stopped.
        """
        if self._stopped.is_set():
            raise StoppedError("the run was stopped")

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until `stop`."""
        self._stopped.wait(seconds)

    def submit(self, lane: Lane, work: Callable[[Given], Result], given: Given) -> Future[Result]:
        """Do work that sends calls of this lane beside others; it may not submit work itself."""
        return self._pools[lane].submit(work, given)

    def send_all(self, calls: Sequence[Call]) -> list[dict[str, Any] | HubSpotAnswerError]:
        """The answers of calls sent side by side, in their order; a call that HubSpot refuses as a whole gives its error.

        Raises:
            TargetError: the run can't go on.
        """
        sent = [self.submit(call.bucket, self._answer_or_error, call) for call in calls]
        return [future.result() for future in sent]

    def answers(self, calls: Sequence[Call]) -> list[dict[str, Any] | HubSpotAnswerError]:
        """The same, one after the other in this thread: for work that was submitted itself."""
        return [self._answer_or_error(call) for call in calls]

    def _answer_or_error(self, call: Call) -> dict[str, Any] | HubSpotAnswerError:
        try:
            # An association that is forbidden waits; it holds up no ticket. Preflight asks for the scopes.
            return self.send(call, forbidden_is_answer=call.bucket == "associations")
        except HubSpotAnswerError as error:
            return error

    def send(self, call: Call, *, forbidden_is_answer: bool = False) -> dict[str, Any]:
        """The JSON of an answer; empty where it has none.

        Raises:
            HubSpotAnswerError: HubSpot refused the call: one of its records, or all of it.
            QuotaReachedError, TokenRefusedError, UnreachableError: the run can't go on; no later call is sent.
            StoppedError: the run was stopped before the call was confirmed.
        """
        retrying = Retrying(
            retry=RETRIABLE,
            stop=stop_after_attempt(self._max_tries),
            wait=_pause,
            sleep=sleep_using_event(self._stopped),
            before_sleep=lambda state: logger.warning("%s; trying again", _error(state)),
            retry_error_callback=_give_up,
        )
        try:
            return retrying(self._once, call, forbidden_is_answer)
        except HubSpotAnswerError:
            raise
        except TargetError as error:
            self._ended_by = self._ended_by or error
            raise

    def _once(self, call: Call, forbidden_is_answer: bool) -> dict[str, Any]:  # noqa: FBT001 - tenacity hands it through
        response = self._authorised(call)
        body = _body(call, response)
        status, retry_after = response.status, response.headers.get("Retry-After")
        judged = verdict(status, body, retry_after)
        if judged is Verdict.USE and status == PARTLY:  # errors of single records have no id of their own
            return {"correlationId": response.headers.get("X-HubSpot-Correlation-Id", ""), **body}
        if judged is Verdict.USE:
            return body or {}
        if judged is Verdict.TRY_AGAIN:
            wait = wait_seconds(status, body, retry_after)
            if status == 429:
                self._gate.refused(call, wait or 1.0)
            raise TransientError(f"HubSpot answered {status} to {call.method} {call.path}", wait)
        raise error_of(judged, call, status, body, forbidden_is_answer=forbidden_is_answer)

    def _authorised(self, call: Call) -> Answer:
        """The answer to a call with a token that holds: one that expired on the way is renewed once."""
        token = self._token.value()
        response = self._paced(call, token)
        if response.status == 401:
            self._token.renew(token)
            response = self._paced(call, self._token.value())
        return response

    def _paced(self, call: Call, token: str) -> Answer:
        """One request, when the gate lets it through.

        Raises:
            StoppedError: the run was stopped.
            TargetError: what ended the run in another thread.
        """
        try:
            started = self._gate.enter(call)
        except StoppedError:
            if self._ended_by:
                raise self._ended_by from None
            raise
        if self._ended_by:
            self._gate.leave(call, started, status=None, limit="", remaining="")
            raise self._ended_by
        response: Answer | None = None
        try:
            body = (
                call.body
                if isinstance(call.body, bytes)
                else msgspec.json.encode(call.body)
                if call.body
                else None
            )
            response = self._request(call.method, call.path, params=dict(call.params), data=body, token=token)
            return response
        finally:
            told: Mapping[str, str] = response.headers if response is not None else {}
            self.day.note(told)
            self._gate.leave(
                call,
                started,
                status=None if response is None else response.status,
                limit=told.get("X-HubSpot-RateLimit-Max", ""),
                remaining=told.get("X-HubSpot-RateLimit-Remaining", ""),
            )

    def _request(self, method: str, path: str, *, token: str | None = None, **content: Any) -> Answer:
        """One request; never follows a redirect, so that the token goes to no other host."""
        try:
            response = self._session().request(
                method,
                self._base_url + path,
                headers={"Content-Type": "application/json"} if token else None,
                auth=_Bearer(token) if token else None,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                **content,
            )
            return whole(response, self._timeout[1])
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise SettingError("base_url is no valid address") from None
        except requests.exceptions.SSLError:
            raise UnreachableError(f"the TLS certificate of {self._base_url} is not valid") from None
        except requests.exceptions.RequestException as error:
            raise TransientError(f"no answer from {self._base_url} ({type(error).__name__})") from None
        except OSError as error:
            raise SettingError(
                f"the certificates of REQUESTS_CA_BUNDLE can't be read ({type(error).__name__})"
            ) from None

    def _session(self) -> requests.Session:
        """A session for each thread: requests does not promise that threads can share one."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # The environment's proxies and certificates, looked up once and not for each call.
            found = session.merge_environment_settings(self._base_url, {}, None, None, None)
            session.trust_env = False
            session.proxies, session.verify = found["proxies"], found["verify"]
        return session

    def _token_of(self, settings: Mapping[str, Any]) -> Token:
        if settings["access_token"]:
            return FixedToken(settings["access_token"])
        return RefreshedToken(
            settings["client_id"],
            settings["client_secret"],
            settings["refresh_token"],
            self._ask_for_token(settings),
        )

    def _ask_for_token(self, settings: Mapping[str, Any]) -> Callable[[Mapping[str, str]], tuple[int, Any]]:
        path = Api(settings["api_version"]).token_path()

        def ask(form: Mapping[str, str]) -> tuple[int, Any]:
            response = self._request("POST", path, data=dict(form))
            if verdict(response.status, {}) is Verdict.TRY_AGAIN:
                raise TransientError(f"HubSpot answered {response.status} to POST {path}")
            return response.status, _json(response)

        return ask


class _Bearer(requests.auth.AuthBase):
    """The token of one request; set so that no netrc file of the machine replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _body(call: Call, response: Answer) -> Any:
    """What the answer says; None where it says nothing that can be read."""
    if call.read is None or response.status not in {200, 201, 207}:
        return _json(response)
    try:
        return call.read(response.content)
    except (ValueError, RecursionError):
        return None


def _json(response: Answer) -> Any:
    try:
        return msgspec.json.decode(response.content) if response.content else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    """As long as HubSpot says, else longer each time, at random."""
    error = _error(state)
    told = error.wait_seconds if isinstance(error, TransientError) else None
    return told if told is not None else _BACKOFF(state)


def _give_up(state: RetryCallState) -> NoReturn:
    raise UnreachableError(
        f"{_error(state)}; gave up. Check base_url, the network and HubSpot's status"
    ) from None
