"""Shell: associations between records in the database; each is kept in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from case_sync_sandbox.hubspot.association_types import (
    DEFAULT_TYPES,
    FIRST_CUSTOM_TYPE_ID,
    HUBSPOT_DEFINED,
    PRIMARY_TYPES,
    AssociationType,
    built_in,
)
from case_sync_sandbox.hubspot.database import Database
from case_sync_sandbox.hubspot.records import chunked, marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The object types of a pair, from and to."""

    from_type: str
    to_type: str

    @property
    def reversed(self) -> Sides:
        """The other direction."""
        return Sides(from_type=self.to_type, to_type=self.from_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One associated record with the types that join it."""

    to_id: int
    types: tuple[AssociationType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two record ids."""

    from_id: int
    to_id: int


class AssociationStore:
    """Reads and writes associations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def types(self, sides: Sides) -> list[AssociationType]:
        """All types of a direction: HubSpot's own and the portal's labels."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT type_id, inverse, category, label, name FROM association_labels"
                " WHERE from_type = ? AND to_type = ? ORDER BY type_id",
                (sides.from_type, sides.to_type),
            ).fetchall()
        custom = [
            AssociationType(type_id=row[0], inverse=row[1], category=row[2], label=row[3], name=row[4])
            for row in rows
        ]
        return built_in(sides.from_type, sides.to_type) + custom

    def add_label(
        self, sides: Sides, *, label: str, name: str, inverse_label: str | None
    ) -> list[AssociationType]:
        """Make a custom label in both directions; says the type of each."""
        with self._database.transaction() as connection:
            highest = connection.execute(
                "SELECT max(max(type_id, inverse)) FROM association_labels"
            ).fetchone()[0]
            first = max(FIRST_CUSTOM_TYPE_ID, (highest or 0) + 1)
            ids = (first, first + 1)
            row = "INSERT INTO association_labels VALUES (?, ?, 'USER_DEFINED', ?, ?, ?, ?)"
            back = inverse_label or label
            connection.execute(row, (sides.from_type, sides.to_type, ids[0], ids[1], label, name))
            connection.execute(row, (sides.to_type, sides.from_type, ids[1], ids[0], back, name))
        return [
            AssociationType(type_id=ids[0], inverse=ids[1], category="USER_DEFINED", label=label, name=name),
            AssociationType(type_id=ids[1], inverse=ids[0], category="USER_DEFINED", label=back, name=name),
        ]

    def links(self, sides: Sides, from_ids: Iterable[int]) -> dict[int, list[Link]]:
        """The associated records of each id, in order of their id; ids without any are missing."""
        known = {(t.category, t.type_id): t for t in self.types(sides)}
        found: dict[int, dict[int, list[AssociationType]]] = {}
        with self._database.reading() as connection:
            for chunk in chunked(from_ids):
                rows = connection.execute(
                    "SELECT from_id, to_id, category, type_id FROM associations"
                    f" WHERE from_type = ? AND to_type = ? AND from_id IN ({marks(chunk)}) ORDER BY to_id, type_id",
                    (sides.from_type, sides.to_type, *chunk),
                )
                for from_id, to_id, category, type_id in rows:
                    found.setdefault(from_id, {}).setdefault(to_id, []).append(known[category, type_id])
        return {
            from_id: [Link(to_id=to_id, types=tuple(types)) for to_id, types in sorted(targets.items())]
            for from_id, targets in found.items()
        }

    def counts(self, sides: Sides, from_ids: Iterable[int]) -> dict[int, int]:
        """How many records of the other type each is associated with."""
        found: dict[int, int] = {}
        with self._database.reading() as connection:
            for chunk in chunked(from_ids):
                rows = connection.execute(
                    "SELECT from_id, count(DISTINCT to_id) FROM associations"
                    f" WHERE from_type = ? AND to_type = ? AND from_id IN ({marks(chunk)}) GROUP BY from_id",
                    (sides.from_type, sides.to_type, *chunk),
                )
                found.update(rows.fetchall())
        return found

    def with_primary(self, sides: Sides, from_ids: Iterable[int]) -> set[int]:
        """Which of the ids have a primary record on the other side."""
        primary = PRIMARY_TYPES[sides.from_type, sides.to_type]
        found: set[int] = set()
        with self._database.reading() as connection:
            for chunk in chunked(from_ids):
                rows = connection.execute(
                    "SELECT DISTINCT from_id FROM associations WHERE from_type = ? AND to_type = ?"
                    f" AND from_id IN ({marks(chunk)}) AND category = ? AND type_id = ?",
                    (sides.from_type, sides.to_type, *chunk, HUBSPOT_DEFINED, primary.type_id),
                )
                found.update(row[0] for row in rows)
        return found

    def add_default(self, sides: Sides, pairs: Sequence[Pair]) -> None:
        """Associate without a label; existing labels stay. A record's first company becomes its primary one."""
        with self._database.transaction():
            self._insert(sides, pairs, DEFAULT_TYPES[sides.from_type, sides.to_type])
            self._choose_primary(sides, pairs)
            self._choose_primary(sides.reversed, [Pair(from_id=p.to_id, to_id=p.from_id) for p in pairs])

    def add_typed(self, sides: Sides, pair: Pair, types: Sequence[AssociationType]) -> None:
        """Associate with these types; the pair's custom labels are replaced by those given ("Associations": labels)."""
        with self._database.transaction() as connection:
            for one, way in ((pair, sides), (Pair(from_id=pair.to_id, to_id=pair.from_id), sides.reversed)):
                connection.execute(
                    "DELETE FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?"
                    " AND category <> ?",
                    (way.from_type, one.from_id, way.to_type, one.to_id, HUBSPOT_DEFINED),
                )
            for kind in types:
                if kind == PRIMARY_TYPES.get((sides.from_type, sides.to_type)):
                    self._drop_primary(sides, pair.from_id, kind)
                self._insert(sides, [pair], kind)
            self.add_default(sides, [pair])

    def _drop_primary(self, sides: Sides, from_id: int, kind: AssociationType) -> None:
        """There is one primary record; a new one takes over."""
        with self._database.transaction() as connection:
            for column, way, type_id in (
                ("from_id", sides, kind.type_id),
                ("to_id", sides.reversed, kind.inverse),
            ):
                connection.execute(
                    f"DELETE FROM associations WHERE from_type = ? AND to_type = ? AND {column} = ?"
                    " AND category = ? AND type_id = ?",
                    (way.from_type, way.to_type, from_id, HUBSPOT_DEFINED, type_id),
                )

    def _choose_primary(self, sides: Sides, pairs: Sequence[Pair]) -> None:
        """The first company of a ticket or contact becomes primary by itself."""
        if sides.to_type != "companies" or (sides.from_type, sides.to_type) not in PRIMARY_TYPES:
            return
        taken = self.with_primary(sides, {pair.from_id for pair in pairs})
        first: dict[int, Pair] = {}
        for pair in pairs:
            if pair.from_id not in taken:
                first.setdefault(pair.from_id, pair)
        self._insert(sides, list(first.values()), PRIMARY_TYPES[sides.from_type, sides.to_type])

    def _insert(self, sides: Sides, pairs: Sequence[Pair], kind: AssociationType) -> None:
        there = [
            (sides.from_type, p.from_id, sides.to_type, p.to_id, kind.category, kind.type_id) for p in pairs
        ]
        back = [
            (sides.to_type, p.to_id, sides.from_type, p.from_id, kind.category, kind.inverse) for p in pairs
        ]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?, ?, ?)", there + back
            )

    def remove(self, sides: Sides, pairs: Sequence[Pair]) -> None:
        """Take every association between each pair away."""
        rows = [(sides.from_type, p.from_id, sides.to_type, p.to_id) for p in pairs]
        rows += [(sides.to_type, p.to_id, sides.from_type, p.from_id) for p in pairs]
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?",
                rows,
            )

    def remove_types(self, sides: Sides, pair: Pair, types: Sequence[AssociationType]) -> None:
        """Take labels away; without its unlabelled association a pair loses all ("Associations": remove labels)."""
        if DEFAULT_TYPES[sides.from_type, sides.to_type] in types:
            self.remove(sides, [pair])
            return
        rows = [
            (sides.from_type, pair.from_id, sides.to_type, pair.to_id, t.category, t.type_id) for t in types
        ]
        rows += [
            (sides.to_type, pair.to_id, sides.from_type, pair.from_id, t.category, t.inverse) for t in types
        ]
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?"
                " AND category = ? AND type_id = ?",
                rows,
            )

    def move(self, object_type: str, from_id: int, into_id: int) -> None:
        """Give all associations of one record to another (a merge)."""
        with self._database.transaction() as connection:
            for side in ("from", "to"):
                connection.execute(
                    f"UPDATE OR IGNORE associations SET {side}_id = ? WHERE {side}_type = ? AND {side}_id = ?",
                    (into_id, object_type, from_id),
                )
                connection.execute(
                    f"DELETE FROM associations WHERE {side}_type = ? AND {side}_id = ?",
                    (object_type, from_id),
                )
