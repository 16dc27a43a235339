"""Core: how often the sync runs: 15m, 1h, 1d, as cron's five fields, as systemd's calendar, and as words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from case_sync_console.errors import CommandLineError

FORM = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
MINUTES = {"m": 1, "min": 1, "h": 60, "d": 1440}
HOUR, DAY = 60, 1440
# Cron starts anew each hour and each day: only what divides them comes at even distances.
EVEN = tuple(n for n in range(1, HOUR) if HOUR % n == 0) + tuple(
    HOUR * n for n in range(1, 25) if 24 % n == 0
)
# Meltano's names: core/task_sets or schedule, "@hourly" and so on.
NAMED = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
NEVER = {"@once", "@manual", "@none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An even distance between runs, in minutes: one of EVEN."""

    minutes: int

    @property
    def cron(self) -> str:
        """Five fields, as crontab(5) has them."""
        if self.minutes < HOUR:
            return f"{'*' if self.minutes == 1 else f'*/{self.minutes}'} * * * *"
        hours = self.minutes // HOUR
        return f"0 {_each(hours, 24)} * * *"

    @property
    def calendar(self) -> str:
        """OnCalendar, as systemd.time(7) has it."""
        if self.minutes < HOUR:
            return f"*:0/{self.minutes}"
        hours = self.minutes // HOUR
        return "*-*-* 00:00" if hours == 24 else f"0/{hours}:00"

    @property
    def words(self) -> str:
        """As a person says it: every 15 minutes."""
        count, unit = (self.minutes, "minute") if self.minutes < HOUR else (self.minutes // HOUR, "hour")
        if self.minutes == DAY:
            count, unit = 1, "day"
        return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _each(step: int, whole: int) -> str:
    return "*" if step == 1 else "0" if step == whole else f"*/{step}"


def read_interval(text: str, option: str = "--every") -> Interval:
    """15m, 1h, 1d.

    Raises:
        CommandLineError: it is none, or does not divide the hour or the day; the message says which come near.
    """
    form = FORM.fullmatch(text.strip())
    if not form:
        raise CommandLineError(
            f"{option}: '{text}' is no interval; give minutes, hours or a day, such as 15m, 1h or 1d"
        )
    minutes = int(form[1]) * MINUTES[form[2].lower()]
    if minutes in EVEN:
        return Interval(minutes=minutes)
    near = sorted(sorted(EVEN, key=lambda even: abs(even - minutes))[:2])
    raise CommandLineError(
        f"{option}: {text} does not divide an hour or a day evenly, and cron knows no other intervals; "
        f"near it are {' and '.join(_short(one) for one in near)}"
    )


def _short(minutes: int) -> str:
    return f"{minutes}m" if minutes < HOUR else f"{minutes // HOUR}h"


def interval_of_cron(cron: str) -> Interval | None:
    """The interval that a cron expression stands for; None where it is another kind of expression."""
    plain = NAMED.get(cron, " ".join(cron.split()))
    return next((one for minutes in EVEN if (one := Interval(minutes=minutes)).cron == plain), None)


def plain_cron(interval: str) -> str | None:
    """Meltano's interval as five fields; None where nothing is to run by itself."""
    return None if interval in NEVER else NAMED.get(interval, interval)
