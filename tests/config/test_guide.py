"""Every configuration in the guide loads."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from understudy.config.load import loads

GUIDE = (ROOT / "docs" / "guides" / "configuration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_configuration_of_the_guide_loads_without_a_warning(block):
    made = loads(block, env={})
    assert made.warnings == ()
    assert made.routes


def test_the_guide_holds_configurations():
    assert len(BLOCKS) >= 5
