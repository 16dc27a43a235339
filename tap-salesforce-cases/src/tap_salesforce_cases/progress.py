"""Core: how far a long import is, in one line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Rows read of rows there (None if not known), in so many seconds."""

    stream: str
    rows: int
    total: int | None
    seconds: float

    def line(self) -> str:
        rate = self.rows / self.seconds if self.seconds > 0 else 0.0
        text = f"{self.stream}: {self.rows:,} rows, {rate:,.0f} rows/s"
        if not self.total:
            return text
        share = min(self.rows / self.total, 1.0)
        left = (
            f", {duration((self.total - self.rows) / rate)} left" if rate and self.total > self.rows else ""
        )
        return f"{text}, {share:.0%} of {self.total:,}{left}"


def duration(seconds: float) -> str:
    """`1 h 5 min`, `3 min`, `12 s`."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
    return f"{int(seconds // 60)} min" if seconds >= 60 else f"{int(seconds)} s"
