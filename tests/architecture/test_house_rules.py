"""What may not stand in the project: hosts of package indexes, paths of a machine, disabled TLS, patched code."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Put together here so that this file does not hold what it looks for.
INDEX_HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org"]
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]


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
