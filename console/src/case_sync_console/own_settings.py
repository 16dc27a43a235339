"""Shell: the console's own settings: from the environment, .env, or the plugin case-sync in meltano.yml."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dotenv import dotenv_values

from case_sync_console.definition import utility_setting
from case_sync_console.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What is called when the sync fails, is suspended or works again; None is not called."""

    command: str | None
    url: str | None


def read_hook(workplace: Workplace) -> Hook:
    """on_failure_command and on_failure_url."""
    return Hook(command=_own(workplace, "on_failure_command"), url=_own(workplace, "on_failure_url"))


def _own(workplace: Workplace, name: str) -> str | None:
    """As Meltano would find it, without a start of Meltano."""
    variable = f"CASE_SYNC_{name.upper()}"
    found = os.environ.get(variable) or dotenv_values(workplace.folder / ".env").get(variable)
    found = found or utility_setting(
        workplace.definition().document, workplace.environment, "case-sync", name
    )
    return str(found) if found else None
