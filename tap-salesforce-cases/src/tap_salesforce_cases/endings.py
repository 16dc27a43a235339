"""Shell: how the program ends: one readable line on stderr, and an exit code that says whose turn it is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_salesforce_cases.errors import SettingError, StoppedError, TapError


class Ending(click.ClickException):
    """A message for the screen, and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance


@contextlib.contextmanager
def readable_ends() -> Iterator[None]:
    """What ends the work inside as one line; a process that was told to stop does not wait for its downloads.

    Raises:
        Ending: in place of a TapError or of a configuration that is none.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise Ending("; ".join(error.errors), SettingError.exit_code) from None
    except StoppedError as error:
        _ignore_signals()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.exit_code)
    except TapError as error:
        raise Ending(str(error), error.exit_code) from None
    except (click.ClickException, click.exceptions.Exit, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a traceback would quote values
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise Ending(
            "an answer of Salesforce's that is none, or a fault of this program: "
            f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}; the state that is out holds. "
            "Run again; please report it if it comes again",
            TapError.exit_code,
        ) from None
    finally:
        _ignore_signals()


def _ignore_signals() -> None:
    """What is ending needs no more of them: one in the middle of Python's own end would be told as a traceback, or kill it."""
    with contextlib.suppress(ValueError):  # not the main thread, which alone may say so
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def json_file(file: IO[str] | None, option: str) -> dict[str, Any] | None:
    """The object in a file given on the command line.

    Raises:
        SettingError: it holds no JSON object.
    """
    if file is None:
        return None
    try:
        value = json.loads(file.read() or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SettingError(f"the file given with {option} holds no JSON object")
    return value
