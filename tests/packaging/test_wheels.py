"""Each package, built as a wheel and installed alone, runs."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Installed, build_wheel

PLUGINS = {
    "tap-salesforce-cases": "tap-salesforce-cases",
    "transform": "case-ticket-mapper",
    "target-hubspot-tickets": "target-hubspot-tickets",
}
SOURCES = {
    "tap-salesforce-cases": "tap_salesforce_cases",
    "transform": "case_ticket_mapper",
    "target-hubspot-tickets": "target_hubspot_tickets",
    "sandbox": "case_sync_sandbox",
}


@pytest.mark.parametrize("package", PLUGINS)
@pytest.mark.xdist_group("wheels")
def test_plugin_installed_alone_describes_itself(alone: Callable[[str], Installed], package: str) -> None:
    """`--version` prints the version of the wheel and `--about --format=json` the settings, from an empty environment."""
    command = PLUGINS[package]
    version = alone(package).run(command, "--version")
    assert (version.returncode, "0.1.0" in version.stdout) == (0, True), version.stderr
    about = alone(package).run(command, "--about", "--format=json")
    assert about.returncode == 0, about.stderr
    described = json.loads(about.stdout)
    assert described["name"] == command
    assert described["settings"]["properties"]


@pytest.mark.xdist_group("wheels")
def test_sandbox_installed_alone_runs(alone: Callable[[str], Installed]) -> None:
    version = alone("sandbox").run("case-sync-sandbox", "--version")
    assert (version.returncode, "0.1.0" in version.stdout) == (0, True), version.stderr


@pytest.mark.parametrize("package", SOURCES)
@pytest.mark.xdist_group("wheels")
def test_wheel_holds_the_package_and_nothing_else(tmp_path: Path, package: str) -> None:
    """Typed (py.typed), complete (every source file that git tracks), and without tests or stray files."""
    wheel = build_wheel(package, tmp_path)
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    tracked = subprocess.run(
        ["git", "ls-files", f"{package}/src"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert names == {t.removeprefix(f"{package}/src/") for t in tracked}
    assert f"{SOURCES[package]}/py.typed" in names
