"""Support people at work: a Salesforce org that changes at random, by a seed, also while it is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.testing import RunningSandbox

from .expected import PLACES, Row, by_id

TEXTS = (None, "", "short", "Zeile eins\nZeile zwei", 'Say "yes", then\r\nno', "\U0001f6e0 Größe Ünïcödé", "ab\t;c,d", "מרחק", "x" * 3_000)  # fmt: skip
CLOSING = {"Closed", "Resolved"}
FIRST_WITHOUT_RULE = 500_000
LATE_SECONDS = 500  # below the lookback of 600


class SupportTeam:
    """Changes cases. A case with a change that is stamped and not yet committed is left alone until it is: its versions never fall."""

    def __init__(self, sandbox: RunningSandbox, dice: random.Random) -> None:
        self._sandbox, self._dice = sandbox, dice
        cases = by_id(sandbox, "Case")
        self._model = next(case for case in cases.values() if not case["IsDeleted"])
        self.live = sorted(i for i, case in cases.items() if not case["IsDeleted"])
        self.binned: list[str] = []
        self.deleted = {i for i, case in cases.items() if case["IsDeleted"]}  # at any time, merged ones too
        self._record_types = {row["Name"]: i for i, row in by_id(sandbox, "RecordType").items()}
        self._people = sorted(by_id(sandbox, "Contact").items())
        self._owners = [*by_id(sandbox, "User"), *by_id(sandbox, "Group")]
        self._number = 0

    def work(self, changes: int) -> None:
        for _ in range(changes):
            self._dice.choice(self._CHANGES)(self)

    def commit_all(self) -> int:
        """How many changes were stamped and not yet to be seen."""
        return int(self._sandbox.admin("POST", "salesforce/commit")["committed"])

    # -- one change each

    def _edit(self) -> None:
        self._record("update", id=self._dice.choice(self.live), values=self._values())

    def _commit_late(self) -> None:
        case_id = self._take()
        if case_id:
            change = ["Case", case_id, self._values()]
            seconds = self._dice.randrange(1, LATE_SECONDS)
            self._sandbox.admin("POST", "salesforce/late-commit", {"changes": [change], "seconds": seconds})

    def _delete(self) -> None:
        if case_id := self._take():
            self._record("delete", id=case_id)
            self.binned.append(case_id)
            self.deleted.add(case_id)

    def _undelete(self) -> None:
        if self.binned:
            case_id = self.binned.pop(self._dice.randrange(len(self.binned)))
            self._record("undelete", id=case_id)
            self.live.append(case_id)

    def _purge(self) -> None:
        if self.binned:
            self._record("purge", id=self.binned.pop())

    def _merge(self) -> None:
        if len(self.live) > 3 and (loser := self._take()):
            self._record("merge", winner=self._dice.choice(self.live), losers=[loser])
            self.deleted.add(loser)

    def _add(self) -> None:
        self.live += self._sandbox.mutate(adds=2, random_seed=self._dice.randrange(10_000))["added"]

    def _add_without_rule(self) -> None:
        """A status that no rule names: on record as rejected, until somebody gives it another."""
        self._number += 1
        number = FIRST_WITHOUT_RULE - self._number  # downwards: the sandbox's own new cases count upwards
        case_id = make_id("Case", number)
        changed = {"Id": case_id, "CaseNumber": f"{number:08d}", "Status": "On Ice", "IsClosed": 0}
        moments = {"SystemModstamp", "CreatedDate", "LastModifiedDate"}  # those of now
        made = {n: v for n, v in (self._model | changed).items() if n not in moments}
        self._record("insert", records=[made])  # at once: a run may look at any moment
        if self._dice.random() < 0.5:
            self.live.append(case_id)

    _CHANGES: tuple[Callable[[SupportTeam], None], ...] = (
        _edit, _edit, _edit, _edit, _commit_late, _delete, _undelete, _purge, _merge, _add, _add_without_rule,
    )  # fmt: skip

    # -- what they change

    def _take(self) -> str | None:
        """A case that is not touched any more."""
        return self.live.pop(self._dice.randrange(len(self.live))) if len(self.live) > 3 else None

    def _values(self) -> Row:
        self._number += 1
        record_type = self._dice.choice(list(PLACES))
        status = self._dice.choice(list(PLACES[record_type][1]))
        contact_id, contact = self._dice.choice(self._people)
        return {
            "Subject": f"{self._number}: {self._dice.choice(TEXTS)}",
            "Description": self._dice.choice(TEXTS),
            "Priority": self._dice.choice(("High", "Medium", "Low", None)),
            "Origin": self._dice.choice(("Phone", "Email", "Web", None)),
            "Type": self._dice.choice(("Mechanical", "Billing", "Other", None)),
            "RecordTypeId": self._record_types.get(record_type or ""),
            "Status": status,
            "IsClosed": int(status in CLOSING),
            "OwnerId": self._dice.choice(self._owners),
            **self._dice.choice(({}, {"ContactId": contact_id, "AccountId": contact["AccountId"]}, {"ContactId": None})),
        }  # fmt: skip

    def _record(self, action: str, **more: Any) -> None:
        self._sandbox.admin("POST", "salesforce/records", {"action": action, **more})


def link_late_companies(sandbox: RunningSandbox) -> None:
    """The companies that HubSpot did not have yet."""
    known = {r["properties"].get("salesforceaccountid") for r in sandbox.admin("GET", "hubspot/records/companies")["results"]}  # fmt: skip
    late = [{"name": row["Name"], "salesforceaccountid": i} for i, row in by_id(sandbox, "Account").items() if i not in known]  # fmt: skip
    sandbox.admin("POST", "hubspot/load", {"companies": late})
