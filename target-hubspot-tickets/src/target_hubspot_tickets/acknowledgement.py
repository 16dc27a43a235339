"""Core: which state may leave: one whose records, and all before them, are confirmed or on record. Order is that of the stream.

High-water mark: rounds are confirmed in any order, states leave in theirs; of several that may leave only the newest matters
(Singer: STATE).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Covered:
    """A state, and the number of the last round that holds records which came before it."""

    round: int
    state: dict[str, Any]


@dataclass(slots=True)
class Acknowledgements:
    """States on their way out, and the rounds that hold them back. Round numbers rise from 1."""

    _open: set[int] = field(default_factory=set)
    _states: deque[_Covered] = field(default_factory=deque)

    def opened(self, number: int) -> None:
        """A round has its first record."""
        self._open.add(number)

    def confirmed(self, number: int) -> None:
        """Everything of a round is in HubSpot, or durably on record."""
        self._open.discard(number)

    def came(self, state: dict[str, Any], after_round: int) -> None:
        """A state came in the stream; `after_round` is the newest round opened so far, 0 if none was."""
        if self._states and self._states[-1].round == after_round:
            self._states.pop()  # the later of two that cover the same is enough
        self._states.append(_Covered(round=after_round, state=state))

    def take_due(self) -> dict[str, Any] | None:
        """The newest state that may leave now; None where none may."""
        lowest = min(self._open, default=None)
        due: dict[str, Any] | None = None
        while self._states and (lowest is None or self._states[0].round < lowest):
            due = self._states.popleft().state
        return due
