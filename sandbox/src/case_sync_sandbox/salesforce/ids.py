"""Core: Salesforce record ids: a key prefix, the instance, a number, and the case-safe suffix."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in the order in which ids sort
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# The first three characters of an id name its object. Source: Salesforce, standard field record id prefix decoder.
KEY_PREFIXES = {
    "Account": "001",
    "BusinessProcess": "019",
    "Case": "500",
    "CaseComment": "00a",
    "CaseStatus": "01J",
    "Contact": "003",
    "EmailMessage": "02s",
    "Group": "00G",
    "Organization": "00D",
    "RecordType": "012",
    "User": "005",
}
INSTANCE = "5g"


def checksum(id15: str) -> str:
    """The three characters that make a 15-character id safe to compare without case.

    Each stands for five characters: bit n is set where character n is upper case (Salesforce: 18-digit ids).
    """
    chunks = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(SUFFIX[sum(1 << n for n, c in enumerate(chunk) if "A" <= c <= "Z")] for chunk in chunks)


def to_18(record_id: str) -> str:
    """A 15-character id with its suffix; an 18-character one as it is."""
    return record_id + checksum(record_id) if len(record_id) == 15 else record_id


def make_id(object_name: str, number: int) -> str:
    """The 18-character id of the number-th record of an object; the same number gives the same id."""
    digits = ""
    for _ in range(9):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return to_18(f"{KEY_PREFIXES[object_name]}{INSTANCE}0{digits}")
