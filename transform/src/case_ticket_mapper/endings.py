"""Shell: how the program ends: readable lines on stderr, and an exit code."""

from __future__ import annotations

import contextlib
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path

import click
from singer_sdk.exceptions import ConfigValidationError

from case_ticket_mapper.errors import MapperError, StoppedError


@contextlib.contextmanager
def readable_ends() -> Iterator[None]:
    """What ends the work inside, without a traceback.

    Raises:
        ClickException: in place of a MapperError, of a configuration that is none, and of a fault of ours.
        SystemExit: with 128 + the signal that ended it.
    """
    try:
        yield
    except StoppedError as stop:
        raise SystemExit(stop.exit_code) from None
    except ConfigValidationError as error:  # the SDK would log each problem as a message of no weight
        raise click.ClickException("\n".join(error.errors)) from None
    except MapperError as error:
        raise click.ClickException(str(error)) from None
    except (click.ClickException, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a traceback would quote values
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise click.ClickException(
            f"a fault of this program: {type(error).__name__} in {Path(where.filename).name}, line {where.lineno}. Please report it"
        ) from None
    finally:
        _ignore_signals()


def _ignore_signals() -> None:
    """What is ending needs no more of them: one in the middle of Python's own end would be told as a traceback, or kill it."""
    with contextlib.suppress(ValueError):  # not the main thread, which alone may say so
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
