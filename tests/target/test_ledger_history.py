"""The ledger against a model, and against kills: what is on record stays, and nothing else is there."""

import itertools
import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_hubspot_tickets.ledger import Ledger
from target_hubspot_tickets.outcomes import (
    AssociationOutcome,
    HeldDelete,
    MadeAssociation,
    PendingAssociation,
    Rejected,
    RoundOutcome,
    Written,
)
from target_hubspot_tickets.records import Wish, identity

from . import ledgers
from .ledger_rounds import (
    KEYS_OF_A_ROUND,
    PORTAL,
    WHOLE_ROUND,
    Clock,
    keys_of,
    made,
    numbered_key,
    rejected,
    rows_of_round,
    wish,
)
from .ledgers import Children

LONG = "".join(
    random.Random(1).choices("äbcdefghijklmnopqrstuvwxyz0123456789", k=8_000)
)  # no packing makes it short
SPELLINGS = {
    "one": ["500A", "500a", " 500A "],
    "two": ["500B"],
    "nul": ["a\0b", "A\0b"],
    "surrogate": ["x\ud800"],
    "quote": ['"quoted"'],
    "long": [LONG, LONG.upper() + " "],
    "longer": [LONG + "x"],
}
WISHES = [wish(), wish(value="002"), wish(label="L\ud800"), wish("contacts"), wish("tickets", "a\0")]
FATES = ["written", "unchanged", "rejected", "held", "archived", "ignored", "stale", "associated", "absent"]


@st.composite
def outcomes(draw: st.DrawFn) -> RoundOutcome:
    """A round: each key in one spelling and with one fate."""
    outcome = RoundOutcome()
    for spellings in SPELLINGS.values():
        key, fate = draw(st.sampled_from(spellings)), draw(st.sampled_from(FATES))
        if fate == "written":
            outcome.written[key] = Written(
                ticket_id="1", digest=draw(st.none() | st.binary(min_size=16, max_size=16))
            )
        elif fate == "rejected":
            record = draw(st.none() | st.fixed_dictionaries({"subject": st.text(max_size=3)}))
            outcome.rejected.append(rejected(key, record=record, code=draw(st.sampled_from(["A", "B"]))))
        elif fate == "held":
            outcome.held.append(HeldDelete(key=key, source=draw(st.sampled_from([None, "org\0"]))))
        elif fate in {"unchanged", "archived", "ignored", "stale"}:
            getattr(outcome, fate).add(key)
        if fate in {"written", "associated"} and draw(st.booleans()):
            associate(outcome.associations, key, draw)
    return outcome


def associate(associations: AssociationOutcome, key: str, draw: st.DrawFn) -> None:
    associations.settled.add(key)
    for one in draw(st.lists(st.sampled_from(WISHES), unique=True)):
        associations.pending.append(
            PendingAssociation(key=key, ticket_id=draw(st.sampled_from("12")), wish=one)
        )
    pairs = [made(key, to_id, type_id) for to_id in "78" for type_id in ("", "9")]
    for one in draw(st.lists(st.sampled_from(pairs), unique=True)):
        draw(st.sampled_from([associations.made, associations.removed])).append(one)


class Model:
    """What the ledger must say, kept in dicts by identity."""

    def __init__(self) -> None:
        self.rejected: dict[str, tuple[Rejected, datetime, datetime, int]] = {}
        self.pending: dict[str, dict[Wish, tuple[PendingAssociation, datetime, datetime, int]]] = {}
        self.held: dict[str, HeldDelete] = {}
        self.made: dict[str, dict[tuple[str, str], MadeAssociation]] = {}
        self.digests: dict[str, bytes] = {}

    def record(self, outcome: RoundOutcome, now: datetime) -> None:
        for key in {*outcome.written, *outcome.unchanged, *outcome.archived}:
            self._drop(key, self.rejected, self.held)
        for key in {*outcome.stale, *outcome.ignored}:
            self._drop(key, self.rejected)
        for key in outcome.archived:
            self._drop(key, self.digests, self.pending, self.made)
        for key, one in outcome.written.items():
            self._drop(key, self.digests)
            if one.digest is not None:
                self.digests[identity(key)] = one.digest
        for refused in outcome.rejected:
            _, first_at, _, tries = self.rejected.get(identity(refused.key), (None, now, None, 0))
            self._drop(refused.key, self.held, self.digests)
            self.rejected[identity(refused.key)] = (refused, first_at, now, tries + 1)
        for delete in outcome.held:
            self._drop(delete.key, self.rejected)
            self.held[identity(delete.key)] = delete
        self._associate(outcome.associations, now)

    def _associate(self, associations: AssociationOutcome, now: datetime) -> None:
        earlier = {identity(key): self.pending.pop(identity(key), {}) for key in associations.settled}
        for waiting in associations.pending:
            same = identity(waiting.key)
            _, first_at, _, tries = earlier[same].get(waiting.wish, (None, now, None, 0))
            self.pending.setdefault(same, {})[waiting.wish] = (waiting, first_at, now, tries + 1)
        for gone in associations.removed:
            self.made.get(identity(gone.key), {}).pop((gone.to_id, gone.type_id), None)
        for one in associations.made:
            self.made.setdefault(identity(one.key), {})[one.to_id, one.type_id] = one

    def _drop(self, key: str, *tables: dict[str, Any]) -> None:
        for table in tables:
            table.pop(identity(key), None)

    def everything(self) -> dict[str, Any]:
        waiting = [row for rows in self.pending.values() for row in rows.values()]
        associations = [one for rows in self.made.values() for one in rows.values()]
        return {
            "rejected": sorted(self.rejected.values(), key=lambda row: identity(row[0].key)),
            "pending": sorted(waiting, key=repr),
            "held": sorted(self.held.values(), key=repr),
            "made": sorted(associations, key=repr),
            "digests": self.digests,
            "counts": (
                len(self.rejected),
                len(waiting),
                len(self.held),
                len(associations),
                len(self.digests),
            ),
        }


