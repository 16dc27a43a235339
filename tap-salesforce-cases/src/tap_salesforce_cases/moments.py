"""Core: the one form of a moment on the wire, whatever API it came by: UTC, milliseconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ONE_SECOND = timedelta(seconds=1)  # Salesforce compares SystemModstamp to the second


def wire_datetime(text: str) -> str:
    """`2024-09-24T03:26:07.000Z` from REST's `...+0000` or Bulk 2.0's `...Z`; both end in an offset of zero."""
    if text.endswith("+0000"):
        return text[:-5] + "Z"
    return text if text.endswith("Z") else to_wire(datetime.fromisoformat(text))


def to_wire(moment: datetime) -> str:
    """An aware datetime on the wire."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def from_wire(text: str) -> datetime:
    """An aware datetime; a date without a zone is UTC.

    Raises:
        ValueError: it is no ISO 8601 date or date-time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def whole_second(moment: datetime) -> datetime:
    """The second that a moment lies in."""
    return moment.replace(microsecond=0)
