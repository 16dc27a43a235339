"""Faults of both vendors, dealt by a seed, and counted by kind."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from case_sync_sandbox.testing import RunningSandbox

SOON = {"Retry-After": "0.01"}  # so that a test need not wait as long as HubSpot would have it
REFUSED = {"status": "error", "category": "VALIDATION_ERROR", "message": "one of them", "correlationId": "x"}
Rule = dict[str, Any]
# In no log, whatever happens.
LEAKS = re.compile(r"Traceback|a fault of this program|sandbox-secret|sandbox-token|sandbox-refresh")
# What passes by itself, on both sides.
CONNECTION: tuple[Rule, ...] = (
    {"action": "drop_before_commit"},
    {"action": "drop_after_commit"},
    {"action": "truncate_body"},
    {"action": "html_200"},
    {"action": "slow_drip", "latency_ms": 4},
    {"action": "latency", "latency_ms": 60},
)
PASSING: dict[str, tuple[Rule, ...]] = {
    "salesforce": (
        *CONNECTION,
        *({"action": name} for name in ("401", "403_concurrent", "500", "502", "503", "504")),
    ),
    "hubspot": (
        *CONNECTION,
        *(
            {"action": name, "headers": SOON}
            for name in ("429_ten_secondly", "429_secondly", "423", "477", "500", "503")
        ),
        *({"action": name, "headers": {"content-type": "text/html", **SOON}} for name in ("502", "504", "524")),
        # A batch refused as a whole, and nothing wrong with any of its records.
        {"action": "answer", "status": 400, "body": REFUSED, "path": "batch/(upsert|associate)"},
    ),
}  # fmt: skip
# What ends a run: the day is used up, the token is refused for good, a proxy wants a login.
ENDING: dict[str, tuple[Rule, ...]] = {
    "salesforce": ({"action": "403_daily"}, {"action": "redirect", "location": "/login"}),
    "hubspot": ({"action": "429_daily"}, {"action": "401"}, {"action": "redirect", "location": "/login"}),
}
LOOK_SECONDS = 0.02  # while requests are waited for
REQUESTS = {"salesforce": 12, "hubspot": 30}  # of a small run, so that most faults find one
KINDS_AT_LEAST = {
    "salesforce": {"drop_before_commit", "drop_after_commit", "truncate_body", "html_200", "slow_drip", "latency",
                   "redirect", "401", "403", "500", "502", "503", "504"},
    "hubspot": {"drop_before_commit", "drop_after_commit", "truncate_body", "html_200", "slow_drip", "latency",
                "redirect", "400", "401", "423", "429", "477", "500", "502", "503", "504", "524"},
}  # fmt: skip


def deal(dice: random.Random) -> list[Rule]:
    """Rules for one run: on each side some single faults, at times a whole series, seldom one that ends the run."""
    rules: list[Rule] = []
    for half, requests in REQUESTS.items():
        faults = dice.choices(PASSING[half], k=dice.randrange(2, 9))
        rules += [{"half": half, "nth": dice.randrange(1, requests), **fault} for fault in faults]
        if dice.random() < 0.25:
            rules.append({"half": half, "every": dice.randrange(4, 9), **dice.choice(PASSING[half])})
        if dice.random() < 0.15:
            rules.append({"half": half, "nth": dice.randrange(1, requests), **dice.choice(ENDING[half])})
    dice.shuffle(rules)
    return rules


def tally(sandbox: RunningSandbox) -> dict[str, Counter[str]]:
    """The faults that requests met so far, by side and kind; a vendor's refusal by its status."""
    counted: dict[str, Counter[str]] = {half: Counter() for half in REQUESTS}
    for request in sandbox.requests():
        for kind in (request["fault"] or "").split("+"):
            if kind:
                name = str(request["status"]) if kind == "answer" else kind
                counted[request["half"]][name] += 1
    return counted


HARMLESS = frozenset({"latency", "slow_drip"})  # the true answer comes whole, only later: nothing to bear
# What the vendors answered by themselves, by no rule, because a session, a token or a cursor of theirs was gone: half, status, path.
OF_THEMSELVES: dict[str, tuple[str, int, re.Pattern[str]]] = {
    "session expired": ("salesforce", 401, re.compile("")),
    "token expired": ("hubspot", 401, re.compile("")),
    "cursor lost": ("salesforce", 400, re.compile(r"/query/01g\w+-\d+$")),
}
JOB_LOST = re.compile(
    r"Bulk job \w+ is (?:Failed|Aborted)"
)  # in the tap's log: it has read it from the job's state


def effects(sandbox: RunningSandbox) -> Counter[str]:
    """What `Mischief` has done to requests so far, by kind; lost jobs are in the logs (`JOB_LOST`)."""
    counted: Counter[str] = Counter()
    for request in sandbox.requests():
        for kind, (half, status, path) in OF_THEMSELVES.items():
            is_such = (request["half"], request["status"]) == (half, status) and path.search(request["path"])
            counted[kind] += bool(is_such and "answer" not in (request["fault"] or ""))
    return +counted


class Mischief:
    """While a run is on, by a seed: sessions, tokens and cursors expire, Bulk jobs fail. A context manager."""

    def __init__(self, sandbox: RunningSandbox, dice: random.Random, work: Callable[[], None]) -> None:
        """`work` is what else happens meanwhile."""
        self._sandbox, self._work = sandbox, work
        self._deeds = dice.choices(range(len(self._DEEDS)), k=dice.randrange(1, 5))
        self._waits = [dice.randrange(1, 14) for _ in self._deeds]  # requests before each
        self._works = [dice.random() < 0.6 for _ in self._deeds]
        self._thread, self._is_over = threading.Thread(target=self._do), threading.Event()
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._switch(bulk_outcome="JobComplete", expire_locators=False)
        if self.error and not error:
            raise self.error

    def _do(self) -> None:
        try:
            for deed, requests, works in zip(self._deeds, self._waits, self._works, strict=True):
                self._wait(requests)
                self._DEEDS[deed](self)
                if works:
                    self._work()
        except Exception as error:  # noqa: BLE001 - the test's own thread raises it
            self.error = error

    def _wait(self, requests: int) -> None:
        """Until the run has made so many more: a session that ends before the login has no effect."""
        seen = len(self._sandbox.requests())
        while not self._is_over.wait(LOOK_SECONDS) and len(self._sandbox.requests()) - seen < requests:
            pass

    def _switch(self, **switches: Any) -> None:
        self._sandbox.admin("POST", "salesforce/switches", switches)

    def _expire_sessions(self) -> None:
        self._sandbox.admin("POST", "salesforce/expire-tokens")

    def _expire_tokens(self) -> None:
        self._sandbox.admin("POST", "hubspot/expire-tokens")

    def _expire_cursors(self) -> None:
        self._sandbox.admin("POST", "salesforce/expire-cursors")

    def _fail_jobs(self) -> None:
        self._switch(bulk_outcome="Failed")

    def _abort_jobs(self) -> None:
        self._switch(bulk_outcome="Aborted")

    def _mend_jobs(self) -> None:
        self._switch(bulk_outcome="JobComplete")

    def _lose_locators(self) -> None:
        self._switch(expire_locators=True)

    def _nothing(self) -> None:
        """But work."""

    _DEEDS: tuple[Callable[[Mischief], None], ...] = (
        _expire_sessions, _expire_tokens, _expire_cursors, _fail_jobs, _abort_jobs, _mend_jobs, _lose_locators, _nothing, _nothing,
    )  # fmt: skip
