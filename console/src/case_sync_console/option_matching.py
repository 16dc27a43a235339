"""Core: which option of a ticket property a picklist value means: by value, else by label, whatever the case of letters."""

from __future__ import annotations

from collections.abc import Mapping


def matching_options(values: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    """Picklist value -> option value, for those that are called the same.

    Args:
        values: picklist value -> label.
        options: option value -> label.
    """
    by_word = {_word(label): value for value, label in options.items()}
    by_word |= {_word(value): value for value in options}
    found = {value: by_word.get(_word(value)) or by_word.get(_word(label)) for value, label in values.items()}
    return {value: option for value, option in found.items() if option is not None}


def _word(text: str) -> str:
    """`In progress`, `IN_PROGRESS` and `in-progress` are one."""
    return "".join(c for c in text.casefold() if c.isalnum()) or text
