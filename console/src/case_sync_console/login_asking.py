"""Shell: before anything can be asked of the two systems: the login settings, into .env and never into meltano.yml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dotenv import set_key

from case_sync_console.asking import Asking
from case_sync_console.errors import ConfigurationError
from case_sync_console.login_settings import Missing, missing_logins, names_of
from case_sync_console.meltano import TAP, TARGET
from case_sync_console.scoping import plugin_setting, variable_of
from case_sync_console.workplace import Workplace

OWNER_ONLY = 0o600


def give_logins(workplace: Workplace, ask: Asking) -> None:
    """Ask for what is missing, and put it into .env.

    Raises:
        ConfigurationError: there is nobody to ask, or the answer was empty; the message lists the variables.
    """
    missing = _missing(workplace)
    if not missing:
        return
    told = _told(missing, workplace.environment)
    if not ask.is_interactive:
        raise ConfigurationError(told)
    ask.say(told)
    if not ask.yes_or_no(
        "Type them in now? They are written to .env, which only you can read", option="", default=True
    ):
        raise ConfigurationError("put them into .env, then run case-sync setup again")
    for one in missing:
        value = ask.text(one.words, is_secret=one.is_secret)
        if not value:
            raise ConfigurationError(
                f"{variable_of(one.plugin, one.name)} was left empty; what came before it is in .env"
            )
        write(workplace.folder / ".env", variable_of(one.plugin, one.name), value)


def _missing(workplace: Workplace) -> tuple[Missing, ...]:
    tap, target = (
        {name: plugin_setting(workplace, plugin, name) for name in names_of(plugin)}
        for plugin in (TAP, TARGET)
    )
    return missing_logins(TAP, tap, TARGET, target)


def _told(missing: Sequence[Missing], environment: str) -> str:
    lines = [f"  {variable_of(one.plugin, one.name)}  {one.words}" for one in missing]
    return "\n".join(
        [
            f"these settings of the environment {environment} are missing; they belong into the file .env (.env.example shows all):",
            *lines,
        ]
    )


def write(path: Path, variable: str, value: str) -> None:
    """Set a variable in a file that only its owner can read."""
    path.touch(mode=OWNER_ONLY)
    path.chmod(OWNER_ONLY)
    set_key(path, variable, value)
    path.chmod(OWNER_ONLY)
