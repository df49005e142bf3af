"""Whatever stands in the file: a configuration, or problems with their lines. Never another exception.

Method: arbitrary text; arbitrary YAML trees under the real keys; and a valid configuration with random damage.
"""

from __future__ import annotations

import copy
import json
import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import ROOT
from understudy.config import Configuration
from understudy.config.canonical import text_of
from understudy.config.load import loads
from understudy.errors import ConfigurationError

pytestmark = pytest.mark.no_cover

PLACED = re.compile(r"understudy\.yaml:(\d+):(\d+): ")
WHOLE = re.compile(r"understudy\.yaml: (there are no targets|a configuration is|the file (holds|is))")
LINE_ENDS = "\n\r\x85\u2028\u2029"


def check(text: str) -> Configuration | None:
    """The configuration, known to survive its own text; or None after looking at what was told."""
    problems: list[str] = []
    made = None
    try:
        made = loads(text, env={"SET": "value", "EMPTY": ""})
    except ConfigurationError as error:
        problems = error.problems
    if made is not None:
        assert made.targets
        assert loads(text_of(made), env={}).version == made.version
        return made
    assert problems
    lines = 1 + sum(text.count(end) for end in LINE_ENDS)
    for problem in problems:
        placed = PLACED.match(problem)
        assert placed or WHOLE.match(problem), problem
        assert placed is None or 1 <= int(placed[1]) <= lines + 1
    return None


@given(st.text(max_size=200))
@example('a: "\\UFFFFFFFF"')
@example("%YAML 1" + "1" * 5000 + "\n---\na: 1")
@example("? ? ? ?")
@example("<<: *x")
@example("{{{{{{{{")
@example("a: !!binary x")
@example("\ufeff")
@example("targets: {a: &a [*a]}")
def test_any_text(text):
    check(text)


WORDS = st.sampled_from(
    [
        "targets",
        "routes",
        "default",
        "tiers",
        "primary",
        "local",
        "policy",
        "retry",
        "max",
        "breaker",
        "counts",
        "price",
        "input",
        "provider",
        "openai",
        "static",
        "simulated",
        "text",
        "model",
        "m",
        "key",
        "env:X",
        "base_url",
        "http://x/v1",
        "principals",
        "name",
        "key_sha256",
        "transport",
        "server",
        "board",
        "memory",
        "no",
        "12:30",
        "1e3",
        ".nan",
        ".inf",
        "-1",
        "0",
        "1",
        "true",
        "null",
        "~",
        "${SET}",
        "${EMPTY}",
        "${ABSENT:-1}",
        "${ABSENT}",
        "$${",
        "<<",
        "strategy",
        "balancer",
        "weighted",
        "stale_cache",
        "api",
        "faults",
        "outage",
        "headers",
        "settings",
        "budgets",
        "rules",
    ]
)
LEAVES = WORDS | st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(WORDS, TREES, max_size=6))
def test_any_tree_of_known_words(tree):
    check(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def paths(node, at=()):
    yield at
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from paths(inner, (*at, name))
    if isinstance(node, list):
        for index, inner in enumerate(node):
            yield from paths(inner, (*at, index))


FULL = (ROOT / "examples" / "everything.yaml").read_text(encoding="utf-8")
VALID = yaml.safe_load(FULL)
PATHS = [path for path in paths(VALID) if path]


@st.composite
def damaged(draw):
    """The full configuration with a few values replaced, removed, renamed or doubled."""
    tree = copy.deepcopy(VALID)
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3)):
        parent = tree
        for part in path[:-1]:
            parent = parent[part] if isinstance(parent, dict) and part in parent else None
        if not isinstance(parent, dict) or path[-1] not in parent:
            continue
        kind = draw(st.sampled_from(["replace", "remove", "rename", "wrap"]))
        value = parent.pop(path[-1])
        if kind == "replace":
            parent[path[-1]] = draw(TREES)
        elif kind == "rename":
            parent[str(path[-1])[:-1] + draw(st.sampled_from(["", "x", "é"]))] = value
        elif kind == "wrap":
            parent[path[-1]] = draw(st.sampled_from([[value], {"x": value}, str(value)]))
    return tree


@given(damaged())
def test_any_damage_to_a_valid_configuration(tree):
    check(json.dumps(tree) if len(str(tree)) % 2 else yaml.safe_dump(tree))


@given(st.integers(0, len(FULL) - 1), st.integers(0, 40), st.text(max_size=6))
def test_any_cut_or_insertion_in_the_text_of_a_valid_configuration(at, cut, inserted):
    check(FULL[:at] + inserted + FULL[at + cut :])
