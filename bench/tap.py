"""Shell: how fast the tap reads: the whole process beside public Salesforce taps, on one sandbox, in turns.

`make bench` runs it. The ratio of the best rates is what counts: rates depend on the machine. `--million` adds a run over
1,000,000 cases, for the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from case_sync_sandbox.testing import RunningSandbox

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench"
CASES = 200_000
COLUMNS = 40
ROUNDS = 2
PEER = "tap-salesforce==2.8.1"  # by REST: its other way is Bulk 1, which the sandbox does not have
# A public tap asks the vendor's login host; in its own environment that host is the sandbox.
LOGIN_HOST = """
import os, requests
from requests.adapters import HTTPAdapter
HOST = "https://login.salesforce.com"
class ToSandbox(HTTPAdapter):
    def send(self, request, *args, **options):
        request.url = request.url.replace(HOST, os.environ["SANDBOX_SALESFORCE_URL"], 1)
        return super().send(request, *args, **options)
class Session(requests.Session):
    def __init__(self):
        super().__init__()
        self.mount(HOST, ToSandbox())
requests.Session = requests.sessions.Session = Session
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process: rows on its output, seconds of the wall, peak memory in MB."""

    rows: int
    seconds: float
    megabytes: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(command: list[str], env: dict[str, str]) -> Measured:
    """Run to the end; its output goes to a file, whose records are counted afterwards."""
    out = FOLDER / "out.jsonl"
    started = time.perf_counter()
    with out.open("wb") as written, (FOLDER / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=written, stderr=log, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{command[0]} failed:\n{(FOLDER / 'log').read_text(encoding='utf-8')[-3000:]}")
    with out.open("rb") as lines:
        rows = sum(line.startswith((b'{"type":"RECORD"', b'{"type": "RECORD"')) for line in lines)
    return Measured(rows=rows, seconds=seconds, megabytes=usage.ru_maxrss / 1024)


@contextmanager
def org(cases: int) -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        sandbox.seed(cases)
        yield sandbox


def chosen(catalog: Path, stream_id: str, columns: list[str] | None) -> list[str]:
    """Select COLUMNS fields of cases and nothing else in a catalog file; says which fields."""
    found = json.loads(catalog.read_text(encoding="utf-8"))
    found["streams"] = [s for s in found["streams"] if s["tap_stream_id"] == stream_id]
    (stream,) = found["streams"]
    plain = [
        n
        for n in stream["schema"]["properties"]
        if "__" not in n.removesuffix("__c") and not n.startswith("_")
    ]
    wanted = columns or plain[:COLUMNS]
    for entry in stream["metadata"]:
        entry["metadata"]["selected"] = not entry["breadcrumb"] or entry["breadcrumb"][-1] in wanted
    catalog.write_text(json.dumps(found), encoding="utf-8")
    return wanted


def our_command(sandbox: RunningSandbox) -> tuple[list[str], list[str]]:
    """The command of our tap, and the fields that it reads."""
    config, catalog = FOLDER / "tap.json", FOLDER / "catalog.json"
    settings = {"login_url": sandbox.salesforce_url, "client_id": "sandbox-client", "client_secret": "sandbox-secret", "hard_deletes": False}  # fmt: skip
    config.write_text(json.dumps(settings), encoding="utf-8")
    program = [str(Path(sys.executable).parent / "tap-salesforce-cases"), "--config", str(config)]
    catalog.write_bytes(subprocess.run([*program, "--discover"], check=True, capture_output=True).stdout)
    columns = chosen(catalog, "cases", None)
    return [*program, "--catalog", str(catalog)], columns


def installed(package: str) -> Path:
    """The command of a public tap in an environment of its own."""
    program = FOLDER / package.replace("==", "-") / "bin" / "tap-salesforce"
    if not program.exists():
        venv.create(program.parents[1], with_pip=True)
        pip = [str(program.parent / "pip"), "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, package, "setuptools<81"], check=True)
    return program


def peer_command(program: Path, api_type: str, columns: list[str], env: dict[str, str]) -> list[str]:
    """The command of a public tap that reads the same fields from the sandbox."""
    (packages,) = program.parents[1].glob("lib/python*/site-packages")
    (packages / "login_host.py").write_text(LOGIN_HOST, encoding="utf-8")
    (packages / "login_host.pth").write_text("import login_host", encoding="utf-8")
    config, catalog = FOLDER / f"{api_type}.json", FOLDER / f"{api_type}-catalog.json"
    settings: dict[str, Any] = {
        "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh",
        "start_date": "2000-01-01T00:00:00Z", "api_type": api_type, "select_fields_by_default": True, "streams_to_discover": ["Case"],
    }  # fmt: skip
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [str(program), "--config", str(config)]
    done = subprocess.run([*command, "--discover"], check=True, capture_output=True, env=env)
    catalog.write_bytes(done.stdout)
    chosen(catalog, "Case", columns)
    return [*command, "--properties", str(catalog)]


def compare(bulk2_tap: Path | None) -> None:
    """Our tap and the public ones, in turns."""
    with org(CASES) as sandbox:
        ours, columns = our_command(sandbox)
        env = {**os.environ, "SANDBOX_SALESFORCE_URL": sandbox.salesforce_url}
        commands = {"tap-salesforce-cases, Bulk 2.0": ours}
        commands[f"{PEER}, REST"] = peer_command(installed(PEER), "REST", columns, env)
        if bulk2_tap:
            commands["MeltanoLabs' tap-salesforce, Bulk 2.0"] = peer_command(bulk2_tap, "BULK2", columns, env)
        best: dict[str, Measured] = {}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                measured = measure(command, env)
                if name not in best or measured.rate > best[name].rate:
                    best[name] = measured
        for name, one in best.items():
            print(
                f"{name}: {one.rows:,} rows of {len(columns)} fields, {one.rate:,.0f} rows/s, peak {one.megabytes:.0f} MB"
            )
        first, *others = best.values()
        print(f"ratio to the fastest of the others: {first.rate / max(o.rate for o in others):.1f}")
        quiet(sandbox)


def quiet(sandbox: RunningSandbox) -> None:
    """A run with nothing to do: its calls and its own time."""
    config, state, report = (FOLDER / name for name in ("quiet.json", "state.json", "report.json"))
    settings = {"login_url": sandbox.salesforce_url, "client_id": "sandbox-client", "client_secret": "sandbox-secret", "report_path": str(report)}  # fmt: skip
    config.write_text(json.dumps(settings), encoding="utf-8")
    program = [str(Path(sys.executable).parent / "tap-salesforce-cases"), "--config", str(config)]
    lines = subprocess.run(program, check=True, capture_output=True).stdout.splitlines()
    (last,) = [json.loads(line)["value"] for line in lines[-3:] if line.startswith(b'{"type":"STATE"')][-1:]
    state.write_text(json.dumps(last), encoding="utf-8")
    measured = measure([*program, "--state", str(state)], dict(os.environ))
    told = json.loads(report.read_text(encoding="utf-8"))
    print(
        f"nothing new: {measured.rows} rows, {told['api_calls']} API calls, {told['seconds']:.2f} s of its own, {measured.seconds:.2f} s with the start of the process"
    )


def million() -> None:
    """The memory over five times as many rows."""
    with org(1_000_000) as sandbox:
        command, _ = our_command(sandbox)
        one = measure(command, dict(os.environ))
    print(f"tap-salesforce-cases: {one.rows:,} rows, {one.rate:,.0f} rows/s, peak {one.megabytes:.0f} MB")


def main() -> None:
    """Print rates, memory and the ratio."""
    parser = argparse.ArgumentParser(description="Measure the tap beside public ones.")
    parser.add_argument("--million", action="store_true", help="also read 1,000,000 cases, for the memory")
    parser.add_argument(
        "--bulk2-tap", type=Path, help="MeltanoLabs' tap-salesforce: its command in an environment of yours"
    )
    FOLDER.mkdir(exist_ok=True)
    options = parser.parse_args()
    compare(options.bulk2_tap)
    if options.million:
        million()


if __name__ == "__main__":
    main()
