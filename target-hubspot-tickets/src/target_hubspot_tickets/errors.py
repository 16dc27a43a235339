"""Core: what can end a run or hold back a record, told by what the caller has to do."""

from __future__ import annotations

from dataclasses import dataclass, field


class TargetError(Exception):
    """The run can't go on; the message says what to do."""


class SettingError(TargetError):
    """A setting is wrong: mend the one that the message names."""


class TokenRefusedError(TargetError):
    """HubSpot refused the token, or it lacks a scope: check access_token."""


class QuotaReachedError(TargetError):
    """The day's API calls are used up: run again later; what is confirmed is in the state."""


class UnreachableError(TargetError):
    """No usable answer after all tries: check base_url, the network and HubSpot's status."""


class StreamError(TargetError):
    """The stream can't be loaded: mend what sends it."""


class PreflightError(TargetError):
    """Something in the portal or the stream does not fit; nothing was written. `problems` lists all of it."""

    def __init__(self, problems: list[str]) -> None:
        listed = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, start=1))
        super().__init__(f"nothing was written, because:\n{listed}")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotAnswerError(TargetError):
    """HubSpot refused a whole call.

    Attributes:
        status: HTTP status.
        category: HubSpot's category, or "".
        message: HubSpot's message; it may quote values, so it goes into no log.
        correlation_id: what HubSpot's support finds the call by.
        call: method and path.
    """

    status: int
    category: str
    message: str
    correlation_id: str
    call: str

    def __str__(self) -> str:
        return f"HubSpot answered {self.status} {self.category} to {self.call} (correlation id {self.correlation_id or 'none'})"


@dataclass(frozen=True, slots=True)
class TransientError(TargetError):
    """The call may go well after `wait_seconds` (None: as long as the backoff says)."""

    text: str
    wait_seconds: float | None = field(default=None)

    def __str__(self) -> str:
        return self.text
