"""Rules and cases to map: the project's own rules, and cases as the tap could send them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from case_sync_sandbox.testing import RunningSandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture
def block() -> dict[str, Any]:
    """The rules of the project's meltano.yml."""
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    found: dict[str, Any] = plugins["mappers"][0]["mappings"][0]["config"]["rules"]
    return found


@pytest.fixture
def case() -> dict[str, Any]:
    """The sample case, live."""
    first = (ROOT / "contracts/samples/cases.jsonl").read_text(encoding="utf-8").splitlines()[1]
    found: dict[str, Any] = json.loads(first)["record"]
    return found


@pytest.fixture
def metadata(sandbox: RunningSandbox, tmp_path: Path) -> list[str]:
    """The four answers of the vendors, as files, from the sandbox's org and portal."""
    sandbox.seed(5)
    login = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    token = httpx.post(f"{sandbox.salesforce_url}/services/oauth2/token", data=login).json()["access_token"]
    salesforce = {"authorization": f"Bearer {token}"}
    hubspot = {"authorization": "Bearer sandbox-token"}
    processes = "SELECT Name FROM BusinessProcess WHERE TableEnumOrId = 'Case'"
    answers = {
        "describe": httpx.get(f"{sandbox.salesforce_url}/services/data/v66.0/sobjects/Case/describe", headers=salesforce),
        "processes": httpx.get(f"{sandbox.salesforce_url}/services/data/v66.0/query", params={"q": processes}, headers=salesforce),
        "properties": httpx.get(f"{sandbox.hubspot_url}/crm/properties/2026-09/tickets", headers=hubspot),
        "pipelines": httpx.get(f"{sandbox.hubspot_url}/crm/pipelines/2026-09/tickets", headers=hubspot),
    }  # fmt: skip
    paths = []
    for name, answer in answers.items():
        path = tmp_path / f"{name}.json"
        path.write_text(answer.raise_for_status().text, encoding="utf-8")
        paths.append(str(path))
    return paths
