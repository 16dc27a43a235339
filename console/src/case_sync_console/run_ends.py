"""Core: how a `meltano run` ended, as an error with words and an exit code, or none."""

from __future__ import annotations

import re

from case_sync_console.errors import ANOTHER_RUN, CONFIGURATION, FAULT, WORDS, ConsoleError, PluginError
from case_sync_console.events import RunEnd

PLUGINS = {
    "loaders": "target-hubspot-tickets",
    "extractors": "tap-salesforce-cases",
    "mappers": "case-ticket-mapper",
}
# Meltano 4: core/block/extract_load.py, run_with_job; cli/run.py, "Block run completed".
ALREADY_RUNNING = re.compile(r"Another '.*' pipeline is already running which started at ([\d:. -]+)")
NOT_INSTALLED = re.compile(r"could not be found|not installed|Executable", re.IGNORECASE)
SIGNALS = {130, 143}


class AnotherRunError(ConsoleError):
    """A run of the same sync is under way: wait for its end."""

    exit_code = ANOTHER_RUN


class MeltanoError(ConsoleError):
    """Meltano itself could not run the plugins: mend what its words name."""

    exit_code = CONFIGURATION


def failure_of(end: RunEnd) -> ConsoleError | None:
    """Why the run failed; None where all is well."""
    if end.exit_code == 0:
        return None
    if end.failed:
        kind, code = end.failed
        if kind == "mappers" and _is_of_rules(end.error_of(PLUGINS[kind])):
            code = CONFIGURATION
        return _of_plugin(kind, code, end.message(PLUGINS[kind]))
    return _of_meltano(end)


def _is_of_rules(error: str) -> bool:
    """The mapper, which talks to nobody, has one exit code: its words are of rules that do not fit, or of its own fault."""
    return bool(error) and not error.startswith("a fault of this program")


def _of_plugin(kind: str, code: int, message: str) -> ConsoleError:
    signal = 128 - code if code < 0 else code
    return PluginError(PLUGINS[kind], signal if signal in WORDS or signal in SIGNALS else FAULT, message)


def _of_meltano(end: RunEnd) -> ConsoleError:
    said = "\n".join(end.last_words.get("", ()))
    if running := ALREADY_RUNNING.search(said):
        return AnotherRunError(
            f"a run of this sync is under way since {running[1].strip()[:16]} UTC; wait for its end. One that was killed counts "
            "as ended after five minutes"
        )
    message = end.message()
    advice = ". Are the plugins installed? `meltano install` does it" if NOT_INSTALLED.search(message) else ""
    return MeltanoError(f"Meltano: {message}{advice}")
