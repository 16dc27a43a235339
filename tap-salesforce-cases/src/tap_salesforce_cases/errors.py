"""Core: what can end a run or a step of it, told by what the caller has to do."""

from __future__ import annotations


class TapError(Exception):
    """The run can't go on; the message says what to do. `exit_code` is the process's."""

    exit_code = 1


class SettingError(TapError):
    """A setting is missing or wrong: mend the one that the message names."""


class LoginRefusedError(TapError):
    """Salesforce refused the login: check the credentials that the message names."""


class UnreachableError(TapError):
    """No answer that can be used, after all tries: check the address, the network and Salesforce's status."""


class UnreadableObjectError(TapError):
    """The user may not read what a stream can't do without, or its fields have names of ours: do without the stream, or end."""


class StateRefusedError(TapError):
    """The state was made by another org or filter, or is no state of this tap: nothing was read."""


class QuotaReachedError(TapError):
    """The API calls that the tap may use are used up: run again later; what was emitted before is in the state."""


class StoppedError(TapError):
    """The process was told to stop; what was emitted before the last STATE is covered by it."""

    exit_code = 143


class SalesforceAnswerError(TapError):
    """Salesforce refused a call.

    Attributes:
        status: HTTP status.
        code: Salesforce's errorCode, or "" where the body has none.
        message: Salesforce's message.
        call: method and path, without query and host.
    """

    def __init__(self, *, status: int, code: str, message: str, call: str) -> None:
        self.status, self.code, self.message, self.call = status, code, message, call
        super().__init__(f"Salesforce answered {status} {code} to {call}: {message.strip()}")


class TransientError(TapError):
    """The call may go well when it is tried again."""


class CursorLostError(TapError):
    """The query locator is gone: ask again from the last row that was read."""


class QueryTooLongError(TapError):
    """QUERY_TIMEOUT: ask for a shorter window."""


class FieldGoneError(TapError):
    """INVALID_FIELD: a column can't be read any more: describe again and ask without it."""


class ReplicationGapError(TapError):
    """INVALID_REPLICATION_DATE: the delete log does not reach back so far: reconcile the ids."""


class TooManyIdsError(TapError):
    """EXCEEDED_ID_LIMIT: ask getDeleted for a shorter window."""


class BulkUnavailableError(TapError):
    """Bulk 2.0 can't give this query: read it by REST. `for_run` when it can't give any other one either."""

    def __init__(self, reason: str, *, for_run: bool) -> None:
        self.for_run = for_run
        super().__init__(reason)
