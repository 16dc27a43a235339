"""Referee: a public Singer tap that we did not write, made for the vendor's own service, discovers and reads the sandbox."""

import json
import os
import subprocess
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .conftest import Org, as_rest

TAP = "tap-salesforce==2.8.1"
# The tap asks the vendor's login host; in its own environment that host is the sandbox, which names itself as instance_url.
LOGIN_HOST = """
import os

import requests
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


requests.Session = Session
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTap:
    """The public tap in an environment of its own, and the sandbox that it takes for Salesforce."""

    command: Path
    folder: Path
    salesforce_url: str

    def run(self, config: dict[str, Any], *args: str) -> list[dict[str, Any]]:
        """The JSON values of its lines."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        done = subprocess.run(
            [str(self.command), "--config", str(file), *args],
            env={**os.environ, "SANDBOX_SALESFORCE_URL": self.salesforce_url},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return (
            [json.loads(done.stdout)]
            if "--discover" in args
            else list(map(json.loads, done.stdout.splitlines()))
        )


@pytest.fixture(scope="session")
def public_tap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the public tap, installed by pip."""
    folder = tmp_path_factory.mktemp("public-tap") / "env"
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "install", "-qq", "--disable-pip-version-check", TAP]
    subprocess.run(pip, check=True, timeout=280)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "login_host.py").write_text(LOGIN_HOST, encoding="utf-8")
    (packages / "login_host.pth").write_text("import login_host", encoding="utf-8")
    return folder / "bin" / "tap-salesforce"


@pytest.fixture
def tap(org: Org, public_tap: Path, tmp_path: Path) -> PublicTap:
    org.sandbox.mutate(edits=5, deletes=7, merges=2)
    org.switch(max_page_rows=90)
    return PublicTap(command=public_tap, folder=tmp_path, salesforce_url=org.sandbox.salesforce_url)


CONFIG = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh",
    "start_date": "2020-01-01T00:00:00Z",
    "api_type": "REST",
    "select_fields_by_default": True,
}


def choose_case(catalog: dict[str, Any], tmp_path: Path, key: str | None = None) -> str:
    """The catalog with the stream Case alone, selected; with a replication key it is read from a bookmark on."""
    (case,) = (s for s in catalog["streams"] if s["tap_stream_id"] == "Case")
    (whole,) = (m["metadata"] for m in case["metadata"] if m["breadcrumb"] == [])
    whole["selected"] = True
    if key:
        whole |= {"replication-method": "INCREMENTAL", "replication-key": key}
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps({"streams": [case]}), encoding="utf-8")
    return str(file)


@pytest.mark.timeout(400)
def test_a_public_singer_tap_discovers_what_describe_lists(org: Org, tap: PublicTap) -> None:
    """Its catalog has the sandbox's objects, and of Case each field that describe lists."""
    (catalog,) = tap.run(CONFIG, "--discover")
    streams = {s["tap_stream_id"]: s for s in catalog["streams"]}
    assert {"Case", "Account", "Contact", "User", "RecordType", "BusinessProcess", "CaseStatus"} <= set(
        streams
    )
    assert set(org.types()) == set(streams["Case"]["schema"]["properties"])


def plain(record: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    """A record whose moments and days are compared as such: the tap writes them in a form of its own."""
    moments = {n for n, kind in types.items() if kind in {"date", "datetime"} and record[n]}
    shown = {n: datetime.fromisoformat(record[n]).replace(tzinfo=UTC) for n in moments}
    return {name: shown.get(name, record[name]) for name in types}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("key", [None, "SystemModstamp"], ids=["whole", "incremental"])
def test_a_public_singer_tap_reads_every_case(
    org: Org, tap: PublicTap, tmp_path: Path, key: str | None
) -> None:
    """Its RECORDs are the stored cases, deleted ones too, page by page: the same ids and the same values."""
    (catalog,) = tap.run(CONFIG, "--discover")
    lines = tap.run(CONFIG, "--properties", choose_case(catalog, tmp_path, key))
    found = {line["record"]["Id"]: line["record"] for line in lines if line["type"] == "RECORD"}
    assert {r["Id"] for r in org.stored()} == set(found)
    assert sum(line["type"] == "RECORD" for line in lines) == len(found) == 300
    types = org.types()
    expected = [as_rest(record, types) for record in org.stored()]
    assert [plain(r, types) for r in expected] == [plain(found[r["Id"]], types) for r in expected]
    pages = org.sandbox.requests(path="/services/data/v61.0/query/")
    assert len(pages) == 3
