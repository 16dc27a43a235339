"""The import rule of the house: a pure core, a thin shell, and no runtime code shared between packages."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "tap_salesforce_cases": ROOT / "tap-salesforce-cases/src/tap_salesforce_cases",
    "case_ticket_mapper": ROOT / "transform/src/case_ticket_mapper",
    "target_hubspot_tickets": ROOT / "target-hubspot-tickets/src/target_hubspot_tickets",
    "case_sync_console": ROOT / "console/src/case_sync_console",
    "case_sync_sandbox": ROOT / "sandbox/src/case_sync_sandbox",
}
# What a core module may not reach: the network, the clock, the process, the disk, logs, frameworks.
FORBIDDEN_IN_CORE = {
    "http", "httpx", "io", "logging", "multiprocessing", "os", "random", "requests", "secrets", "shutil", "signal", "singer_sdk",
    "socket", "sqlalchemy", "sqlite3", "starlette", "subprocess", "sys", "tempfile", "tenacity", "threading", "time", "typer",
    "urllib3", "uvicorn",
}  # fmt: skip
FORBIDDEN_CALLS_IN_CORE = {"open", "print", "input", "eval", "exec"}
CLOCK_METHODS = {"now", "utcnow", "today"}

MODULES = sorted(
    (package, path) for package, folder in PACKAGES.items() for path in folder.rglob("*.py")
)  # every module of every package


def kind_of(tree: ast.Module) -> str | None:
    first_line = (ast.get_docstring(tree) or "").split("\n", 1)[0]
    return next((kind for kind in ("Core", "Shell") if first_line.startswith(f"{kind}: ")), None)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_names(tree: ast.Module, package: str, path: Path) -> set[str]:
    """Dotted names that a module imports when it runs, relative ones made absolute; TYPE_CHECKING blocks don't run."""
    folder = path.relative_to(PACKAGES[package]).parent.parts
    names: set[str] = set()
    for node in running_nodes(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [package, *folder][: len(folder) + 2 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def running_nodes(tree: ast.Module) -> list[ast.AST]:
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def module_file(name: str) -> Path | None:
    package, _, rest = name.partition(".")
    if package not in PACKAGES:
        return None
    base = PACKAGES[package].joinpath(*rest.split(".")) if rest else PACKAGES[package]
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def identify(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("package", "path"), MODULES, ids=identify)
def test_each_module_says_whether_it_is_core_or_shell(package: str, path: Path) -> None:
    assert kind_of(parse(path)), (
        f"{path.relative_to(ROOT)}: the docstring must start with 'Core: ' or 'Shell: '"
    )


@pytest.mark.parametrize(("package", "path"), MODULES, ids=identify)
def test_no_package_imports_another_of_ours(package: str, path: Path) -> None:
    others = set(PACKAGES) - {package}
    assert not {n for n in imported_names(parse(path), package, path) if n.split(".")[0] in others}


@pytest.mark.parametrize(("package", "path"), MODULES, ids=identify)
def test_a_core_module_reaches_nothing_outside(package: str, path: Path) -> None:
    tree = parse(path)
    if kind_of(tree) != "Core":
        return
    names = imported_names(tree, package, path)
    assert not {n for n in names if n.split(".")[0] in FORBIDDEN_IN_CORE}
    shells = {n for n in names if (f := module_file(n)) and kind_of(parse(f)) == "Shell"}
    assert not shells, f"{path.relative_to(ROOT)} is Core but imports the shell"


@pytest.mark.parametrize(("package", "path"), MODULES, ids=identify)
def test_a_core_module_calls_no_clock_file_or_code(package: str, path: Path) -> None:
    tree = parse(path)
    if kind_of(tree) != "Core":
        return
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    plain = {f.id for f in calls if isinstance(f, ast.Name)} & FORBIDDEN_CALLS_IN_CORE
    clock = {
        ast.unparse(f)
        for f in calls
        if isinstance(f, ast.Attribute)
        and f.attr in CLOCK_METHODS
        and ast.unparse(f.value) in {"datetime", "date", "datetime.datetime", "dt.datetime"}
    }
    assert not plain | clock


def test_the_rule_sees_something() -> None:
    """An empty pass is no pass: each plugin has core modules and at least one shell module."""
    for package in PACKAGES:
        kinds = [kind_of(parse(path)) for p, path in MODULES if p == package]
        assert "Core" in kinds, package
        assert "Shell" in kinds, package
