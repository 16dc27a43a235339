"""Core: what is on record of cases that did not arrive whole: rejected records and associations that wait, by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from case_sync_console.case_filter import to_18
from case_sync_console.error_remedies import reason_here, remedy_here
from case_sync_console.errors import CommandLineError

REJECTED, WAITING = "rejected", "waiting"
RULE = "rule"  # the target's category of what the admin's own rules refused
# OWASP, "CSV Injection": what a spreadsheet takes for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
EXAMPLES = 3
# HubSpot's plurals, and what the target says of an association that waits.
ANY_OBJECT = "the company, contact or ticket"
ONE_OF = {"companies": "company", "contacts": "contact", "tickets": "ticket"}
WAITS_BECAUSE = {
    "NOT_FOUND": "the case's {to} is not in HubSpot (looked up by {by})",
    "ASSOCIATION_LIMIT_EXCEEDED": "the {to} has as many tickets as HubSpot lets it have",
}
WAITS_OTHERWISE = "HubSpot did not associate the ticket with the {to} ({code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One rejected record, or one association that waits; no value of the record is in it.

    Attributes:
        key: Id of the case.
        kind: REJECTED or WAITING.
        to: the object that an association goes to; "" for a record.
        is_kept: the target holds the record, and can try it again by itself.
    """

    key: str
    kind: str
    category: str
    code: str
    reason: str
    remedy: str
    to: str
    tries: int
    first_at: str
    last_at: str
    correlation_id: str
    is_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows with the same category, reason and remedy; `keys` are different cases."""

    category: str
    kind: str
    code: str
    reason: str
    remedy: str
    keys: tuple[str, ...]


def read_row(line: Mapping[str, Any]) -> ErrorRow | None:
    """A row of the target's --rejected=list or --pending=list; None for a line of another list."""
    if not ({"category", "remedy", "key"} <= set(line)):
        return None
    waits = "to" in line

    def text(name: str) -> str:
        return str(line.get(name) or "")

    code = text("reason") if waits else text("code")
    category = text("category") or "other"
    return ErrorRow(
        key=text("key"),
        kind=WAITING if waits else REJECTED,
        category=category,
        code=code,
        reason=_why_it_waits(code, line) if waits else reason_here(text("message")),
        remedy=_remedy(code, text("message"), text("remedy"), category, ONE_OF.get(text("to"), text("to"))),
        to=ONE_OF.get(text("to"), text("to")),
        tries=int(line.get("tries") or 0),
        first_at=text("first_at"),
        last_at=text("last_at"),
        correlation_id=text("correlation_id"),
        is_kept=waits or bool(line.get("has_record")),
    )


def _remedy(code: str, message: str, remedy: str, category: str, to: str) -> str:
    found = remedy_here(code, message, remedy, category)
    return found.replace(ANY_OBJECT, f"the {to}") if to else found


def _why_it_waits(code: str, line: Mapping[str, Any]) -> str:
    to = str(line.get("to"))
    by = ", ".join(map(str, line.get("by") or ())) or "its id"
    return WAITS_BECAUSE.get(code, WAITS_OTHERWISE).format(to=ONE_OF.get(to, to), by=by, code=code)


def groups(rows: Iterable[ErrorRow]) -> list[Group]:
    """Rows that have the same reason together, the largest first within a category; categories by name."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for row in rows:
        found.setdefault((row.category, row.kind, row.code, row.reason, row.remedy), {})[row.key] = None
    made = [
        Group(category=c, kind=kind, code=code, reason=reason, remedy=remedy, keys=tuple(keys))
        for (c, kind, code, reason, remedy), keys in found.items()
    ]
    return sorted(made, key=lambda group: (group.category, -len(group.keys), group.reason))


def counts(rows: Iterable[ErrorRow]) -> dict[str, int]:
    """Different cases by category."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.category, set()).add(row.key)
    return {category: len(keys) for category, keys in sorted(found.items())}


def of_case(rows: Iterable[ErrorRow], key: str) -> list[ErrorRow]:
    """The rows of one case, by its Id in 15 or 18 characters.

    Raises:
        CommandLineError: nothing is on record of it.
    """
    found = [row for row in rows if row.key in {key, to_18(key)}]
    if not found:
        raise CommandLineError(
            f"nothing is on record of case {key}: all of it arrived, or it was not read yet"
        )
    return found


def chosen(
    rows: Sequence[ErrorRow], keys: Sequence[str], category: str | None, *, everything: bool
) -> list[ErrorRow]:
    """The rows that keys, a category, or --all mean.

    Raises:
        CommandLineError: none, or more than one of the three is given; or nothing of the kind is on record.
    """
    if sum((bool(keys), category is not None, everything)) != 1:
        raise CommandLineError("say what to try again: Ids of cases, --category NAME, or --all")
    if keys:
        return [row for key in dict.fromkeys(keys) for row in of_case(rows, key)]
    if everything:
        return list(rows)
    found = [row for row in rows if row.category == category]
    if not found and rows:
        raise CommandLineError(
            f"--category: nothing of '{category}' is on record; there are: {', '.join(counts(rows))}"
        )
    return found


# -- retries


def identity(row: ErrorRow) -> tuple[str, str, str]:
    """What makes two rows the same: the rejected record of a case, or its association with an object."""
    return row.key, row.kind, row.to


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How rows are tried again.

    Attributes:
        from_ledger: keys of rejected records that the target holds.
        waiting: keys of associations that wait.
        read_again: keys of cases that a rule refused, or whose values were not kept: only Salesforce has them.
    """

    from_ledger: tuple[str, ...]
    waiting: tuple[str, ...]
    read_again: tuple[str, ...]


def retry_of(rows: Iterable[ErrorRow]) -> Retry:
    """Each case once in each list."""
    lists: dict[str, dict[str, None]] = {"from_ledger": {}, "waiting": {}, "read_again": {}}
    for row in rows:
        needs_case = row.category == RULE or not row.is_kept
        name = "waiting" if row.kind == WAITING else "read_again" if needs_case else "from_ledger"
        lists[name][row.key] = None
    return Retry(**{name: tuple(keys) for name, keys in lists.items()})


# -- export


COLUMNS = (
    "key",
    "kind",
    "category",
    "reason",
    "remedy",
    "code",
    "to",
    "tries",
    "first_at",
    "last_at",
    "correlation_id",
)


def exported(row: ErrorRow) -> dict[str, Any]:
    """A row as it leaves: the columns in their order."""
    values = asdict(row)
    return {name: values[name] for name in COLUMNS}


def cell(value: Any) -> str:
    """A value as a spreadsheet may open it: nothing in it is a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
