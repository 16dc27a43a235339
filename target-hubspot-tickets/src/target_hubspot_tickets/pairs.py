"""Core: pairs of a ticket and another record: what HubSpot is sent of them, and what its answers say of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
REFUSED = "REFUSED"  # a refusal without a code that can be told
CODE = re.compile(r"[A-Z][A-Z0-9_]+")
GENERIC = frozenset({"VALIDATION_ERROR", "BAD_REQUEST"})  # categories that say nothing
# "Associations": a ticket without any is no fault of the read.
NONE_FOUND = "NO_ASSOCIATIONS_FOUND"
# Codes of a record that is not there any more.
NOT_THERE = frozenset({"TO_OBJECT_NOT_FOUND", "INVALID_OBJECT_IDS", "OBJECT_NOT_FOUND"})


class Pair(NamedTuple):
    """A ticket and another record; a tuple, because thousands of them are keys of dictionaries."""

    to: str
    ticket_id: str
    to_id: str


class LinkType(NamedTuple):
    """What joins a pair: one of HubSpot's own types, or a label."""

    category: str
    type_id: int

    @property
    def is_label(self) -> bool:
        """Whether somebody made it in the portal; HubSpot's own types come and go with the pair."""
        return self.category != HUBSPOT_DEFINED


class Reading(NamedTuple):
    """A ticket whose associations are read; `after`: from this page on."""

    to: str
    ticket_id: str
    after: str = ""


@dataclass(slots=True, kw_only=True)
class Links:
    """What tickets are associated with now.

    Attributes:
        types: what joins each pair that there is.
        unread: (object, ticket id) whose associations could not be read -> code.
    """

    types: dict[Pair, set[LinkType]] = field(default_factory=dict)
    unread: dict[tuple[str, str], str] = field(default_factory=dict)


def plain_input(pair: Pair) -> dict[str, Any]:
    """An input of associate/default."""
    return {"from": {"id": pair.ticket_id}, "to": {"id": pair.to_id}}


def typed_input(pair: Pair, types: Iterable[LinkType]) -> dict[str, Any]:
    """An input of batch/create and labels/archive."""
    named = [{"associationCategory": t.category, "associationTypeId": t.type_id} for t in sorted(types)]
    return plain_input(pair) | {"types": named}


def archive_input(pair: Pair) -> dict[str, Any]:
    """An input of batch/archive."""
    return {"from": {"id": pair.ticket_id}, "to": [{"id": pair.to_id}]}


def read_input(reading: Reading) -> dict[str, Any]:
    """An input of batch/read."""
    return {"id": reading.ticket_id} | ({"after": reading.after} if reading.after else {})


def confirmed(pairs: Sequence[Pair], body: Mapping[str, Any]) -> set[Pair]:
    """The pairs that an answer lists; ids are strings or numbers, by the API's version."""
    to = pairs[0].to
    listed = {Pair(to, *_ends(result)) for result in body.get("results") or ()}
    return listed.intersection(pairs)


def _ends(result: Mapping[str, Any]) -> tuple[str, str]:
    """associate/default names the ends as references, batch/create as ids."""
    if "from" in result:
        return str((result["from"] or {}).get("id")), str((result.get("to") or {}).get("id"))
    return str(result.get("fromObjectId")), str(result.get("toObjectId"))


def reasons(pairs: Iterable[Pair], body: Mapping[str, Any]) -> dict[Pair, str]:
    """Why pairs were refused: the code of the error that names both ends of a pair, else of one that names one end."""
    errors = [(code_of(error), _named_ids(error)) for error in errors_of(body)]
    found = {}
    for pair in pairs:
        ends = {pair.ticket_id, pair.to_id}
        both = (code for code, ids in errors if ends <= ids)
        one = (code for code, ids in errors if ends & ids)
        found[pair] = next(both, None) or next(one, None) or (errors[0][0] if len(errors) == 1 else REFUSED)
    return found


def named_pairs(pairs: Sequence[Pair], body: Mapping[str, Any]) -> list[Pair]:
    """The pairs that an error names: by both ends where it names such, else by one."""
    named = [ids for error in errors_of(body) if (ids := _named_ids(error))]
    both = [pair for pair in pairs if any({pair.ticket_id, pair.to_id} <= ids for ids in named)]
    return both or [pair for pair in pairs if any({pair.ticket_id, pair.to_id} & ids for ids in named)]


def errors_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The errors of an answer: those that it lists, and itself where it is one."""
    listed: list[Mapping[str, Any]] = list(body.get("errors") or ())
    return [*([body] if body.get("category") else []), *listed]


def code_of(error: Mapping[str, Any]) -> str:
    """HubSpot's code for a refusal: a sub-category's last word, a detail's code, the name of a context, a category that says something."""
    candidates = [
        str(error.get("subCategory") or "").rpartition(".")[2],
        *(str(detail.get("code") or "") for detail in error.get("errors") or ()),
        str(error.get("code") or ""),
        *map(str, error.get("context") or {}),
        str(error.get("category") or ""),
    ]
    return next((c for c in candidates if CODE.fullmatch(c) and c not in GENERIC), REFUSED)


def _named_ids(error: Mapping[str, Any]) -> set[str]:
    """Ids in the contexts of an error: `id`, `fromObjectId`, INVALID_OBJECT_IDS ("COMPANY=301 is not valid"), ..."""
    context: Mapping[str, Collection[Any]] = error.get("context") or {}
    texts = [str(v) for name, values in context.items() if _is_about_ids(name) for v in values]
    return {number for text in texts for number in re.findall(r"\d+", text)}


def _is_about_ids(name: str) -> bool:
    return name.lower().endswith(("id", "ids"))


def note_links(links: Links, readings: Sequence[Reading], body: Mapping[str, Any]) -> list[Reading]:
    """Take in one answer of batch/read; what is to be read from the next page on."""
    to = readings[0].to
    answered: set[str] = set()
    again = []
    for result in body.get("results") or ():
        ticket_id = str((result.get("from") or {}).get("id"))
        answered.add(ticket_id)
        for link in result.get("to") or ():
            types = links.types.setdefault(Pair(to, ticket_id, str(link["toObjectId"])), set())
            types.update(
                LinkType(t["category"], int(t["typeId"])) for t in link.get("associationTypes") or ()
            )
        after = ((result.get("paging") or {}).get("next") or {}).get("after")
        if after:
            again.append(Reading(to, ticket_id, str(after)))
    _note_unread(links, [r for r in readings if r.ticket_id not in answered], body)
    return again


def _note_unread(links: Links, readings: Sequence[Reading], body: Mapping[str, Any]) -> None:
    """Tickets that an answer does not list have none where it says so; else nothing is known of them."""
    errors = [(code_of(error), _named_ids(error)) for error in errors_of(body)]
    for reading in readings:
        code = next((code for code, ids in errors if reading.ticket_id in ids), REFUSED)
        if code != NONE_FOUND:
            links.unread[reading.to, reading.ticket_id] = code
