"""Either plugin alone serves in other people's pipelines: with public plugins that nobody here wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import Installed

MakeInstalled = Callable[[str], Installed]


def write_json(path: Path, value: Any) -> str:
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


@pytest.mark.xdist_group("wheels")
def test_tap_alone_fills_a_public_target(
    alone: MakeInstalled, public: MakeInstalled, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """The installed tap into target-jsonl: one line per case, and the state comes back."""
    sandbox.seed(40)
    config = {
        "login_url": sandbox.salesforce_url,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    read = alone("tap-salesforce-cases").run(
        "tap-salesforce-cases", "--config", write_json(tmp_path / "tap.json", config)
    )
    assert read.returncode == 0, read.stderr

    target = write_json(
        tmp_path / "target.json", {"destination_path": str(tmp_path), "do_timestamp_file": False}
    )
    written = public("target-jsonl").run("target-jsonl", "--config", target, stdin=read.stdout)
    assert written.returncode == 0, written.stderr
    lines = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    stored = {c["Id"]: c for c in sandbox.admin("GET", "salesforce/records?object=Case")}
    assert {line["Id"]: line["Subject"] for line in lines} == {i: c["Subject"] for i, c in stored.items()}
    assert "cases" in json.loads(written.stdout.splitlines()[-1])["bookmarks"]


@pytest.mark.xdist_group("wheels")
def test_public_tap_fills_the_target_alone(
    alone: MakeInstalled, public: MakeInstalled, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """A public tap that reads JSON lines into the installed target, with a key column of its own: tickets arrive."""
    rows = [
        {
            "desk_id": f"D-{n}",
            "subject": f"Desk request {n}",
            "hs_pipeline": "Support Pipeline",
            "hs_pipeline_stage": "New",
        }
        for n in range(25)
    ]
    (tmp_path / "requests.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    tap = {"path": str(tmp_path / "requests.jsonl"), "stream_name": "requests", "primary_keys": ["desk_id"]}
    read = public("tap-jsonl").run("tap-jsonl", "--config", write_json(tmp_path / "tap.json", tap))
    assert read.returncode == 0, read.stderr

    config = {
        "base_url": sandbox.hubspot_url,
        "access_token": "sandbox-token",
        "key_property": "desk_id",
        "ledger_url": str(tmp_path / "ledger.db"),
    }
    written = alone("target-hubspot-tickets").run(
        "target-hubspot-tickets", "--config", write_json(tmp_path / "target.json", config), stdin=read.stdout
    )
    assert written.returncode == 0, written.stderr
    found = {t["properties"]["desk_id"]: t["properties"]["subject"] for t in sandbox.tickets()}
    assert found == {row["desk_id"]: row["subject"] for row in rows}
