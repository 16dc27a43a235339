"""Shell: the one clock of the sandbox: real, shifted or frozen, so that tests can live through days in a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Now, in UTC: the machine's clock plus an offset, or a frozen moment."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return self._frozen or datetime.now(UTC) + self._offset

    def freeze(self, moment: datetime | None) -> None:
        """Stand still at an aware moment, or run on (None) from the real time and the offset."""
        self._frozen = moment.astimezone(UTC) if moment else None

    def advance(self, seconds: float) -> None:
        """Move on, frozen or not."""
        if self._frozen:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        self._offset, self._frozen = timedelta(), None
