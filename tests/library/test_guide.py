"""Every example of the library's guide runs as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "library.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
FILE = """
targets:
  lead: {provider: simulated}
  sorry: {provider: static, text: Later.}
routes:
  default: {tiers: {primary: [lead], emergency: [sorry]}}
"""


@pytest.mark.no_cover
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, tmp_path: Path) -> None:
    (tmp_path / "understudy.yaml").write_text(FILE, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]],
        cwd=tmp_path,
        env=os.environ | {"ANTHROPIC_API_KEY": "sk-none", "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout
