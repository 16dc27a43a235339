"""Rules and cases to map: the project's own rules, and cases as the tap could send them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

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
