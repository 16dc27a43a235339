"""Core: which cases are in scope: the user's own condition and record types, checked, so that nothing else gets in.

Source: Salesforce secure coding guidelines, SOQL injection; SOQL reference, quoted string escapes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tap_salesforce_cases.errors import SettingError
from tap_salesforce_cases.soql import string_literal

TOKEN = re.compile(
    r"\s+|(?P<string>'(?:[^'\\]|\\.)*')|(?P<open>\()|(?P<close>\))|(?P<word>[A-Za-z_][\w.]*)|(?P<other>[\d,.:=<>!+\-%]+)",
    re.DOTALL,
)
# What would end the condition or make it another statement; SELECT, FROM and WHERE stand in brackets only (semi-joins).
NEVER = {"ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET", "FOR", "WITH", "ALL", "USING", "UPDATE", "TYPEOF"}
ONLY_INSIDE = {"SELECT", "FROM", "WHERE"}
STRING_LIMIT = 4_000  # SOQL: a string literal in WHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The scope of cases: a SOQL condition ("" = all cases) and a short fingerprint of it for the state."""

    condition: str
    fingerprint: str


def checked_where(text: str) -> str:
    """The user's condition, in brackets; it can't reach out of them.

    Raises:
        SettingError: unbalanced brackets or quotes, a character that SOQL has no use for, or a clause that is no condition.
    """
    depth = at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise SettingError(f"where: {text[at]!r} at character {at + 1} is not part of a SOQL condition")
        at = token.end()
        depth += bool(token["open"]) - bool(token["close"])
        if depth < 0:
            raise SettingError(f"where: a bracket too many at character {at}")
        word = (token["word"] or "").upper()
        if word in NEVER or (word in ONLY_INSIDE and depth == 0):
            raise SettingError(f"where must be a condition only: {word} can't stand in it")
        if len(token["string"] or "") > STRING_LIMIT:
            raise SettingError("where: a text in quotes has at most 4,000 characters in SOQL")
    if depth:
        raise SettingError("where: a bracket is not closed")
    return f"({text.strip()})"


def record_type_names(wanted: Sequence[str], known: Mapping[str, str], setting: str) -> list[str]:
    """Developer names of record types that are given by developer name or label.

    Args:
        wanted: names of the setting.
        known: lower-case developer name or label -> developer name.
        setting: the setting's name, for the message.

    Raises:
        SettingError: Case has no such record type.
    """
    unknown = [name for name in wanted if name.lower() not in known]
    if unknown:
        there = ", ".join(sorted(set(known.values()))) or "none"
        raise SettingError(
            f"{setting}: Case has no record type {', '.join(map(repr, unknown))}; there are: {there}"
        )
    return [known[name.lower()] for name in wanted]


def build_filter(where: str | None, included: Sequence[str], excluded: Sequence[str]) -> Filter:
    """The scope from the checked settings; the record types are developer names."""
    parts = [checked_where(where)] if where and where.strip() else []
    if included:
        parts.append(f"RecordType.DeveloperName IN ({_literals(included)})")
    if excluded:
        parts.append(f"(RecordTypeId = null OR RecordType.DeveloperName NOT IN ({_literals(excluded)}))")
    condition = " AND ".join(parts)
    return Filter(condition=condition, fingerprint=hashlib.sha256(condition.encode()).hexdigest()[:16])


def _literals(names: Sequence[str]) -> str:
    return ", ".join(string_literal(name) for name in sorted(set(names)))
