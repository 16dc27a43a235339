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
