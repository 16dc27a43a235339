"""Core: what can end a run or a step of it, told by what the caller has to do; each has an exit code."""

from __future__ import annotations


class TapError(Exception):
    """The run can't go on; the message says what to do. `exit_code` is the process's: 1 is a fault of this program."""

    exit_code: int = 1


class SettingError(TapError):
    """A setting is missing or wrong: mend the one that the message names."""

    exit_code = 3


class LoginRefusedError(TapError):
    """Salesforce refused the login: check the credentials that the message names."""

    exit_code = 4


class UnreachableError(TapError):
    """No answer that can be used, after all tries: check the address, the network and Salesforce's status."""

    exit_code = 6


class UnreadableObjectError(TapError):
    """The user may not read what a stream can't do without, or its fields have names of ours: do without the stream, or end."""

    exit_code = 3


class StateRefusedError(TapError):
    """The state was made by another org or filter, or is no state of this tap: nothing was read."""

    exit_code = 3


class QuotaReachedError(TapError):
    """The API calls that the tap may use are used up: run again later; what was emitted before is in the state."""

    exit_code = 5


class StoppedError(BaseException):
    """The process was told to stop; what was emitted before the last STATE is covered by it.

    A signal raises it anywhere, also inside of libraries that go on after an Exception, as logging does: so it is none.
    """

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__("stopped by a signal")


class SalesforceAnswerError(TapError):
    """Salesforce refused a call.

    Attributes:
        status: HTTP status.
        code: Salesforce's errorCode, or "" where the body has none.
        message: Salesforce's message.
        call: method and path, without query and host.
    """

    def __init__(self, *, status: int, code: str, message: str, call: str, is_mendable: bool = False) -> None:
        """`is_mendable` says that a setting or a permission mends it, as the message tells."""
        self.exit_code = (
            LoginRefusedError if status in {401, 403} else SettingError if is_mendable else TapError
        ).exit_code
        self.status, self.code, self.message, self.call = status, code, message, call
        super().__init__(f"Salesforce answered {status} {code} to {call}: {message.strip()}")


class TransientError(TapError):
    """The call may go well when it is tried again."""

    exit_code = 6


class CursorLostError(TapError):
    """The query locator is gone: ask again from the last row that was read."""

    exit_code = 6


class QueryTooLongError(TapError):
    """QUERY_TIMEOUT: ask for a shorter window."""

    exit_code = 6


class FieldGoneError(TapError):
    """INVALID_FIELD: a column can't be read any more: describe again and ask without it."""

    exit_code = 3


class ReplicationGapError(TapError):
    """INVALID_REPLICATION_DATE: the delete log does not reach back so far: reconcile the ids."""


class TooManyIdsError(TapError):
    """EXCEEDED_ID_LIMIT: ask getDeleted for a shorter window."""


class BulkUnavailableError(TapError):
    """Bulk 2.0 can't give this query: read it by REST. `for_run` when it can't give any other one either."""

    def __init__(self, reason: str, *, for_run: bool) -> None:
        self.for_run = for_run
        super().__init__(reason)
