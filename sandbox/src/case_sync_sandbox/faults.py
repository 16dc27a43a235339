"""Core: which request meets which fault, from a declarative and seeded plan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from case_sync_sandbox.vendor_faults import READY_MADE, ReadyMade

Half = Literal["salesforce", "hubspot"]
Kind = Literal[
    "answer",  # answer with status, headers, body; the request is not run
    "latency",  # wait latency_ms, then run the request
    "drop_before_commit",  # close the connection; the request is not run
    "drop_after_commit",  # run the request, then close the connection without an answer
    "truncate_body",  # promise the whole body, send half of it, close
    "slow_drip",  # send the true answer in pieces, latency_ms apart
    "html_200",  # a proxy's or login page's 200 text/html; the request is not run
    "redirect",  # 302 to `location`; the request is not run
]
KINDS = get_args(Kind)


class FaultRuleError(ValueError):
    """A fault rule can't be read: mend the member that the message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What happens to a request that a rule meets. `latency_ms` is waited first whatever the kind."""

    kind: Kind
    latency_ms: float = 0.0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    location: str = "/"
    pieces: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A condition on requests, and the action for those that meet it.

    `path` is a regular expression searched in path + "?" + query. Counting starts at 1 with the rule's first matching request.
    Of `nth`, `every` and `probability` at most one; without them each match is hit. `times` ends the rule after that many hits.
    """

    action: Action
    half: Half | None = None
    method: str | None = None
    path: re.Pattern[str] = re.compile("")
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None

    def matches(self, half: str, method: str, target: str) -> bool:
        """Whether the rule speaks of such a request at all; counts come later."""
        return (
            self.half in (None, half)
            and self.method in (None, method)
            and self.path.search(target) is not None
        )


def rule_from_json(value: Mapping[str, Any]) -> FaultRule:
    """Read a rule from its JSON form; `action` is a kind or the name of a ready-made vendor answer.

    Raises:
        FaultRuleError: an unknown member, action, half, or a bad pattern.
    """
    known = {"half", "method", "path", "nth", "every", "probability", "times", "action"}
    details = {"latency_ms", "status", "headers", "body", "location", "pieces"}
    if unknown := set(value) - known - details:
        raise FaultRuleError(f"unknown members {sorted(unknown)}; a rule has {sorted(known | details)}")
    if value.get("half") not in (None, "salesforce", "hubspot"):
        raise FaultRuleError(f"half must be 'salesforce' or 'hubspot', not {value['half']!r}")
    if sum(value.get(name) is not None for name in ("nth", "every", "probability")) > 1:
        raise FaultRuleError("give at most one of nth, every, probability")
    method = value.get("method")
    return FaultRule(
        action=_action_from_json(value, details),
        half=value.get("half"),
        method=method.upper() if method else None,
        path=_pattern(value.get("path", "")),
        **{name: value.get(name) for name in ("nth", "every", "probability", "times")},
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise FaultRuleError(f"path is not a regular expression: {error}") from error


def _action_from_json(value: Mapping[str, Any], details: set[str]) -> Action:
    name = value.get("action", "latency" if "latency_ms" in value else "answer")
    given = {key: value[key] for key in details if key in value}
    if name in KINDS:
        return Action(kind=name, **given)
    ready = READY_MADE.get((value.get("half") or "hubspot", name))
    if ready is None:
        names = sorted({*KINDS, *(known for _, known in READY_MADE)})
        raise FaultRuleError(f"unknown action {name!r} for this half; known are {names}")
    return replace(_ready_action(ready), **given)


def _ready_action(ready: ReadyMade) -> Action:
    return Action(kind="answer", status=ready.status, headers=ready.headers, body=ready.body)


@dataclass(slots=True)
class _Count:
    matched: int = 0
    hit: int = 0


class FaultPlan:
    """Decides, request by request. The same plan with the same seed decides alike for the same sequence of requests."""

    def __init__(self, rules: list[FaultRule] | None = None, *, random_seed: int = 7) -> None:
        self._seed = random_seed
        self.resets = 0  # a request that a latency holds since before one belongs to a world that is gone
        self._rules: list[tuple[FaultRule, _Count]] = [(rule, _Count()) for rule in rules or []]

    def add(self, rule: FaultRule) -> None:
        """Add a rule; it counts from now on."""
        self._rules.append((rule, _Count()))

    def clear(self) -> None:
        """Forget all rules and counts."""
        self._rules.clear()

    def reset(self) -> None:
        """The same, for a sandbox that starts anew."""
        self.clear()
        self.resets += 1

    def counts(self) -> list[tuple[FaultRule, int, int]]:
        """Each rule with how many requests matched it and how many were hit."""
        return [(rule, count.matched, count.hit) for rule, count in self._rules]

    def decide(self, half: str, method: str, target: str) -> list[Action]:
        """The actions for this request, in order of the rules: every latency, and the first of the others."""
        actions: list[Action] = []
        decided = False
        for number, (rule, count) in enumerate(self._rules):
            if not rule.matches(half, method, target):
                continue
            count.matched += 1
            is_latency = rule.action.kind == "latency"
            if (decided and not is_latency) or not self._hits(number, rule, count):
                continue
            count.hit += 1
            decided = decided or not is_latency
            actions.append(rule.action)
        return actions

    def _hits(self, number: int, rule: FaultRule, count: _Count) -> bool:
        if rule.times is not None and count.hit >= rule.times:
            return False
        if rule.nth is not None:
            return count.matched == rule.nth
        if rule.every is not None:
            return count.matched % rule.every == 0
        return rule.probability is None or self._draw(number, count.matched) < rule.probability

    def _draw(self, number: int, matched: int) -> float:
        """A number in [0, 1) that depends on the seed, the rule and the count only."""
        digest = hashlib.blake2b(f"{self._seed}:{number}:{matched}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64
