"""Shell: the whole pipeline: imports with associations, by pipes and by Meltano, an empty run of Meltano, growth, freshness.

`make bench` runs it. The processes of tap, mapper and target are measured one by one, the sandbox's apart; under Meltano, which passes
each line on, all together. What was measured is also left in .bench/pipeline.json, for results.py.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hubspot_servers import LATENCY_MS, Server

from case_sync_sandbox.testing import RunningSandbox
from target import CEILING, FOLDER, awaited

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PROGRAMS = {"tap": "tap-salesforce-cases", "mapper": "case-ticket-mapper", "target": "target-hubspot-tickets"}
PARTS = ("limits", "meltano", "free", "growth", "empty", "fresh")
EMPTY_ROUNDS = 15
POLL_SECONDS = 0.1
CYCLE_SECONDS = 60
# What the cases of the org are of; the many are more than five searches a second find beside 1,900 tickets a second.
FEW = {"accounts": 5_000, "contacts": 20_000}
MANY = {"accounts": 12_500, "contacts": 25_000}
LOOKUPS = (("companies", "salesforceaccountid"), ("contacts", "salesforcecontactid"))
OWN_VARIABLES = ("TAP_", "TARGET_", "MELTANO_", "CASE_TICKET_MAPPER_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a process used: seconds of the processors, peak memory in MB."""

    cpu_seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of `cases` cases; `processes` by the names of PROGRAMS, and the sandbox."""

    cases: int
    seconds: float
    associations: int
    processes: dict[str, Used] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.cases / self.seconds

    @property
    def cpu_of_a_thousand(self) -> float:
        """Seconds of the processors that our three processes spend on 1,000 cases."""
        ours = sum(one.cpu_seconds for name, one in self.processes.items() if name != "sandbox")
        return ours / self.cases * 1000


class FailedError(Exception):
    """A program ended with an error; the message is the end of its log."""


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}


def definition() -> dict[str, Any]:
    """meltano.yml, its plugins taken from this environment."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    for plugins in found["plugins"].values():
        for plugin in plugins:
            del plugin["pip_url"]
            plugin["executable"] = str(BIN / plugin["executable"])
    return found


def settings(sandbox: RunningSandbox) -> dict[str, dict[str, Any]]:
    """Of the three programs, as meltano.yml has them for the sandbox."""
    rules = definition()["plugins"]["mappers"][0]["mappings"][0]["config"]["rules"]
    return {
        "tap": {"login_url": sandbox.salesforce_url, "client_id": "sandbox-client", "client_secret": "sandbox-secret"},
        "mapper": {"rules": rules},
        "target": {"base_url": sandbox.hubspot_url, "access_token": "sandbox-token", "report_path": "report.json"},
    }  # fmt: skip


def imported(sandbox: RunningSandbox, cases: int) -> Import:
    """Tap | mapper | target over all cases, with pipes between them, in an empty folder.

    Raises:
        FailedError: one of them failed, or not every case became a ticket.
    """
    server = Server(url=sandbox.hubspot_url, pid=sandbox.pid)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        before, started = server.cpu_seconds(), time.perf_counter()
        processes = piped(folder, settings(sandbox))
        seconds = time.perf_counter() - started
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    if report["created"] + report["rejected"] != cases:
        raise FailedError(f"{cases} cases, and this became of them: {report}")
    processes["sandbox"] = Used(cpu_seconds=server.cpu_seconds() - before, megabytes=server.megabytes())
    return Import(cases=cases, seconds=seconds, associations=report["associations"], processes=processes)


