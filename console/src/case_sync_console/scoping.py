"""Shell: settings of the plugins as Meltano would find them, and conditions on cases within what the sync is set to read."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dotenv import dotenv_values

from case_sync_console.definition import setting
from case_sync_console.meltano import TAP
from case_sync_console.workplace import Workplace


def plugin_setting(workplace: Workplace, plugin: str, name: str) -> str | None:
    """From the environment, .env, or meltano.yml; None where none of them has it. It may be a secret."""
    variable = variable_of(plugin, name)
    found = os.environ.get(variable) or dotenv_values(workplace.folder / ".env").get(variable)
    found = found or setting(workplace.definition().document, workplace.environment, plugin, name)
    return str(found) if found not in (None, "") else None


def variable_of(plugin: str, name: str) -> str:
    """The environment variable of a plugin's setting."""
    return f"{plugin}_{name}".replace("-", "_").upper()


def scope_settings(workplace: Workplace) -> dict[str, str | None]:
    """The settings that say which cases the sync reads."""
    names = ("where", "start_date", "record_types_include", "record_types_exclude")
    return {name: plugin_setting(workplace, TAP, name) for name in names}


def within_scope(workplace: Workplace, condition: str) -> str:
    """The condition, and the one that the sync has anyway (tap setting `where`)."""
    own = plugin_setting(workplace, TAP, "where")
    return f"({own}) AND ({condition})" if own else condition


def case_condition(workplace: Workplace, cases: Sequence[str]) -> str:
    """Cases by Id or CaseNumber, within the sync's own condition; the names have been checked."""
    listed = ", ".join(f"'{case}'" for case in cases)
    ids = ", ".join(f"'{case}'" for case in cases if len(case) in (15, 18))  # Salesforce: length of an Id
    return within_scope(workplace, f"CaseNumber IN ({listed})" + (f" OR Id IN ({ids})" if ids else ""))
