"""Shell: the newcomer's first minute. `make demo` runs it; it shows the main job on a local Salesforce and HubSpot.

It starts the sandbox, seeds it, runs `meltano run case-sync` as an import and again after changes, compares both
sides, and stops what it started.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LOG = ROOT / ".sandbox" / "demo.log"
screen = Console(highlight=False)
# What the newcomer has set for systems of their own, in .env or the environment, is left out: an empty variable counts as not there.
NOT_OURS = {
    name: ""
    for name in (*os.environ, *dotenv_values(ROOT / ".env"))
    if name.startswith(("TAP_SALESFORCE_CASES_", "TARGET_HUBSPOT_TICKETS_"))
}


class DemoFailedError(Exception):
    """A step ended with an error: read the log that the message names, mend the cause, and run the demo again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the two local servers listen."""

    salesforce_url: str
    hubspot_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one `meltano run case-sync` reported: the tap's and the target's report files."""

    tap: dict[str, Any]
    target: dict[str, Any]


def sandbox_command(*args: str) -> list[str]:
    return [str(BIN / "case-sync-sandbox"), *args]


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Both servers in a process of their own, on free ports, in memory; stopped at the end by its pid."""
    process = subprocess.Popen(
        sandbox_command("serve", "--no-announce", "--salesforce-port", "0", "--hubspot-port", "0"),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        ready = json.loads((process.stdout.readline() if process.stdout else "") or "null")
        if ready is None:
            raise DemoFailedError("the sandbox did not start; try `make sandbox` to see why")
        yield Servers(salesforce_url=ready["salesforce_url"], hubspot_url=ready["hubspot_url"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def step(title: str, command: list[str], env: dict[str, str] | None = None) -> str:
    """Run one command of the demo; its output goes to the log, and to the screen only if it fails."""
    with screen.status(f"[bold]{title}[/bold]"):
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(Path(part).name for part in command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode != 0:
        screen.print((done.stdout + done.stderr)[-4000:], markup=False)
        raise DemoFailedError(
            f"{title}: exit code {done.returncode}; the whole log is in {LOG.relative_to(ROOT)}"
        )
    screen.print(f"[green]ok[/green]  {title}")
    return done.stdout


def meltano_run(title: str, servers: Servers, folder: Path, *options: str) -> Run:
    """`meltano run [options] case-sync` against the running sandbox; reads the two reports that it leaves."""
    reports = {name: folder / f"{name}.json" for name in ("tap", "target")}
    env = {
        **os.environ,
        **NOT_OURS,
        # The bookmark of these cases must not outlive them: the newcomer's next run would read nothing.
        "MELTANO_DATABASE_URI": f"sqlite:///{folder / 'meltano.db'}",
        "TAP_SALESFORCE_CASES_LOGIN_URL": servers.salesforce_url,
        "TAP_SALESFORCE_CASES_CLIENT_ID": "sandbox-client",
        "TAP_SALESFORCE_CASES_CLIENT_SECRET": "sandbox-secret",
        "TAP_SALESFORCE_CASES_REPORT_PATH": str(reports["tap"]),
        "TARGET_HUBSPOT_TICKETS_BASE_URL": servers.hubspot_url,
        "TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN": "sandbox-token",
        "TARGET_HUBSPOT_TICKETS_REPORT_PATH": str(reports["target"]),
        "TARGET_HUBSPOT_TICKETS_LEDGER_URL": str(folder / "ledger.db"),
    }
    step(title, [str(BIN / "meltano"), "--environment", "sandbox", "run", *options, "case-sync"], env)
    tap, target = (json.loads(path.read_text(encoding="utf-8")) for path in reports.values())
    return Run(tap=tap, target=target)


ROWS = (  # label, which report, member of it
    ("cases read", "tap", "cases"),
    ("tickets created", "target", "created"),
    ("tickets updated", "target", "updated"),
    ("tickets archived", "target", "archived"),
    ("associations made", "target", "associations"),
    ("associations waiting for their company or contact", "target", "pending_associations"),
    ("rejected", "target", "rejected"),
    ("tickets per second", "target", "records_per_second"),
)


def counted(run: Run, report: str, member: str) -> str:
    if report == "tap":
        return f"{run.tap['rows'].get(member, 0):,}"
    value = run.target[member]
    return f"{value:,.0f}" if isinstance(value, float) else f"{value:,}"


def summary(runs: dict[str, Run]) -> Table:
    table = Table(title="What the two runs did", title_justify="left")
    table.add_column("")
    for name in runs:
        table.add_column(name, justify="right")
    for label, report, member in ROWS:
        table.add_row(label, *(counted(run, report, member) for run in runs.values()))
    return table


NEXT = (
    ("make sandbox", "the same two servers, kept running; then, in another terminal:"),
    (".venv/bin/case-sync-sandbox seed", "fill them (--from-csv: your own export)"),
    (".venv/bin/meltano run --full-refresh case-sync", "import them all"),
    (".venv/bin/case-sync-sandbox mutate --edit 20 --delete 2", "change some cases"),
    (".venv/bin/meltano run case-sync", "sync what changed, as the schedule does every 15 minutes"),
    (".venv/bin/case-sync-sandbox show", "look at what arrived"),
    (
        ".venv/bin/case-sync plan --sample 3",
        "the rules, mappings and pipelines, and what would become of real cases",
    ),
    (
        ".venv/bin/case-sync setup",
        "the questions of HubSpot's own wizard; status, errors, import, pause: see console/README.md",
    ),
    ("cp .env.example .env", "your own Salesforce and HubSpot: see README.md"),
)


def next_steps() -> Panel:
    grid = Table.grid(padding=(0, 2))
    for command, meaning in NEXT:
        grid.add_row(f"[bold]{command}[/bold]", meaning)
    return Panel(grid, title="What to type next", title_align="left", expand=False)


def demo(cases: int) -> None:
    LOG.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as temporary, running_servers() as servers:
        folder, url = Path(temporary), ("--url", servers.salesforce_url)
        screen.print(f"Salesforce on {servers.salesforce_url}, HubSpot on {servers.hubspot_url}")
        step(f"seed {cases:,} cases", sandbox_command("seed", *url, "--cases", str(cases)))
        first = meltano_run("meltano run --full-refresh case-sync", servers, folder, "--full-refresh")
        changes = ("--edit", "20", "--close", "10", "--delete", "5", "--add", "8")
        step(
            "change cases: 20 edited, 10 closed, 5 deleted, 8 new", sandbox_command("mutate", *url, *changes)
        )
        second = meltano_run("meltano run case-sync", servers, folder)
        screen.print(summary({"import": first, "changes only": second}))
        screen.print(step("look into HubSpot", sandbox_command("show", *url, "summary")), markup=False)
    screen.print(next_steps())


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the main job on a local Salesforce and HubSpot.")
    parser.add_argument("--cases", type=int, default=1000, help="how many cases to seed (default: 1000)")
    try:
        demo(parser.parse_args().cases)
    except DemoFailedError as error:
        screen.print(f"[red]failed[/red]  {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
