"""Shell: the command `case-sync-sandbox`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from case_sync_sandbox import screens
from case_sync_sandbox.finding import NotRunningError, RefusedError, call
from case_sync_sandbox.serving import (
    ANNOUNCEMENT,
    HUBSPOT_PORT,
    MEMORY,
    SALESFORCE_PORT,
    ServeError,
    ServeOptions,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Url = Annotated[
    str | None, typer.Option(help="URL of either server; without it, the one started in this folder.")
]
Count = Annotated[int, typer.Option(min=0)]


class What(StrEnum):
    """What `show` shows."""

    SUMMARY = "summary"
    CASES = "cases"
    TICKETS = "tickets"


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Every expected failure is one line on stderr and exit code 1."""
    try:
        yield
    except (NotRunningError, RefusedError, ServeError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"case-sync-sandbox {version('case-sync-sandbox')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _show_version(wanted=value),
            is_eager=True,
            help="Say the version.",
        ),
    ] = False,
) -> None:
    """A local Salesforce and HubSpot to rehearse and test the case to ticket sync."""


@app.command("serve")
def serve_command(  # noqa: PLR0913  (one parameter per option)
    *,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    salesforce_port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes a free one.")
    ] = SALESFORCE_PORT,
    hubspot_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = HUBSPOT_PORT,
    database: Annotated[str, typer.Option(help="A folder that keeps the data, or :memory:.")] = MEMORY,
    real_limits: Annotated[
        bool, typer.Option("--real-limits", help="HubSpot's true request budgets.")
    ] = False,
    announce: Annotated[bool, typer.Option(help="Write .sandbox/server.json for the other commands.")] = True,
    background: Annotated[
        bool, typer.Option("--background", help="Return once it is ready; `stop` ends it.")
    ] = False,
) -> None:
    """Run both servers until they are stopped. Prints one JSON line with pid and URLs when ready."""
    with readable_errors():
        if background:
            _serve_in_background()
            return
        from case_sync_sandbox.server import serve  # noqa: PLC0415  (the other commands start without the servers)

        serve(
            ServeOptions(
                host=host,
                salesforce_port=salesforce_port,
                hubspot_port=hubspot_port,
                database=database,
                real_limits=real_limits,
                announce=announce,
            )
        )


def _serve_in_background() -> None:
    """Start the same command in a session of its own; its log is beside the announcement."""
    log = ANNOUNCEMENT.with_suffix(".log")
    log.parent.mkdir(exist_ok=True)
    arguments = [argument for argument in sys.argv[1:] if argument != "--background"]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-m", "case_sync_sandbox.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.wait()
        raise ServeError(log.read_text(encoding="utf-8").strip().removeprefix("error: ") or f"see {log}")
    typer.echo(line, nl=False)


@app.command()
def seed(  # noqa: PLR0913 - options of a command
    *,
    url: Url = None,
    cases: Annotated[int, typer.Option(min=0, help="How many cases.")] = 1000,
    random_seed: Annotated[int, typer.Option(help="The same number makes the same data.")] = 7,
    accounts: Annotated[
        int | None, typer.Option(min=1, help="Of how many accounts; an eighth of the cases.")
    ] = None,
    contacts: Annotated[
        int | None, typer.Option(min=0, help="Of how many contacts; a quarter of the cases.")
    ] = None,
    from_csv: Annotated[Path | None, typer.Option(help="Cases from this CSV file instead.")] = None,
    columns: Annotated[Path | None, typer.Option(help="JSON file: {CSV column: Case field}.")] = None,
) -> None:
    """Fill an empty sandbox: cases, accounts, contacts, users and queues; companies, contacts, owners and pipelines."""
    body: dict[str, Any] = {
        "cases": cases,
        "random_seed": random_seed,
        "accounts": accounts,
        "contacts": contacts,
    }
    with readable_errors():
        if from_csv is not None:
            body = {"from_csv": str(_readable(from_csv, "--from-csv"))}
        if columns is not None:
            body["columns"] = _column_map(columns)
        made = call(url, "POST", "seed", body)
    typer.echo(", ".join(f"{number:,} {name}" for name, number in made.items()))


def _readable(path: Path, option: str) -> Path:
    if not path.is_file():
        raise RefusedError(f"{option} {path}: there is no such file")
    return path.resolve()


def _column_map(path: Path) -> dict[str, str]:
    try:
        value = json.loads(_readable(path, "--columns").read_text(encoding="utf-8"))
    except ValueError as error:
        raise RefusedError(f"--columns {path} is not JSON: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(field, str) for field in value.values()):
        raise RefusedError(f"--columns {path} must hold one object, {{CSV column: Case field}}")
    return value


@app.command()
def mutate(  # noqa: PLR0913  (one parameter per option)
    *,
    url: Url = None,
    edit: Count = 0,
    close: Count = 0,
    delete: Count = 0,
    undelete: Count = 0,
    merge: Count = 0,
    add: Count = 0,
    random_seed: Annotated[int, typer.Option(help="Another number picks other cases.")] = 7,
) -> None:
    """Change cases in Salesforce, each in one way."""
    wanted = {
        "edits": edit,
        "closes": close,
        "deletes": delete,
        "undeletes": undelete,
        "merges": merge,
        "adds": add,
    }
    with readable_errors():
        if not any(wanted.values()):
            raise RefusedError("say what to change, for example: mutate --edit 10 --delete 2")
        changed = call(url, "POST", "mutate", {**wanted, "random_seed": random_seed})
    typer.echo(", ".join(f"{len(ids):,} {kind}" for kind, ids in changed.items() if ids))


@app.command()
def show(
    what: Annotated[What, typer.Argument()] = What.SUMMARY,
    *,
    url: Url = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many cases or tickets to list.")] = 10,
) -> None:
    """Print counts, pipelines with tickets per stage, or the cases or tickets that changed last."""
    with readable_errors():
        if what is What.CASES:
            screen: Any = screens.cases(call(url, "GET", f"cases?limit={rows}")["cases"])
        elif what is What.TICKETS:
            latest = call(url, "GET", f"hubspot/latest-tickets?limit={rows}")["results"]
            screen = screens.tickets(call(url, "GET", "show"), latest)
        else:
            screen = screens.summary(call(url, "GET", "show"))
    Console(width=None if sys.stdout.isatty() else 160).print(screen)


@app.command()
def reset(*, url: Url = None) -> None:
    """Empty both halves; ends all faults and clears the request log."""
    with readable_errors():
        call(url, "POST", "reset")
    typer.echo("both halves are empty; import anew with: meltano run --full-refresh case-sync")


@app.command()
def stop(*, url: Url = None) -> None:
    """Stop the running sandbox."""
    with readable_errors():
        pid = int(call(url, "GET", "health")["pid"])
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError as error:
            raise RefusedError(f"process {pid} can't be stopped: {error.strerror}") from None
    typer.echo(f"stopped {pid}")


if __name__ == "__main__":
    app(prog_name="case-sync-sandbox")
