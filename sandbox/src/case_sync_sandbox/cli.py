"""Shell: the command `case-sync-sandbox`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from case_sync_sandbox.server import HUBSPOT_PORT, MEMORY, SALESFORCE_PORT, ServeError, ServeOptions, serve

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _fail(message: str) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(1)


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
            "--version", callback=lambda v: _show_version(wanted=v), is_eager=True, help="Say the version."
        ),
    ] = False,
) -> None:
    """A local Salesforce and HubSpot to rehearse and test the case to ticket sync."""


@app.command("serve")
def serve_command(
    *,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    salesforce_port: Annotated[int, typer.Option(help="0 takes a free one.")] = SALESFORCE_PORT,
    hubspot_port: Annotated[int, typer.Option(help="0 takes a free one.")] = HUBSPOT_PORT,
    database: Annotated[str, typer.Option(help="A folder that keeps the data, or :memory:.")] = MEMORY,
    real_limits: Annotated[
        bool, typer.Option("--real-limits", help="HubSpot's true request budgets.")
    ] = False,
    announce: Annotated[bool, typer.Option(help="Write .sandbox/server.json for the other commands.")] = True,
) -> None:
    """Run both servers until they are stopped."""
    options = ServeOptions(
        host=host,
        salesforce_port=salesforce_port,
        hubspot_port=hubspot_port,
        database=database,
        real_limits=real_limits,
        announce=announce,
    )
    try:
        serve(options)
    except ServeError as error:
        raise _fail(str(error)) from None


if __name__ == "__main__":
    app()
