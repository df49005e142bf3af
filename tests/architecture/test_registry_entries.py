"""A folder is a registry: its entries do not know each other, so that adding or removing one changes no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from conftest import ROOT

SOURCE = ROOT / "src"
PACKAGE = SOURCE / "understudy"
REGISTRIES = [
    "core/eligibility",
    "core/strategies",
    "core/balancers",
    "core/rules/conditions",
    "core/rules/effects",
    "core/privacy/detectors",
    "credentials",
    "dialects",
    "faults",
    "providers",
]


def entries(folder: Path) -> dict[str, list[Path]]:
    """The files of each entry by its name; an entry is a file or a folder. Names with `_` first are shared code."""
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).parts[0].removesuffix(".py")
        if name != "__init__":
            files.setdefault(name, []).append(path)
    return files


def imported(source: str) -> set[str]:
    """Dotted names that a file imports; `from a import b` may mean the module a.b, so both count."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return names


def acquaintances(package: str, own: str, names: set[str], source: str) -> list[str]:
    """Entries of a package, other than its own, that a source file imports."""
    seen = {
        name.removeprefix(package + ".").split(".")[0] for name in imported(source) if name.startswith(package + ".")
    }
    return sorted((seen & names) - {own})


@pytest.mark.parametrize("registry", REGISTRIES)
def test_registry_entries_do_not_know_each_other(registry):
    folder = PACKAGE / registry
    package = ".".join(folder.relative_to(SOURCE).parts)
    found = entries(folder)
    names = {name for name in found if not name.startswith("_")}
    known = {
        f"{name} -> {other}"
        for name, paths in found.items()
        for path in paths
        for other in acquaintances(package, name, names, path.read_text(encoding="utf-8"))
    }
    assert known == set()


@pytest.mark.parametrize(
    "line", ["from p.r import b", "from p.r.b import B", "import p.r.b", "from p.r.b.inner import B"]
)
def test_an_acquaintance_is_found(line):
    assert acquaintances("p.r", "a", {"a", "b"}, line) == ["b"]


@pytest.mark.parametrize(
    "line", ["from p.r.a.inner import A", "from p.shared import b", "import p.r", "from p.r import x"]
)
def test_an_import_that_is_no_acquaintance_is_allowed(line):
    assert acquaintances("p.r", "a", {"a", "b"}, line) == []
