"""Every configuration in the guides loads."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from understudy.config.load import loads

BLOCKS = {
    f"{path.stem}-{number}": block
    for path in sorted((ROOT / "docs" / "guides").rglob("*.md"))
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_configuration_of_a_guide_loads_without_a_warning(block):
    made = loads(block, env={})
    assert made.warnings == ()
    assert made.names


def test_the_guides_hold_configurations():
    assert len(BLOCKS) >= 5
