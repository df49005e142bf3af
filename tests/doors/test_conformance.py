"""Other people's conformance suite, over each inbound dialect and each upstream one.

`llm-comply` checks bodies and stream events against the published schemas. Its known failures are listed with reasons; a new
one fails the test, and so does one that has gone.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from stage import PROVIDERS, Raise, two_targets
from understudy.mock import Mock

EXPECTED: dict[tuple[str, str], dict[str, str]] = {}
"""(format, upstream): test id -> why it fails, and why that is right."""

FORMATS = {
    "openai-chat": ["-u", "{url}/v1", "-k", "any"],
    "open-responses": ["-u", "{url}/v1", "-k", "any"],
    "anthropic": ["-u", "{url}/v1", "-k", "any", "--auth-header", "x-api-key", "--no-bearer"],
    "google-genai": ["-u", "{url}", "-k", "any", "--auth-header", "x-goog-api-key", "--no-bearer"],
}


@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("format_", FORMATS)
async def test_llm_comply_passes(raise_curtain: Raise, mocks: tuple[Mock, Mock], format_: str, upstream: str) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    program = shutil.which("llm-comply") or str(Path(sys.executable).parent / "llm-comply")
    options = [option.format(url=stage.url) for option in FORMATS[format_]]
    process = await asyncio.create_subprocess_exec(
        program, "--format", format_, *options, "-m", "default", "--json", "--timeout", "10",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 50)
    told = json.loads(out)
    results = told["results"] if isinstance(told, dict) else told
    assert results, err
    failed = {one["id"]: one for one in results if one.get("status") not in {"passed", "skipped", "pass", "skip"}}
    assert set(failed) == set(EXPECTED.get((format_, upstream), {})), json.dumps(failed, indent=1)[:3000]
