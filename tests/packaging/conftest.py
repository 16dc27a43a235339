"""Builds each package as a wheel and installs it alone, with plain pip, in an empty environment."""

import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An environment that holds one of our wheels, or one public plugin, and what it depends on, nothing else."""

    folder: Path

    def run(
        self, command: str, *args: str, stdin: str = "", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "bin" / command), *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            cwd=cwd or self.folder,
        )


def install(folder: Path, requirement: str) -> Installed:
    venv.create(folder, with_pip=True)
    subprocess.run(
        [str(folder / "bin" / "pip"), "install", "-qq", "--disable-pip-version-check", requirement],
        check=True,
        timeout=280,
    )
    return Installed(folder=folder)


def build_wheel(package: str, out: Path) -> Path:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(out),
            str(ROOT / package),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """`alone("transform")`: the wheel of that package in an environment of its own; made once a session."""
    made: dict[str, Installed] = {}

    def get(package: str) -> Installed:
        if package not in made:
            wheel = build_wheel(package, tmp_path_factory.mktemp(f"wheel-{package}"))
            made[package] = install(tmp_path_factory.mktemp(f"env-{package}") / "env", str(wheel))
        return made[package]

    return get


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """`public("target-jsonl")`: somebody else's plugin in an environment of its own."""
    made: dict[str, Installed] = {}

    def get(requirement: str) -> Installed:
        if requirement not in made:
            made[requirement] = install(tmp_path_factory.mktemp("env-public") / "env", requirement)
        return made[requirement]

    return get
