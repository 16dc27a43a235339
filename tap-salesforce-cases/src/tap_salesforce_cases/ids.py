"""Core: Salesforce ids of 18 characters, whatever came in.

Source: Salesforce, "What is the difference between 15 and 18 character ids": three characters say which of the 15 are capitals.
"""

from __future__ import annotations

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_18(record_id: str) -> str:
    """The 18 characters of an id of 15; anything else comes back as it is."""
    if len(record_id) != 15:
        return record_id
    chunks = (record_id[start : start + 5] for start in (0, 5, 10))
    return record_id + "".join(
        ALPHABET[sum(1 << place for place, char in enumerate(chunk) if char.isupper())] for chunk in chunks
    )
