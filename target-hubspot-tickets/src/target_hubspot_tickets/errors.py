"""Core: what can end a run or hold back a record, told by what the caller has to do; each ending has an exit code of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar


class TargetError(Exception):
    """The run can't go on; the message says what to do."""

    exit_code: ClassVar[int] = 1


class SettingError(TargetError):
    """A setting is wrong: mend the one that the message names."""

    exit_code = 3


class StreamError(TargetError):
    """The stream can't be loaded: mend what sends it."""

    exit_code = 3


class TokenRefusedError(TargetError):
    """HubSpot refused the token, or it lacks a scope: check access_token."""

    exit_code = 4


class QuotaReachedError(TargetError):
    """The day's API calls are used up, or the portal is being moved: run again later; what is confirmed is in the state."""

    exit_code = 5


class UnreachableError(TargetError):
    """No usable answer after all tries: check base_url, the network and HubSpot's status."""

    exit_code = 6


class TooManyRejectedError(TargetError):
    """More records were rejected than the settings allow: mend the cause, then run again or retry them."""

    exit_code = 7


class MassDeletionError(TargetError):
    """More tickets would be archived than the settings allow; none was. Look at the list, then confirm or discard."""

    exit_code = 8


class LockedError(TargetError):
    """Another run writes to this portal: wait for its end."""

    exit_code = 9


class LedgerError(TargetError):
    """The ledger can't be read or written: mend ledger_url or the disk; nothing that is not on record was acknowledged."""

    exit_code = 10


class AnswerFormError(TargetError):
    """HubSpot's answer is JSON of another form than HubSpot documents: run again; nothing of it was used."""


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """What is read inside is HubSpot's, or a proxy's: another form is an answer that is none, and no fault of this program.

    Raises:
        AnswerFormError: in place of what Python says of a member that is missing, or of another type.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise AnswerFormError(
            f"HubSpot's answer with {what} has not the form that HubSpot documents ({type(error).__name__}): run again"
        ) from None


class PreflightError(TargetError):
    """Something in the portal or the stream does not fit; nothing was written. `problems` lists all of it."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, start=1))
        super().__init__(f"nothing was written, because:\n{listed}")
        self.problems = tuple(problems)


class StoppedError(Exception):
    """The run was told to stop (SIGTERM, Ctrl-C), or another call ended it: send nothing more."""


@dataclass(kw_only=True, eq=False)  # not frozen: Python sets the traceback of what is raised
class HubSpotAnswerError(TargetError):
    """HubSpot refused a whole call.

    Attributes:
        status: HTTP status.
        category: HubSpot's category, or "".
        message: HubSpot's message; it may quote values, so it goes into no log.
        correlation_id: what HubSpot's support finds the call by.
        call: method and path.
        body: the whole answer; it may quote values.
    """

    status: int
    category: str
    message: str
    correlation_id: str
    call: str
    body: dict[str, object] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"HubSpot answered {self.status} {self.category} to {self.call} (correlation id {self.correlation_id or 'none'})"


@dataclass(eq=False)
class TransientError(TargetError):
    """The call may go well after `wait_seconds` (None: as long as the backoff says)."""

    text: str
    wait_seconds: float | None = field(default=None)

    def __str__(self) -> str:
        return self.text
