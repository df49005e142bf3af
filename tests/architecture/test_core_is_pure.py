"""The core decides and nothing else: what it may import, call and iterate over is read off its syntax trees."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = pytest.mark.no_cover

CORE = ROOT / "src" / "understudy" / "core"
FILES = sorted(CORE.rglob("*.py"))

# Clocks, dice, sockets, threads, files and logs: each would be an answer that did not come in as an argument.
FORBIDDEN = {
    "asyncio", "concurrent", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}
SETS = {"set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"}
# What these make of a set does not depend on its order, as long as no key makes two members tie.
ORDER_FREE = {"sorted", "min", "max", "any", "all", "len", "set", "frozenset"}


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def impure_imports(tree: ast.AST) -> list[str]:
    found = []
    for line, name in imported(tree):
        root = name.split(".")[0]
        own = name == "understudy.core" or name.startswith("understudy.core.")
        if not own and (root not in sys.stdlib_module_names or root in FORBIDDEN):
            found.append(f"{line}: imports {name or 'relatively'}")
    return found


def is_set_type(annotation: ast.expr | None) -> bool:
    """Whether an annotation names a set, also inside Final[...] and a union."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in SETS
        case ast.Subscript(value=ast.Name(id="Final" | "ClassVar"), slice=inner):
            return is_set_type(inner)
        case ast.Subscript(value=outer):
            return is_set_type(outer)
        case ast.BinOp(left=left, right=right):
            return is_set_type(left) or is_set_type(right)
        case ast.Constant(value=str(text)):
            return is_set_type(ast.parse(text, mode="eval").body)
    return False


def is_set(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr="union" | "intersection" | "difference" | "symmetric_difference")):
            return True
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return is_set(left, names) or is_set(right, names) or is_key_view(left) or is_key_view(right)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
    return False


def is_key_view(node: ast.expr) -> bool:
    """Whether an operand is `d.keys()` or `d.items()`: ordered by itself, a set once combined."""
    match node:
        case ast.Call(func=ast.Attribute(attr="keys" | "items"), args=[]):
            return True
    return False


def set_names(tree: ast.AST) -> set[str]:
    """Names of variables, parameters and fields that hold sets, by their annotation or their first value."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
                if is_set_type(annotation):
                    names.add(name)
            case ast.arg(arg=name, annotation=annotation):
                if is_set_type(annotation):
                    names.add(name)
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
                if is_set(value, names):
                    names.add(name)
    return names


def unordered_iterations(tree: ast.AST) -> list[str]:
    names = set_names(tree)
    forgiven: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in ORDER_FREE:
                forgiven.update(node.args)
    found = []
    for node in ast.walk(tree):
        iterated: list[ast.expr] = []
        match node:
            case ast.For():
                iterated = [node.iter]
            case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() if node not in forgiven:
                iterated = [generator.iter for generator in node.generators]
            case ast.Starred():
                iterated = [node.value]
            case ast.YieldFrom():
                iterated = [node.value]
            case ast.Call(
                func=ast.Name(id="list" | "tuple" | "iter" | "enumerate" | "zip" | "map" | "filter" | "dict")
            ):
                iterated = node.args
            case ast.Call(func=ast.Attribute(attr="join" | "fromkeys" | "extend")):
                iterated = node.args
            case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), keywords=[_, *_]):
                iterated = node.args
        found += [
            f"{item.lineno}: iterates over the set {ast.unparse(item)}" for item in iterated if is_set(item, names)
        ]
    return found


def impure_calls(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="hash" | "id" | "open" | "print" | "input" as name)):
                found.append(f"{node.lineno}: calls {name}()")
            case ast.Call(func=ast.Attribute(attr=name), args=[]) if name in CLOCKS:
                found.append(f"{node.lineno}: reads a clock: {ast.unparse(node)}")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                found.append(f"{node.lineno}: is asynchronous")
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.fixture(params=FILES, ids=lambda path: path.relative_to(CORE).as_posix())
def tree(request) -> ast.Module:
    return parsed(request.param)


def test_core_imports_the_standard_library_only_and_nothing_that_acts(tree):
    assert impure_imports(tree) == []


def test_core_iterates_over_no_set(tree):
    # The order of a set of strings changes from process to process, and with it every decision made by it.
    assert unordered_iterations(tree) == []


def test_core_calls_nothing_that_differs_between_processes_or_waits(tree):
    assert impure_calls(tree) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from random import Random",
        "import msgspec",
        "from understudy.errors import E",
        "from . import x",
    ],
)
def test_an_impure_import_is_found(source):
    assert impure_imports(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "def f(names: frozenset[str]): return list(names)",
        "class A:\n    open: set[str]\n    def f(self): return tuple(self.open)",
        "seen = set()\nfor x in seen: pass",
        "','.join({a for a in b})",
        "sorted(set(a), key=len)",
        "first, *rest = [*{1, 2}]",
        "for x in set(a) - set(b): pass",
        "for x in a.keys() & b: pass",
    ],
)
def test_an_iteration_over_a_set_is_found(source):
    assert unordered_iterations(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    ["sorted(set(a))", "x in {1, 2}", "any(x for x in {1, 2})", "{f(x) for x in set(a)}", "for x in a.keys(): pass"],
)
def test_a_use_of_a_set_that_does_not_depend_on_its_order_is_allowed(source):
    assert unordered_iterations(ast.parse(source)) == []


@pytest.mark.parametrize("source", ["hash(x)", "id(x)", "datetime.now()", "async def f(): pass", "open('a')"])
def test_an_impure_call_is_found(source):
    assert impure_calls(ast.parse(source))
