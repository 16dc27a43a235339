"""Shell: sends things in bulk; a call that is refused as a whole goes again in halves, down to the thing at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from target_hubspot_tickets.errors import HubSpotAnswerError
from target_hubspot_tickets.protocol import Call

T = TypeVar("T")
Answer = dict[str, Any] | HubSpotAnswerError
SendAll = Callable[[Sequence[Call]], Sequence[Answer]]
# A whole call refused with one of these may have one thing at fault (hubspot-api 5); of any other, halves would say the same.
SPLIT = frozenset({400, 409, 413, 414})
REFUSALS = range(400, 500)
# So many calls of which not one goes well: it is not some of the things that is at fault, so no quota is spent on the rest.
HOPELESS_CALLS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T]):
    """Things that were sent in one call, its answer, and the number of the group that they come from."""

    items: list[T]
    answer: Answer
    group: int

    @property
    def error(self) -> HubSpotAnswerError | None:
        """Why the call was refused as a whole."""
        return self.answer if isinstance(self.answer, HubSpotAnswerError) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting(Generic[T]):
    items: list[T]
    group: int


def nobody(_items: list[T], _error: HubSpotAnswerError) -> list[T]:
    return []


def ask(
    send_all: SendAll,
    groups: Iterable[list[T]],
    call_of: Callable[[list[T]], Call],
    at_fault: Callable[[list[T], HubSpotAnswerError], list[T]] = nobody,
) -> list[Part[T]]:
    """The answers to calls of these groups, side by side; each thing is in one part.

    `at_fault` says which things of a refused call its error names: they are not sent again, the others are.

    Raises:
        HubSpotAnswerError: an answer that is no refusal, such as a redirect: it says nothing of what was asked.
        TargetError: the run can't go on.
    """
    parts: list[Part[T]] = []
    waiting = [_Waiting(items=items, group=number) for number, items in enumerate(groups)]
    while waiting:
        answers = send_all([call_of(one.items) for one in waiting])
        sent = [
            Part(items=one.items, answer=answer, group=one.group)
            for one, answer in zip(waiting, answers, strict=True)
        ]
        _raise_what_is_no_refusal(sent)
        if len(sent) >= HOPELESS_CALLS and all(part.error for part in sent):
            return parts + sent
        waiting = []
        for part in sent:
            settled, again = _split(part, at_fault)
            parts += settled
            waiting += again
    return parts


def _raise_what_is_no_refusal(parts: Iterable[Part[T]]) -> None:
    """Something between us and HubSpot has answered; to go on would leave undone what nobody would come back to."""
    for part in parts:
        if part.error and part.error.status not in REFUSALS:
            raise part.error


def _split(
    part: Part[T], at_fault: Callable[[list[T], HubSpotAnswerError], list[T]]
) -> tuple[list[Part[T]], list[_Waiting[T]]]:
    """What is decided of a part, and what is sent again.

    What is left beside the named ones goes in halves, too: of many faults HubSpot may name the first only.
    """
    error = part.error
    if error is None or len(part.items) == 1 or not is_about_its_contents(error):
        return [part], []
    named = at_fault(part.items, error)
    decided = [Part(items=named, answer=part.answer, group=part.group)] if named else []
    left = [item for item in part.items if item not in set(named)] if named else part.items
    middle = (len(left) + 1) // 2
    halves = [half for half in (left[:middle], left[middle:]) if half]
    return decided, [_Waiting(items=half, group=part.group) for half in halves]


def is_about_its_contents(error: HubSpotAnswerError) -> bool:
    """Whether something in the call is at fault: a status that says so, or a record that is not there (404 with a category)."""
    return error.status in SPLIT or error.category == "OBJECT_NOT_FOUND"


def accepted_size(parts: Iterable[Part[T]]) -> int | None:
    """The size that HubSpot takes, when it refused a larger call of which both halves went well: its size was at fault."""
    groups: dict[int, list[Part[T]]] = {}
    for part in parts:
        groups.setdefault(part.group, []).append(part)
    sizes = [
        max(len(part.items) for part in group)
        for group in groups.values()
        if len(group) > 1 and not any(part.error for part in group)
    ]
    return min(sizes, default=None)
