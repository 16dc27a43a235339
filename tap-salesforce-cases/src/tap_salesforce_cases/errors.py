"""Core: what can end a run, told by what the caller has to do."""

from __future__ import annotations

from dataclasses import dataclass


class TapError(Exception):
    """The run can't go on; the message says what to do."""


class SettingError(TapError):
    """A setting is missing or wrong: mend the one that the message names."""


class LoginRefusedError(TapError):
    """Salesforce refused the login: check the credentials that the message names."""


class UnreachableError(TapError):
    """No answer that can be used, after all tries: check the address, the network and Salesforce's status."""


class QuotaReachedError(TapError):
    """The day's API calls are used up: run again later; what was emitted before is in the state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceAnswerError(TapError):
    """Salesforce refused a call.

    Attributes:
        status: HTTP status.
        code: Salesforce's errorCode, or "" where the body has none.
        message: Salesforce's message.
        call: method and path, without query and host.
    """

    status: int
    code: str
    message: str
    call: str

    def __str__(self) -> str:
        return f"Salesforce answered {self.status} {self.code} to {self.call}: {self.message.strip()}"


class StateError(TapError):
    """The state can't be used: clear it and import again, or log in to the org that it is of."""


class TransientError(TapError):
    """The call may go well when it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorLostError(TapError):
    """The query locator is gone: ask again from the last row that was read."""

    detail: str = ""
