"""Every example of the library's guide runs as it is written, and what it lists is all that there is."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import understudy
from understudy.library.callbacks import EVENTS

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "library.md"
TEXT = GUIDE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
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


def test_the_guide_names_every_event_and_no_other() -> None:
    [told] = re.findall(r"The names:\n(.*?)\.\n", TEXT, re.DOTALL)
    assert re.findall(r"`(\w+)`", told) == list(EVENTS)


def test_the_guide_names_every_error_and_they_are_what_it_says() -> None:
    named = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    public = [getattr(understudy, name) for name in understudy.__all__]
    errors = [one for one in public if inspect.isclass(one) and issubclass(one, Exception)]
    assert {*named, "UnderstudyError"} == {error.__name__ for error in errors}
    assert all(issubclass(error, understudy.UnderstudyError) for error in errors)
    assert issubclass(understudy.BadRequest, understudy.RequestFailed)
    assert issubclass(understudy.StreamBroken, understudy.RequestFailed)
