"""Shell: the program `case-sync`: its options, its commands, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from case_sync_console import life_commands, settings_commands
from case_sync_console.end_words import last_words
from case_sync_console.errors import FAULT, ConsoleError
from case_sync_console.workplace import Workplace, find_environment, find_folder

INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143
PIPE_COLUMNS = 120  # of tables, where no terminal says how wide it is
app = typer.Typer(
    name="case-sync",
    help="Salesforce cases become HubSpot tickets: set up, preview, switch on and off, import, watch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def common(
    context: typer.Context,
    *,
    project: Annotated[Path | None, typer.Option(help="Folder of the project: where meltano.yml is.")] = None,
    environment: Annotated[
        str | None, typer.Option("--environment", "-e", help="Environment of meltano.yml, such as prod.")
    ] = None,
) -> None:
    """What all commands share."""
    if context.resilient_parsing or context.invoked_subcommand is None or "--help" in sys.argv:
        return
    folder = find_folder(project)
    context.obj = Workplace(
        folder=folder,
        environment=find_environment(environment, folder),
        screen=Console(
            highlight=False,
            soft_wrap=not sys.stdout.isatty(),
            width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_COLUMNS,
        ),
    )


settings_commands.add(app)
life_commands.add(app)


def main() -> None:
    """The command line; every end is words and an exit code, never a traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        code = _end("stopped", INTERRUPTED)
    except typer.TyperException as error:
        code = error.exit_code
        show = getattr(error, "show", None)  # of a wrong command line: the usage, or the help
        if show:
            show()
        else:
            _end(error.format_message(), code)
    except ConsoleError as error:
        code = _end(last_words(str(error)), error.exit_code)
    except BrokenPipeError:  # `case-sync plan | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - a traceback would show values
        where = traceback.extract_tb(error.__traceback__)[-1]
        code = _end(
            f"a fault of this program: {type(error).__name__} in {Path(where.filename).name}, line {where.lineno}. Please report it",
            FAULT,
        )
    raise SystemExit(code if isinstance(code, int) else 0)


def _terminated(_signal: int, _frame: object) -> None:
    """systemd, or a kill: what runs is ended in good order on the way out."""
    raise SystemExit(_end("stopped", TERMINATED))


def _end(message: str, code: int) -> int:
    sys.stdout.flush()
    print(f"Error: {message}", file=sys.stderr)  # noqa: T201 - the one place that tells of failures
    return code
