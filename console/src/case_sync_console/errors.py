"""Core: what can end a command, told by what the caller has to do. The exit codes are those of the tap and the target."""

from __future__ import annotations

from collections.abc import Sequence

OK, FAULT, COMMAND_LINE, CONFIGURATION, AUTHENTICATION, QUOTA, VENDOR_DOWN, PARTIAL = range(8)
DELETIONS_TO_CONFIRM, ANOTHER_RUN, LEDGER = 8, 9, 10
WORDS = {
    OK: "ok",
    FAULT: "a fault of a program",
    COMMAND_LINE: "the command line is wrong",
    CONFIGURATION: "the configuration does not fit",
    AUTHENTICATION: "the login or the token was refused",
    QUOTA: "the day's API calls are used up",
    VENDOR_DOWN: "Salesforce or HubSpot could not be reached",
    PARTIAL: "done, but records were rejected",
    DELETIONS_TO_CONFIRM: "more tickets would be archived than allowed; none was",
    ANOTHER_RUN: "another run is under way",
    LEDGER: "the ledger can't be read or written",
}


class ConsoleError(Exception):
    """The command can't go on; the message says what to do. `exit_code` is the process's."""

    exit_code: int = FAULT


class CommandLineError(ConsoleError):
    """An option or argument is wrong: mend the one that the message names."""

    exit_code = COMMAND_LINE


class ConfigurationError(ConsoleError):
    """meltano.yml, or what it names, is wrong: mend the place that the message names. No file was changed."""

    exit_code = CONFIGURATION


class RefusedEditError(ConfigurationError):
    """The edit would not work; `problems` lists why. The file is as it was."""

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, start=1))
        super().__init__(f"nothing was changed, because:\n{listed}")
        self.problems = tuple(problems)


class PluginError(ConsoleError):
    """A plugin ended with an error; its own words say what to do."""

    def __init__(self, plugin: str, exit_code: int, message: str) -> None:
        super().__init__(f"{plugin}: {message}")
        self.plugin, self.exit_code, self.message = plugin, exit_code, message
