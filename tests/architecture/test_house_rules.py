"""What may not stand in the project: hosts of package indexes, paths of a machine, disabled TLS, patched code."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Put together here so that this file does not hold what it looks for.
INDEX_HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org"]
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]

OPEN_TO_ALL = re.compile(
    r"^[^(]*\.write_(text|bytes)\(|^(\w+\.)*open\(([^'\"]*, )?(mode=)?'[wax]b?\+?'|^os\.open\([^,]*, [^,]*O_CREAT[^,]*\)$|\.touch\((exist_ok=\w+)?\)$"
)


def tracked_texts() -> dict[str, str]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    files = [ROOT / n for n in names.split("\0") if n]
    texts = {}
    for file in files:
        if file.is_file():
            try:
                texts[str(file.relative_to(ROOT))] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return texts


def holders(words: list[str], texts: dict[str, str]) -> list[str]:
    return [f"{name}: {word}" for name, text in texts.items() for word in words if word in text]


def test_no_index_host_and_no_machine_path() -> None:
    texts = tracked_texts()
    assert len(texts) > 20
    assert not holders(INDEX_HOSTS + MACHINE_PATHS, texts)


def test_S10_tls_verification_is_never_switched_off() -> None:
    sources = {n: t for n, t in tracked_texts().items() if n.endswith(".py") and "/src/" in n}
    assert sources
    assert not [n for n, t in sources.items() if re.search(r"verify\s*=\s*False|CERT_NONE", t)]


def makes_files(text: str) -> list[str]:
    """Calls that make files with the mode that the umask leaves."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [shown for call in calls if OPEN_TO_ALL.search(shown := ast.unparse(call))]


def test_S5_files_are_made_for_their_owner_alone() -> None:
    """Programs write by `write_privately`, or open with a mode; but for files in a temporary folder, which is its owner's."""
    in_temporary_folders = {"console/src/case_sync_console/looking.py"}
    ours = ("console/", "tap-salesforce-cases/", "transform/", "target-hubspot-tickets/")
    sources = {
        n: t for n, t in tracked_texts().items() if n.endswith(".py") and "/src/" in n and n.startswith(ours)
    }
    assert len(sources) > 150
    assert {name for name, text in sources.items() if makes_files(text)} == in_temporary_folders
    for text in (
        "path.write_text(a)", "path.open('w')", "open(path, 'ab')", "path.open(mode='x')", "os.open(path, os.O_WRONLY | os.O_CREAT)",
        "path.touch()",
    ):  # fmt: skip
        assert makes_files(text), text


def test_only_run_results_are_ignored_by_git() -> None:
    """Nothing that a run leaves behind is tracked."""
    assert not [
        n
        for n in tracked_texts()
        if n.startswith((".meltano/", ".sandbox/", "output/")) or n.endswith((".db", ".env"))
    ]


def test_no_test_patches_our_code() -> None:
    words = ["unittest" + ".mock", "mocker" + ".", "monkeypatch" + ".setattr"]
    assert not holders(words, {n: t for n, t in tracked_texts().items() if n.startswith("tests/")})
