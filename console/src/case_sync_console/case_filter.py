"""Core: which cases an import or a resync reads: SOQL conditions put together so that none reaches out of its brackets."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from case_sync_console.errors import CommandLineError

# Salesforce fields that --by means.
MOMENTS = {"created": "CreatedDate", "modified": "SystemModstamp"}
TEXT_IN_QUOTES = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
# Salesforce: a Case Id has the key prefix 500; 15 characters, or 18 with a check suffix.
CASE_ID = re.compile(r"500[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
# Salesforce: the 18-character Id is the 15-character one and a suffix of three, which tells capitals from small letters.
SUFFIX_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
CASE_NUMBER = re.compile(r"\d{1,30}")
# What scopes the sync besides `where`: another scope is another import.
ALSO_SCOPE = ("record_types_include", "record_types_exclude")
SUFFIX = "import-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases are asked for.

    Attributes:
        where: a SOQL condition; "" is all.
        since: inclusive; until: exclusive; both aware, in UTC.
        by: a key of MOMENTS.
    """

    where: str = ""
    since: datetime | None = None
    until: datetime | None = None
    by: str = "created"

    def conditions(self) -> list[str]:
        """SOQL conditions, each of which has to hold."""
        field = MOMENTS[self.by]
        found = [self.where] if self.where.strip() else []
        found += [f"{field} >= {literal(self.since)}"] if self.since else []
        return found + ([f"{field} < {literal(self.until)}"] if self.until else [])

    def words(self) -> str:
        """As a person says it; times with their zone."""
        told = [f"that fulfil {self.where.strip()}"] if self.where.strip() else []
        if self.since:
            told.append(f"{self.by} at {moment_words(self.since)} or later")
        if self.until:
            told.append(f"{self.by} before {moment_words(self.until)}")
        return f"cases {', '.join(told)}" if told else "all cases"


def read_moment(text: str | None, option: str) -> datetime | None:
    """A day or a moment, ISO 8601; without a zone it is UTC.

    Raises:
        CommandLineError: it is neither.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandLineError(
            f"{option}: '{text}' is no day or moment; give 2026-01-31, or 2026-01-31T08:00:00+01:00 (without a zone it is UTC)"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def wanted(where: str | None, since: str | None, until: str | None, by: str) -> Wanted:
    """The options of the command line, checked.

    Raises:
        CommandLineError: one of them is wrong; the message names it.
    """
    if by not in MOMENTS:
        raise CommandLineError(f"--by can be {' or '.join(MOMENTS)}")
    checked_condition(where or "", "--where")
    found = Wanted(
        where=where or "", since=read_moment(since, "--since"), until=read_moment(until, "--until"), by=by
    )
    if found.since and found.until and found.since >= found.until:
        raise CommandLineError("--until has to be later than --since: --since counts, --until does not")
    return found


def checked_condition(text: str, option: str) -> str:
    """The condition as it is: brackets and quotes are closed where they were opened, so that AND binds all of it.

    Raises:
        CommandLineError: they are not.
    """
    bare = TEXT_IN_QUOTES.sub("''", text)
    depth = 0
    for sign in bare:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            raise CommandLineError(f"{option}: a bracket is closed that was not opened")
    if depth:
        raise CommandLineError(f"{option}: a bracket is not closed")
    if bare.count("'") % 2 or "'" in bare.replace("''", ""):
        raise CommandLineError(f"{option}: a text in quotes is not closed")
    return text


def both(*conditions: str | None) -> str:
    """All of them, each in brackets, joined by AND; "" where there is none."""
    return " AND ".join(f"({one.strip()})" for one in conditions if one and one.strip())


def command_line(asked: Wanted) -> str:
    """The command that asks for the same import."""
    words = ["case-sync", "import"]
    words += ["--where", asked.where] if asked.where.strip() else []
    words += ["--since", literal(asked.since)] if asked.since else []
    words += ["--until", literal(asked.until)] if asked.until else []
    words += ["--by", asked.by] if (asked.since or asked.until) and asked.by != "created" else []
    return shlex.join(words)


def literal(moment: datetime) -> str:
    """SOQL: a dateTime literal, not quoted."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_words(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def scope(config: Mapping[str, str | None], asked: Wanted) -> str:
    """The whole condition: what the sync is limited to, and what is asked for."""
    start = read_moment(str(config["start_date"]), "start_date") if config.get("start_date") else None
    limits = [str(config.get("where") or ""), f"{MOMENTS['modified']} >= {literal(start)}" if start else ""]
    return both(*limits, *asked.conditions())


def suffix(config: Mapping[str, str | None], where: str) -> str:
    """What sets the state of this import apart from all others."""
    told = [where, *(str(config.get(name) or "") for name in ALSO_SCOPE)]
    return SUFFIX + hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]


def of_case(name: str) -> str:
    """The condition that finds one case, by Id or CaseNumber.

    Raises:
        CommandLineError: it is neither.
    """
    if CASE_ID.fullmatch(name):
        return f"Id = '{name}'"
    if CASE_NUMBER.fullmatch(name):
        return f"CaseNumber = '{name}'"
    raise CommandLineError(
        f"--case: '{name}' is neither an Id (15 or 18 characters, beginning with 500) nor a case number"
    )


def to_18(key: str) -> str:
    """A 15-character Id with its suffix; anything else as it is."""
    if len(key) != 15 or not key.isascii() or not key.isalnum():
        return key
    parts = (key[0:5], key[5:10], key[10:15])
    return key + "".join(
        SUFFIX_SIGNS[sum(1 << place for place, sign in enumerate(part) if sign.isupper())] for part in parts
    )
