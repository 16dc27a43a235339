"""Core: which ticket properties are meant by `--fields`: properties by name, or all that come from a Case field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from case_sync_console.errors import CommandLineError


def properties_meant(names: Sequence[str], rules: Mapping[str, Any]) -> dict[str, list[str]]:
    """By ticket property, the names that meant it.

    Args:
        names: as given: ticket properties or Case fields, in any case of letters.
        rules: what the mapper's --show-rules says.

    Raises:
        CommandLineError: a name is neither; the message says what there is.
    """
    found: dict[str, list[str]] = {}
    unknown = []
    for name in names:
        meant = [field["property"] for field in rules["fields"] if _is_meant(name.lower(), field)]
        for one in meant:
            found.setdefault(one, []).append(name)
        if not meant:
            unknown.append(name)
    if unknown:
        there = ", ".join(sorted(field["property"] for field in rules["fields"]))
        raise CommandLineError(
            f"--fields: {', '.join(unknown)}: no mapping has a ticket property or Case field of this name; the ticket properties "
            f"are: {there}"
        )
    return found


def _is_meant(name: str, field: Mapping[str, Any]) -> bool:
    sources = [str(one).lower() for one in field["from"] or ()]
    return name == field["property"].lower() or name in sources or _in_template(name, field)


def _in_template(name: str, field: Mapping[str, Any]) -> bool:
    return "{" + name + "}" in (field["template"] or "").lower()


def names_in(text: str) -> list[str]:
    """`a, b` as names.

    Raises:
        CommandLineError: there is none.
    """
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not found:
        raise CommandLineError("--fields: name at least one ticket property or Case field")
    return found
