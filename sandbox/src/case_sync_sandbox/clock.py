"""Shell: the sandbox's clock, which tests can freeze, offset and advance."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetting:
    """How the clock stands: `frozen_at` (aware UTC) wins over `offset_seconds`, which is added to the real time."""

    offset_seconds: float = 0.0
    frozen_at: datetime | None = None


class Clock:
    """Says the time of both servers. Thread-safe. All times are aware and in UTC."""

    def __init__(self, setting: ClockSetting | None = None) -> None:
        self._lock = threading.Lock()
        self._setting = setting or ClockSetting()

    @property
    def setting(self) -> ClockSetting:
        """How the clock stands now."""
        return self._setting

    def now(self) -> datetime:
        """The sandbox's time, aware UTC."""
        setting = self._setting
        if setting.frozen_at is not None:
            return setting.frozen_at
        return datetime.now(UTC) + timedelta(seconds=setting.offset_seconds)

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still at `at` (aware), or at the present time of the sandbox."""
        with self._lock:
            moment = (at or self.now()).astimezone(UTC)
            self._setting = ClockSetting(offset_seconds=self._setting.offset_seconds, frozen_at=moment)

    def offset(self, seconds: float) -> None:
        """Run with the real time plus `seconds` (may be negative); ends a freeze."""
        with self._lock:
            self._setting = ClockSetting(offset_seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, whether frozen or running."""
        with self._lock:
            old = self._setting
            if old.frozen_at is None:
                self._setting = ClockSetting(offset_seconds=old.offset_seconds + seconds)
            else:
                moved = old.frozen_at + timedelta(seconds=seconds)
                self._setting = ClockSetting(offset_seconds=old.offset_seconds, frozen_at=moved)

    def reset(self) -> None:
        """Back to the real time."""
        with self._lock:
            self._setting = ClockSetting()
