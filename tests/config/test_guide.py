"""Every configuration in the guides loads."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from understudy.config.load import loads

GUIDES = [
    (ROOT / "docs" / "guides" / name).read_text(encoding="utf-8") for name in ("configuration.md", "embeddings.md")
]
BLOCKS = [block for guide in GUIDES for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_configuration_of_the_guide_loads_without_a_warning(block):
    made = loads(block, env={})
    assert made.warnings == ()
    assert made.names


def test_the_guide_holds_configurations():
    assert len(BLOCKS) >= 5
