"""A portal with tickets of ours and of others, a ledger, and one run's deletions, as the tests of both kinds of them use them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.deleting import Deleter, Deletion
from target_hubspot_tickets.deletion_guard import DeletionLimits, Doomed, Marks
from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.marked_tickets import MarkedTickets
from target_hubspot_tickets.outcomes import HeldDelete, RoundOutcome
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.reconciling import Reconciler
from target_hubspot_tickets.settings import with_defaults

from .conftest import KEY, PORTAL, case_id

ORG, OTHER_ORG = "00D5g00000SandBEAA", "00D5g00000OtherEAA"
USER, FILTER = "0055g00000Reader1AAA", "e3b0c44298fc1c14"
SOURCE, VERSION = "salesforce_org_id", "salesforce_system_modstamp"
BEFORE, TAKEN_AT, AFTER = "2026-01-05T09:00:00.000Z", "2026-01-06T09:00:00.000Z", "2026-01-07T09:00:00.000Z"
MARKS = Marks(key=KEY, source=SOURCE, version=VERSION)
Message = dict[str, Any]


def case_ids(*numbers: int) -> list[str]:
    return [case_id(number) for number in numbers]


def snapshot(
    ids: Sequence[str], *, snapshot_id: str = "s1", at_once: int = 1_000, **marker: Any
) -> list[Message]:
    """The records of a complete snapshot; `marker` changes members of its last one."""
    parts = [ids[start : start + at_once] for start in range(0, len(ids), at_once)]
    records: list[Message] = [
        {"snapshot_id": snapshot_id, "sequence": number, "kind": "ids", "ids": list(part)}
        for number, part in enumerate(parts)
    ]
    end: Message = {
        "snapshot_id": snapshot_id, "sequence": len(parts), "kind": "complete", "count": len(ids), "source_count": len(ids),
        "organization_id": ORG, "user_id": USER, "filter_fingerprint": FILTER, "taken_at": TAKEN_AT,
    }  # fmt: skip
    return [*records, end | marker]


def go_on() -> None:
    """No signal came."""


@dataclass(slots=True, kw_only=True)
class MarkedPortal:
    """The sandbox past the target, and what the target's deletions are made of."""

    sandbox: RunningSandbox
    client: HubSpotClient
    http: httpx.Client
    ledger: Ledger
    folder: Path
    planned: list[Doomed] = field(default_factory=list)

    def __post_init__(self) -> None:
        properties = [
            {"objectType": "tickets", "name": KEY, "label": "Case", "hasUniqueValue": True},
            {"objectType": "tickets", "name": SOURCE, "label": "Org"},
            {
                "objectType": "tickets",
                "name": VERSION,
                "label": "Version",
                "type": "datetime",
                "fieldType": "date",
            },
        ]
        self.sandbox.admin("POST", "hubspot/load", {"properties": properties})

    # -- the portal

    def add(
        self, keys: Iterable[str], *, source: str | None = ORG, version: str | None = BEFORE
    ) -> list[str]:
        """Tickets with these keys; their ids."""
        marks = {name: value for name, value in ((SOURCE, source), (VERSION, version)) if value}
        rows = [{KEY: key, "subject": key, **marks} for key in keys]
        return list(self.sandbox.admin("POST", "hubspot/load", {"tickets": rows})["tickets"])

    def add_of_other_tools(self, count: int) -> list[str]:
        rows = [{"subject": f"by hand {number}"} for number in range(count)]
        return list(self.sandbox.admin("POST", "hubspot/load", {"tickets": rows})["tickets"])

    def post(self, path: str, body: Any) -> None:
        answer = self.http.post(f"/crm/objects/2026-09/tickets/{path}", json=body)
        assert answer.status_code < 300, answer.text

    def archive_by_hand(self, ids: Iterable[str]) -> None:
        self.post("batch/archive", {"inputs": [{"id": i} for i in ids]})

    def change_by_hand(self, ids: Iterable[str], **properties: str) -> None:
        self.post("batch/update", {"inputs": [{"id": i, "properties": properties} for i in ids]})

    def active_keys(self) -> set[str]:
        return {t["properties"][KEY] for t in self.sandbox.tickets() if KEY in t["properties"]}

    def active_ids(self) -> set[str]:
        return {str(t["id"]) for t in self.sandbox.tickets()}

    def archives(self) -> int:
        """Calls that archived."""
        return len(self.sandbox.requests(half="hubspot", path="tickets/batch/archive"))

    # -- the target

    def reconciler(self, *, is_dry: bool = False) -> Reconciler:
        tickets = MarkedTickets(self.client, Api("2026-09"), MARKS)
        return Reconciler(tickets, self.ledger, archives=True, is_dry=is_dry)

    def hold(self, keys: Iterable[str], *, source: str | None = ORG) -> None:
        """Tombstones came in the stream of this run or of an earlier one."""
        self.ledger.record(RoundOutcome(held=[HeldDelete(key=key, source=source) for key in keys]))

    def held(self) -> set[str]:
        return {one.key for page in self.ledger.held() for one in page}

    def delete(
        self,
        reconciler: Reconciler | None = None,
        *,
        is_dry: bool = False,
        check_signal: Callable[[], None] = go_on,
        **limits: Any,
    ) -> Deletion:
        """The end of a run."""
        self.planned.clear()
        deleter = Deleter(
            tickets=MarkedTickets(self.client, Api("2026-09"), MARKS),
            ledger=self.ledger,
            held=self.ledger.held(),
            reconciler=reconciler or self.reconciler(is_dry=is_dry),
            limits=DeletionLimits(**limits),
            deletes_path=str(self.list_path),
            check_signal=check_signal,
            plan=self.planned.extend if is_dry else None,
        )
        return deleter.delete()

    def reconcile(
        self, records: Iterable[Message], *, written: Sequence[str] = (), **options: Any
    ) -> Deletion:
        """A run whose input has these records of case_snapshots."""
        reconciler = self.reconciler(is_dry=options.get("is_dry", False))
        for record in records:
            reconciler.snapshot(record)
        reconciler.note_written(written)
        return self.delete(reconciler, **options)

    @property
    def list_path(self) -> Path:
        return self.folder / "deletes.csv"


@contextmanager
def opened(sandbox: RunningSandbox, folder: Path) -> Iterator[MarkedPortal]:
    """An empty portal that has the properties that mark a ticket as ours."""
    settings = with_defaults({"base_url": sandbox.hubspot_url, "access_token": "sandbox-token"})
    headers = {"authorization": "Bearer sandbox-token"}
    with (
        HubSpotClient(settings) as client,
        httpx.Client(base_url=sandbox.hubspot_url, headers=headers, trust_env=False, timeout=60) as http,
        Ledger.open(str(folder / "ledger.db"), PORTAL) as ledger,
    ):
        yield MarkedPortal(sandbox=sandbox, client=client, http=http, ledger=ledger, folder=folder)