def everything_in(ledger: Ledger) -> dict[str, Any]:
    """All rows, in the form of the model."""
    keys = [spellings[-1] for spellings in SPELLINGS.values()]
    counts = ledger.counts()
    return {
        "rejected": sorted(
            (stripped(Rejected, row) for row in ledger.rejected()), key=lambda row: identity(row[0].key)
        ),
        "pending": sorted(
            (stripped(PendingAssociation, row) for page in ledger.pending() for row in page), key=repr
        ),
        "held": sorted((row for page in ledger.held() for row in page), key=repr),
        "made": sorted((one for rows in ledger.made(keys).values() for one in rows), key=repr),
        "digests": {identity(key): digest for key, digest in ledger.digests(keys).items()},
        "counts": (counts.rejected, counts.pending, counts.held, counts.associations, counts.digests),
    }


def stripped(kind: type[Any], row: Any) -> tuple[Any, datetime, datetime, int]:
    values = {name: getattr(row, name) for name in kind.__dataclass_fields__}
    return kind(**values), row.first_at, row.last_at, row.tries


portals = map(str, itertools.count(1))


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(st.tuples(outcomes(), st.booleans()), max_size=6))
def test_any_history_leaves_what_a_model_says(
    ledger_url: str, rounds: list[tuple[RoundOutcome, bool]]
) -> None:
    """After each round, and after a new start, each table has the rows that the rules of RoundOutcome leave; in any spelling of a key."""
    portal, clock, model = next(portals), Clock(), Model()
    ledger = Ledger.open(ledger_url, portal, now=clock)
    try:
        for outcome, restarts in rounds:
            ledger.record(outcome)
            model.record(outcome, clock.now)
            if restarts:
                ledger.close()
                ledger = Ledger.open(ledger_url, portal, now=clock)
            assert model.everything() == everything_in(ledger)
        ledger.empty()
        assert Model().everything() == everything_in(ledger)
    finally:
        ledger.close()


# -- killed processes


@pytest.mark.parametrize(
    ("ledger_url", "kills"), [("sqlite", 100), ("postgresql", 10)], indirect=["ledger_url"]
)
def test_R65_what_is_on_record_survives_any_kill(ledger_url: str, kills: int) -> None:
    """A process is killed while it records: each round that it had said to be on record is there whole, the next one whole or not at all."""
    chance = random.Random(65)
    recorded = 0
    with Children() as children:
        for _ in range(kills):
            [pid] = children.start("record", url=ledger_url, portal_id=PORTAL, first=recorded + 1)
            for _ in range(chance.randint(0, 20)):
                recorded = children.read()["recorded"]
            ledgers.kill(pid, chance.random() * 0.005)
            told, codes = children.results()
            assert codes == [-9]
            recorded = max([recorded, *(value["recorded"] for value in told)])
            with Ledger.open(ledger_url, PORTAL) as ledger:
                in_the_middle = rows_of_round(ledger, recorded + 1)
            assert in_the_middle in (WHOLE_ROUND, [0, 0, 0, 0])
            recorded += in_the_middle[0]
    assert recorded > kills
    keys = {
        numbered_key(number, place) for number in range(1, recorded + 1) for place in range(KEYS_OF_A_ROUND)
    }
    with Ledger.open(ledger_url, PORTAL) as ledger:
        assert len(list(ledger.rejected())) == recorded
        assert sorted(keys_of(ledger.pending())) == sorted(keys)
        assert ledger.digests(keys).keys() == ledger.made(keys).keys() == keys
