"""Every configuration in the guides, and the one in the README, loads."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from understudy.config.load import loads
from understudy.config.registries import BALANCERS, CONDITIONS, STRATEGIES

BLOCKS = {
    f"{path.stem}-{number}": block
    for path in [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").rglob("*.md"))]
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_configuration_of_a_guide_loads_without_a_warning(block):
    made = loads(block, env={})
    assert made.warnings == ()
    assert made.names


def test_the_guides_hold_configurations():
    assert len(BLOCKS) >= 5


def names_told(heading: str) -> list[tuple[str, str]]:
    """What the second column of the tables below a heading names: (what it is called there, each name in code marks)."""
    text = (ROOT / "docs" / "guides" / "strategies.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    return [(row[1].strip(), name) for row in rows for name in re.findall(r"`([^`]+)`", row[1])]


def test_every_strategy_known_by_another_name_is_one_of_ours() -> None:
    told = names_told("Strategies known by other names")
    named = {name for _, name in told}
    assert {*STRATEGIES.names(), *BALANCERS.names()} - named == {"prompt_router"}, "each is mapped to"
    for where, name in told:
        if name == "min_quality":
            assert any(f"`{known}`" in where for known in ("cost", "cost_quality"))
        else:
            entry = name.partition(":")[0]
            text = f"routes: {{r: {{tiers: {{primary: [simulated]}}, {'balancer' if entry in BALANCERS else 'strategy'}: {{{name if ':' in name else name + ': {}'}}}}}}}"
            assert loads(text, env={}).routes["r"]


def test_every_condition_known_by_another_name_is_one_of_ours() -> None:
    told = names_told("Conditions and measurements known by other names")
    for where, name in told:
        if where.startswith("condition"):
            assert name in {*CONDITIONS.names(), *STRATEGIES.names(), "begin", "end", "by"}
