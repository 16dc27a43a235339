"""Shell: fills an org, and changes it the way support people do."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.salesforce.ids import make_id
from case_sync_sandbox.salesforce.store import SalesforceStore
from case_sync_sandbox.seeding.csv_cases import CsvError, read_cases
from case_sync_sandbox.seeding.portal_seed import PortalSeed
from case_sync_sandbox.seeding.seed import STAMP, Chance, OrgSeed, Record, case, seed_org, seed_portal

BATCH = 20_000


def fill(store: SalesforceStore, org: OrgSeed) -> None:
    """Insert a whole org, in batches."""
    for name, records in org.setup.items():
        store.insert(name, records)
    for process_id, statuses in org.allowed.items():
        store.allow_statuses(process_id, statuses)
    store.insert("Account", org.accounts)
    store.insert("Contact", org.contacts)
    batch: list[Record] = []
    for record in org.cases:
        batch.append(record)
        if len(batch) == BATCH:
            store.insert("Case", batch)
            batch = []
    store.insert("Case", batch)
    store.insert("CaseComment", org.comments)
    store.insert("EmailMessage", org.emails)


def seed(  # noqa: PLR0913 - an org has these numbers
    store: SalesforceStore,
    clock: Clock,
    *,
    cases: int,
    random_seed: int = 7,
    accounts: int | None = None,
    contacts: int | None = None,
) -> PortalSeed:
    """Fill an empty org with that many cases; the answer is what the portal has to be filled with."""
    org = seed_org(
        cases, now=clock.now(), chance=random.Random(random_seed), accounts=accounts, contacts=contacts
    )
    portal = seed_portal(org)
    fill(store, org)
    return portal


def load_csv(
    store: SalesforceStore, clock: Clock, path: Path, column_map: Mapping[str, str] | None = None
) -> PortalSeed:
    """Fill an empty org with the cases of a CSV file (UTF-8).

    Raises:
        CsvError: the file can't be read, or names what it does not have.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            org, portal = read_cases(lines, column_map, now=clock.now())
    except (OSError, UnicodeDecodeError) as error:
        raise CsvError(f"{path.name} can't be read as UTF-8 text: {error}") from error
    fill(store, org)
    return portal


@dataclass(slots=True, kw_only=True)
class Changes:
    """What was changed: the ids of the cases, by kind."""

    edited: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    undeleted: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many cases to change, by kind.

    Raises:
        ValueError: fewer than none.
    """

    edits: int = 0
    closes: int = 0
    deletes: int = 0
    undeletes: int = 0
    merges: int = 0
    adds: int = 0

    def __post_init__(self) -> None:
        for f in fields(self):
            if (count := getattr(self, f.name)) < 0:
                raise ValueError(f"{f.name} is {count}: give 0 or more")


def mutate(store: SalesforceStore, clock: Clock, wanted: Wanted, *, random_seed: int = 7) -> Changes:
    """Change an org's cases at random, each case in one way; fewer than wanted where there are no more.

    The same seed on the same org makes the same changes, but for the stamps.
    """
    chance, changes = random.Random(random_seed), Changes()
    live, gone = store.ids("Case"), store.ids("Case", deleted=True)
    chance.shuffle(live)
    chance.shuffle(gone)
    pick = iter(live)
    changes.undeleted = gone[: wanted.undeletes]
    for record_id in changes.undeleted:
        store.undelete("Case", record_id)
    changes.edited = _take(pick, wanted.edits)
    for number, record_id in enumerate(changes.edited):
        store.update(
            "Case",
            record_id,
            {
                "Subject": f"Edited: call back {chance.randrange(10_000)}",
                "Priority": ("High", "Low")[number % 2],
            },
        )
    rest = list(pick)
    changes.closed = _take((i for i in rest if is_open(store, i)), wanted.closes)
    for record_id in changes.closed:
        close(store, record_id, clock.now().strftime(STAMP))
    taken = set(changes.closed)
    pick = (i for i in rest if i not in taken)
    changes.deleted = _take(pick, wanted.deletes)
    for record_id in changes.deleted:
        store.delete("Case", record_id)
    for _ in range(wanted.merges):
        pair = _take(pick, 2)
        if len(pair) == 2:
            store.merge("Case", pair[0], [pair[1]])
            changes.merged.append(pair[1])
    changes.added = add(store, clock, wanted.adds, chance)
    return changes


def is_open(store: SalesforceStore, record_id: str) -> bool:
    return bool(store.rows('SELECT 1 FROM "Case" WHERE "Id" = ? AND "IsClosed" = 0', (record_id,)))


def close(store: SalesforceStore, record_id: str, moment: str) -> None:
    """Give a case a status that closes it: one that closed cases of its record type have, else one of the org's.

    Closed goes first, which each seeded support process has; the statuses of a CSV are what its cases hold.
    """
    rows = store.rows(
        'SELECT "Status" FROM "Case" WHERE "IsClosed" = 1 AND "Status" = \'Closed\' UNION ALL '
        'SELECT other."Status" FROM "Case" one JOIN "Case" other ON other."RecordTypeId" IS one."RecordTypeId" '
        'WHERE one."Id" = ? AND other."IsClosed" = 1 UNION ALL '
        'SELECT "ApiName" FROM "CaseStatus" WHERE "IsClosed" = 1 LIMIT 1',
        (record_id,),
    )
    status = rows[0][0] if rows else "Closed"
    store.update("Case", record_id, {"Status": status, "IsClosed": 1, "ClosedDate": moment})


def _take(ids: Iterable[str], count: int) -> list[str]:
    return list(itertools.islice(ids, count))


def add(store: SalesforceStore, clock: Clock, count: int, chance: Chance) -> list[str]:
    """New cases, made now: of contacts that are there, and each of the kind of a case that is there."""
    if not count:
        return []
    contacts = [c for i in store.ids("Contact")[:200] if (c := store.record("Contact", i))]
    seen = [c for i in store.ids("Case")[:200] if (c := store.record("Case", i))]
    models = [c for c in seen if not c["IsClosed"]] or seen
    stamp, first = clock.now().strftime(STAMP), highest_number(store) + 1
    records: list[Record] = []
    for number in range(first, first + count):
        made = case(number, number, chance, clock.now() + timedelta(seconds=1), contacts)
        records.append(
            {
                **made,
                **kind_of(models, chance),
                "ParentId": None,
                "CreatedDate": stamp,
                "LastModifiedDate": stamp,
                "SystemModstamp": stamp,
                "ClosedDate": None,
            }
        )
        if records[-1]["IsClosed"]:
            records[-1]["ClosedDate"] = stamp
    store.insert("Case", records)
    return [r["Id"] for r in records]


# What a new case takes over from its model, so that its record type has its status.
KIND = ("RecordTypeId", "Status", "IsClosed", "AccountId", "ContactId", "ContactEmail", "OwnerId")


def kind_of(models: Sequence[Record], chance: Chance) -> Record:
    """Empty where there is no model."""
    if not models:
        return {}
    model = chance.choice(models)
    return {name: model[name] for name in KIND}


def highest_number(store: SalesforceStore) -> int:
    """The number of the last id in use: purged ids are not given again."""
    rows = store.rows(
        'SELECT MAX(id) FROM (SELECT MAX("Id") AS id FROM "Case" UNION ALL SELECT MAX(id) FROM delete_log WHERE object = ?)',
        ("Case",),
    )
    highest = rows[0][0]
    number = store.count("Case")
    while highest and make_id("Case", number) < highest:
        number += 1
    return number
