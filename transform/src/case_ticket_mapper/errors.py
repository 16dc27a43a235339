"""Core: what can end a run, told by what the caller has to do."""

from __future__ import annotations

from collections.abc import Sequence


class MapperError(Exception):
    """The stream can't be mapped: mend what the message names, in the rules or in the tap."""


class RulesError(MapperError):
    """The rules can't be used; `problems` lists all of them, each with its path and what is allowed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class StoppedError(BaseException):
    """The process was told to stop; what is out of the messages is whole lines.

    A signal raises it anywhere, also inside of libraries that go on after an Exception, as logging does: so it is none.
    """

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__("stopped by a signal")
