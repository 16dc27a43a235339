"""The three programs joined by this file in place of Meltano, so that one of them can be killed at a chosen line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from case_sync_sandbox.testing import RunningSandbox

ROOT = Path(__file__).parents[2]


def rules() -> dict[str, Any]:
    """The rules of the project's meltano.yml."""
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    found: dict[str, Any] = plugins["mappers"][0]["mappings"][0]["config"]["rules"]
    return found


def states_in(output: str) -> list[Any]:
    """The states of whole lines."""
    return [json.loads(line) for line in output[: output.rfind("\n") + 1].splitlines()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a chain: the tap's lines that were handed on, the target's exit code, states and log."""

    handed_on: list[bytes]
    returncode: int
    states: list[Any]
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Tap, mapper and target in a folder of their own, pointed at one sandbox."""

    folder: Path
    sandbox: RunningSandbox

    def run(self, state: Any = None, *, kill_mapper_after: int | None = None) -> Ended:
        """Once through; the mapper is killed behind so many RECORD lines of the tap's."""
        with (
            self.start("tap_salesforce_cases", self.tap_settings(), *self.state_option(state)) as tap,
            self.start("case_ticket_mapper", {"rules": rules()}, stdin=subprocess.PIPE) as mapper,
            self.start("target_hubspot_tickets", self.target_settings(), stdin=mapper.stdout, stderr=subprocess.PIPE) as target,
        ):  # fmt: skip
            assert mapper.stdout
            mapper.stdout.close()  # the target alone reads it
            handed_on = list(hand_on(tap, mapper, kill_mapper_after))
            out, log = target.communicate(timeout=120)
        return Ended(
            handed_on=handed_on,
            returncode=target.returncode,
            states=states_in(out.decode()),
            log=log.decode(),
        )

    def start(
        self,
        module: str,
        settings: dict[str, Any],
        *options: str,
        stdin: int | IO[bytes] | None = None,
        stderr: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        config = self.folder / f"{module}.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, "-m", module, "--config", str(config), *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=clean_environment(),
        )

    def state_option(self, state: Any) -> list[str]:
        path = self.folder / "state.json"
        path.write_text(json.dumps(state), encoding="utf-8")
        return [] if state is None else ["--state", str(path)]

    def tap_settings(self) -> dict[str, Any]:
        return {
            "login_url": self.sandbox.salesforce_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "api_mode": "rest",
            "page_size": 200,
        }

    def target_settings(self) -> dict[str, Any]:
        return {
            "base_url": self.sandbox.hubspot_url,
            "access_token": "sandbox-token",
            "ledger_url": str(self.folder / "ledger.db"),
            "on_delete": "archive",
        }


def hand_on(tap: subprocess.Popen[bytes], mapper: subprocess.Popen[bytes], last: int | None) -> Iterator[bytes]:  # fmt: skip
    """Line by line from the tap to the mapper, each told; behind the last record the mapper is killed, and the tap with it."""
    assert tap.stdout
    assert mapper.stdin
    records = 0
    for line in tap.stdout:
        written(mapper.stdin, line)
        yield line
        records += is_record(line)
        if records == last:
            mapper.kill()
            tap.kill()
            break
    with suppress(OSError):
        mapper.stdin.close()


def written(pipe: IO[bytes], line: bytes) -> None:
    pipe.write(line)
    pipe.flush()


def is_record(line: bytes) -> bool:
    kind: str = json.loads(line)["type"]
    return kind == "RECORD"


def clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_", "MELTANO_"))}
