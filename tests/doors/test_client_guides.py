"""Every example of the client guides runs as it is written, over a gateway; those whose client is not installed here are left out."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from stage import Raise, two_targets
from understudy.mock import Mock

GUIDES = ROOT / "docs" / "guides" / "clients"
ADDRESS = "http://127.0.0.1:8484"
HERE = {"openai-python", "anthropic-python", "google-genai-python", "curl"}
"""The guides that say so: their clients are installed wherever the tests run."""


def examples(language: str) -> dict[str, str]:
    """The examples in a language, by guide and place."""
    return {
        f"{path.stem}-{number}": block
        for path in sorted(GUIDES.glob("*.md"))
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.DOTALL))
    }


PYTHON, SHELL = examples("python"), examples("sh")


def lacking(example: str) -> list[str]:
    """The packages that it imports and that are not here."""
    wanted = re.findall(r"^(?:from|import) (\w+)", example, re.MULTILINE)
    return [name for name in wanted if importlib.util.find_spec(name) is None]


async def run(command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, err.decode()
    return out.decode()


ONE_BY_ONE = """
import json, sys
for example in json.loads(sys.argv[1]):
    print("\\n>>>", example.splitlines()[-1])
    exec(compile(example, "example", "exec"), {"__name__": "example"})
"""


@pytest.mark.no_cover
@pytest.mark.parametrize("guide", sorted({name.rpartition("-")[0] for name in PYTHON}))
async def test_the_python_examples_of_a_guide_run(raise_curtain: Raise, mocks: tuple[Mock, Mock], guide: str) -> None:
    told = [example for name, example in PYTHON.items() if name.rpartition("-")[0] == guide]
    if missing := [name for example in told for name in lacking(example)]:
        assert guide not in HERE
        pytest.skip(f"{missing[0]} is not installed here; `make conformance` has it")
    stage = await raise_curtain(two_targets(*mocks, "openai"))
    ready = [example.replace(ADDRESS, stage.url) for example in told]
    said = await run([sys.executable, "-c", ONE_BY_ONE, json.dumps(ready)])
    assert len(re.findall(r"^>>> .*\n(?!>>>|$)", said, re.MULTILINE)) == len(told)


@pytest.mark.parametrize("name", SHELL)
async def test_a_shell_example_runs(raise_curtain: Raise, mocks: tuple[Mock, Mock], name: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed here")
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    told = await run(["sh", "-c", SHELL[name].replace(ADDRESS, stage.url)])
    assert told.strip()
    assert '"error"' not in told


def test_every_guide_says_how_it_is_kept_working() -> None:
    index = (GUIDES / "README.md").read_text("utf-8")
    told = set(re.findall(r"\(([\w-]+)\.md\) \| its examples run in `make test`", index))
    assert told == HERE
    assert {path.stem for path in GUIDES.glob("*.md")} - {"README"} == set(re.findall(r"\(([\w-]+)\.md\) \|", index))
    assert all(any(Path(name).name.startswith(guide) for name in (*PYTHON, *SHELL)) for guide in HERE)


def test_no_example_leaves_the_clients_retries_on() -> None:
    for name, example in PYTHON.items():
        if name.rpartition("-")[0] in {"openai-python", "anthropic-python", "langchain"}:
            assert "max_retries=0" in example, name
