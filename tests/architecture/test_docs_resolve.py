"""Every path, link and command that the documents name resolves."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    p for p in [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")] if p.is_file()
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def looks_like_a_path(code: str) -> bool:
    """A quoted word counts as a path of the project when it has a slash and its first part exists, and is not what runs leave."""
    first = code.partition("/")[0]
    is_path = bool(re.fullmatch(r"[\w.\-]+(/[\w.\-]+)+/?", code))
    return is_path and first not in {".meltano", ".sandbox"} and (ROOT / first).exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_paths_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    problems = []
    for match in LINK.finditer(FENCE.sub("", text)):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name) if name else document
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            problems.append(target)
    problems += [
        c for c in CODE.findall(FENCE.sub("", text)) if looks_like_a_path(c) and not (ROOT / c).exists()
    ]
    assert not problems, f"{document.relative_to(ROOT)} names what is not there: {problems}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_make_targets_exist(document: Path) -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = set(MAKE.findall(" ".join(CODE.findall(document.read_text(encoding="utf-8")))))
    assert named <= targets


def test_readme_and_architecture_are_among_them() -> None:
    assert {"README.md", "ARCHITECTURE.md"} <= {str(p.relative_to(ROOT)) for p in DOCUMENTS}


def test_architecture_links_each_stage() -> None:
    """ARCHITECTURE follows one case: it links code of all three plugins and the sample messages at each stage."""
    links = {m.group(1) for m in LINK.finditer((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))}
    for folder in (
        "tap-salesforce-cases/src/",
        "transform/src/",
        "target-hubspot-tickets/src/",
        "contracts/samples/",
    ):
        assert any(link and link.startswith(folder) for link in links), folder
