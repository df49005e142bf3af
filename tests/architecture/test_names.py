"""One word per thing: names that could fit any program are thoughts not finished."""

from __future__ import annotations

import ast
import re

import pytest

from conftest import ROOT

pytestmark = pytest.mark.no_cover

SOURCE = ROOT / "src" / "understudy"
EMPTY_WORDS = {
    "advanced", "base", "enhanced", "enterprise", "helper", "helpers", "intelligent", "manager", "util", "utils", "v2",
}  # fmt: skip


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*|\d+", name)}


def declared(source: str) -> list[str]:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def test_no_module_class_or_function_has_an_empty_name():
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        names = [path.stem, *declared(path.read_text(encoding="utf-8"))]
        found += [f"{path.relative_to(SOURCE)}: {name}" for name in names if words(name) & EMPTY_WORDS]
    assert found == []


@pytest.mark.parametrize("name", ["TargetManager", "url_helper", "BaseProvider", "utils", "HTTPUtil", "router_v2"])
def test_an_empty_name_is_found(name):
    assert words(name) & EMPTY_WORDS


@pytest.mark.parametrize("name", ["based_on", "Basement", "base64_text", "Router"])
def test_a_name_that_only_contains_such_letters_is_allowed(name):
    assert not words(name) & EMPTY_WORDS
