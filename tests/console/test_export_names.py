"""No value of a case, a record or an answer becomes part of a file's path: whatever they say, files are made where the settings say alone."""

import csv
import json
import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from case_sync_console.case_filter import suffix
from case_sync_console.error_rows import cell
from case_sync_console.errors import DELETIONS_TO_CONFIRM
from case_sync_sandbox.testing import RunningSandbox

from .conftest import BIN, PORTAL, Project, make_project

pytestmark = pytest.mark.xdist_group("console-export-names")
KEY, SOURCE = "salesforce_case_id", "salesforce_org_id"
COLUMNS = {
    name: {"type": ["string", "null"]}
    for name in (KEY, SOURCE, "subject", "hs_pipeline", "hs_pipeline_stage", "_sdc_deleted_at")
}
PIECES = (
    "..",
    "../",
    "..\\",
    "/",
    "\\",
    "~",
    "~/",
    "%2e%2e%2f",
    "$HOME",
    "C:",
    "stolen",
    "a",
    ".",
    "\0",
    "\n",
    "|",
    "=1+1",
)
# What a name could lead to: up and beside the folder, an absolute path, a home, a device, a shell's and a spreadsheet's words.
NAMES = ["../../stolen", "../stolen", "..", ".", "/stolen", "{jail}/stolen", "~/stolen", "..\\..\\stolen", "sub/stolen", "a\0b", "=cmd|'/C x'!A0"]  # fmt: skip
SETTINGS = ("plan_path", "deletes_path", "report_path", "progress_path", "ledger_url")


def names(jail: Path) -> list[str]:
    """The ones above and 60 drawn from pieces of paths, the same in each run."""
    drawn = random.Random(7)
    return [name.replace("{jail}", str(jail)) for name in NAMES] + [
        "".join(drawn.choices(PIECES, k=drawn.randint(1, 5))) for _ in range(60)
    ]


def message(kind: str, stream: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "stream": stream, **more}


def record(stream: str, key: str, **values: Any) -> dict[str, Any]:
    return message("RECORD", stream, record={KEY: key, SOURCE: "00D000000000001EAA", **values})


def messages(stream: str, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """They, and a state of the same words."""
    schema = message("SCHEMA", stream, schema={"type": "object", "properties": COLUMNS}, key_properties=[KEY])
    names = [stream, *(one["record"][KEY] for one in records)]
    return [schema, *records, {"type": "STATE", "value": {"bookmarks": {name: {"read": name} for name in names}}}]  # fmt: skip


def whole(stream: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Of each key a record that is written, and one that is rejected for the name of its stage."""
    fine = {"hs_pipeline": "Support Pipeline", "hs_pipeline_stage": "New"}
    written = [record(stream, key, subject=key, **fine) for key in keys]
    refused = [record(stream, f"{key}r", subject=key, **fine | {"hs_pipeline_stage": key}) for key in keys]
    return messages(stream, [*written, *refused])


def deleted(stream: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    return messages(stream, [record(stream, key, _sdc_deleted_at="2026-01-07T11:30:00.000Z") for key in keys])


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    """A folder that holds the project three levels down, so that a way out of it can be seen."""
    (tmp_path / "one" / "two" / "project").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def caught(jail: Path, sandbox: RunningSandbox) -> Project:
    """A project in that folder; its home is there too."""
    return make_project(jail / "one" / "two" / "project", sandbox)


def load(project: Project, stream: Sequence[dict[str, Any]], **settings: Any) -> int:
    """The exit code of the target as a program in the project's folder."""
    config = {"base_url": project.sandbox.hubspot_url, "access_token": "sandbox-token", "on_delete": "archive", "max_deletes": 0, "max_delete_ratio": 0}  # fmt: skip
    paths = {name: f"{name}.out" for name in SETTINGS} | {"ledger_url": "hubspot-tickets-ledger.db"}
    (project.folder / "config.json").write_text(json.dumps(config | paths | settings), encoding="utf-8")
    done = subprocess.run(
        [str(BIN / "target-hubspot-tickets"), "--config", "config.json"],
        cwd=project.folder, env=project.env, input="".join(json.dumps(one) + "\n" for one in stream),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode


def files(jail: Path) -> set[str]:
    """All but what Meltano keeps in its own folders."""
    return {
        str(path.relative_to(jail))
        for path in jail.rglob("*")
        if path.is_file() and not {".meltano", ".cache"} & {*path.parts}
    }


def test_what_a_stream_says_is_no_part_of_a_path(jail: Path, caught: Project) -> None:
    """Names of streams, keys, and stages that lead out of the folder: through a run, a dry run, and the console's export of what was rejected."""
    keys = names(jail)
    caught.sandbox.seed(3)
    before = files(jail)
    streams = ("tickets", NAMES[0])
    for stream in streams:
        assert load(caught, whole(stream, keys)) == 0
        assert load(caught, whole(stream, keys), dry_run=True) == 0
        assert load(caught, deleted(stream, keys)) == DELETIONS_TO_CONFIRM
    for kind in ("csv", "jsonl"):
        exported = caught.console("errors", "export", "--output", f"rejected.{kind}")
        assert exported.exit_code == 0, exported.output
    project = caught.folder.relative_to(jail)
    settings = {f"{name}.out" for name in SETTINGS if name != "ledger_url"}
    ledger = {f"hubspot-tickets-ledger.db{end}" for end in ("", f".{PORTAL}.lock")}
    made = settings | ledger | {"config.json", "rejected.csv", "rejected.jsonl"}
    assert files(jail) - before == {str(project / name) for name in made}
    with (caught.folder / "rejected.csv").open(encoding="utf-8", newline="") as file:
        told = {row["key"] for row in csv.DictReader(file)}
    assert told >= {cell(f"{name}r") for name in ("../../stolen", "/stolen", "~/stolen")}
    with (caught.folder / "deletes_path.out").open(encoding="utf-8", newline="") as file:
        assert {row[1] for row in csv.reader(file)} >= {"../../stolen", "'=cmd|'/C x'!A0"}


def test_a_condition_is_no_part_of_a_file_s_name(tmp_path: Path) -> None:
    """What was imported names the file of the cases that are missing: by a digest."""
    for name in names(tmp_path):
        assert re.fullmatch(r"import-[0-9a-f]{8}", suffix({"where": name}, name))