def piped(folder: Path, configs: dict[str, dict[str, Any]]) -> dict[str, Used]:
    """The three programs with pipes between them, and what each used."""
    used: dict[str, Used] = {}
    failed: list[str] = []
    threads = []
    source: Any = subprocess.DEVNULL
    for name, program in PROGRAMS.items():
        config = folder / f"{name}.json"
        config.write_text(json.dumps(configs[name]), encoding="utf-8")
        with (folder / f"{name}.log").open("wb") as log:
            out = subprocess.PIPE if name != "target" else subprocess.DEVNULL
            process = subprocess.Popen(
                [str(BIN / program), "--config", str(config)], stdin=source, stdout=out, stderr=log, cwd=folder, env=clean()
            )  # fmt: skip
        if source is not subprocess.DEVNULL:
            source.close()
        source = process.stdout

        def watch(pid: int, name: str) -> None:
            status, usage, peak = awaited(pid)
            used[name] = Used(cpu_seconds=usage.ru_utime + usage.ru_stime, megabytes=peak)
            failed.extend([name] if status else [])

        threads.append(threading.Thread(target=watch, args=(process.pid, name)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if failed:
        raise FailedError((folder / f"{failed[0]}.log").read_text(encoding="utf-8", errors="replace")[-2000:])
    return used


@contextmanager
def filled(
    cases: int, *, hard: bool = False, unique: bool = False, org: Mapping[str, int] = FEW
) -> Iterator[RunningSandbox]:
    """A sandbox with so many cases.

    `hard`: HubSpot's real limits and 300 ms a call; `unique`: companies and contacts are found by unique properties, without searches.
    """
    with RunningSandbox(real_limits=hard) as sandbox:
        sandbox.seed(cases, **org)
        if unique:
            properties = [
                {"objectType": to, "name": name, "label": name, "hasUniqueValue": True}
                for to, name in LOOKUPS
            ]
            sandbox.admin("POST", "hubspot/load", {"properties": properties})
        if hard:
            sandbox.faults([{"half": "hubspot", "action": "latency", "latency_ms": LATENCY_MS}])
        yield sandbox


def tell(one: Import) -> None:
    parts = "; ".join(
        f"{name} {used.cpu_seconds:.1f} s, {used.megabytes:.0f} MB" for name, used in one.processes.items()
    )
    print(
        f"  {one.cases:,} cases, {one.associations:,} associations: {one.seconds:.1f} s, {one.rate:,.0f} cases/s; processors and memory: {parts};"
        f" {one.cpu_of_a_thousand:.3f} s of processor for 1,000 cases"
    )


def limits(cases: int) -> list[Import]:
    print(f"tap | mapper | target, HubSpot's limits, {LATENCY_MS} ms a call:")
    found = []
    for org in (FEW, MANY):
        with filled(cases, hard=True, org=org) as sandbox:
            found.append(imported(sandbox, cases))
            refused = sum(sandbox.admin("GET", "hubspot/limits")["refused"].values())
        sizes = " and ".join(f"{number:,} {name}" for name, number in org.items())
        print(
            f"  of {sizes}: {found[-1].rate / CEILING:.1%} of the ceiling of {CEILING:,.0f}/s, {refused} answers 429"
        )
        tell(found[-1])
    return found


def free(cases: int) -> list[Import]:
    print(
        "tap | mapper | target, no limits, no latency, found by unique properties (the sandbox shares the processors):"
    )
    with filled(cases, unique=True) as sandbox:
        one = imported(sandbox, cases)
    tell(one)
    return [one]


def growth(sizes: list[int]) -> list[Import]:
    print("growth, no limits, no latency, found by unique properties:")
    found = []
    for cases in sizes:
        with filled(cases, unique=True) as sandbox:
            found.append(imported(sandbox, cases))
        tell(found[-1])
    return found


# -- Meltano


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Meltano project in a folder of its own."""

    folder: Path
    env: dict[str, str]

    def run(self, *args: str) -> float:
        """Seconds of `meltano ARGS`.

        Raises:
            FailedError: it failed.
        """
        started = time.perf_counter()
        done = subprocess.run(
            [str(BIN / "meltano"), "--log-level=warning", *args],
            cwd=self.folder, env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FailedError((done.stdout + done.stderr)[-2000:])
        return time.perf_counter() - started

    def report(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{name}-report.json").read_text(encoding="utf-8"))
        return found


def project(folder: Path, content: dict[str, Any], sandbox: RunningSandbox) -> Project:
    folder.mkdir()
    (folder / "meltano.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    env = clean() | {
        "TAP_SALESFORCE_CASES_LOGIN_URL": sandbox.salesforce_url,
        "TARGET_HUBSPOT_TICKETS_BASE_URL": sandbox.hubspot_url,
        "TAP_SALESFORCE_CASES_REPORT_PATH": str(folder / "tap-report.json"),
        "TARGET_HUBSPOT_TICKETS_REPORT_PATH": str(folder / "target-report.json"),
    }
    return Project(folder=folder, env=env)


def doing_nothing(folder: Path) -> dict[str, Any]:
    """A project of the same shape: SDK plugins that do nothing, started as ours are, by scripts in `folder`."""

    def plugin(kind: str, **more: Any) -> dict[str, Any]:
        script = folder / f"{kind}-nothing"
        script.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom nothing import KINDS\nKINDS[{kind!r}].cli()\n",
            encoding="utf-8",
        )
        script.chmod(0o700)
        return {"name": f"{kind}-nothing", "namespace": f"{kind}_nothing", "executable": str(script), **more}

    capabilities = ["catalog", "discover", "state"]
    return {
        "default_environment": "dev", "project_id": "nothing", "send_anonymous_usage_stats": False,
        "environments": [{"name": "dev"}],
        "plugins": {
            "extractors": [plugin("tap", capabilities=capabilities)],
            "mappers": [plugin("mapper", mappings=[{"name": "as-it-is", "config": {}}])],
            "loaders": [plugin("target")],
        },
        "jobs": [{"name": "sync-nothing", "tasks": ["tap-nothing as-it-is target-nothing"]}],
    }  # fmt: skip


def under_meltano(cases: int) -> dict[str, Any]:
    """An import as `meltano run --full-refresh case-sync`, from command to exit, under HubSpot's limits."""
    with filled(cases, hard=True) as sandbox, tempfile.TemporaryDirectory(dir=FOLDER) as name:
        ours = project(Path(name) / "ours", definition(), sandbox)
        before = _children_seconds()
        seconds = ours.run("run", "--full-refresh", "case-sync")
        used = _children_seconds() - before
        report = ours.report("target")
    if report["created"] + report["rejected"] != cases:
        raise FailedError(f"{cases} cases, and this became of them: {report}")
    print(f"meltano run --full-refresh case-sync, HubSpot's limits, {LATENCY_MS} ms a call:")
    print(
        f"  of {FEW['accounts']:,} accounts and {FEW['contacts']:,} contacts: {cases / seconds / CEILING:.1%} of the ceiling, {cases:,} cases in {seconds:.1f} s from"
        f" command to exit; {used:.1f} s of processor, Meltano's and its discovery's with ours"
    )
    return {"cases": cases, "seconds": seconds, "cpu_seconds": used}


def _children_seconds() -> float:
    """What all processes that were waited for used of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def empty(cases: int) -> dict[str, Any]:
    """An incremental run that finds nothing, beside one of plugins that do nothing, in turns."""
    with filled(cases, org={}) as sandbox, tempfile.TemporaryDirectory(dir=FOLDER) as name:
        ours = project(Path(name) / "ours", definition(), sandbox)
        nothing = project(Path(name) / "nothing", doing_nothing(Path(name)), sandbox)
        ours.run("run", "--full-refresh", "case-sync")
        time.sleep(2)
        ours.run("run", "case-sync")
        nothing.run("run", "sync-nothing")
        pairs = [
            (ours.run("run", "case-sync"), nothing.run("run", "sync-nothing")) for _ in range(EMPTY_ROUNDS)
        ]
        calls = {n: ours.report(n)["api_calls"] for n in ("tap", "target")}
    found = [statistics.median(times) for times in zip(*pairs, strict=True)]
    print(
        f"an empty run: {found[0]:.2f} s from command to exit, {found[0] / found[1]:.2f}x the same `meltano run` with SDK plugins that do nothing"
        f" ({found[1]:.2f} s); {calls['tap']} calls of Salesforce's (and one of Meltano's discovery), {calls['target']} of HubSpot's"
    )
    return {"seconds": found[0], "nothing_seconds": found[1], "calls": calls}


def fresh(cycles: int) -> dict[str, Any]:
    """At a one-minute schedule: from a change in Salesforce to its ticket; the change comes at another moment of each minute."""
    waits = []
    with filled(1_000, org={}) as sandbox, tempfile.TemporaryDirectory(dir=FOLDER) as name:
        ours = project(Path(name) / "ours", definition(), sandbox)
        ours.run("run", "--full-refresh", "case-sync")
        case_id = sandbox.tickets()[0]["properties"]["salesforce_case_id"]
        for number in range(cycles):
            began = time.monotonic()
            offset = CYCLE_SECONDS * (number + 1) / (cycles + 1)
            time.sleep(offset)
            changed, subject = time.monotonic(), f"Change {number}"
            change = {"action": "update", "id": case_id, "values": {"Subject": subject}}
            sandbox.admin("POST", "salesforce/records", change)
            time.sleep(max(began + CYCLE_SECONDS - time.monotonic(), 0))
            run = threading.Thread(target=ours.run, args=("run", "case-sync"))
            run.start()
            while not any(t["properties"].get("subject") == subject for t in sandbox.tickets()):
                time.sleep(POLL_SECONDS)
            waits.append((offset, time.monotonic() - changed, time.monotonic() - began - CYCLE_SECONDS))
            run.join()
    behind = [run for _, _, run in waits]
    print(
        f"freshness at a one-minute schedule: {', '.join(f'{wait:.0f} s' for _, wait, _ in waits)} from change to ticket (changed {', '.join(f'{o:.0f} s' for o, _, _ in waits)} into the minute);"
        f" the ticket is there {statistics.mean(behind):.1f} s after the run's start"
    )
    return {"waits": [wait for _, wait, _ in waits], "behind_start": behind}


def main() -> None:
    """Print what was measured, and leave it for results.py."""
    parser = argparse.ArgumentParser(description="Measure the whole pipeline.")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="these parts only")
    parser.add_argument("--cases", type=int, default=100_000, help="of the imports")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[10_000, 100_000, 1_000_000],
        help="of the growth; 1000000 takes about six minutes",
    )
    parser.add_argument("--cycles", type=int, default=3, help="minutes of the freshness")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    works = {
        "limits": lambda: [asdict(one) for one in limits(options.cases)],
        "meltano": lambda: under_meltano(options.cases),
        "free": lambda: [asdict(one) for one in free(options.cases)],
        "growth": lambda: [asdict(one) for one in growth(options.sizes)],
        "empty": lambda: empty(1_000),
        "fresh": lambda: fresh(options.cycles),
    }
    path = FOLDER / "pipeline.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for part in options.only:
        found[part] = works[part]()
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
